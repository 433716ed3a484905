/** Fails when the script of the home page, all chunks that it loads and none of the player's, is too large compressed. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, gzipSync } from "node:zlib";

const LIMIT_KB = 150;
const AIM_KB = 120;
const dist = fileURLToPath(new URL("../dist/", import.meta.url));
const manifest = JSON.parse(readFileSync(`${dist}.vite/manifest.json`, "utf8"));

const chunks = new Set();
function collect(key) {
  const entry = manifest[key];
  if (!entry || chunks.has(entry.file)) return;
  chunks.add(entry.file);
  for (const imported of entry.imports ?? []) collect(imported);
}
collect("index.html");

let gzip = 0;
let brotli = 0;
for (const file of chunks) {
  const content = readFileSync(dist + file);
  gzip += gzipSync(content, { level: 9 }).length;
  brotli += brotliCompressSync(content).length;
}
const kb = (bytes) => (bytes / 1000).toFixed(1);
console.log(
  `home page script: ${kb(gzip)} kB gzip, ${kb(brotli)} kB brotli in ${chunks.size} chunks (aim ${AIM_KB}, limit ${LIMIT_KB} gzip)`,
);
if (gzip / 1000 > LIMIT_KB) process.exit(1);
