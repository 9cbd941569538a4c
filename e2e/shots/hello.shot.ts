import { test } from "../fixtures/test.ts";
import { sizes, take } from "../fixtures/shot.ts";

for (const colorScheme of ["light", "dark"] as const) {
  for (const [size, viewport] of Object.entries(sizes)) {
    test.describe(`${colorScheme}, ${size}`, () => {
      test.use({ colorScheme, viewport });

      test("the first visit", async ({ page }) => {
        await page.goto("/");
        await page.locator(".boot-loading").waitFor({ state: "hidden" });
        await take(page, `hello-${colorScheme}-${size}`);
      });
    });
  }
}
