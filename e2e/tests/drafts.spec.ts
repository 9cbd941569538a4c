import { expect, test } from "../fixtures/test.ts";
import { postMessage, readTexts } from "../fixtures/log.ts";
import { readHeld } from "../fixtures/held.ts";
import { expectSame } from "../fixtures/same.ts";
import type { Tab } from "../pages/tab.page.ts";

/** The text is in the browser's database as somebody's draft. Until then a page that ends may take it along. */
async function expectKept(tab: Tab, text: string): Promise<void> {
  const drafts = async () => (await readHeld(tab))?.drafts;
  await expect.poll(drafts).toContain(text);
}

/** From inside of the page: nothing comes between the last character and the reload. */
async function typeAndReload(tab: Tab, text: string): Promise<void> {
  const loaded = tab.page.waitForEvent("load");
  await tab.room.message.evaluate((field, text) => {
    const set = Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, "value")!.set!;
    set.call(field, text);
    field.dispatchEvent(new Event("input", { bubbles: true }));
    location.reload();
  }, text);
  await loaded;
}

test("a text that was begun is in the message box again after a reload", async ({ people }) => {
  const ada = await people.join("Ada");
  for (const text of ["begun", "begun anew"]) {
    await ada.tab.room.message.fill(text);
    await expectKept(ada.tab, text);
    await ada.tab.page.reload();
    await expect(ada.tab.room.message).toHaveValue(text);
  }
});

test("what was sent a moment before a reload is held or in the message box, and never both", async ({ server, people }) => {
  const ada = await people.join("Ada");
  await ada.tab.room.say("first");
  await expectSame(server, [ada.tab]);
  for (let i = 1; i <= 8; i++) {
    const text = `sent ${i}.`;
    await ada.tab.room.message.fill(text);
    await expectKept(ada.tab, text);
    const loaded = ada.tab.page.waitForEvent("load");
    // From inside of the page: nothing comes between the key and the reload.
    await ada.tab.room.message.evaluate((field) => {
      field.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true, cancelable: true }));
      location.reload();
    });
    await loaded;
    await ada.tab.status.expectLink("online");
    await ada.tab.status.expectQueued(0);
    const held = (await readTexts(server)).filter((said) => said === text).length;
    const begun = (await ada.tab.room.message.inputValue()) === text ? 1 : 0;
    expect(held + begun).toBe(1);
    await ada.tab.room.message.fill("");
  }
});

test("what was typed as the page ends waits for nothing else that is being written", async ({ people }) => {
  const ada = await people.join("Ada");
  await ada.tab.page.evaluate(async () => {
    const opening = indexedDB.open("holdfast");
    await new Promise((opened) => (opening.onsuccess = opened));
    const stores = [...opening.result.objectStoreNames].filter((name) => name !== "drafts");
    const meta = opening.result.transaction(stores, "readwrite").objectStore("meta");
    // It writes for as long as there is this page.
    const goOn = () => (meta.count().onsuccess = goOn);
    await new Promise((begun) => (meta.count().onsuccess = begun));
    goOn();
  });
  await typeAndReload(ada.tab, "typed last.");
  await expect(ada.tab.room.message).toHaveValue("typed last.");
});

test("a tab in which nothing was typed brings no older text back as it ends, and none that was sent", async ({ people }) => {
  const ada = await people.join("Ada");
  const here = ada.tab;
  await here.room.message.fill("begun");
  await expectKept(here, "begun");
  const there = await ada.open();
  await expect(there.room.message).toHaveValue("begun");
  await here.room.message.fill("begun, and gone on with");
  await expectKept(here, "begun, and gone on with");
  await there.close();
  await here.page.reload();
  await expect(here.room.message).toHaveValue("begun, and gone on with");

  const other = await ada.open();
  await expect(other.room.message).toHaveValue("begun, and gone on with");
  await here.room.message.press("Enter");
  await here.room.entry("begun, and gone on with").expectState("acked");
  await other.close();
  await here.page.reload();
  await here.status.expectLink("online");
  await expect(here.room.message).toHaveValue("");
});

test("what was typed a moment before the page ends is in the message box again", async ({ people }) => {
  const ada = await people.join("Ada");
  for (let i = 1; i <= 8; i++) {
    const text = `typed ${i}.`;
    await typeAndReload(ada.tab, text);
    await expect(ada.tab.room.message).toHaveValue(text);
  }
  await ada.tab.room.message.fill("typed last.");
  await ada.tab.close();
  await ada.open();
  await expect(ada.tab.room.message).toHaveValue("typed last.");
});

test("a change that was begun is gone on with when its writer comes back to the room", async ({ people }) => {
  const ada = await people.join("Ada");
  await ada.tab.rooms.create("Ward 2");
  await ada.tab.rooms.go("lobby");
  await ada.tab.room.say("to be changed");
  await ada.tab.room.entry("to be changed").expectState("acked");
  await ada.tab.room.entry("to be changed").edit();
  await expect(ada.tab.room.message).toHaveValue("to be changed");
  await ada.tab.room.message.fill("half changed");

  await ada.tab.rooms.go("Ward 2");
  await expect(ada.tab.room.message).toHaveValue("");
  await ada.tab.room.say("said in between");
  await ada.tab.rooms.go("lobby");
  await expect(ada.tab.room.message).toHaveValue("half changed");
  await ada.tab.room.message.press("Enter");
  await expect(ada.tab.room.entry("half changed").article).toContainText("edited");
  await expect(ada.tab.room.message).toHaveValue("");
});

test("a change that was begun is dropped where its event is deleted meanwhile", async ({ people }) => {
  const ada = await people.join("Ada");
  await ada.tab.rooms.create("Ward 2");
  await ada.tab.rooms.go("lobby");
  await ada.tab.room.say("soon to go");
  const entry = await ada.tab.room.entry("soon to go").byId();
  await entry.expectState("acked");
  const here = ada.tab;
  await entry.edit();
  await here.room.message.fill("half changed");
  await here.rooms.go("Ward 2");
  await expect(here.room.message).toHaveValue("");

  const there = await ada.open();
  await there.room.entry("soon to go").delete();
  await expect(there.room.entry("soon to go").article).toHaveCount(0);
  await here.rooms.go("lobby");
  await expect(entry.article).toContainText("message deleted");
  await expect(here.room.message).toHaveValue("");
});

test("who writes while looking back is brought to the new message", async ({ server, people }) => {
  for (let i = 1; i <= 300; i++) await postMessage(server, `line ${i}.`);
  const ada = await people.join("Ada");
  await expect(ada.tab.room.entry("line 300.").article).toBeInViewport();
  await ada.tab.room.log.hover();
  await ada.tab.page.mouse.wheel(0, -3_000);
  await expect(ada.tab.room.toLatest).toBeVisible();
  await ada.tab.room.say("from further up");
  await expect(ada.tab.room.entry("from further up").article).toBeInViewport();

  await ada.open("/rooms/lobby?at=5");
  await expect(ada.tab.room.at(5).article).toBeInViewport();
  await ada.tab.room.say("from the linked place");
  await expect(ada.tab.room.entry("from the linked place").article).toBeInViewport();
  await expect(ada.tab.room.toLatest).toHaveCount(0);
});
