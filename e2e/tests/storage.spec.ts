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

interface Wrapped {
  asked: { mode: string; durability: string | undefined; given: string; wrote: [verb: string, store: string][] }[];
}

test("what is written to the outbox is asked to be on the disk before it counts", async ({ server, people }) => {
  const ada = await people.meet("Ada");
  await ada.context.addInitScript(() => {
    const asked: Wrapped["asked"] = [];
    Object.assign(window, { asked });
    const wrotes = new WeakMap<IDBTransaction, [verb: string, store: string][]>();
    const begin = IDBDatabase.prototype.transaction;
    IDBDatabase.prototype.transaction = function (stores, mode = "readonly", options = {}) {
      const transaction = begin.call(this, stores, mode, options);
      const given = (transaction as IDBTransaction & { durability: string }).durability;
      const wrote: [verb: string, store: string][] = [];
      asked.push({ mode, durability: options.durability, given, wrote });
      wrotes.set(transaction, wrote);
      return transaction;
    };
    for (const verb of ["add", "put", "delete"] as const) {
      const write = IDBObjectStore.prototype[verb];
      IDBObjectStore.prototype[verb] = function (this: IDBObjectStore, ...values: unknown[]) {
        wrotes.get(this.transaction)?.push([verb, this.name]);
        return (write as (...values: unknown[]) => IDBRequest).apply(this, values);
      } as never;
    }
  });
  const tab = await ada.open();
  await tab.welcome.introduce("Ada");
  await tab.status.expectLink("online");
  await tab.room.say("strictly");
  await expectSame(server, [tab]);

  const asked = await tab.page.evaluate(() => (window as unknown as Wrapped).asked);
  const wrote = (verb: string) => asked.filter(({ wrote }) => wrote.some(([v, store]) => v === verb && store === "outbox"));
  // It is held, then numbered before its bytes leave.
  expect(wrote("add")).toHaveLength(1);
  expect(wrote("put").length).toBeGreaterThanOrEqual(1);
  // A row that is done with may come back after a crash: it is acked, and goes once more.
  const strict = [...wrote("add"), ...wrote("put")];
  for (const transaction of strict) {
    expect(transaction).toMatchObject({ mode: "readwrite", durability: "strict", given: "strict" });
  }
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
