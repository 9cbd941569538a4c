import type { Locator } from "@playwright/test";
import { expect, test } from "../../fixtures/test.ts";
import { readHeld } from "../../fixtures/held.ts";
import { readLog } from "../../fixtures/log.ts";
import type { Person } from "../../fixtures/person.ts";
import { expectSame } from "../../fixtures/same.ts";
import type { Tab } from "../../pages/tab.page.ts";

// The browser's database is deleted under a page that is open: by a person who clears what the site
// has stored, or by another page of it.

const NOTICE = "This browser had lost a part of what was held here. What could be read is shown.";

/** Deletes the database while pages are open that use it. */
type Deletion = () => Promise<void>;

/** Each prepares its deletion while the line is good. */
const ways: [way: string, prepare: (person: Person) => Promise<Deletion>][] = [
  [
    "by another page",
    async ({ context }) => {
      const other = await context.newPage();
      await other.goto("/healthz");
      const remove = () =>
        new Promise<void>((resolve, reject) => {
          const request = indexedDB.deleteDatabase("holdfast");
          request.onsuccess = () => resolve();
          request.onerror = () => reject(request.error);
        });
      return () => other.evaluate(remove);
    },
  ],
  [
    "with all that the site has stored",
    async ({ context, line, tab }) => {
      const devtools = await context.newCDPSession(tab.page);
      const all = { origin: line.baseUrl, storageTypes: "all" };
      return async () => {
        await devtools.send("Storage.clearDataForOrigin", all);
      };
    },
  ],
];

function notice(tab: Tab): Locator {
  return tab.page.getByRole("note").filter({ hasText: NOTICE });
}

for (const [way, prepare] of ways) {
  test(`what is unsent when the database is deleted ${way} is held anew, and arrives once`, async ({ server, people }) => {
    const ada = await people.join("Ada");
    const bob = await people.join("Bob");
    const { tab } = ada;
    await tab.rooms.create("Ward 2");
    await tab.room.say("said in the ward");
    await expectSame(server, [tab], "Ward 2");
    await tab.rooms.go("lobby");
    await tab.room.say("before");
    await expectSame(server, [tab, bob.tab]);
    // One that the server has and whose ack is lost, and one that never left.
    const acked = ada.line.swallowNext((text) => text.startsWith('{"ack"'));
    const come = ada.line.swallowNext((text) => text.startsWith('{"entries"'));
    await tab.room.say("taken, not acked");
    await Promise.all([acked, come]);
    const remove = await prepare(ada);
    await ada.goOffline();
    await tab.room.say("never left");
    await tab.status.expectQueued(2);

    await remove();
    await expect(notice(tab)).toBeVisible();
    await tab.room.entry("taken, not acked").expectState("sent");
    // Another tab might have sent it since this one heard of it.
    await tab.room.entry("never left").expectState("sent");
    await tab.status.expectQueued(2);
    const states = async () => (await readHeld(tab))?.outbox.map(({ state }) => state);
    expect(await states(), "what is shown as held is on the disk again").toEqual(["unsure", "unsure"]);
    await tab.room.say("behind it");
    await tab.status.expectQueued(3);
    await bob.tab.room.say("meanwhile");
    await expect(bob.tab.room.entry("meanwhile").article).toHaveAttribute("data-state", "acked");
    await ada.goOnline();

    const shown = await expectSame(server, [tab, bob.tab]);
    const texts = ["lobby", "before", "taken, not acked", "meanwhile", "never left", "behind it"];
    expect(shown.map(({ text }) => text)).toEqual(texts);
    await tab.rooms.go("Ward 2");
    await expectSame(server, [tab], "Ward 2");
    const { entries } = await readLog(server);
    const writers = entries.filter(({ from }) => from?.name === "Ada").map(({ from }) => from!.id);
    expect(new Set(writers).size, "the person stays who she is").toBe(1);
  });

  test(`who is online when the database is deleted ${way} talks on in each tab`, async ({ server, people }) => {
    const ada = await people.join("Ada");
    const bob = await people.join("Bob");
    const first = ada.tab;
    await first.room.say("before");
    const second = await ada.open();
    await expectSame(server, [first, second, bob.tab]);
    const remove = await prepare(ada);
    await remove();
    // It is told by the tab that has made it good.
    const told = async () => (await Promise.all([first, second].map((tab) => notice(tab).count()))).reduce((a, b) => a + b);
    await expect.poll(told).toBeGreaterThan(0);
    await first.room.say("by the first");
    await bob.tab.room.say("by another");
    await second.room.say("by the second");
    const shown = await expectSame(server, [first, second, bob.tab]);
    expect(shown.map(({ text }) => text).sort()).toEqual(["before", "by another", "by the first", "by the second", "lobby"]);

    // What was made good stays so.
    await first.page.reload();
    await second.page.reload();
    await expectSame(server, [first, second, bob.tab]);
    expect(await told()).toBe(0);
  });
}
