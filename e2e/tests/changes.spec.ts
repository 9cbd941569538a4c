import { expect, test } from "../fixtures/test.ts";
import { readLog } from "../fixtures/log.ts";
import { expectSame } from "../fixtures/same.ts";
import type { Tab } from "../pages/tab.page.ts";

/** Everything that the browser has on its disk for the page. */
async function stored(tab: Tab): Promise<string> {
  return tab.page.evaluate(async () => {
    const done = <T>(request: IDBRequest<T>) =>
      new Promise<T>((resolve, reject) => {
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
      });
    const values: unknown[] = [];
    for (const { name = "" } of await indexedDB.databases()) {
      const database = await done(indexedDB.open(name));
      for (const store of database.objectStoreNames) {
        values.push(await done(database.transaction(store).objectStore(store).getAll()));
      }
      database.close();
    }
    return JSON.stringify(values);
  });
}

test("what was changed and deleted while a reader was away is changed and gone", async ({ server, people }) => {
  const ada = await people.join("Ada");
  const bob = await people.join("Bob");
  await ada.tab.room.say("first draft", "a secret", "unchanged");
  await expectSame(server, [ada.tab, bob.tab]);
  const changed = await bob.tab.room.entry("first draft").byId();
  const deleted = await bob.tab.room.entry("a secret").byId();
  expect(await stored(bob.tab)).toContain("a secret");

  await bob.goOffline();
  await ada.tab.room.change(ada.tab.room.entry("first draft"), "second draft");
  await expect(ada.tab.room.entry("second draft").article).toContainText("edited");
  await ada.tab.room.entry("a secret").delete();
  await expect(ada.tab.room.entry("message deleted").article).toBeVisible();
  await expectSame(server, [ada.tab]);
  await expect(changed.article).toContainText("first draft");
  await bob.goOnline();

  await expectSame(server, [ada.tab, bob.tab]);
  await expect(changed.article).toContainText("second draft");
  await expect(deleted.article).toContainText("message deleted");
  for (const { tab } of [ada, bob]) {
    expect(await tab.page.content()).not.toContain("a secret");
    expect(await stored(tab)).not.toContain("a secret");
  }
  expect(JSON.stringify(await readLog(server))).not.toContain("a secret");
});

test("who comes after a deletion never gets what was deleted", async ({ server, people }) => {
  const ada = await people.join("Ada");
  await ada.tab.room.say("a secret");
  await ada.tab.room.change(ada.tab.room.entry("a secret"), "a worse secret");
  const deleted = await ada.tab.room.entry("a worse secret").byId();
  await expect(deleted.article).toContainText("edited");
  await deleted.delete();
  await expect(deleted.article).toContainText("message deleted");
  await expectSame(server, [ada.tab]);

  const cy = await people.meet("Cy");
  const frames: string[] = [];
  cy.context.on("page", (page) =>
    page.on("websocket", (socket) => socket.on("framereceived", ({ payload }) => frames.push(payload.toString()))),
  );
  const tab = await cy.open();
  await tab.welcome.introduce("Cy");
  await expectSame(server, [ada.tab, tab]);
  await expect(tab.room.entry("message deleted").article).toHaveCount(1);
  expect(frames.join("\n")).toContain("hollow");
  expect(frames.join("\n")).not.toContain("secret");
});

test("only the author is offered to change a message", async ({ server, people }) => {
  const ada = await people.join("Ada");
  const bob = await people.join("Bob");
  await ada.tab.room.say("Ada's own");
  await expectSame(server, [ada.tab, bob.tab]);
  const own = ada.tab.room.entry("Ada's own");
  const others = bob.tab.room.entry("Ada's own");
  await expect(own.button("Edit")).toHaveCount(1);
  await expect(own.button("Delete")).toHaveCount(1);
  await expect(others.button("Edit")).toHaveCount(0);
  await expect(others.button("Delete")).toHaveCount(0);
});
