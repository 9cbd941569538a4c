import { Backup } from "../fixtures/backup.ts";
import { expectSame } from "../fixtures/same.ts";
import { expect, test } from "../fixtures/test.ts";

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

  const shown = await expectSame(server, [ada.tab, bob.tab]);
  expect(shown.map(({ text }) => text).slice(-2)).toEqual(["in the backup", "acked, unseen"]);
});
