import { expect, test } from "../fixtures/test.ts";
import { expectSame } from "../fixtures/same.ts";

const NOTICE = "Nothing can be kept in this browser";

test("without a database in the browser the page works, and says what that means", async ({ server, people }) => {
  const ada = await people.join("Ada");
  const bob = await people.meet("Bob");
  await bob.context.addInitScript(() => {
    Object.defineProperty(window, "indexedDB", { value: undefined });
  });
  const tab = await bob.open();
  await expect(tab.page.getByRole("note").filter({ hasText: NOTICE })).toBeVisible();
  await tab.welcome.introduce("Bob");
  await tab.status.expectLink("online");
  await expect(tab.page.getByRole("note").filter({ hasText: NOTICE })).toBeVisible();
  await tab.room.say("from memory");
  await ada.tab.room.say("to memory");
  await expectSame(server, [ada.tab, tab]);

  await bob.goOffline();
  await tab.room.say("held in memory");
  await tab.room.entry("held in memory").expectState("queued");
  await bob.goOnline();
  await expectSame(server, [ada.tab, tab]);
});

/** `add outbox`, `put meta generation`: the key only where the store is one of names. */
type Change = string;

interface Asked {
  asked: { mode: string; durability: string | undefined; given: string; changes: Change[] }[];
}

test("outbox, numbers and generation are asked to be on the disk before they count", async ({ server, people }) => {
  const ada = await people.meet("Ada");
  await ada.context.addInitScript(() => {
    const asked: Asked["asked"] = [];
    Object.assign(window, { asked });
    const changed = new WeakMap<IDBTransaction, Change[]>();
    const begin = IDBDatabase.prototype.transaction;
    IDBDatabase.prototype.transaction = function (stores, mode = "readonly", options = {}) {
      const transaction = begin.call(this, stores, mode, options);
      const given = (transaction as IDBTransaction & { durability: string }).durability;
      const changes: Change[] = [];
      asked.push({ mode, durability: options.durability, given, changes });
      changed.set(transaction, changes);
      return transaction;
    };
    for (const verb of ["add", "put", "delete", "clear"] as const) {
      const write = IDBObjectStore.prototype[verb];
      IDBObjectStore.prototype[verb] = function (this: IDBObjectStore, ...values: unknown[]) {
        const name = this.name === "meta" ? ` ${verb === "put" ? values[1] : values[0]}` : "";
        changed.get(this.transaction)?.push(`${verb} ${this.name}${name}`);
        return (write as (...values: unknown[]) => IDBRequest).apply(this, values);
      } as never;
    }
  });
  const tab = await ada.open();
  await tab.welcome.introduce("Ada");
  await tab.status.expectLink("online");
  await tab.room.say("strictly");
  await expectSame(server, [tab]);
  await ada.goOffline();
  await tab.room.say("never mind");
  const discarded = tab.room.entry("never mind");
  await discarded.discard();
  await expect(discarded.article).toHaveCount(0);

  const asked = await tab.page.evaluate(() => (window as unknown as Asked).asked);
  const of = (change: Change) => asked.filter(({ changes }) => changes.includes(change));
  // An event is held, then numbered before its bytes leave; what was discarded must not come back.
  const strict = ["add outbox", "put outbox", "delete outbox", "put lanes", "put meta generation", "put meta writer"];
  for (const change of strict) {
    expect(of(change), change).not.toHaveLength(0);
    for (const transaction of of(change)) {
      expect(transaction, change).toMatchObject({ mode: "readwrite", durability: "strict", given: "strict" });
    }
  }
  expect(of("add outbox")).toHaveLength(2);
  expect(of("delete outbox").length).toBeGreaterThanOrEqual(2);
});

test.describe("where an outbox may hold two events", () => {
  test.use({ serverOptions: { args: ["--outbox", "2"] } });

  test("what is one too many is told with that reason, and what has its verdict does not count", async ({ people }) => {
    const ada = await people.join("Ada");
    await ada.tab.room.say("stands", "refused \u0007", "refused too \u0007");
    await ada.tab.room.entry("stands").expectState("acked");
    await ada.tab.room.entry("refused too").expectState("rejected");
    await ada.goOffline();
    await ada.tab.room.say("waits", "waits too");
    await ada.tab.status.expectQueued(2);
    await ada.tab.room.entry("stands").delete();
    const told = ada.tab.page.getByRole("alert");
    await expect(told).toContainText("What you did in #lobby is not sent: too much is waiting to be sent already.");
    await expect(told).not.toContainText("message box");
    await ada.tab.room.entry("stands").expectState("acked");
  });
});
