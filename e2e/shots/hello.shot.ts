import { test } from "@playwright/test";
import { serveDist } from "../fixtures/dist.ts";
import { sizes, take } from "../fixtures/shot.ts";

for (const colorScheme of ["light", "dark"] as const) {
  for (const [size, viewport] of Object.entries(sizes)) {
    test(`the first visit, ${colorScheme}, ${size}`, async ({ browser }) => {
      const dist = await serveDist();
      const page = await browser.newPage({ colorScheme, viewport, deviceScaleFactor: 2 });
      await page.goto(dist.baseUrl);
      await page.getByText("Loading…").waitFor({ state: "hidden" });
      await take(page, `hello-${colorScheme}-${size}`);
      await page.close();
      await dist.close();
    });
  }
}
