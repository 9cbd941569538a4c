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
test("a room whose name no address can have is titled with its name", async ({ people }) => {
  const ada = await people.join("Ada");
  for (const name of [".", ".."]) {
    await ada.tab.rooms.create(name);
    await expect(ada.tab.room.name).toHaveText(`#${name}`);
    await expect(ada.tab.room.log).toHaveAccessibleName(`Messages in ${name}`);
  }
});
