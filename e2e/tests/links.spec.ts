import { expect, test } from "../fixtures/test.ts";
import { postMessage } from "../fixtures/log.ts";
import { expectSame } from "../fixtures/same.ts";
import type { Tab } from "../pages/tab.page.ts";

test("a room's address leads a newcomer to the room", async ({ server, people }) => {
  const ada = await people.join("Ada");
  await ada.tab.rooms.create("Ward 2");
  await ada.tab.room.say("for those who have the link");
  await ada.tab.room.entry("for those").expectState("acked");
  const path = new URL(ada.tab.page.url()).pathname;
  expect(path).toBe("/rooms/Ward%202");

  const bob = await people.join("Bob", path);
  await expect(bob.tab.room.name).toContainText("Ward 2");
  await bob.tab.room.joinRoom.click();
  await expectSame(server, [ada.tab, bob.tab], "Ward 2");
  await bob.tab.room.say("came by the link");
  await expectSame(server, [ada.tab, bob.tab], "Ward 2");
});

test("an address with a place opens the log there", async ({ server, people }) => {
  for (let i = 1; i <= 120; i++) await postMessage(server, `line ${i}.`);
  const bob = await people.join("Bob", "/rooms/lobby?at=31");
  const there = bob.tab.room.at(31);
  await expect(there.article).toBeInViewport();
  await expect(bob.tab.room.entries.last()).not.toBeInViewport();
  // It stands among others of the same author, and says all the same whose it is.
  await expect(there.article.locator(".sign")).toBeVisible();
  await expect(bob.tab.room.at(32).article.locator(".sign")).toBeHidden();

  await bob.tab.room.toLatest.click();
  await expect(bob.tab.room.entries.last()).toBeInViewport();
  await expectSame(server, [bob.tab]);
});

test("an event's own link leads back to it", async ({ people, server }) => {
  for (let i = 1; i <= 60; i++) await postMessage(server, `line ${i}.`);
  const ada = await people.join("Ada");
  await ada.context.grantPermissions(["clipboard-read", "clipboard-write"]);
  const entry = ada.tab.room.entry("line 50.");
  await entry.article.hover();
  await entry.button("Copy link").click();
  const offset = await entry.article.getAttribute("data-offset");
  const copied = await ada.tab.page.evaluate(() => navigator.clipboard.readText());
  expect(copied).toBe(`${ada.line.baseUrl}/rooms/lobby?at=${offset}`);
  await ada.open(copied);
  await expect(ada.tab.room.entry("line 50.").article).toBeInViewport();
});

test("an address without a room says so", async ({ people }) => {
  const ada = await people.join("Ada", "/rooms/nowhere");
  await expect(ada.tab.page.getByText("There is no room #nowhere.")).toBeVisible();
  await expect(ada.tab.page).toHaveTitle("nowhere · Holdfast");
  await ada.tab.page.getByRole("link", { name: "Go to the lobby" }).click();
  await expect(ada.tab.room.message).toBeVisible();
});

test("an inbox to which nothing was sent says so", async ({ people }) => {
  const ada = await people.join("Ada", "/inbox");
  await expect(ada.tab.page.getByText("Nothing has been sent to you yet.")).toBeVisible();
});

test("a wrong address shows the page, which says that nothing is there", async ({ people }) => {
  const ada = await people.join("Ada");
  const answer = await ada.tab.page.goto("/rooms");
  expect(answer?.status()).toBe(404);
  await expect(ada.tab.page).toHaveTitle("Not found · Holdfast");
  await ada.tab.page.getByRole("link", { name: "Go to the lobby" }).click();
  await expect(ada.tab.room.message).toBeVisible();
});

test("a place that the log does not have is told, and no row is taken for it", async ({ people }) => {
  const ada = await people.join("Ada");
  await ada.tab.room.say("the only message");
  await ada.tab.room.entry("the only").expectState("acked");
  for (const place of [0, 99_999]) {
    await ada.open(`/rooms/lobby?at=${place}`);
    await expect(ada.tab.page.getByRole("alert")).toContainText(`place ${place} of #lobby, and there is no such place`);
    await expect(ada.tab.room.entry("the only").article).toBeVisible();
    await expect(ada.tab.room.linked).toHaveCount(0);
  }
  await ada.open("/rooms/lobby?at=2");
  await expect(ada.tab.room.linked).toHaveCount(1);
  await expect(ada.tab.page.getByRole("alert")).toHaveCount(0);
});

for (const { how, go } of [
  { how: "sends", go: async (tab: Tab) => tab.room.say("what Bob says") },
  { how: "jumps to the newest message", go: async (tab: Tab) => tab.room.toLatest.click() },
]) {
  test(`who ${how} is not thrown back to the linked place by a reload`, async ({ server, people }) => {
    for (let i = 1; i <= 120; i++) await postMessage(server, `line ${i}.`);
    const bob = await people.join("Bob", "/rooms/lobby?at=31");
    await expect(bob.tab.room.at(31).article).toBeInViewport();
    const entries = await bob.tab.page.evaluate(() => history.length);
    await go(bob.tab);
    await expect(bob.tab.room.entries.last()).toBeInViewport();
    await expect(bob.tab.page).toHaveURL(/\/rooms\/lobby$/);
    expect(await bob.tab.page.evaluate(() => history.length)).toBe(entries);
    await expectSame(server, [bob.tab]);
    await bob.tab.page.reload();
    await expect(bob.tab.room.entries.last()).toBeInViewport();
  });
}
