import { expect, test } from "../fixtures/test.ts";
import { postMessage, readLog, readTexts } from "../fixtures/log.ts";

test("the server hands out a page that starts and breaks none of its own rules", async ({ page }) => {
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => {
    if (/content security policy|integrity.*(fail|mismatch)/i.test(message.text())) complaints.push(message.text());
  });
  await page.goto("/");
  await expect(page).toHaveTitle(/Holdfast/);
  // The page has a "Loading…" of its own while it reads its database: wait for what comes after.
  await expect(page.getByRole("textbox", { name: "Your name" })).toBeVisible();
  await expect(page.locator(".boot-loading")).toBeHidden();
  expect(complaints).toEqual([]);
});

test("an event posted twice with one key stands once in the log", async ({ server }) => {
  const first = await postMessage(server, "once", { key: "one" });
  expect(await postMessage(server, "once", { key: "one" })).toEqual(first);
  await postMessage(server, "after");
  expect(await readTexts(server)).toEqual(["once", "after"]);
  expect((await readLog(server)).gap).toBeNull();
});

test("a killed server comes back at its address", async ({ page, server }) => {
  await server.kill();
  await server.restart();
  await page.goto("/");
  await expect(page).toHaveTitle(/Holdfast/);
});

test("the server drains and exits 0 when it is told to stop", async ({ server }) => {
  await server.stop();
  expect(await server.exited()).toEqual({ code: 0, signal: null });
});
