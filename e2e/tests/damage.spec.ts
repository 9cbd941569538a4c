import { Database } from "../fixtures/database.ts";
import { expect, test } from "../fixtures/test.ts";
import { expectSame } from "../fixtures/same.ts";

const NOTICE = "This browser had lost a part of what was held here. What could be read is shown.";

/** What may be lost without a row of the outbox going with it. */
const losses: [what: string, deed: (database: Database) => Promise<void>][] = [
  ["whose lane numbers are lost", (database) => database.lose("lanes")],
  ["whose lane numbers cannot be read", (database) => database.spoil("lanes")],
  ["whose cursors are lost", (database) => database.lose("cursors")],
  ["whose entries are lost", (database) => database.lose("entries")],
];

/** Runs in the browser: the server is not found until the link is let go. */
function holdLink() {
  const Real = WebSocket;
  window.WebSocket = class extends Real {
    constructor(url: string | URL, protocols?: string | string[]) {
      super(localStorage.getItem("link") === null ? `${url}-held` : url, protocols);
    }
  };
}

for (const [what, deed] of losses) {
  test(`a database ${what} is gone on with under a new writer, and each event arrives once`, async ({ server, people }) => {
    const ada = await people.join("Ada");
    const bob = await people.join("Bob");
    const database = new Database(ada);
    await ada.tab.room.say("before");
    await expectSame(server, [ada.tab, bob.tab]);
    // One that the server has and whose ack is lost, one that never left.
    const acked = ada.line.swallowNext((text) => text.startsWith('{"ack"'));
    const come = ada.line.swallowNext((text) => text.startsWith('{"entries"'));
    await ada.tab.room.say("taken, not acked");
    await Promise.all([acked, come]);
    await ada.tab.room.entry("taken, not acked").expectState("sent");
    await ada.goOffline();
    await ada.tab.room.say("never left");
    await ada.tab.room.entry("never left").expectState("queued");
    await ada.tab.close();
    await ada.goOnline();
    const before = await database.read("meta");
    await deed(database);

    // What could be read is shown before it arrives.
    await ada.context.addInitScript(holdLink);
    const tab = await ada.open();
    await expect(tab.page.getByRole("note").filter({ hasText: NOTICE })).toBeVisible();
    await tab.room.entry("taken, not acked").expectState("sent");
    // Numbers may be lost, so nobody can know here that it never left.
    await tab.room.entry("never left").expectState("sent");
    await tab.status.expectLink("offline");
    await tab.status.expectQueued(2);
    await tab.page.evaluate(() => localStorage.setItem("link", "let go"));
    const shown = await expectSame(server, [tab, bob.tab]);
    expect(shown.map(({ text }) => text)).toEqual(["lobby", "before", "taken, not acked", "never left"]);
    await tab.close();
    const after = await database.read("meta");
    expect(after["writer"]).not.toBe(before["writer"]);
    expect(Number(after["generation"])).toBeGreaterThan(Number(before["generation"]));
    expect(after["principal"]).toBe(before["principal"]);

    // What was mended stays whole.
    const again = await ada.open();
    await expectSame(server, [again, bob.tab]);
    await expect(again.page.getByRole("note").filter({ hasText: NOTICE })).toHaveCount(0);
  });
}

test("rows of an outbox whose owner is forgotten are shown, and arrive once there is a new one", async ({ server, people }) => {
  const ada = await people.join("Ada");
  const bob = await people.join("Bob");
  await ada.goOffline();
  await ada.tab.room.say("an orphan");
  await ada.tab.close();
  await ada.goOnline();
  await new Database(ada).lose("meta");

  const tab = await ada.open();
  await expect(tab.page.getByRole("note").filter({ hasText: NOTICE })).toBeVisible();
  await tab.welcome.introduce("Ada");
  const shown = await expectSame(server, [tab, bob.tab]);
  expect(shown.map(({ text }) => text)).toEqual(["lobby", "an orphan"]);
});

test("an outbox that cannot be read is told of, and writing goes on", async ({ server, people }) => {
  const ada = await people.join("Ada");
  const bob = await people.join("Bob");
  await ada.goOffline();
  await ada.tab.room.say("gone");
  await ada.tab.close();
  await ada.goOnline();
  await new Database(ada).spoil("outbox");

  const tab = await ada.open();
  await expect(tab.page.getByRole("note").filter({ hasText: NOTICE })).toBeVisible();
  await tab.room.say("after it");
  const shown = await expectSame(server, [tab, bob.tab]);
  expect(shown.map(({ text }) => text)).toEqual(["lobby", "after it"]);
});
