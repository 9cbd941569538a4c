import { defineConfig } from "@playwright/test";
import { chromium } from "./fixtures/browser.ts";

export default defineConfig({
  testDir: "tests",
  outputDir: "test-results",
  fullyParallel: true,
  forbidOnly: true,
  // A test that passes at its second try has found something.
  retries: 0,
  workers: 2,
  timeout: 60_000,
  expect: { timeout: 10_000 },
  reporter: [["list"]],
  use: { ...chromium, trace: "retain-on-failure" },
});
