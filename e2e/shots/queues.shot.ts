import type { Page } from "@playwright/test";
import { take } from "../fixtures/shot.ts";
import { expect, test } from "../fixtures/test.ts";
import { Work } from "../fixtures/work.ts";

const inbox = "/queues/inbox";

/** On a narrow screen a column is seen at a time. */
async function show(page: Page, column: string): Promise<void> {
  await page.setViewportSize({ width: 320, height: 640 });
  await page.getByRole("group", { name: "Jobs that are" }).getByRole("button", { name: new RegExp(`^${column}`) }).click();
}

test("the first visit to a board", async ({ people }) => {
  const ada = await people.meet("Ada Lovelace");
  const tab = await ada.open(inbox);
  await tab.welcome.name.fill("Ada Lovelace");
  await take(tab.page, "board-welcome");
});

test("a board with nothing on it, and one that is paused", async ({ people }) => {
  const ada = await people.join("Ada Lovelace", inbox);
  await take(ada.tab.page, "board-empty");
  await ada.tab.page.getByRole("button", { name: "Pause" }).click();
  await ada.tab.page.getByText("Paused: nothing begins").waitFor();
  await take(ada.tab.page, "board-paused");
});

test("a board at work", async ({ server, people }) => {
  const work = new Work(server);
  const ada = await people.join("Ada Lovelace", inbox);
  const { board, page } = ada.tab;
  await work.add(["Weigh the boxes of the morning's delivery"]);
  await work.bury("The scale does not answer: connection refused (os error 111)");
  await work.add(["Send the letter to the landlord"]);
  await work.bury("No such address.");
  await work.add(["Copy the archive of last year"]);
  await work.progress("archive-2", 62, "3,100 of 5,000 files");
  await work.add(["Print the labels", "Call the plumber"]);
  await work.consume("--name", "py-1", "--most", "2", "--wait", "100");
  await board.addTask("Water the plants on the third floor", "Those by the window need twice as much.");
  await board.job("Water the plants on the third floor").take();
  await work.add([
    "Order paper",
    "להזמין קפה למטבח",
    "Reply to everyone who wrote to the board about the new opening hours, before Friday",
    "https://example.org/a/very/long/address/without/a/place/to/break/it/anywhere/in/all/of/its/length",
  ]);
  await work.add(["Not before tonight"], { delay_ms: 14_400_000 });
  await work.add(["The first of its group", "The second of its group"], { group: "ward-7", priority: 5 });
  await expect(board.column("Ready").getByRole("article")).toHaveCount(7);
  // Lines of a few seconds, whose ends have what was just done.
  const moments = async (): Promise<number> => (await board.figure("Ready").heights()).length;
  await expect.poll(moments, { timeout: 20_000 }).toBeGreaterThanOrEqual(8);
  for (const name of ["Ready", "In flight", "Oldest", "Done/min", "Failed/min"]) {
    await board.figure(name).expectEnd((height) => height > 0);
  }
  await take(page, "board");
  await show(page, "Ready");
  await page.getByText("More", { exact: true }).click();
  await board.title.fill("Change the filters\nEmpty the bins on every floor, and those in the yard\nLock up");
  await page.getByRole("spinbutton", { name: "Begin in (min)" }).fill("90");
  await take(page, "board-adding");
  await show(page, "Taken");
  await take(page, "board-taken");
  await show(page, "Dead");
  await board.job("Send the letter to the landlord").press("Mend");
  await page.getByRole("textbox", { name: "Payload" }).fill('{"title": "Send the letter", ');
  await take(page, "board-mend");
  await page.getByRole("button", { name: "Cancel" }).click();
  await board.job("Weigh the boxes of the morning's delivery").press("Details");
  await page.getByText("Attempt 1 by").last().waitFor();
  await show(page, "Dead");
  await page.getByRole("listitem").last().scrollIntoViewIfNeeded();
  await take(page, "board-details");
});

test("a board on a very busy day", async ({ server, people }) => {
  const work = new Work(server);
  const ada = await people.join("Ada Lovelace", inbox);
  const { board, page } = ada.tab;
  const long = "Reply to everyone who wrote to the board about the new opening hours of the archive, before Friday";
  const endless = `https://example.org/${"a-very-long-address-".repeat(8)}`;
  for (let n = 1; n <= 24; n++) {
    await work.add([n % 3 === 0 ? `${long} (${n})` : n % 5 === 0 ? endless : `Weigh box ${n}`], { group: `ward-${n}` });
    const trace = Array.from({ length: 12 }, (_, line) => `  at scale.rs:${line}`).join("\n");
    await work.bury(n % 2 === 0 ? `The scale does not answer:\n${trace}` : n % 5 === 0 ? endless : "No such box.");
  }
  for (let n = 1; n <= 14; n++) {
    await work.add([n % 2 === 0 ? long : `Copy the archive of ${2000 + n}`], { group: n % 4 === 0 ? `${n}-${endless.slice(20, 120)}` : `archive-${n}`, priority: n });
    const note = n % 3 === 0 ? "" : n % 2 === 0 ? `${n},100 of 5,000 files, and after that ${endless}` : "some";
    await work.progress(n % 4 === 0 ? `a-consumer-of-a-long-name-${"x".repeat(60)}` : `archive-${n}`, (n * 7) % 101, note);
  }
  await work.add(Array.from({ length: 18 }, (_, n) => `Print label ${n + 1}`));
  for (let n = 1; n <= 18; n++) await work.finish();
  await work.add(["The one of this page", "Another"], { priority: 50 }, `Body. ${long}. `.repeat(5));
  await board.job("The one of this page").take();
  await work.add(Array.from({ length: 30 }, (_, n) => (n % 4 === 0 ? long : n % 7 === 0 ? endless : `Call number ${n + 1}`)), { priority: -3 });
  await work.add(Array.from({ length: 6 }, (_, n) => `One after the other ${n + 1}`), { group: "a group of many words that is long", priority: 100 });
  await work.add(["Not before tonight"], { delay_ms: 14_400_000 });
  await page.getByRole("button", { name: "Pause" }).click();
  await page.getByText("Paused: nothing begins").waitFor();
  await expect.poll(async () => (await board.figure("Ready").heights()).length, { timeout: 20_000 }).toBeGreaterThanOrEqual(8);
  await board.job("Copy the archive of 2001").press("Details");
  await take(page, "busy");
  for (const column of ["Ready", "Taken", "Done", "Dead"]) {
    await show(page, column);
    await take(page, `busy-${column.toLowerCase()}`);
  }
});

test("a task that the server does not accept", async ({ people }) => {
  const ada = await people.join("Ada Lovelace", inbox);
  const { board, page } = ada.tab;
  await page.getByText("More", { exact: true }).click();
  // Letters of two bytes each, more than a group's name has.
  await page.getByRole("textbox", { name: "Group" }).fill("ä".repeat(100));
  await board.addTask("Call the plumber");
  await board.job("Call the plumber").button("Discard").waitFor();
  await take(page, "board-refused");
});

test("what was decided about a queue", async ({ server, people }) => {
  const work = new Work(server);
  const ada = await people.join("Ada Lovelace", inbox);
  const { board, page } = ada.tab;
  await board.turnAudit();
  await page.getByText("Nothing was decided here yet.").waitFor();
  await take(page, "board-audit-none");
  await board.turnAudit();
  await work.decide("pause");
  await work.decide("resume");
  for (const title of ["Weigh the boxes", "Send the letter to the landlord of the house at the end of the road"]) {
    await work.add([title]);
    await work.bury("Nobody answers.");
  }
  await board.job("Weigh the boxes").press("Discard");
  await expect(board.column("Dead").getByRole("article")).toHaveCount(1);
  await page.getByRole("button", { name: "Requeue all" }).click();
  await work.bury("Nobody answers.");
  await page.getByRole("button", { name: "Mend" }).click();
  await page.getByRole("textbox", { name: "Payload" }).fill('{"title": "Send the letter"}');
  await page.getByRole("article").getByRole("button", { name: "Requeue" }).click();
  await board.job("Send the letter").expectState("ready");
  await board.turnAudit();
  await expect(board.notes).toHaveCount(5);
  await take(page, "board-audit");
});

test("a board that is cut off while somebody goes on", async ({ people }) => {
  const ada = await people.join("Ada Lovelace", inbox);
  const { board, page } = ada.tab;
  await board.addTask("Call the plumber");
  await board.job("Call the plumber").take();
  await ada.goOffline();
  await board.job("Call the plumber").press("Done");
  await board.addTask("Buy milk");
  await take(page, "board-offline");
});

test("a job that somebody else was given", async ({ server, people }) => {
  const work = new Work(server);
  const ada = await people.join("Ada Lovelace", inbox);
  await work.add(["Call the plumber"]);
  await expect(ada.tab.board.job("Call the plumber").button("Take")).toBeVisible();
  ada.line.blackhole("down");
  await work.progress("Bo", 0, "");
  await ada.tab.board.job("Call the plumber").press("Take");
  await take(ada.tab.page, "board-waiting");
  ada.line.restore();
  await ada.tab.board.job("Call the plumber").article.getByText("Someone else has it now.").waitFor();
  await show(ada.tab.page, "Taken");
  await take(ada.tab.page, "board-lost");
});

test("the queues, and an address where there is none", async ({ server, people }) => {
  await new Work(server).add(["Call the plumber", "Buy milk"]);
  const ada = await people.join("Ada Lovelace", inbox);
  await ada.tab.page.goto("/queues");
  await ada.tab.page.getByRole("link", { name: /inbox/ }).waitFor();
  await take(ada.tab.page, "queues");
  await ada.tab.page.getByRole("link", { name: /webhooks/ }).click();
  await ada.tab.page.getByText("Nothing waits.").waitFor();
  await take(ada.tab.page, "board-of-the-server");
  await ada.tab.page.goto("/queues/nothing");
  await ada.tab.page.getByText("There is no queue").waitFor();
  await take(ada.tab.page, "queue-none");
});

test("the queues on a very busy day", async ({ people }) => {
  const ada = await people.join("Ada Lovelace", inbox);
  const { page } = ada.tab;
  const rates = { enqueued: 90, started: 80, done: 12_345, failed: 7, dead: 1, wait: { p50_ms: 13, p95_ms: 208 }, run: { p50_ms: 3_520, p95_ms: 19_200 } };
  const none = { enqueued: 0, started: 0, done: 0, failed: 0, dead: 0 };
  const of = (namespace: string, name: string, more: object): object => ({
    namespace, name, ready: 0, delayed: 0, behind: 0, leased: 0, done: 0, dead: 0, paused: false, rates: none, ...more,
  });
  const queues = [
    of("holdfast", "exports", { done: 3, rates: { ...none, done: 3, wait: { p50_ms: 4, p95_ms: 9 }, run: { p50_ms: 840, p95_ms: 900 } } }),
    of("holdfast", "webhooks", { ready: 1_234, dead: 56, oldest_ms: 7_200_000, rates: { ...rates, done: 0, failed: 1_200 } }),
    of("shop", "packing", { ready: 2_000_000, leased: 64, done: 1_250_000, dead: 3, oldest_ms: 90_000_000, paused: true, rates }),
    of("a-namespace-of-a-long-name", "a-queue-whose-name-is-as-long-as-a-name-may-be-and-then-some", { ready: 12, leased: 3, done: 400, oldest_ms: 42_000, paused: true, rates }),
    of("work", "inbox", { ready: 48, leased: 15, done: 18, dead: 24, oldest_ms: 61_000, rates: { ...rates, done: 18 } }),
    of("work", "quiet", {}),
  ];
  await page.route("**/api/v1/queues", (route) => route.fulfill({ json: { queues } }));
  await page.goto("/queues");
  await page.getByRole("link", { name: /packing/ }).focus();
  await take(page, "queues-busy");
});

test("what came of the jobs that somebody asked for", async ({ server, people }) => {
  const work = new Work(server);
  const ada = await people.join("Ada Lovelace", inbox);
  const titles = ["Weigh the boxes", "Count the beds on ward 7", "Copy the archive of last year", "Call the plumber", "להזמין קפה למטבח", "Print the labels"];
  for (const title of titles) {
    await ada.tab.board.addTask(title);
    await ada.tab.board.job(title).expectState("ready");
  }
  await ada.tab.close();
  await work.finish({ boxes: 3, kg: [12.5, 8, 31.25], by: "scale-2" });
  await work.finish("Twelve, two of them free.\nThe list: https://example.org/wards/7/beds?day=2");
  await work.finish({ files: Array.from({ length: 90 }, (_, n) => `box-${n}/scan.tif`) });
  await work.bury("Nobody answers: connection refused (os error 111)");
  await work.finish("הוזמן");
  await work.finish();
  const { room, page } = await ada.open("/inbox");
  await room.entry("“Print the labels” is done.").article.waitFor();
  await take(page, "inbox-ends");
});
