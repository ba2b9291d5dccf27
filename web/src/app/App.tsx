import { useEffect } from "react";
import { RouterProvider } from "react-router";
import { useSession } from "@/shared/api/endpoints/session";
import { router } from "./routes";

export function App() {
  const load = useSession((store) => store.load);
  useEffect(() => void load(), [load]);
  return <RouterProvider router={router} />;
}
