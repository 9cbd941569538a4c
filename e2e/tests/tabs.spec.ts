import { expect, test } from "../fixtures/test.ts";
import { readTexts } from "../fixtures/log.ts";
import { expectSame } from "../fixtures/same.ts";
import type { Tab } from "../pages/tab.page.ts";

/** Whether this tab holds the lock by which one tab of a profile leads. */
async function leads(tab: Tab): Promise<boolean> {
  return tab.page.evaluate(async () => {
    // A lock of the test's own tells the tab its name among the holders.
    const held = await navigator.locks.request("who am I", async () => navigator.locks.query());
    const own = held.held?.find((lock) => lock.name === "who am I")?.clientId;
    return held.held?.some((lock) => lock.name !== "who am I" && lock.clientId === own) ?? false;
  });
}

test("two tabs of one profile write in turn, and the one that leads is killed", async ({ server, people }) => {
  const ada = await people.join("Ada");
  const bob = await people.join("Bob");
  const first = bob.tab;
  const second = await bob.open();
  await second.status.expectLink("online");
  await first.room.say("1 by the first");
  await second.room.say("2 by the second");
  await expectSame(server, [ada.tab, first, second]);
  expect(await leads(first)).toBe(true);
  expect(await leads(second)).toBe(false);
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
  expect(await leads(second)).toBe(true);
  expect(shown.map(({ text }) => text).slice(-6)).toEqual([
    "1 by the first",
    "2 by the second",
    "3 by the first",
    "4 by the second",
    "5 by the first",
    "6 by the second",
  ]);
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
