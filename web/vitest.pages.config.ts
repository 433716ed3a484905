/** Pages in a real chromium against the fixture server: axe, keyboard and screenshots. Needs `npm run build` first. */
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    environment: "node",
    include: ["tests/pages/**/*.test.ts"],
    globalSetup: "tests/support/scratch.ts",
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // What a page does next takes its time on a busy machine.
    expect: { poll: { timeout: 20_000 } },
  },
});
