import { createBrowserRouter, Navigate } from "react-router";
import { SignIn } from "@/features/account/SignIn";
import { Welcome } from "@/features/account/Welcome";
import { Wall } from "@/features/cameras/Wall";
import { Loading } from "@/shared/ui/Notice";
import { Shell } from "./Shell";

/** Every address of the page. */
export const router = createBrowserRouter([
  { path: "/welcome", element: <Welcome /> },
  { path: "/sign-in", element: <SignIn /> },
  {
    element: <Shell />,
    children: [
      { path: "/", element: <Wall /> },
      {
        // Fetched when it is first needed: it brings hls.js.
        path: "/cameras/:id",
        lazy: async () => ({ Component: (await import("@/features/watch/CameraPage")).CameraPage }),
        HydrateFallback: () => <Loading label="Opening the camera" />,
      },
    ],
  },
  { path: "*", element: <Navigate to="/" replace /> },
]);
