import { expect, test } from "../fixtures/test.ts";
import { expectSame } from "../fixtures/same.ts";

test("a room that was made offline arrives with what was said in it", async ({ server, people }) => {
  const ada = await people.join("Ada");
  const bob = await people.join("Bob");
  await bob.goOffline();
  await bob.tab.rooms.create("Ward 2");
  await expect(bob.tab.room.name).toContainText("Ward 2");
  await bob.tab.room.say("one", "two", "three");
  // The room's beginning and the three messages.
  await bob.tab.status.expectQueued(4);
  await bob.goOnline();

  await bob.tab.room.entry("three").expectState("acked");
  await ada.tab.rooms.go("Ward 2");
  await ada.tab.room.joinRoom.click();
  const shown = await expectSame(server, [ada.tab, bob.tab], "Ward 2");
  expect(shown.map(({ text }) => text)).toEqual(["Ward 2", "one", "two", "three"]);
});

test("an unsent event is edited and another discarded, and the rest arrives", async ({ server, people }) => {
  const ada = await people.join("Ada");
  const bob = await people.join("Bob");
  await bob.goOffline();
  await bob.tab.room.say("keep", "mend me", "drop me");
  const mended = await bob.tab.room.entry("mend me").byId();
  await bob.tab.room.change(mended, "mended");
  await expect(mended.article).toContainText("mended");
  await mended.expectState("queued");
  await bob.tab.room.entry("drop me").discard();
  await expect(bob.tab.room.entry("drop me").article).toHaveCount(0);
  await bob.tab.status.expectQueued(2);
  await bob.goOnline();

  const shown = await expectSame(server, [ada.tab, bob.tab]);
  expect(shown.map(({ text }) => text).slice(-2)).toEqual(["keep", "mended"]);
  // Changed before it was ever sent: nothing says that it once was another.
  await expect(ada.tab.room.entry("mended").article).not.toContainText("edited");
});

test("two rooms of one name that were made offline both arrive", async ({ server, people }) => {
  const ada = await people.join("Ada");
  const bob = await people.join("Bob");
  for (const { tab } of [ada, bob]) await tab.status.expectLink("online");
  await ada.goOffline();
  await bob.goOffline();
  for (const { tab, name } of [ada, bob]) {
    await tab.rooms.create("Ward");
    await tab.room.say(`by ${name}`);
    await tab.status.expectQueued(2);
  }
  await ada.goOnline();
  await ada.tab.room.entry("by Ada").expectState("acked");
  await bob.goOnline();
  await bob.tab.room.entry("by Bob").expectState("acked");
  await expect(ada.tab.rooms.nav.getByRole("link", { name: /Ward/ })).toHaveCount(2);
  await expectSame(server, [ada.tab], "Ward");
  const other = decodeURIComponent(new URL(bob.tab.page.url()).pathname.split("/").at(-1)!);
  expect(other).not.toBe("Ward");
  await expectSame(server, [bob.tab], other);
});

test("a text that was begun is there again when the page is", async ({ people }) => {
  const ada = await people.join("Ada");
  await ada.tab.room.message.fill("not yet said");
  await ada.tab.room.message.blur();
  await ada.tab.rooms.create("Elsewhere");
  await expect(ada.tab.room.message).toHaveValue("");
  await ada.tab.rooms.go("lobby");
  await expect(ada.tab.room.message).toHaveValue("not yet said");
  await ada.tab.close();
  await ada.open();
  await expect(ada.tab.room.message).toHaveValue("not yet said");
});
