import type { Locator, Page } from "@playwright/test";
import { expect, test } from "../fixtures/test.ts";
import { expectSame } from "../fixtures/same.ts";

/** Goes by Tab, or backwards, until `target` has the keyboard. */
async function tabTo(page: Page, target: Locator, { back = false } = {}): Promise<void> {
  for (let presses = 0; presses < 60; presses++) {
    if (await target.evaluate((element) => element === document.activeElement)) return;
    await page.keyboard.press(back ? "Shift+Tab" : "Tab");
  }
  throw new Error(`the keyboard does not reach ${String(target)}`);
}

test("everything can be done by the keyboard alone", async ({ server, people }) => {
  const ada = await people.meet("Ada");
  const { page, welcome, status, rooms, room } = await ada.open();
  const { keyboard } = page;

  await expect(welcome.name).toBeFocused();
  await keyboard.type("Ada");
  await keyboard.press("Enter");
  await status.expectLink("online");

  await test.step("a new room", async () => {
    await tabTo(page, rooms.newRoom, { back: true });
    await keyboard.press("Enter");
    const dialog = page.getByRole("dialog", { name: "New room" });
    await expect(dialog.getByRole("textbox", { name: "Room name" })).toBeFocused();
    await keyboard.press("Escape");
    await expect(dialog).toBeHidden();
    await expect(rooms.newRoom).toBeFocused();
    await keyboard.press("Enter");
    await keyboard.type("By hand");
    await keyboard.press("Enter");
    await expect(room.name).toContainText("By hand");
  });

  await test.step("writing, with a line break", async () => {
    await expect(room.message).toBeFocused();
    await keyboard.type("first line");
    await keyboard.press("Shift+Enter");
    await keyboard.type("second line");
    await keyboard.press("Enter");
    await room.entry("first line").expectState("acked");
    await expect(room.message).toHaveValue("");
  });

  await test.step("editing the last message", async () => {
    await keyboard.press("ArrowUp");
    await expect(room.message).toHaveValue("first line\nsecond line");
    await keyboard.type(", edited");
    await keyboard.press("Enter");
    await expect(room.entry("second line, edited").article).toContainText("edited");
  });

  await test.step("editing any message, and leaving it as it is", async () => {
    await keyboard.type("another");
    await keyboard.press("Enter");
    await room.entry("another").expectState("acked");
    await tabTo(page, room.entry("another").article, { back: true });
    await keyboard.press("ArrowUp");
    await expect(room.entry("first line").article).toBeFocused();
    await tabTo(page, room.entry("first line").button("Edit"));
    await keyboard.press("Enter");
    await expect(room.message).toBeFocused();
    await keyboard.type(" twice");
    await keyboard.press("Escape");
    await expect(room.message).toHaveValue("");
  });

  await test.step("discarding what is not sent", async () => {
    await ada.goOffline();
    await keyboard.type("never sent");
    await keyboard.press("Enter");
    const unsent = room.entry("never sent");
    await unsent.expectState("queued");
    // Back to where the keyboard was in the log, and down from there.
    await tabTo(page, room.entry("first line").article, { back: true });
    await keyboard.press("ArrowDown");
    await keyboard.press("ArrowDown");
    await expect(unsent.article).toBeFocused();
    await tabTo(page, unsent.button("Discard"));
    await keyboard.press("Enter");
    await expect(unsent.article).toHaveCount(0);
    await expect(room.entry("another").article).toBeFocused();
    await ada.goOnline();
  });

  await test.step("going to another room", async () => {
    await tabTo(page, rooms.link("lobby"), { back: true });
    await keyboard.press("Enter");
    await expect(room.name).toContainText("lobby");
    await expect(room.message).toBeFocused();
    await keyboard.type("in the lobby");
    await keyboard.press("Enter");
    await expect(room.entry("in the lobby").article).toBeVisible();
  });
  await expectSame(server, [ada.tab]);
});

test("what is deleted or discarded leaves the keyboard in the log", async ({ server, people }) => {
  const ada = await people.join("Ada");
  const { page, room } = ada.tab;
  const { keyboard } = page;
  await room.say("kept", "deleted");
  await room.entry("deleted").expectState("acked");
  const deleted = await room.entry("deleted").byId();

  await test.step("a deletion is asked for, and the question goes with the focus", async () => {
    await tabTo(page, deleted.button("Delete"), { back: true });
    await keyboard.press("Enter");
    await expect(deleted.button("Delete?")).toBeFocused();
    await keyboard.press("Tab");
    await expect(deleted.button("Delete")).toBeVisible();
    await keyboard.press("Shift+Tab");
    await keyboard.press("Enter");
    await keyboard.press("Enter");
    await expect(deleted.article).toContainText("message deleted");
    await expect(deleted.article).toBeFocused();
  });

  await test.step("the next entry takes the place of one that goes", async () => {
    await ada.goOffline();
    await room.say("dropped", "stays");
    await room.entry("dropped").discard();
    await expect(room.entry("dropped").article).toHaveCount(0);
    await expect(room.entry("stays").article).toBeFocused();
    await ada.goOnline();
  });
  await expectSame(server, [ada.tab]);
});

test.describe("on a narrow screen", () => {
  test("the list of rooms has the keyboard while it covers the room", async ({ people }) => {
    const ada = await people.join("Ada");
    const { page, rooms, room } = ada.tab;
    await page.setViewportSize({ width: 320, height: 640 });
    const show = page.getByRole("button", { name: "Show rooms" });
    const close = page.getByRole("button", { name: "Close the list of rooms" });
    await show.click();
    await expect(close).toBeFocused();
    // What is covered is no way to go.
    for (let presses = 0; presses < 12; presses++) {
      await page.keyboard.press("Tab");
      const covered = await page.evaluate(() => document.activeElement?.closest(".shell-main, .skip") !== null);
      expect(covered).toBe(false);
    }
    await close.focus();
    await page.keyboard.press("Escape");
    await expect(rooms.nav).toBeHidden();
    await expect(show).toBeFocused();

    await page.keyboard.press("Enter");
    await expect(close).toBeFocused();
    await page.keyboard.press("Enter");
    await expect(show).toBeFocused();
    await room.say("the room is there again");

    await show.click();
    await page.setViewportSize({ width: 1280, height: 640 });
    await room.say("and where there is room for both");
  });

  test("the people are shown by the keyboard, and go by Escape or a press elsewhere", async ({ people }) => {
    const ada = await people.join("Ada");
    const { page, rooms, room } = ada.tab;
    await rooms.create("Ward 2");
    await expect(room.name).toContainText("Ward 2");
    await page.setViewportSize({ width: 320, height: 640 });
    const show = page.getByRole("button", { name: "1 person here" });
    await expect(room.here).toBeHidden();
    await show.press("Enter");
    await expect(room.here).toBeFocused();
    await expect(show).toHaveAttribute("aria-expanded", "true");
    await page.keyboard.press("Tab");
    await expect(room.here.getByRole("button", { name: "Leave room" })).toBeFocused();
    await page.keyboard.press("Escape");
    await expect(room.here).toBeHidden();
    await expect(show).toBeFocused();
    await expect(show).toHaveAttribute("aria-expanded", "false");

    await show.click();
    await expect(room.here).toBeVisible();
    await room.log.click();
    await expect(room.here).toBeHidden();

    await show.click();
    await room.here.getByRole("button", { name: "Leave room" }).click();
    await expect(room.joinRoom).toBeFocused();
  });
});
