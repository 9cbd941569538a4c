import { Database } from "../fixtures/database.ts";
import { expect, test } from "../fixtures/test.ts";
import { postMessage } from "../fixtures/log.ts";
import { take } from "../fixtures/shot.ts";

test("the first connection, while it is made", async ({ people }) => {
  const ada = await people.meet("Ada Lovelace");
  await ada.context.addInitScript(() => {
    // One that is neither made nor refused.
    window.WebSocket = class extends EventTarget {
      static readonly CONNECTING = 0;
      static readonly OPEN = 1;
      readonly readyState = 0;
      close() {}
      send() {}
    } as unknown as typeof WebSocket;
  });
  const tab = await ada.open();
  await tab.welcome.introduce("Ada Lovelace");
  await tab.status.expectLink("connecting");
  await take(tab.page, "connecting");
});

test("an address where there is nothing, and an inbox that nothing has come to", async ({ people }) => {
  const ada = await people.join("Ada Lovelace");
  await ada.tab.page.goto("/nothing/here");
  await ada.tab.page.getByRole("heading", { name: "Not found" }).waitFor();
  await take(ada.tab.page, "not-found");
  const tab = await ada.open("/inbox");
  await tab.status.expectLink("online");
  await take(tab.page, "inbox");
});

test("another name than wished", async ({ people }) => {
  const ada = await people.join("Ada Lovelace");
  const bob = await people.join("Bob");
  await bob.goOffline();
  await ada.tab.rooms.create("Ward");
  await ada.tab.room.entry("Ward").expectState("acked");
  await bob.tab.rooms.create("ward");
  await bob.goOnline();
  await bob.tab.page.getByRole("alert").waitFor();
  await take(bob.tab.page, "notice");
});

test("a database that had lost a part", async ({ people }) => {
  const ada = await people.join("Ada Lovelace");
  await ada.tab.room.say("Still here.");
  await ada.tab.room.entry("Still here.").expectState("acked");
  await ada.tab.close();
  await new Database(ada).lose("lanes");
  const tab = await ada.open();
  await tab.page.getByRole("note").filter({ hasText: "This browser had lost a part" }).waitFor();
  await take(tab.page, "mended");
});

test.describe("with a short replay", () => {
  test.use({ serverOptions: { args: ["--replay-events", "20", "--page", "20"] } });

  test("what was skipped, before it is asked for", async ({ server, people }) => {
    const ada = await people.join("Ada Lovelace");
    await ada.goOffline();
    for (let i = 1; i <= 90; i++) await postMessage(server, `Line ${i}.`);
    await ada.goOnline();
    await expect(ada.tab.room.entry("Line 90.").article).toBeVisible();
    // History is asked for and does not come.
    ada.line.blackhole();
    await ada.tab.room.earlier.last().scrollIntoViewIfNeeded();
    await take(ada.tab.page, "skipped");
  });
});
