import { expect, test } from "../fixtures/test.ts";

test("a name with control characters in it keeps nobody out", async ({ people }) => {
  const eve = await people.meet("Eve");
  const tab = await eve.open();
  await tab.welcome.name.fill("Eve\u0007");
  // Either it is not taken here, or what the server does not take is left out of it.
  if (await tab.welcome.join.isEnabled()) await tab.welcome.join.click();
  else await tab.welcome.introduce("Eve");
  await tab.status.expectLink("online");
});

test("a room is not made under the name of another one in other letters", async ({ people }) => {
  const ada = await people.join("Ada");
  await ada.tab.rooms.newRoom.click();
  const dialog = ada.tab.page.getByRole("dialog", { name: "New room" });
  await dialog.getByRole("textbox", { name: "Room name" }).fill(" Lobby ");
  await expect(dialog).toContainText("There is a room with this name already.");
  await expect(dialog.getByRole("button", { name: "Create room" })).toBeDisabled();
});

test("a room that gets another name than wished says so", async ({ people }) => {
  const ada = await people.join("Ada");
  const bob = await people.join("Bob");
  await bob.goOffline();
  await ada.tab.rooms.create("Ward");
  await ada.tab.room.entry("Ward").expectState("acked");
  await bob.tab.rooms.create("ward");
  await bob.goOnline();
  await expect(bob.tab.page.getByRole("alert")).toContainText("ward was taken; your room is ward-2.");
  await expect(bob.tab.room.name).toContainText("ward-2");
  await expect(ada.tab.page.getByRole("alert")).toHaveCount(0);
});

test("a room whose name no address can have is titled with its name", async ({ people }) => {
  const ada = await people.join("Ada");
  for (const name of [".", ".."]) {
    await ada.tab.rooms.create(name);
    await expect(ada.tab.room.name).toHaveText(`#${name}`);
    await expect(ada.tab.room.log).toHaveAccessibleName(`Messages in ${name}`);
  }
});
