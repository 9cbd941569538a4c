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
