import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { expect, test } from "../fixtures/test.ts";
import { readHeld } from "../fixtures/held.ts";
import { postMessage, readLog, readTexts } from "../fixtures/log.ts";
import { expectWhole } from "../fixtures/same.ts";
import type { Tab } from "../pages/tab.page.ts";

/** How many lines are fed. More are for a run by hand: `HOLDFAST_REAL_LINES=20000`. */
const COUNT = Number(process.env.HOLDFAST_REAL_LINES ?? 600);

/** Lines that nobody wrote for a test: a system's log, named by `HOLDFAST_REAL_FILE`, else this
 *  repository's own history; over again where there are too few. */
function realLines(): string[] {
  const file = process.env.HOLDFAST_REAL_FILE;
  const history = ["log", "-p", "--format=%h %an, %ad: %s"];
  const text = file ? readFileSync(file, "utf8") : execFileSync("git", history, { encoding: "utf8", maxBuffer: 2 ** 30 });
  // What a person could not send either is left out: lines with nothing in them to see, and bytes
  // that steer a terminal.
  const lines = text.split("\n").map((line) => line.slice(0, 4_000));
  const real = lines.filter((line) => /[\p{L}\p{N}\p{P}\p{S}]/u.test(line) && !/[\p{Cc}\uFFFD]/u.test(line.replaceAll("\t", "")));
  expect(real.length).toBeGreaterThan(0);
  return Array.from({ length: COUNT }, (_, i) => real[i % real.length]!);
}

/** The offsets that a reader's browser holds of its one room, in order. */
async function held(tab: Tab): Promise<number[]> {
  return (await readHeld(tab))!.entries.map(({ offset }) => offset);
}

test("a history fed in by a service reaches who stays and who is away for half of it", async ({ server, people }) => {
  test.setTimeout(60_000 + COUNT * 60);
  const lines = realLines();
  const ada = await people.join("Ada");
  const bob = await people.join("Bob");
  const half = COUNT / 2;
  const feed = async (part: string[], from: number) => {
    for (const [i, line] of part.entries()) await postMessage(server, line, { key: `line ${from + i}` });
  };
  const started = Date.now();
  await feed(lines.slice(0, half), 0);
  const { head } = await readLog(server);
  await expect.poll(async () => (await held(bob.tab)).at(-1), { timeout: 60_000 }).toBe(head);
  await bob.goOffline();
  await feed(lines.slice(half), half);
  const took = Date.now() - started;
  await bob.goOnline();

  for (const { tab } of [ada, bob]) {
    await tab.status.expectLink("online", { timeout: 30_000 });
    const log = await readLog(server);
    await expect.poll(async () => (await held(tab)).at(-1), { timeout: 60_000 }).toBe(log.head);
  }
  const log = await readLog(server);
  expectWhole(log);
  expect(await readTexts(server)).toEqual(lines);
  const offsets = log.entries.map((entry) => entry.offset);
  expect(await held(ada.tab), "each entry once, in who stayed").toEqual(offsets);
  expect(await held(bob.tab), "each entry once, in who was away").toEqual(offsets);
  // So much was missed that the page opens at its end and offers the way up.
  await bob.tab.room.toMissed.click();
  await expect(bob.tab.room.firstMissed.article).toBeInViewport();
  await expect(bob.tab.room.firstMissed.article).toHaveAttribute("data-offset", String(head + 1));
  console.log(`${COUNT} lines in ${took} ms; log ${log.entries.length} entries`);
});
