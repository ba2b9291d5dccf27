import { createRoot } from "react-dom/client";
import { App } from "@/app/App";
import { installHooks } from "@/shared/measure";
import "@/app/app.css";

installHooks();
const root = document.getElementById("root");
if (root === null) throw new Error("index.html has no #root");
createRoot(root).render(<App />);
