import { postMessage } from "../../fixtures/log.ts";
import { expectSame } from "../../fixtures/same.ts";
import { expect, test } from "../../fixtures/test.ts";

// Browsers suspend what is in the background, and computers sleep: nothing runs, and no end is told.

test.use({ serverOptions: { args: ["--ping-every-ms", "1000", "--silence-ms", "4000"] } });

test("a tab that is frozen for longer than a connection may be silent comes back to all it has missed", async ({ server, people }) => {
  const ada = await people.join("Ada");
  const bob = await people.joinApart("Bob");
  await bob.tab.room.say("before");
  await expectSame(server, [ada.tab, bob.tab]);
  // The last of it may be on its way, or on the disk alone.
  await bob.tab.room.burst(["one", "two", "three"]);
  await expect(bob.tab.room.entry("three").article).not.toHaveCount(0);
  bob.freeze(bob.tab);
  for (let i = 1; i <= 40; i++) await postMessage(server, `while Bob is frozen ${i}.`);
  // The fault itself is a duration.
  await new Promise((resolve) => setTimeout(resolve, 5_000));
  await ada.tab.room.say("still frozen");
  bob.unfreeze(bob.tab);
  await bob.tab.room.say("thawed");
  const shown = await expectSame(server, [ada.tab, bob.tab]);
  const own = ["before", "one", "two", "three", "thawed"];
  expect(shown.map(({ text }) => text).filter((text) => own.includes(text))).toEqual(own);
});

test("a tab that leads is frozen with its lock, another goes on without it, and both are one again", async ({ server, people }) => {
  test.setTimeout(240_000);
  const ada = await people.join("Ada");
  const bob = await people.joinApart("Bob");
  const first = bob.tab;
  const second = await bob.open();
  await second.status.expectLink("online");
  await first.room.say("by the first");
  await expectSame(server, [ada.tab, first, second]);
  expect(await first.leads()).toBe(true);
  await first.room.burst(["into the cold"]);
  await expect(first.room.entry("into the cold").article).not.toHaveCount(0);
  bob.freeze(first);
  // Where the tab was held still within a write of the database, the browser lets no other tab write before
  // it has ended that one: after a minute. It may have begun two, what was said and the draft of it.
  await second.room.message.fill("by the second");
  await second.room.message.press("Enter");
  await expect(second.room.entry("by the second").article).not.toHaveCount(0, { timeout: 140_000 });
  // Nobody takes it from the outbox until the lock is taken from the tab that cannot give it back.
  await second.room.say("and once more");
  await second.room.entry("and once more").expectState("acked");
  expect(await second.leads()).toBe(true);
  await ada.tab.room.say("meanwhile");
  await expectSame(server, [ada.tab, second]);

  bob.unfreeze(first);
  await first.room.say("by the first again");
  const shown = await expectSame(server, [ada.tab, first, second]);
  const own = ["by the first", "into the cold", "by the second", "and once more", "by the first again"];
  expect(shown.map(({ text }) => text).filter((text) => own.includes(text))).toEqual(own);
  // Which of them is not said: the first may hear that its write was broken off, and what the second had wanted of
  // it, before it hears that its lock was taken; then it begins anew as the one that leads, which fences the second.
  const leads = await Promise.all([first, second].map((tab) => tab.leads()));
  expect(leads.filter(Boolean), "one of them leads").toHaveLength(1);
});

test("a browser that sleeps with its computer wakes up to all it has missed, in each of its tabs", async ({ server, people }) => {
  const ada = await people.join("Ada");
  const bob = await people.joinApart("Bob");
  const first = bob.tab;
  const second = await bob.open();
  await second.status.expectLink("online");
  await second.room.say("before");
  await expectSame(server, [ada.tab, first, second]);
  await expect(ada.tab.room.here).toContainText("Bob");
  await second.room.burst(["one", "two", "three", "four", "five"]);
  bob.suspendBrowser();
  await ada.tab.room.say("while Bob's computer sleeps");
  await expect(ada.tab.room.here, "the server gives him up").not.toContainText("Bob", { timeout: 20_000 });
  await ada.tab.room.say("after he was given up");
  bob.resumeBrowser();
  await expect(second.room.entry("five").article).not.toHaveCount(0);
  const shown = await expectSame(server, [ada.tab, first, second]);
  const own = ["before", "one", "two", "three", "four", "five"];
  expect(shown.map(({ text }) => text).filter((text) => own.includes(text))).toEqual(own);
});
