import { expect, test } from "../../fixtures/test.ts";
import { readTexts } from "../../fixtures/log.ts";
import { expectSame } from "../../fixtures/same.ts";
import type { Owner } from "../../fixtures/owner.ts";
import type { Tab } from "../../pages/tab.page.ts";

test("two tabs of one profile write in turn, and the one that leads is killed", async ({ server, people }) => {
  const ada = await people.join("Ada");
  const bob = await people.join("Bob");
  const first = bob.tab;
  const second = await bob.open();
  await second.status.expectLink("online");
  await first.room.say("1 by the first");
  await second.room.say("2 by the second");
  await expectSame(server, [ada.tab, first, second]);
  expect(await first.leads()).toBe(true);
  expect(await second.leads()).toBe(false);
  expect(second.sockets).toBe(0);

  // What is written now is on its way, and no verdict comes back to the tab that sent it.
  bob.line.blackhole("down");
  await first.room.say("3 by the first");
  await expect(second.room.entry("3 by the first").article).toHaveAttribute("data-state", "sent");
  await second.room.say("4 by the second");
  await expect(first.room.entry("4 by the second").article).toHaveAttribute("data-state", "sent");
  await first.room.say("5 by the first");
  await expect(second.room.entry("5 by the first").article).toBeVisible();
  await first.kill();
  await second.room.say("6 by the second");
  bob.line.restore();

  const shown = await expectSame(server, [ada.tab, second]);
  expect(await second.leads()).toBe(true);
  expect(shown.map(({ text }) => text).slice(-6)).toEqual([
    "1 by the first",
    "2 by the second",
    "3 by the first",
    "4 by the second",
    "5 by the first",
    "6 by the second",
  ]);
});

/** How the tab ends that holds the socket. */
const ends: [how: string, end: (owner: Owner, tab: Tab) => Promise<void>][] = [
  ["is closed", (_, tab) => tab.close()],
  ["crashes", (_, tab) => tab.kill()],
  [
    "loses its process",
    async (owner, tab) => {
      const crashed = tab.page.waitForEvent("crash");
      process.kill(owner.rendererOf(tab), "SIGKILL");
      await crashed;
      await tab.close();
    },
  ],
];

test("of three tabs the one that leads dies in the middle of what another says, whichever way, and nothing is lost", async ({ server, people }) => {
  test.setTimeout(120_000);
  const ada = await people.join("Ada");
  const bob = await people.joinApart("Bob");
  let leader = bob.tab;
  let [speaker, third] = [await bob.open(), await bob.open()];
  const said: string[] = [];
  for (const [how, end] of ends) {
    for (const tab of [leader, speaker, third]) await tab.status.expectLink("online");
    expect(await leader.leads()).toBe(true);
    const texts = Array.from({ length: 30 }, (_, i) => `${i + 1} before and after the other ${how}.`);
    said.push(...texts);
    await speaker.room.burst([...texts]);
    // Some are in the log by then, and some are not said yet.
    await expect.poll(async () => (await readTexts(server)).filter((text) => texts.includes(text)).length).toBeGreaterThan(2);
    await end(bob, leader);
    await third.room.say(`Said by the third when the one ${how}.`);
    said.push(`Said by the third when the one ${how}.`);
    await expect(speaker.room.entry(texts.at(-1)!).article).not.toHaveCount(0);
    const survivors = [speaker, third];
    await expectSame(server, [ada.tab, ...survivors]);
    // The lock goes on to whoever has waited for it longest.
    expect(await Promise.all(survivors.map((tab) => tab.leads()))).toEqual([true, false]);
    [leader, speaker, third] = [speaker, third, await bob.open()];
  }
  const log = await readTexts(server);
  expect([...log].sort()).toEqual([...said].sort());
  for (const [how] of ends) {
    const own = log.filter((text) => text.includes(`the other ${how}`)).map((text) => Number(text.split(" ")[0]));
    expect(own, "in the order in which they were said").toEqual([...own].sort((a, b) => a - b));
  }
});

test("a tab that is killed between the outbox's write and the send loses nothing", async ({ server, people }) => {
  const ada = await people.join("Ada");
  const bob = await people.meet("Bob");
  // What the page hands to its socket is the last thing before the wire: emits are kept from it.
  await bob.context.addInitScript(() => {
    const send = WebSocket.prototype.send;
    WebSocket.prototype.send = function (data) {
      const isEmit = typeof data === "string" && data.startsWith('{"emit"');
      if (isEmit && "hold" in window) Object.assign(window, { held: data });
      else send.call(this, data);
    };
  });
  const tab = await bob.open();
  await tab.welcome.introduce("Bob");
  await tab.status.expectLink("online");
  await tab.page.evaluate(() => Object.assign(window, { hold: true }));
  await tab.room.say("Held by the disk alone.");
  await expect.poll(() => tab.page.evaluate(() => (window as { held?: string }).held)).toContain("Held by the disk alone.");
  await tab.kill();
  // What the tab had sent would stand before what is said now.
  await ada.tab.room.say("Said once the tab is gone.");
  await expectSame(server, [ada.tab]);
  expect(await readTexts(server)).toEqual(["Said once the tab is gone."]);

  await bob.open();
  await expectSame(server, [ada.tab, bob.tab]);
  expect(await readTexts(server)).toEqual(["Said once the tab is gone.", "Held by the disk alone."]);
});
