import { defineConfig } from "@playwright/test";
import { chromium } from "./fixtures/browser.ts";

// Pictures, not tests: they prove nothing, and so stand apart from the suite.
export default defineConfig({
  testDir: "shots",
  testMatch: "*.shot.ts",
  outputDir: "test-results/shots",
  forbidOnly: true,
  workers: 1,
  reporter: [["list"]],
  use: { ...chromium, deviceScaleFactor: 2 },
});
