import { rm } from "node:fs/promises";
import { Backup } from "../fixtures/backup.ts";
import { postMessage } from "../fixtures/log.ts";
import { expectSame } from "../fixtures/same.ts";
import { expect, test } from "../fixtures/test.ts";
import { type Row, told } from "../pages/room.page.ts";

test("an acked event that a restore has lost is sent again by who still holds it", async ({ server, people }) => {
  const ada = await people.join("Ada");
  const bob = await people.join("Bob");
  const backup = new Backup(server);
  await ada.tab.room.say("in the backup");
  await expectSame(server, [ada.tab, bob.tab]);
  await backup.make();
  await expectSame(server, [ada.tab, bob.tab]);

  const swallowed = ada.line.swallowNext((text) => text.startsWith('{"entries"') && text.includes("acked, unseen"));
  await ada.tab.room.say("acked, unseen");
  await swallowed;
  await ada.tab.room.entry("acked, unseen").expectState("acked");
  await backup.restore();

  // It stands where it stood, so who had read it there has the time at which it stood there first.
  const timeless = (row: Row) => told({ ...row, at: "" });
  const shown = await expectSame(server, [ada.tab, bob.tab], "lobby", timeless);
  expect(shown.map(({ text }) => text).slice(-2)).toEqual(["in the backup", "acked, unseen"]);
});

test("who comes back to an emptied server lands in the new lobby, can write there, and is told what was lost", async ({ server, people }) => {
  const ada = await people.join("Ada");
  await ada.tab.room.say("on the old server");
  await ada.tab.room.entry("on the old server").expectState("acked");
  await ada.tab.close();
  await server.stop();
  await rm(server.data, { recursive: true });
  await server.restart();
  for (const line of ["a", "b"]) await postMessage(server, `new ${line}.`);

  await ada.open();
  await expect(ada.tab.page.getByRole("alert")).toContainText("The server has lost #lobby");
  await expect(ada.tab.rooms.link("lobby")).toHaveCount(1);
  await ada.tab.room.say("on the new server");
  await expectSame(server, [ada.tab]);
  await ada.tab.page.reload();
  await expectSame(server, [ada.tab]);
  await expect(ada.tab.rooms.link("lobby")).toHaveCount(1);
});

test("what was unsent or not yet read when the server was emptied is on the shelf of the lost room", async ({ server, people }) => {
  const ada = await people.join("Ada");
  await ada.tab.room.say("on the old server");
  await expectSame(server, [ada.tab]);
  const swallowed = ada.line.swallowNext((text) => text.startsWith('{"entries"') && text.includes("acked, unseen"));
  await ada.tab.room.say("acked, unseen");
  await swallowed;
  await ada.tab.room.entry("acked, unseen").expectState("acked");
  await ada.goOffline();
  await ada.tab.room.say("too late");
  await server.stop();
  await rm(server.data, { recursive: true });
  await server.restart();
  await ada.goOnline();

  await expectSame(server, [ada.tab]);
  await ada.tab.page.locator('a[href^="/rooms/0"]').click();
  await expect(ada.tab.room.joinRoom).toHaveCount(0);
  for (const text of ["acked, unseen", "too late"]) {
    await ada.tab.room.entry(text).expectState("rejected");
    // Nothing can be written there any more, not even again.
    await expect(ada.tab.room.entry(text).button("Edit")).toHaveCount(0);
    await expect(ada.tab.room.entry(text).button("Retry")).toHaveCount(0);
    await ada.tab.room.entry(text).discard();
    await expect(ada.tab.room.entry(text).article).toHaveCount(0);
  }
  await expect(ada.tab.rooms.link("lobby")).toHaveCount(1);
});
