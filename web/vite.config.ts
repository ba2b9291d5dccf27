import react from "@vitejs/plugin-react";
import tailwindcss from "@tailwindcss/vite";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

// The address of a running BarnHand for `npm run dev`; the built page is served by the API itself.
const backend = process.env.BARNHAND_API ?? "http://127.0.0.1:8000";

export default defineConfig({
  plugins: [react(), tailwindcss()],
  resolve: {
    alias: [
      { find: "@skeletons", replacement: here("../src/barnhand/core/skeletons") },
      { find: /^@\//, replacement: here("./src/") },
      // Without subtitles, DRM and alternate audio: our playlists have none. The types are those of the whole.
      { find: /^hls\.js$/, replacement: "hls.js/light" },
    ],
  },
  build: {
    outDir: here("../src/barnhand/api/static"),
    emptyOutDir: true,
    target: "es2022",
    chunkSizeWarningLimit: 600,
  },
  server: {
    host: "127.0.0.1",
    port: 3000,
    proxy: { "/v1": { target: backend, ws: true } },
    fs: { allow: [here(".."), here(".")] },
  },
  test: { include: ["src/**/*.test.ts"], environment: "node" },
});
