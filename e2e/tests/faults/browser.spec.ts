import { Dice } from "../../fixtures/dice.ts";
import { readLog, readTexts } from "../../fixtures/log.ts";
import type { Owner } from "../../fixtures/owner.ts";
import { expectSame } from "../../fixtures/same.ts";
import { expect, test } from "../../fixtures/test.ts";

// The browser's processes are killed, all at once: no page hears of it, and what is on the disk is
// what there is.

/** Other moments are for a run by hand: `HOLDFAST_SEED=7 HOLDFAST_ROUNDS=20`. */
const SEED = Number(process.env["HOLDFAST_SEED"] ?? 1);
const ROUNDS = Number(process.env["HOLDFAST_ROUNDS"] ?? 3);

/** Events that are on a page tell so at once: those, at the least, a kill must not take along. */
async function watch(owner: Owner, shown: Set<string>): Promise<void> {
  await owner.context.exposeBinding("shown", (_, id: string) => void shown.add(id));
  await owner.context.addInitScript(() => {
    const told = new Set<string>();
    const tell = () => {
      for (const article of document.querySelectorAll<HTMLElement>("article[data-event-id]")) {
        const id = article.dataset["eventId"]!;
        if (!told.has(id)) (window as unknown as { shown(id: string): void }).shown(id);
        told.add(id);
      }
    };
    new MutationObserver(tell).observe(document, { childList: true, subtree: true });
  });
}

test("a browser that is killed with unsent events has each of them when it is started again", async ({ server, people }) => {
  test.setTimeout(60_000 + ROUNDS * 60_000);
  const dice = new Dice(SEED);
  const ada = await people.join("Ada");
  const bob = await people.joinApart("Bob");
  const shown = new Set<string>();
  await watch(bob, shown);
  await bob.tab.page.reload();
  await bob.tab.rooms.create("Ward 2");
  await bob.tab.room.entry("Ward 2").expectState("acked");
  await ada.tab.rooms.go("Ward 2");
  await ada.tab.room.joinRoom.click();
  await ada.tab.rooms.go("lobby");

  for (let round = 1; round <= ROUNDS; round++) {
    const { tab } = bob;
    await tab.rooms.go("lobby");
    await tab.status.expectLink("online");
    // One that the server has and whose ack never comes, and a change behind it.
    bob.line.blackhole("down");
    await tab.room.say(`${round}: sent`);
    const sent = await tab.room.entry(`${round}: sent`).byId();
    await sent.expectState("sent");
    await tab.room.change(sent, `${round}: sent and changed`);
    await bob.goOffline();
    await tab.rooms.go("Ward 2");
    await tab.room.say(`${round}: in the ward`);
    await tab.rooms.go("lobby");
    await tab.room.say(`${round}: queued`, `${round}: to be changed`);
    await tab.room.change(await tab.room.entry(`${round}: to be changed`).byId(), `${round}: changed`);

    // Until the last moment something is being typed and sent.
    const typed = Array.from({ length: 8 }, (_, i) => `${round}: typed ${i + 1}.`);
    const moment = dice.upTo(80);
    console.log(`seed ${SEED}, round ${round}: killed ${moment} ms into what is being said`);
    await tab.room.burst([...typed]);
    // The fault itself is a duration.
    await new Promise((resolve) => setTimeout(resolve, moment));
    await bob.killBrowser();
    const seen = new Set(shown);
    await ada.tab.room.say(`${round}: while Bob's browser is gone`);

    await bob.startBrowser();
    await watch(bob, shown);
    await bob.goOnline();
    const again = await bob.open();
    await expectSame(server, [ada.tab, again]);
    const begun = await again.room.message.inputValue();
    await again.rooms.go("Ward 2");
    await expectSame(server, [again], "Ward 2");

    const logs = await Promise.all([readLog(server), readLog(server, "Ward 2")]);
    const ids = new Set(logs.flatMap(({ entries }) => entries.map(({ id }) => id)));
    expect([...seen].filter((id) => !ids.has(id)), "what was on the page is in the log").toEqual([]);
    const texts = await readTexts(server);
    expect(new Set(texts).size, "nothing is said twice").toBe(texts.length);
    const held = typed.filter((text) => texts.includes(text));
    expect(held, "what was said first is held first").toEqual(typed.slice(0, held.length));
    expect(texts.filter((text) => typed.includes(text)), "and stands in that order").toEqual(held);
    expect(held, "what is held is not begun as well").not.toContain(begun);
    expect(await readTexts(server, "Ward 2")).toContain(`${round}: in the ward`);
    await again.rooms.go("lobby");
    for (const text of [`${round}: sent and changed`, `${round}: queued`, `${round}: changed`]) {
      await expect(again.room.entry(text).article).toHaveCount(1);
    }
    await again.room.message.fill("");
  }
});
