import { Backup } from "../fixtures/backup.ts";
import { expect, test } from "../fixtures/test.ts";
import { postMessage, readLog } from "../fixtures/log.ts";
import { expectSame, fold } from "../fixtures/same.ts";
import { told } from "../pages/room.page.ts";

test.describe("with a short replay", () => {
  test.use({ serverOptions: { args: ["--replay-events", "20", "--page", "20"] } });

  test("who missed more than is replayed finds the rest by scrolling up", async ({ server, people }) => {
    const ada = await people.join("Ada");
    const bob = await people.join("Bob");
    await ada.tab.room.say("before", "a secret");
    await expectSame(server, [ada.tab, bob.tab]);
    await bob.goOffline();
    for (let i = 1; i <= 45; i++) await postMessage(server, `missed ${i}.`);
    // Inside of what is skipped, something that was read is taken back.
    await ada.tab.room.entry("a secret").delete();
    await expectSame(server, [ada.tab]);
    for (let i = 46; i <= 90; i++) await postMessage(server, `missed ${i}.`);
    // A change inside of what is skipped, from above what is skipped.
    await ada.tab.room.change(ada.tab.room.entry("before"), "before, changed");
    await expect(ada.tab.room.entry("before, changed").article).toContainText("edited");
    await bob.goOnline();

    await expect(bob.tab.room.entry("missed 90.").article).toBeVisible();
    const expected = fold((await readLog(server)).entries);
    const seen = await bob.tab.room.readUp(expected[0]!);
    expect(seen.map(told)).toEqual(expected.map(told));
    await expect(bob.tab.room.gaps).toHaveCount(0);
    await expect(bob.tab.room.firstMissed.article).toContainText("missed 1.");
    await expect(bob.tab.room.at(expected.at(-92)!.offset!).article).toContainText("before, changed");
    await expect(bob.tab.room.entry("a secret").article).toHaveCount(0);
    await expectSame(server, [ada.tab, bob.tab]);
  });

  test("a newcomer reads a long log from its end to its beginning", async ({ server, people }) => {
    for (let i = 1; i <= 300; i++) await postMessage(server, `line ${i}.`);
    const cy = await people.join("Cy");
    await expect(cy.tab.room.entry("line 300.").article).toBeInViewport();
    const expected = fold((await readLog(server)).entries);
    const seen = await cy.tab.room.readUp(expected[0]!);
    expect(seen.map(told)).toEqual(expected.map(told));
    await postMessage(server, "while Cy looks back");
    await cy.tab.room.toLatest.click();
    await expect(cy.tab.room.entry("while Cy looks back").article).toBeInViewport();
  });
});

test("a log that was set back is told as a gap, and goes on", async ({ server, people }) => {
  const ada = await people.join("Ada");
  const bob = await people.join("Bob");
  const backup = new Backup(server);
  await ada.tab.room.say("in the backup");
  await expectSame(server, [ada.tab, bob.tab]);
  await backup.make();
  await ada.tab.room.say("after the backup");
  const before = await expectSame(server, [ada.tab, bob.tab]);
  await backup.restore();

  for (const { tab } of [ada, bob]) {
    await expect(tab.room.gaps).toHaveAttribute("data-gap-reason", "reset", { timeout: 30_000 });
    const had = before.at(-1)!.offset;
    await expect(tab.room.gaps).toHaveAttribute("data-gap-count", String(had));
    await expect(tab.room.gaps).toContainText(`You had ${had} events of it; what the server has now follows.`);
  }
  const shown = await expectSame(server, [ada.tab, bob.tab]);
  expect(shown.at(-1)!.text).toBe("in the backup");
  await ada.tab.room.say("after the restore");
  await expectSame(server, [ada.tab, bob.tab]);
});
