import { Work } from "../fixtures/work.ts";
import type { Person } from "../fixtures/person.ts";
import { expect, test } from "../fixtures/test.ts";

const inbox = "/queues/inbox";

/** Does at the board whatever there is to do, as fast as a person can, until the queue has done so many;
 *  returns the titles. */
async function doAll(work: Work, { tab }: Person, until: number): Promise<string[]> {
  const titles: string[] = [];
  while ((await work.counts())["done"]! < until) {
    const mine = tab.board.column("Taken").getByRole("article").filter({ has: tab.page.getByRole("button", { name: "Done", exact: true }) });
    if ((await mine.count()) > 0) {
      const title = (await mine.first().getByRole("heading", { level: 3 }).textContent())!;
      await tab.board.job(title).press("Done");
      await tab.board.job(title).expectState("done");
      titles.push(title);
    } else {
      // The button goes where somebody else is faster. The first jobs go before anybody can point at them.
      const take = tab.board.column("Ready").getByRole("button", { name: "Take", exact: true }).last();
      await take.click({ timeout: 2_000 }).catch(() => undefined);
    }
  }
  return titles;
}

test("two people and a program do the jobs of one queue, each job once", async ({ server, people }) => {
  const work = new Work(server);
  const ada = await people.join("Ada", inbox);
  const bob = await people.join("Bob", inbox);
  const titles = Array.from({ length: 9 }, (_, n) => `Job ${n + 1}`);
  const ids = await work.add(titles);
  await expect(ada.tab.board.jobs).toHaveCount(9);

  await ada.tab.board.job("Job 1").take();
  await bob.tab.board.job("Job 2").take();
  const consumed = work.consume("--name", "py-1", "--most", "5");
  await ada.tab.board.job("Job 1").press("Done");
  await bob.tab.board.job("Job 2").press("Done");
  const byProgram = await consumed;
  expect(byProgram).toHaveLength(5);
  // What is left is theirs, once their pages have heard of the rest.
  for (const [taken, { tab }] of [ada, bob].entries()) {
    const ready = tab.board.column("Ready");
    await expect(ready.getByRole("article")).toHaveCount(2 - taken);
    const left = ready.getByRole("heading", { level: 3 }).first();
    const title = (await left.textContent())!;
    await tab.board.job(title).take();
    await tab.board.job(title).press("Done");
    await tab.board.job(title).expectState("done");
  }

  for (const { tab } of [ada, bob]) await expect(tab.board.column("Done").getByRole("article")).toHaveCount(9);
  for (const id of ids) expect(await work.job(id)).toMatchObject({ state: "done", attempt: 1 });
  expect(await work.counts()).toMatchObject({ ready: 0, leased: 0, done: 9, dead: 0 });
});

test.describe("with a worker in the server", () => {
  test.use({ serverOptions: { program: "clerk" } });

  test("a person, a worker in the server and a program do the jobs of one queue, each job once", async ({ server, people }) => {
    const work = new Work(server);
    const ada = await people.join("Ada", inbox);
    const bob = await people.joinApart("Bob", inbox);
    // The clerk does one at a time, and is at the first one for a while.
    const [long] = await work.add(["Long"], {}, "takes 6000 ms");
    const ids = await work.add(Array.from({ length: 6 }, (_, n) => `Job ${n + 1}`));
    for (const { tab } of [ada, bob]) {
      await expect(tab.board.column("Taken").getByRole("article", { name: "Long" })).toContainText("task (server)");
    }
    await ada.tab.board.job("Job 1").take();
    await bob.tab.board.job("Job 2").take();
    expect(await work.consume("--name", "py-1", "--most", "2")).toEqual(["Job 3", "Job 4"]);
    await ada.tab.board.job("Job 1").press("Done");
    await bob.tab.board.job("Job 2").press("Done");
    // What is left is the clerk's.
    for (const { tab } of [ada, bob]) {
      await expect(tab.board.column("Done").getByRole("article")).toHaveCount(7, { timeout: 20_000 });
    }
    const by = await Promise.all([long!, ...ids].map(async (id) => (await work.job(id)) as { result: { by?: string } | null }));
    expect(by.map(({ result }) => result?.by)).toEqual(["clerk", undefined, undefined, "py-1", "py-1", "clerk", "clerk"]);
    for (const id of [long!, ...ids]) expect(await work.job(id)).toMatchObject({ state: "done", attempt: 1 });
    expect(await work.counts()).toMatchObject({ ready: 0, leased: 0, done: 7, dead: 0 });
  });

  test("of thirty jobs that people, a worker in the server and a program take as they like each is done once", async ({ server, people }) => {
    const work = new Work(server);
    const ada = await people.join("Ada", inbox);
    const bob = await people.joinApart("Bob", inbox);
    const titles = Array.from({ length: 30 }, (_, n) => `Job ${n + 1}`);
    // Nobody begins before all are there.
    await work.decide("pause");
    const ids = await work.add(titles, {}, "takes 500 ms");
    for (const { tab } of [ada, bob]) await expect(tab.board.column("Ready").getByRole("article")).toHaveCount(30);
    await work.decide("resume");
    const [byAda, byBob, byProgram] = await Promise.all([
      doAll(work, ada, 30),
      doAll(work, bob, 30),
      work.consume("--name", "py-1", "--takes", "500"),
    ]);

    const told = await Promise.all(ids.map((id) => work.job(id)));
    for (const job of told) expect(job).toMatchObject({ state: "done", attempt: 1 });
    const byClerk = titles.filter((_, n) => (told[n]!.result as { by?: string } | null)?.by === "clerk");
    // Who was told that a job is theirs, and then that it is done, was the only one.
    const all = [byAda, byBob, byProgram, byClerk];
    expect(all.flat().toSorted()).toEqual(titles.toSorted());
    for (const some of all) expect(some).not.toHaveLength(0);
    expect(await work.counts()).toMatchObject({ ready: 0, leased: 0, done: 30, dead: 0 });
    for (const { tab } of [ada, bob]) await expect(tab.board.column("Done").getByRole("article")).toHaveCount(30);
  });
});

test("of two who take one job at once one has it and the other is told", async ({ server, people }) => {
  const work = new Work(server);
  const both = [await people.join("Ada", inbox), await people.join("Bob", inbox)];
  const [id] = await work.add(["Call Bo"]);
  for (const { tab } of both) await expect(tab.board.job("Call Bo").button("Take")).toBeVisible();
  // Neither hears of the other before both have asked.
  for (const { line } of both) line.blackhole("down");
  for (const { tab } of both) await tab.board.job("Call Bo").press("Take");
  for (const { tab } of both) await expect(tab.board.job("Call Bo").article).toContainText("waiting…");
  for (const { line } of both) line.restore();

  const has = async ({ tab }: (typeof both)[number]) => (await tab.board.job("Call Bo").button("Done").count()) === 1;
  await expect.poll(async () => (await Promise.all(both.map(has))).filter(Boolean).length).toBe(1);
  const [first, second] = (await has(both[0]!)) ? both : both.toReversed();
  await expect(second!.tab.board.job("Call Bo").article).toContainText("Someone else has it now.");
  await expect(second!.tab.board.job("Call Bo").article).toContainText(first!.name);
  await expect(second!.tab.board.job("Call Bo").button("Done")).toHaveCount(0);
  expect(await work.job(id!)).toMatchObject({ state: "leased", attempt: 1 });
});

test("a job that is given back is another's to do", async ({ people }) => {
  const ada = await people.join("Ada", inbox);
  const bob = await people.join("Bob", inbox);
  await ada.tab.board.addTask("Fix the door", "It squeaks.");
  await expect(bob.tab.board.job("Fix the door").article).toContainText("It squeaks.");
  await ada.tab.board.job("Fix the door").take();
  await bob.tab.board.job("Fix the door").expectState("leased");
  await expect(bob.tab.board.job("Fix the door").article).toContainText("Ada");
  await ada.tab.board.job("Fix the door").press("Give back");
  await ada.tab.board.job("Fix the door").expectState("ready");
  await bob.tab.board.job("Fix the door").take();
  await bob.tab.board.job("Fix the door").press("Done");
  await ada.tab.board.job("Fix the door").expectState("done");
});

test("who has a job can finish it after a reload", async ({ people }) => {
  const ada = await people.join("Ada", inbox);
  await ada.tab.board.addTask("Water the plants");
  await ada.tab.board.job("Water the plants").take();
  await ada.tab.page.reload();
  await ada.tab.status.expectLink("online");
  await ada.tab.board.job("Water the plants").press("Done");
  await ada.tab.board.job("Water the plants").expectState("done");
});

test("a dead letter is found, mended and done at last", async ({ server, people }) => {
  const work = new Work(server);
  const ada = await people.join("Ada", inbox);
  await work.add(["Call Ado"]);
  await work.bury("There is no such name.");
  await work.add(["Send the letter"]);
  await work.bury("The post is shut.");
  const { board, page } = ada.tab;
  await expect(board.column("Dead").getByRole("article")).toHaveCount(2);
  await page.getByRole("searchbox", { name: "Error" }).fill("no such");
  await page.getByRole("searchbox", { name: "Error" }).press("Enter");
  await expect(board.column("Dead").getByRole("article")).toHaveCount(1);
  await expect(board.job("Call Ado").article).toContainText("There is no such name.");
  await board.job("Call Ado").press("Mend");
  const payload = page.getByRole("textbox", { name: "Payload" });
  await expect(payload).toBeFocused();
  await payload.fill('{"title": "Call Ada"');
  await expect(board.job("Call Ado").button("Requeue")).toBeDisabled();
  await payload.fill('{"title": "Call Ada"}');
  await board.job("Call Ado").press("Requeue");
  await board.job("Call Ada").take();
  await board.job("Call Ada").press("Done");
  await board.job("Call Ada").expectState("done");
  await page.getByRole("searchbox", { name: "Error" }).fill("");
  await page.getByRole("searchbox", { name: "Error" }).press("Enter");
  await board.job("Send the letter").press("Discard");
  await expect(board.job("Send the letter").article).toHaveCount(0);
  expect(await work.counts()).toMatchObject({ ready: 0, leased: 0, done: 1, dead: 0 });
});

test("the details of a dead letter tell of each attempt what went wrong and when", async ({ server, people }) => {
  const work = new Work(server);
  const ada = await people.join("Ada", inbox);
  const begun = Date.now();
  await work.add(["Call Bo"], { max_attempts: 2, backoff_ms: 1 });
  await work.fail("The line is busy.");
  await work.fail("Nobody answers.");
  const ended = Date.now();
  const job = ada.tab.board.job("Call Bo");
  await job.expectState("dead");
  await job.press("Details");
  const attempts = job.article.getByRole("listitem");
  await expect(attempts).toHaveText([/^Attempt 2 by\s+robot\s*Nobody answers\./, /^Attempt 1 by\s+robot\s*The line is busy\./]);
  const times = attempts.locator("time[datetime]");
  await expect(times).toHaveCount(2);
  const [second, first] = await times.evaluateAll((all) => all.map((time) => Date.parse(time.getAttribute("datetime")!)));
  expect(first).toBeGreaterThanOrEqual(begun);
  expect(second).toBeGreaterThanOrEqual(first!);
  expect(ended).toBeGreaterThanOrEqual(second!);
});

test("of the dead letters those that were looked for are requeued together, and no others", async ({ server, people }) => {
  const work = new Work(server);
  const ada = await people.join("Ada", inbox);
  const { board, page } = ada.tab;
  const [found] = await work.add(["Call Ado"]);
  await work.bury("There is no such name.");
  const [other] = await work.add(["Send the letter"]);
  await work.bury("The post is shut.");
  const dead = board.column("Dead").getByRole("article");
  await expect(dead).toHaveCount(2);
  const error = page.getByRole("searchbox", { name: "Error" });
  await error.fill("no such");
  await error.press("Enter");
  await expect(dead).toHaveCount(1);
  await page.getByRole("button", { name: "Requeue all" }).click();
  await board.job("Call Ado").expectState("ready");
  expect(await work.counts()).toMatchObject({ ready: 1, dead: 1 });
  expect(await work.job(found!)).toMatchObject({ state: "ready" });
  expect(await work.job(other!)).toMatchObject({ state: "dead" });
  await error.fill("");
  await error.press("Enter");
  await board.job("Send the letter").expectState("dead");
  await expect(dead).toHaveCount(1);
});

test("one dead letter is found by its type and brought back as it was, and that stands in the audit", async ({ server, people }) => {
  const work = new Work(server);
  const ada = await people.join("Ada", inbox);
  const { board, page } = ada.tab;
  const [id] = await work.add(["Call Bo"]);
  await work.bury("The line is dead.");
  await work.add(["Send the letter"]);
  await work.bury("The post is shut.");
  const dead = board.column("Dead").getByRole("article");
  await expect(dead).toHaveCount(2);
  const kind = page.getByRole("searchbox", { name: "Type" });
  await kind.fill("picture");
  await kind.press("Enter");
  await expect(dead).toHaveCount(0);
  await kind.fill("task");
  await kind.press("Enter");
  await expect(dead).toHaveCount(2);
  await board.job("Call Bo").press("Requeue");
  await board.job("Call Bo").expectState("ready");
  await expect(dead).toHaveCount(1);
  await expect(board.job("Send the letter").article).toContainText("The post is shut.");
  expect(await work.counts()).toMatchObject({ ready: 1, dead: 1 });
  expect(await work.job(id!)).toMatchObject({ state: "ready", data: { title: "Call Bo" } });

  await board.turnAudit();
  await expect(board.notes).toHaveCount(1);
  await expect(board.notes).toContainText("Ada requeued Call Bo");
  await expect(board.notes).not.toContainText("mended");
  await expect(board.notes).toContainText(id!);
});

test("what is done and added while offline reaches the server once", async ({ server, people }) => {
  const work = new Work(server);
  const ada = await people.join("Ada", inbox);
  const bob = await people.join("Bob", inbox);
  await ada.tab.board.addTask("Before");
  await ada.tab.board.job("Before").take();
  await ada.goOffline();
  await ada.tab.board.job("Before").press("Done");
  await ada.tab.board.addTask("Meanwhile");
  await ada.tab.status.expectQueued(2);
  await expect(ada.tab.board.job("Meanwhile").article).toContainText("waiting…");
  await ada.goOnline();
  await ada.tab.status.expectLink("online");
  await ada.tab.status.expectQueued(0);
  await ada.tab.board.job("Before").expectState("done");
  await bob.tab.board.job("Meanwhile").expectState("ready");
  await expect(bob.tab.board.job("Meanwhile").article).toHaveCount(1);
  expect(await work.counts()).toMatchObject({ ready: 1, done: 1 });
});

test("an answer that is lost on the way changes nothing", async ({ server, people }) => {
  const work = new Work(server);
  const ada = await people.join("Ada", inbox);
  const lost = ada.line.swallowNext((text) => text.includes('"enqueued"'));
  await ada.tab.board.addTask("Only once");
  await lost;
  ada.line.cut();
  await ada.tab.status.expectQueued(0);
  await ada.tab.board.job("Only once").expectState("ready");
  await expect(ada.tab.board.job("Only once").article).toHaveCount(1);
  expect(await work.counts()).toMatchObject({ ready: 1 });
});

test("how far a service is with a job, and what it says of that, is seen by everyone", async ({ server, people }) => {
  const work = new Work(server);
  const both = [await people.join("Ada", inbox), await people.joinApart("Bob", inbox)];
  await work.add(["Copy the archive"]);
  for (const { tab } of both) await expect(tab.board.job("Copy the archive").button("Take")).toBeVisible();
  await work.progress("archive-2", 62, "3,100 of 5,000 files");
  for (const { tab } of both) {
    const { article } = tab.board.job("Copy the archive");
    await expect(article.getByRole("progressbar", { name: "Progress" })).toHaveJSProperty("value", 62);
    await expect(article).toContainText("archive-2");
    await expect(article).toContainText("3,100 of 5,000 files");
  }
});

test("who asked for a job sees what came of it", async ({ server, people }) => {
  const work = new Work(server);
  const ada = await people.join("Ada", inbox);
  await ada.tab.board.addTask("Weigh the box");
  await ada.tab.board.job("Weigh the box").expectState("ready");
  expect(await work.consume("--name", "py-1", "--most", "1")).toEqual(["Weigh the box"]);
  await ada.tab.board.job("Weigh the box").expectState("done");
  await ada.tab.board.job("Weigh the box").press("Details");
  await expect(ada.tab.board.job("Weigh the box").article).toContainText(/"by":\s*"py-1"/);
});

test("who asked for a job and was away finds in their inbox what came of it", async ({ server, people }) => {
  const work = new Work(server);
  const ada = await people.join("Ada", inbox);
  for (const title of ["Weigh the box", "Count the beds", "Call Bo", "Copy the archive"]) {
    await ada.tab.board.addTask(title);
    await ada.tab.board.job(title).expectState("ready");
  }
  await ada.tab.close();
  expect(await work.consume("--name", "py-1", "--most", "1")).toEqual(["Weigh the box"]);
  await work.finish("Twelve, <b>two</b> of them free");
  await work.bury("Nobody answers.");
  await work.finish({ files: Array.from({ length: 500 }, (_, n) => `${n}.txt`) });
  const rooms = await ada.open("/inbox");
  const told = [
    '“Weigh the box” is done: {"by":"py-1","title":"Weigh the box"}',
    "“Count the beds” is done: Twelve, <b>two</b> of them free",
    "“Call Bo” has failed: Nobody answers.",
    /^“Copy the archive” is done: \{"files":\["0\.txt","1\.txt",.{274}…$/,
  ];
  const texts = rooms.room.entries.locator(".entry-text");
  await expect(texts).toHaveText(told);
  await rooms.page.reload();
  await expect(texts).toHaveText(told);
  await rooms.page.getByRole("link", { name: "See the queues" }).click();
  await expect(rooms.page.getByRole("link", { name: /inbox/ })).toBeVisible();
});

test("a queue is paused and resumed for everyone", async ({ server, people }) => {
  const work = new Work(server);
  const ada = await people.join("Ada", inbox);
  const bob = await people.join("Bob", inbox);
  await ada.tab.page.getByRole("button", { name: "Pause" }).click();
  await expect(bob.tab.page.getByText("Paused: nothing begins")).toBeVisible();
  await work.add(["Later"]);
  expect(await work.consume("--most", "1", "--wait", "100")).toEqual([]);
  await bob.tab.page.getByRole("button", { name: "Resume" }).click();
  await expect(ada.tab.page.getByText("Paused: nothing begins")).toHaveCount(0);
  expect(await work.consume("--most", "1")).toEqual(["Later"]);
});

test("the keyboard's place is kept when a card moves", async ({ people }) => {
  const ada = await people.join("Ada", inbox);
  const { board, page } = ada.tab;
  await board.title.fill("By keyboard");
  await board.title.press("Enter");
  await expect(board.title).toBeFocused();
  await board.job("By keyboard").button("Take").focus();
  await page.keyboard.press("Enter");
  await board.job("By keyboard").expectState("leased");
  await expect(board.job("By keyboard").article).toBeFocused();
  await page.keyboard.press("Tab");
  await expect(board.job("By keyboard").button("Done")).toBeFocused();
  await page.keyboard.press("Enter");
  await board.job("By keyboard").expectState("done");
  await expect(board.job("By keyboard").article).toBeFocused();
});

test("of many jobs fifty are shown and more when they are asked for", async ({ server, people }) => {
  const work = new Work(server);
  await work.add(Array.from({ length: 120 }, (_, n) => `Job ${n + 1}`));
  const ada = await people.join("Ada", inbox);
  const ready = ada.tab.board.column("Ready");
  await expect(ready.getByRole("article")).toHaveCount(50);
  await expect(ready.getByRole("heading", { level: 2 })).toHaveText(/120/);
  await ready.getByRole("button", { name: "Show more" }).click();
  await expect(ready.getByRole("article")).toHaveCount(100);
  await ready.getByRole("button", { name: "Show more" }).click();
  await expect(ready.getByRole("article")).toHaveCount(120);
  await expect(ready.getByRole("button", { name: "Show more" })).toHaveCount(0);
});

test("a narrow screen shows a column at a time and nothing beside it", async ({ server, people }) => {
  const work = new Work(server);
  await work.add([`A very long title ${"without-an-end-".repeat(12)}`, "שלום עולם", "Call Bo"]);
  const ada = await people.join("Ada", inbox);
  const { board, page } = ada.tab;
  await page.setViewportSize({ width: 320, height: 640 });
  await expect(board.job("Call Bo").article).toBeVisible();
  const wider = () => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  expect(await wider()).toBeLessThanOrEqual(0);
  await board.job("Call Bo").press("Take");
  // The card has gone to another column, and the screen with it.
  await expect(board.job("Call Bo").button("Done")).toBeVisible();
  await page.getByRole("group", { name: "Jobs that are" }).getByRole("button", { name: /^Ready/ }).click();
  await expect(board.job("Call Bo").article).toBeHidden();
  expect(await wider()).toBeLessThanOrEqual(0);
});

test("a person who is known in the rooms is known at the board, and the other way round", async ({ people }) => {
  const ada = await people.join("Ada");
  const tab = await ada.open(inbox);
  await tab.status.expectLink("online");
  await expect(tab.welcome.name).toHaveCount(0);
  await tab.board.addTask("From the rooms");
  await tab.board.job("From the rooms").take();
  await expect(tab.board.job("From the rooms").article).toContainText("Ada (you)");

  const bob = await people.join("Bob", inbox);
  const rooms = await bob.open("/");
  await rooms.status.expectLink("online");
  await rooms.room.say("I am known here.");
  await rooms.room.entry("I am known here.").expectState("acked");
});

test("the queues are listed, and a wrong one is said to be none", async ({ server, people }) => {
  await new Work(server).add(["Call Bo"]);
  const ada = await people.join("Ada", inbox);
  await ada.tab.page.goto("/queues");
  await ada.tab.page.getByRole("link", { name: /inbox/ }).click();
  await expect(ada.tab.board.job("Call Bo").article).toBeVisible();
  await ada.tab.page.goto("/queues/nothing");
  await expect(ada.tab.page.getByText("There is no queue")).toBeVisible();
});

test("the board says to who hears it what it shows", async ({ server, people }) => {
  await new Work(server).add(["Call Bo"]);
  const ada = await people.join("Ada", inbox);
  await expect(ada.tab.board.column("Ready")).toMatchAriaSnapshot(`
    - region "Ready 1":
      - heading "Ready 1" [level=2]
      - form "New task":
        - textbox "Title"
        - textbox "Details"
        - button "Add" [disabled]
      - article "Call Bo":
        - heading "Call Bo" [level=3]
        - paragraph
        - button "Take"
        - button "Details"
  `);
});
