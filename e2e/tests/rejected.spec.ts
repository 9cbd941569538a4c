import { expect, test } from "../fixtures/test.ts";
import { expectSame } from "../fixtures/same.ts";

// The page lets a text with a bell in it go out; the server takes none such.
const turned = "turned \u0007 around";

test("a rejected event blocks nothing behind it, and says why", async ({ server, people }) => {
  const ada = await people.join("Ada");
  const bob = await people.join("Bob");
  await ada.tab.room.say(turned, "behind it");
  const rejected = ada.tab.room.entry("turned");
  await rejected.expectState("rejected");
  await expect(rejected.article).toContainText("It has control characters in it.");
  await ada.tab.room.entry("behind it").expectState("acked");
  await ada.tab.status.expectQueued(0);
  await expect(bob.tab.room.entry("behind it").article).toBeVisible();
  await expect(bob.tab.room.entry("turned").article).toHaveCount(0);

  await rejected.discard();
  await expectSame(server, [ada.tab, bob.tab]);
});

test("a rejected event that is sent again is a new one, and rejected again", async ({ people }) => {
  const ada = await people.join("Ada");
  await ada.tab.room.say(turned);
  const rejected = ada.tab.room.entry("turned");
  await rejected.expectState("rejected");
  const before = await rejected.byId();
  await rejected.retry();
  await expect(before.article).toHaveCount(0);
  await rejected.expectState("rejected");
  await expect(rejected.article).toHaveCount(1);
});

test("a rejected event that was mended is taken", async ({ server, people }) => {
  const ada = await people.join("Ada");
  const bob = await people.join("Bob");
  await ada.tab.room.say(turned);
  const rejected = await ada.tab.room.entry("turned").byId();
  await rejected.expectState("rejected");
  await ada.tab.room.change(rejected, "mended");
  await expect(rejected.article).toHaveCount(0);
  const shown = await expectSame(server, [ada.tab, bob.tab]);
  expect(shown.at(-1)!.text).toBe("mended");
});

test("a rejected event is still on its writer's hands when the page is opened again", async ({ people }) => {
  const ada = await people.join("Ada");
  await ada.tab.room.say(turned);
  await ada.tab.room.entry("turned").expectState("rejected");
  await ada.tab.close();
  await ada.open();
  const rejected = ada.tab.room.entry("turned");
  await rejected.expectState("rejected");
  await expect(rejected.article).toContainText("It has control characters in it.");
});

test("a text that has become too long while its writer was offline is rejected alone", async ({ server, people }) => {
  const ada = await people.join("Ada");
  const bob = await people.join("Bob");
  await ada.goOffline();
  await ada.tab.room.say("short", "far too long a text", "brief");
  await ada.tab.status.expectQueued(3);
  await server.restart({ args: ["--text-chars", "10"] });
  await ada.goOnline();

  const rejected = ada.tab.room.entry("far too long");
  await rejected.expectState("rejected");
  await expect(rejected.article).toContainText("It is longer than 10 characters.");
  await ada.tab.room.entry("brief").expectState("acked");
  await rejected.discard();
  const shown = await expectSame(server, [ada.tab, bob.tab]);
  expect(shown.map(({ text }) => text).slice(-2)).toEqual(["short", "brief"]);
});
