import type { Page } from "@playwright/test";
import { expect, test } from "../../fixtures/test.ts";
import { expectSame, fold } from "../../fixtures/same.ts";
import { postMessage, readLog } from "../../fixtures/log.ts";
import type { Person } from "../../fixtures/person.ts";

/** How full the browser is: `helps` says that giving up old entries makes room. */
type Room = "enough" | "none" | "helps";

/** A person whose browser's room the test decides on. Chromium lets a page have a few megabytes more
 *  than a quota that is set from outside, so a transaction's end is what is played: it is aborted
 *  with the error that a used up quota has. */
async function join(people: { meet(name: string): Promise<Person> }, name: string): Promise<Person> {
  const person = await people.meet(name);
  await person.context.addInitScript(() => {
    const now = () => localStorage.getItem("room") ?? "enough";
    const written = new WeakSet<IDBTransaction>();
    const abort = (transaction: IDBTransaction) => {
      const error = new DOMException("played by the test", "QuotaExceededError");
      Object.defineProperty(transaction, "error", { value: error });
      transaction.abort();
    };
    for (const verb of ["add", "put"] as const) {
      const write = IDBObjectStore.prototype[verb];
      IDBObjectStore.prototype[verb] = function (this: IDBObjectStore, value: unknown, key?: IDBValidKey) {
        const request = key === undefined ? write.call(this, value) : write.call(this, value, key);
        if (now() !== "enough") written.add(this.transaction);
        return request;
      };
    }
    const commit = IDBTransaction.prototype.commit;
    IDBTransaction.prototype.commit = function (this: IDBTransaction) {
      if (now() !== "enough" && written.has(this)) abort(this);
      else commit.call(this);
    };
    const remove = IDBObjectStore.prototype.delete;
    IDBObjectStore.prototype.delete = function (this: IDBObjectStore, query: IDBValidKey | IDBKeyRange) {
      if (now() === "helps" && this.name === "entries") localStorage.setItem("room", "enough");
      return remove.call(this, query);
    };
  });
  const tab = await person.open();
  await tab.welcome.introduce(name);
  await tab.status.expectLink("online");
  return person;
}

async function has(person: Person, room: Room): Promise<void> {
  await person.tab.page.evaluate((room) => localStorage.setItem("room", room), room);
}

test("what a full browser cannot hold is not sent and goes back to its writer, until there is room again", async ({ server, people }) => {
  const ada = await join(people, "Ada");
  const bob = await people.join("Bob");
  await ada.tab.room.say("before");
  await expectSame(server, [ada.tab, bob.tab]);
  await has(ada, "none");
  await ada.tab.room.message.fill("no room for it");
  await ada.tab.room.message.press("Enter");
  const told = ada.tab.page.getByRole("alert");
  await expect(told).toContainText("is not sent: this browser has no room left. The text is back in the message box.");
  await expect(ada.tab.room.message).toHaveValue("no room for it");
  await expect(ada.tab.room.entry("no room for it").article).toHaveCount(0);

  await has(ada, "enough");
  await ada.tab.room.message.press("Enter");
  await expect(ada.tab.room.entry("no room for it").article).toBeVisible();
  const shown = await expectSame(server, [ada.tab, bob.tab]);
  expect(shown.map(({ text }) => text)).toEqual(["lobby", "before", "no room for it"]);
});

test("a full browser that cannot keep what others say says so, and misses nothing once there is room", async ({ server, people }) => {
  const ada = await join(people, "Ada");
  const bob = await people.join("Bob");
  await ada.goOffline();
  await ada.tab.room.say("waits");
  await has(ada, "none");
  await bob.tab.room.say("while it was full");
  await bob.tab.room.entry("while it was full").expectState("acked");
  await ada.goOnline();
  await ada.tab.status.expectLink("blocked");
  await expect(ada.tab.status.status).toContainText("1 event waiting. This browser has no room left.");
  await ada.tab.room.entry("waits").expectState("queued");

  await has(ada, "enough");
  // The browser's own word that it is online may be late, and do the same as the button.
  const { status } = ada.tab;
  const press = async () => {
    if (await status.tryNow.isVisible()) await status.tryNow.click({ timeout: 500 }).catch(() => undefined);
    return status.status.getAttribute("data-link");
  };
  await expect.poll(press, "pressed while it is offered").toBe("online");
  const shown = await expectSame(server, [ada.tab, bob.tab]);
  expect(shown.map(({ text }) => text)).toEqual(["lobby", "while it was full", "waits"]);
});

test("a full browser gives up entries that can be had again before it refuses an event", async ({ server, people }) => {
  const ada = await join(people, "Ada");
  for (let n = 1; n <= 210; n++) await postMessage(server, `message ${n}.`);
  await expect(ada.tab.room.entry("message 210.").article).toBeVisible();
  await ada.goOffline();
  await has(ada, "helps");
  await ada.tab.room.say("squeezed in");
  await ada.tab.room.entry("squeezed in").expectState("queued");
  await expect(ada.tab.page.getByRole("alert")).toHaveCount(0);
  await ada.tab.close();
  await ada.goOnline();

  const tab = await ada.open();
  await tab.status.expectLink("online");
  await tab.room.entry("squeezed in").expectState("acked");
  const log = fold((await readLog(server)).entries);
  expect(log.at(-1)!.text).toBe("squeezed in");
  // What was given up is fetched on the way up.
  const read = await tab.room.readUp(log[0]!);
  expect(read.map(({ id }) => id)).toEqual(log.map(({ id }) => id));
});

/** Takes all the room that the browser gives to this page's site, from another page of it. Chromium
 *  lets a site have some more than a quota that is set from outside, so what is left is taken in
 *  ever smaller pieces. */
async function useUp(page: Page): Promise<void> {
  await page.goto("/healthz");
  await page.evaluate(async () => {
    const db = await new Promise<IDBDatabase>((resolve, reject) => {
      const request = indexedDB.open("ballast");
      request.onupgradeneeded = () => request.result.createObjectStore("ballast", { autoIncrement: true });
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
    const put = (bytes: number) =>
      new Promise<boolean>((resolve) => {
        const transaction = db.transaction("ballast", "readwrite");
        transaction.objectStore("ballast").add(new Uint8Array(bytes));
        transaction.oncomplete = () => resolve(true);
        transaction.onabort = () => resolve(false);
      });
    for (const bytes of [1_000_000, 100_000, 10_000, 1_000]) while (await put(bytes));
    db.close();
  });
}

test("where the browser's own quota is used up, neither what is written nor what comes is taken for held, until there is room", async ({ server, people }) => {
  const ada = await people.join("Ada");
  const bob = await people.join("Bob");
  const { tab } = ada;
  await tab.room.say("before");
  await expectSame(server, [tab, bob.tab]);
  const devtools = await ada.context.newCDPSession(tab.page);
  const { baseUrl: origin } = ada.line;
  await devtools.send("Storage.overrideQuotaForOrigin", { origin, quotaSize: 1 });
  await useUp(await ada.context.newPage());

  const long = `no room for it ${"x".repeat(3_000)}`;
  await tab.room.message.fill(long);
  await tab.room.message.press("Enter");
  await expect(tab.page.getByRole("alert")).toContainText("is not sent: this browser has no room left.");
  await expect(tab.room.message).toHaveValue(long);
  await expect(tab.room.entry("no room for it").article).toHaveCount(0);
  await bob.tab.room.say("while it was full");
  await tab.status.expectLink("blocked");
  await expect(tab.status.status).toContainText("This browser has no room left.");
  await bob.tab.room.say("and once more");
  await expectSame(server, [bob.tab]);

  await devtools.send("Storage.overrideQuotaForOrigin", { origin });
  await tab.status.tryNow.click();
  await tab.status.expectLink("online");
  await tab.room.message.press("Enter");
  await expect(tab.room.entry("no room for it").article).toBeVisible();
  const shown = await expectSame(server, [tab, bob.tab]);
  expect(shown.map(({ text }) => text)).toEqual(["lobby", "before", "while it was full", "and once more", long]);
});
