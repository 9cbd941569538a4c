import { expect, test } from "@playwright/test";
import { serveDist } from "../fixtures/dist.ts";

test("the page starts", async ({ page }) => {
  const faults: string[] = [];
  page.on("pageerror", (error) => faults.push(error.message));
  const dist = await serveDist();
  await page.goto(dist.baseUrl);
  await expect(page).toHaveTitle(/Holdfast/);
  await expect(page.getByText("Loading…")).toBeHidden();
  await expect(page.locator(".boot-loading ~ :not(script)").first()).toBeVisible();
  expect(faults).toEqual([]);
  await dist.close();
});
