/** How the page is built: React, hashed files under dist/assets, and a development proxy to a running server. */
import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

const server = process.env.KINORA_URL ?? "http://127.0.0.1:8080";

export default defineConfig({
  plugins: [react()],
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  build: { target: "es2023", manifest: true, sourcemap: false, assetsInlineLimit: 2048 },
  server: { proxy: { "/api": { target: server, ws: true }, "/media": server, "/art": server } },
});
