import { expect, test } from "../fixtures/test.ts";
import { expectSame } from "../fixtures/same.ts";

const texts = (what: string, count: number) => Array.from({ length: count }, (_, i) => `${what} ${i + 1}.`);

test("who was offline for 50 events gets each once, behind a divider", async ({ server, people }) => {
  const ada = await people.join("Ada");
  const bob = await people.join("Bob");
  await ada.tab.room.say("Bob sees this live.");
  await expect(bob.tab.room.entry("Bob sees this live.").article).toBeVisible();

  await bob.goOffline();
  await ada.tab.room.say(...texts("Missed", 50));
  await expectSame(server, [ada.tab]);
  await expect(bob.tab.room.entry("Missed").article).toHaveCount(0);
  await bob.goOnline();

  const shown = await expectSame(server, [ada.tab, bob.tab]);
  expect(shown.map(({ text }) => text).slice(-51)).toEqual(["Bob sees this live.", ...texts("Missed", 50)]);
  await expect(bob.tab.room.divider).toHaveCount(1);
  await expect(bob.tab.room.firstMissed.article).toContainText("Missed 1.");
  await expect(ada.tab.room.divider).toHaveCount(0);
});

test("who had closed the tab finds what came since behind the divider", async ({ server, people }) => {
  const ada = await people.join("Ada");
  const bob = await people.join("Bob");
  await ada.tab.room.say("Bob reads this.");
  await expect(bob.tab.room.entry("Bob reads this.").article).toBeVisible();
  await expect(bob.tab.page).toHaveTitle(/^#?lobby/);

  await bob.tab.close();
  await ada.tab.room.say(...texts("Missed", 5));
  await expectSame(server, [ada.tab]);
  await bob.open();

  await expectSame(server, [ada.tab, bob.tab]);
  await expect(bob.tab.room.firstMissed.article).toContainText("Missed 1.");
});

test("20 events written offline survive the tab, and arrive once and in order", async ({ server, people }) => {
  const ada = await people.join("Ada");
  const bob = await people.join("Bob");
  await bob.goOffline();
  await bob.tab.room.say(...texts("Held", 20));
  await bob.tab.status.expectQueued(20);
  await expect(bob.tab.room.entry("Held").article).toHaveCount(20);
  for (const row of await bob.tab.room.rows()) {
    if (row.offset === undefined) expect(row.state).toBe("queued");
  }
  await bob.tab.close();
  await expect(ada.tab.room.entry("Held").article).toHaveCount(0);

  await bob.goOnline();
  await bob.open();

  const shown = await expectSame(server, [ada.tab, bob.tab]);
  expect(shown.map(({ text }) => text).slice(-20)).toEqual(texts("Held", 20));
});
