/** Owns the temporary folders of a run of page tests: they lie in one, which goes when the run ends, however its tests ended. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export default function scratch() {
  const folder = mkdtempSync(join(tmpdir(), "kinora-pages-"));
  // Of this process and all that it starts.
  process.env.TMPDIR = folder;
  return () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
}
