import { test } from "../fixtures/test.ts";
import { take } from "../fixtures/shot.ts";

test("the first visit", async ({ people }) => {
  const ada = await people.meet("Ada");
  const { page, welcome } = await ada.open();
  await welcome.name.waitFor();
  await take(page, "first-visit");
});

test("an empty room", async ({ people }) => {
  const { tab } = await people.join("Ada Lovelace");
  await tab.rooms.create("Ward 2");
  await tab.room.entry("created the room").expectState("acked");
  await take(tab.page, "empty-room");
});

test("a room that is not joined, and one that is not there", async ({ people }) => {
  const ada = await people.join("Ada Lovelace");
  await ada.tab.rooms.create("Ward 2");
  await ada.tab.room.entry("created the room").expectState("acked");
  const bob = await people.join("Bob", "/rooms/Ward%202");
  await bob.tab.room.joinRoom.waitFor();
  await take(bob.tab.page, "not-joined");
  await bob.open("/rooms/nowhere");
  await bob.tab.page.getByText("There is no room #nowhere.").waitFor();
  await take(bob.tab.page, "no-such-room");
});

test("the dialogs", async ({ people }) => {
  const { tab } = await people.join("Ada Lovelace");
  await tab.rooms.newRoom.click();
  const dialog = tab.page.getByRole("dialog");
  await dialog.getByRole("textbox").fill("lobby");
  await take(tab.page, "dialog-new-room");
  await tab.page.keyboard.press("Escape");
  await tab.page.setViewportSize({ width: 1280, height: 800 });
  await tab.page.getByRole("button", { name: "Change your name" }).click();
  await take(tab.page, "dialog-name");
});

test("no database in the browser", async ({ people }) => {
  const ada = await people.meet("Ada");
  await ada.context.addInitScript(() => Object.defineProperty(window, "indexedDB", { value: undefined }));
  const tab = await ada.open();
  await tab.welcome.name.waitFor();
  await take(tab.page, "memory-only-first-visit");
  await tab.welcome.introduce("Ada Lovelace");
  await tab.status.expectLink("online");
  await take(tab.page, "memory-only");
});
