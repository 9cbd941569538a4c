import { expect, test } from "../fixtures/test.ts";
import { expectSame } from "../fixtures/same.ts";

test("a room's name that looks like a part of an address leads back to it", async ({ server, people }) => {
  const room = "50%2f50 %20 ?at=1#x";
  const eve = await people.join("Eve");
  await eve.tab.rooms.create(room);
  await eve.tab.room.say("hello");
  await eve.tab.room.entry("hello").expectState("acked");
  await expect(eve.tab.room.name).toContainText(room);
  const path = new URL(eve.tab.page.url()).pathname;
  await eve.tab.page.reload();
  await expectSame(server, [eve.tab], room);

  await eve.tab.rooms.go("lobby");
  await expect(eve.tab.room.name).toContainText("lobby");
  await eve.tab.rooms.go(room);
  await expect(eve.tab.room.name).toContainText(room);
  expect(new URL(eve.tab.page.url()).pathname).toBe(path);
  await eve.tab.page.reload();
  await expectSame(server, [eve.tab], room);
});
