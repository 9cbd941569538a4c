import { expect, test } from "../fixtures/test.ts";
import { expectSame } from "../fixtures/same.ts";

test("a new room appears in the lists of the others, who can join it", async ({ server, people }) => {
  const ada = await people.join("Ada");
  const bob = await people.join("Bob");
  await ada.tab.rooms.create("Ward 2");
  await ada.tab.room.say("in here");
  await bob.tab.rooms.go("Ward 2");
  await expect(bob.tab.room.message).toHaveCount(0);
  await bob.tab.room.joinRoom.click();
  await expectSame(server, [ada.tab, bob.tab], "Ward 2");
  await expect(bob.tab.room.here.getByRole("listitem")).toHaveCount(2);
});

test("who leaves a room hears nothing of it, and who comes back reads it from its beginning", async ({ server, people }) => {
  const ada = await people.join("Ada");
  const bob = await people.join("Bob");
  await ada.tab.rooms.create("Ward 2");
  await ada.tab.room.say("before");
  await bob.tab.rooms.go("Ward 2");
  await bob.tab.room.joinRoom.click();
  await expectSame(server, [ada.tab, bob.tab], "Ward 2");

  await bob.tab.page.getByRole("button", { name: "Leave room" }).click();
  await expect(bob.tab.room.joinRoom).toBeFocused();
  await expect(bob.tab.page.getByText("You left #Ward 2.")).toBeVisible();
  await expect(bob.tab.page.getByText("New messages do not arrive.")).toBeVisible();
  await expect(bob.tab.room.entry("before").article).toBeVisible();
  await expect(ada.tab.room.here.getByRole("listitem")).toHaveCount(1);
  await ada.tab.room.say("not for Bob", "nor this");
  await expectSame(server, [ada.tab], "Ward 2");
  await expect(bob.tab.room.entry("not for Bob").article).toHaveCount(0);
  await expect(bob.tab.page).toHaveTitle("Ward 2 · Holdfast");

  await bob.tab.room.joinRoom.click();
  await expectSame(server, [ada.tab, bob.tab], "Ward 2");
});

test("a room that is taken cannot be made twice by one who knows of it", async ({ people }) => {
  const ada = await people.join("Ada");
  await ada.tab.rooms.newRoom.click();
  const dialog = ada.tab.page.getByRole("dialog", { name: "New room" });
  await dialog.getByRole("textbox", { name: "Room name" }).fill("lobby");
  await expect(dialog).toContainText("There is a room with this name already.");
  await expect(dialog.getByRole("button", { name: "Create room" })).toBeDisabled();
});
