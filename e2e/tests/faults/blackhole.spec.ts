import type { Direction } from "../../fixtures/line.ts";
import { readTexts } from "../../fixtures/log.ts";
import { expectSame } from "../../fixtures/same.ts";
import { expect, test } from "../../fixtures/test.ts";

// The line lets nothing pass any more and closes nothing: both ends believe that it stands.

const ways: [way: string, direction: Direction | "both"][] = [
  ["neither way", "both"],
  ["not up", "up"],
  ["not down", "down"],
];

for (const [way, direction] of ways) {
  test(`a line that lets pass ${way} for a while is gone on with, and what was held up arrives once`, async ({ server, people }) => {
    const ada = await people.join("Ada");
    const bob = await people.join("Bob");
    await bob.tab.room.say("before");
    await expectSame(server, [ada.tab, bob.tab]);
    bob.line.blackhole(direction);
    await bob.tab.room.say("into the hole", "and behind it");
    await bob.tab.room.entry("and behind it").expectState("sent");
    await ada.tab.room.say("said to who cannot hear it");
    await ada.tab.room.entry("said to who cannot hear it").expectState("acked");
    // What goes up alone is taken by the server, which nobody can tell its writer.
    const taken = async () => (await readTexts(server)).includes("and behind it");
    if (direction === "down") await expect.poll(taken).toBe(true);
    else expect(await taken()).toBe(false);
    await expect(bob.tab.room.entry("said to who cannot hear it").article).toHaveCount(direction === "up" ? 1 : 0);
    bob.line.restore();
    await expectSame(server, [ada.tab, bob.tab]);
    expect(bob.tab.sockets).toBe(1);
  });

  test.describe("found out soon", () => {
    test.use({ serverOptions: { args: ["--ping-every-ms", "1000", "--silence-ms", "4000"] } });

    test(`who is on a line that lets pass ${way} for ever connects around it, and what it delivers at last changes nothing`, async ({ server, people }) => {
      const ada = await people.join("Ada");
      const bob = await people.join("Bob");
      await bob.tab.room.say("before");
      await expectSame(server, [ada.tab, bob.tab]);
      const { sockets } = bob.tab;
      bob.line.strand(direction);
      await bob.tab.room.say("into the hole", "and behind it");
      await ada.tab.room.say("said to who cannot hear it");
      await expect.poll(() => bob.tab.sockets, { timeout: 30_000 }).toBeGreaterThan(sockets);
      await bob.tab.room.say("around it");
      await expectSame(server, [ada.tab, bob.tab]);

      bob.line.restore();
      await bob.tab.room.say("after all");
      const shown = await expectSame(server, [ada.tab, bob.tab]);
      const own = ["before", "into the hole", "and behind it", "around it", "after all"];
      expect(shown.map(({ text }) => text).filter((text) => own.includes(text))).toEqual(own);
    });
  });
}

test("a line that is dead but open is found out within 30 seconds", async ({ server, people }) => {
  test.setTimeout(120_000);
  const ada = await people.join("Ada");
  ada.line.blackhole();
  ada.line.refuse();
  await ada.tab.status.expectLink("offline", { timeout: 30_000 });
  await ada.tab.room.say("held");
  ada.line.restore();
  await ada.tab.room.entry("held").expectState("acked");
  await expectSame(server, [ada.tab]);
});

test("a dead line is found out within 10 seconds of coming back to the page", async ({ server, people }) => {
  const ada = await people.join("Ada");
  ada.line.blackhole();
  ada.line.refuse();
  await ada.tab.page.evaluate(() => document.dispatchEvent(new Event("visibilitychange", { bubbles: true })));
  await ada.tab.status.expectLink("offline", { timeout: 10_000 });
  ada.line.restore();
  await ada.tab.page.evaluate(() => document.dispatchEvent(new Event("visibilitychange", { bubbles: true })));
  await ada.tab.room.say("back");
  await expectSame(server, [ada.tab]);
});

test("a browser that goes offline keeps the socket, and the page is not deceived", async ({ server, people }) => {
  const ada = await people.join("Ada");
  await ada.context.setOffline(true);
  ada.line.blackhole();
  ada.line.refuse();
  await ada.tab.status.expectLink("offline", { timeout: 10_000 });
  await ada.tab.room.say("written in a tunnel");
  await ada.tab.room.entry("written in a tunnel").expectState("queued");
  ada.line.restore();
  await ada.context.setOffline(false);
  await expectSame(server, [ada.tab]);
});
