import { expect, test } from "../fixtures/test.ts";
import { expectSame } from "../fixtures/same.ts";

test("an event whose server died between its append and its ack is there once", async ({ server, people }) => {
  const ada = await people.join("Ada");
  const bob = await people.join("Bob");
  await ada.tab.room.say("before");
  await ada.tab.room.entry("before").expectState("acked");
  await server.restart({ env: { HOLDFAST_FAILPOINT: "after_commit_before_ack:kill" } });
  for (const { tab } of [ada, bob]) await tab.status.expectLink("online");

  await ada.tab.room.say("appended, never acked");
  await server.exited();
  expect(server.log).toContain("failpoint fired: after_commit_before_ack:kill");
  await ada.tab.room.entry("appended, never acked").expectState("sent");
  await ada.tab.room.say("behind it");

  await server.restart({ env: {} });
  const shown = await expectSame(server, [ada.tab, bob.tab]);
  expect(shown.map(({ text }) => text).slice(-3)).toEqual(["before", "appended, never acked", "behind it"]);
});

test("an event whose ack was swallowed on the way is there once", async ({ server, people }) => {
  const ada = await people.join("Ada");
  const bob = await people.join("Bob");
  const swallowed = ada.line.swallowNext((text) => text.startsWith('{"ack"'));
  await ada.tab.room.say("acked into the void");
  expect(await swallowed).toContain('"ack"');
  await expect(bob.tab.room.entry("acked into the void").article).toBeVisible();
  ada.line.cut();

  await ada.tab.room.say("behind it");
  const shown = await expectSame(server, [ada.tab, bob.tab]);
  expect(shown.map(({ text }) => text).slice(-2)).toEqual(["acked into the void", "behind it"]);
});

test("a server that is killed comes back to pages that have lost nothing", async ({ server, people }) => {
  const ada = await people.join("Ada");
  const bob = await people.join("Bob");
  await ada.tab.room.say("before the crash");
  await expect(bob.tab.room.entry("before the crash").article).toBeVisible();
  await server.kill();
  await ada.tab.status.expectLink("offline");
  await ada.tab.room.say("during the outage");
  await ada.tab.room.entry("during the outage").expectState("queued");
  await server.restart();
  const shown = await expectSame(server, [ada.tab, bob.tab]);
  expect(shown.map(({ text }) => text).slice(-2)).toEqual(["before the crash", "during the outage"]);
});
