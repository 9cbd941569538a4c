import { readLog } from "../../fixtures/log.ts";
import { expectSame } from "../../fixtures/same.ts";
import { expect, test } from "../../fixtures/test.ts";
import type { Tab } from "../../pages/tab.page.ts";
import type { Server } from "../../fixtures/server.ts";

// The wall clock of a person's computer is wrong, or is set while the page is open. It decides
// nothing, and what is shown of it is put right by the server's.

const DAY = 24 * 60 * 60 * 1000;

/** Runs in the browser. What `performance` tells goes on steadily, as it does there. */
function wrongClock(shift: number) {
  const { now } = Date;
  const origin = performance.timeOrigin;
  Object.assign(window, { setClock: (other: number) => (shift = other) });
  Object.defineProperty(performance, "timeOrigin", { get: () => origin + shift });
  window.Date = class extends Date {
    constructor(...values: unknown[]) {
      if (values.length === 0) super(now() + shift);
      else super(...(values as [number]));
    }
    static override now() {
      return now() + shift;
    }
  } as DateConstructor;
}

/** The clock jumps: from now on it is wrong by so much. */
async function setClock({ page }: Tab, shift: number): Promise<void> {
  await page.evaluate((shift) => (window as unknown as { setClock(shift: number): void }).setClock(shift), shift);
}

/** The days stand where the server's clock has them, and have the names that they have today. */
async function expectDays(server: Server, tab: Tab): Promise<void> {
  const day = (at: number) => new Date(at).toDateString();
  const { entries } = await readLog(server);
  const days = [...new Set(entries.map(({ at }) => day(at)))];
  const names = days.map((one) => (one === day(Date.now()) ? "Today" : "Yesterday"));
  await expect(tab.room.log.getByRole("heading", { level: 2 })).toHaveText(names);
}

for (const [wrong, shift] of [
  ["a day ahead", DAY],
  ["a year behind", -365 * DAY],
] as const) {
  test(`a clock that is ${wrong}, and one that jumps, change neither order nor times nor timers`, async ({ server, people }) => {
    test.setTimeout(120_000);
    const ada = await people.meet("Ada");
    await ada.context.addInitScript(wrongClock, shift);
    const tab = await ada.open();
    await tab.welcome.introduce("Ada");
    await tab.status.expectLink("online");
    const bob = await people.join("Bob");
    const said: string[] = [];
    for (let i = 1; i <= 3; i++) {
      for (const [speaker, listener] of [[ada, bob], [bob, ada]] as const) {
        said.push(`${speaker.name} ${i}.`);
        await speaker.tab.room.say(said.at(-1)!);
        await expect(listener.tab.room.entry(said.at(-1)!).article).toBeVisible();
      }
    }
    const shown = await expectSame(server, [tab, bob.tab]);
    expect(shown.slice(1).map(({ text }) => text)).toEqual(said);
    for (const one of [ada, bob]) await expectDays(server, one.tab);

    // Without a connection: what waits is shown among the rest at the time by the server's clock.
    ada.line.refuse();
    ada.line.cut();
    await tab.status.expectLink("offline");
    await tab.room.say("waits");
    await tab.room.entry("waits").expectState("queued");
    const { at } = (await tab.room.rows()).at(-1)!;
    expect(Math.abs(Date.parse(at) - Date.now())).toBeLessThan(60_000);
    await expectDays(server, tab);
    await expect(tab.status.status).toContainText(/retry in ([12]?\d|30)\u00a0s|trying now/);
    // The clock is put right while it waits, and more than that: the next attempt is made all the same.
    await setClock(tab, -shift);
    await bob.tab.room.say("meanwhile");
    ada.line.restore();
    await tab.status.expectLink("online", { timeout: 35_000 });
    await tab.room.say("after the jump");
    await bob.tab.room.say("heard");
    const all = await expectSame(server, [tab, bob.tab]);
    const own = ["waits", "after the jump"];
    expect(all.map(({ text }) => text).filter((text) => own.includes(text))).toEqual(own);
    for (const one of [ada, bob]) await expectDays(server, one.tab);

    // A tab that comes later has the clock by the one that leads.
    const later = await ada.open();
    await expectSame(server, [tab, later, bob.tab]);
    await expectDays(server, later);
  });
}
