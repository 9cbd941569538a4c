import type { Locator, Page, Route } from "@playwright/test";
import { Work } from "../fixtures/work.ts";
import { expect, test } from "../fixtures/test.ts";

const inbox = "/queues/inbox";

/** By how much what is shown is wider than the screen. */
async function wider(page: Page): Promise<number> {
  return page.evaluate(() => {
    const board = document.querySelector(".board")!;
    return Math.max(document.documentElement.scrollWidth - innerWidth, board.scrollWidth - board.clientWidth);
  });
}

test("figures and their plots move as jobs are added, taken, done and failed", async ({ server, people }) => {
  const work = new Work(server);
  const ada = await people.join("Ada", inbox);
  const { board, page } = ada.tab;
  await page.evaluate(() => Object.assign(window, { loaded: "once" }));
  await expect(board.figure("Ready").value).toHaveText(/^0/);
  await expect(board.figure("Oldest").value).toHaveText(/^–/);
  for (const name of ["Ready", "In flight", "Done/min", "Failed/min", "Wait", "Run"]) {
    await board.figure(name).expectEnd((height) => height === 0);
  }
  for (const name of ["Wait", "Run"]) await expect(board.figure(name).value).toHaveText(/^–/);
  await expect(board.figure("Failed/min").value).toHaveText(/^0/);

  await work.add(["Call Bo", "Call Cy", "Call Di"]);
  await expect(board.figure("Ready").value).toHaveText(/^3/);
  await expect(board.figure("Oldest").value).toHaveText(/^\d+\ss/);
  await board.figure("Ready").expectEnd((height) => height === 20);
  await board.figure("Oldest").expectEnd((height) => height > 0);

  // It has waited for seconds by the time somebody takes it.
  await expect(board.figure("Oldest").value).toHaveText(/^([3-9]|\d\d)\ss/);
  await board.job("Call Bo").take();
  await expect(board.figure("In flight").value).toHaveText(/^1/);
  await expect(board.figure("Ready").value).toHaveText(/^2/);
  await board.figure("In flight").expectEnd((height) => height > 0);
  await board.figure("Ready").expectEnd((height) => height > 0 && height < 20);
  await expect(board.figure("Wait").value).toHaveText(/^[1-9][\d.]*\ss p95 [1-9][\d.]*\ss$/);
  await board.figure("Wait").expectEnd((height) => height === 20);
  // Nothing has ended.
  await expect(board.figure("Run").value).toHaveText(/^–/);
  await board.figure("Run").expectEnd((height) => height === 0);

  await board.job("Call Bo").press("Done");
  await expect(board.figure("In flight").value).toHaveText(/^0/);
  await expect(board.figure("Done/min").value).toHaveText(/^1/);
  await board.figure("In flight").expectEnd((height) => height === 0);
  await board.figure("Done/min").expectEnd((height) => height > 0);
  await expect(board.figure("Run").value).toHaveText(/^[1-9]\d*(\.\d)?\s(ms|s) p95 [1-9]/);
  await board.figure("Run").expectEnd((height) => height === 20);
  await board.figure("Failed/min").expectEnd((height) => height === 0);

  await work.bury("Nobody answers.");
  await work.finish();
  await expect(board.figure("Failed/min").value).toHaveText(/^1\s*$/);
  await board.figure("Failed/min").expectEnd((height) => height === 20);
  await expect(board.figure("Done/min").value).toHaveText(/^2/);
  await expect(board.figure("Oldest").value).toHaveText(/^–/);
  await board.figure("Ready").expectEnd((height) => height === 0);
  await board.figure("Oldest").expectEnd((height) => height === 0);
  expect(await page.evaluate(() => (window as { loaded?: string }).loaded)).toBe("once");
});

test("“Requeue all” brings every dead letter back and stands in the audit", async ({ server, people }) => {
  const work = new Work(server);
  const ada = await people.join("Ada", inbox);
  const { board, page } = ada.tab;
  for (const title of ["Call Bo", "Call Cy", "Call Di"]) {
    await work.add([title]);
    await work.bury("The line is dead.");
  }
  await expect(board.column("Dead").getByRole("article")).toHaveCount(3);
  await page.getByRole("button", { name: "Requeue all" }).click();
  await expect(board.column("Ready").getByRole("article")).toHaveCount(3);
  await expect(board.column("Dead").getByRole("article")).toHaveCount(0);
  expect(await work.counts()).toMatchObject({ ready: 3, dead: 0 });
  await board.turnAudit();
  await expect(board.notes).toHaveCount(1);
  await expect(board.notes).toContainText("Ada requeued 3 jobs");
});

test("a mended payload and a discard stand in the audit with who did it, and what others decide comes to it", async ({ server, people }) => {
  const work = new Work(server);
  const ada = await people.join("Ada", inbox);
  const { board, page } = ada.tab;
  const [mended] = await work.add(["Call Ado"]);
  await work.bury("There is no such name.");
  const [dropped] = await work.add(["Send the letter"]);
  await work.bury("The post is shut.");
  await board.job("Call Ado").press("Mend");
  await page.getByRole("textbox", { name: "Payload" }).fill('{"title": "Call Ada"}');
  await board.job("Call Ado").press("Requeue");
  await board.job("Call Ada").expectState("ready");
  await board.job("Send the letter").press("Discard");
  await expect(board.job("Send the letter").article).toHaveCount(0);

  await board.turnAudit();
  await expect(board.notes).toHaveCount(2);
  await expect(board.notes.nth(0)).toContainText("Ada discarded 1 job");
  await expect(board.notes.nth(0)).toContainText(dropped!);
  await expect(board.notes.nth(1)).toContainText("Ada requeued Call Ada");
  await expect(board.notes.nth(1)).toContainText("mended");
  await expect(board.notes.nth(1)).toContainText(mended!);
  await expect(board.job("Call Ada").article).toBeHidden();

  const bob = await people.join("Bob", inbox);
  await bob.tab.page.getByRole("button", { name: "Pause" }).click();
  await expect(board.notes.nth(0)).toContainText("Bob paused the queue");
  await board.turnAudit();
  await expect(board.job("Call Ada").article).toBeVisible();
});

test("of many decisions a page is shown at a time", async ({ server, people }) => {
  const work = new Work(server);
  for (let n = 0; n < 30; n++) {
    await work.decide("pause");
    await work.decide("resume");
  }
  const ada = await people.join("Ada", inbox);
  const { board, page } = ada.tab;
  await board.turnAudit();
  await expect(board.notes).toHaveCount(50);
  await expect(board.notes.first()).toContainText("service resumed the queue");
  await page.getByRole("button", { name: "Older" }).click();
  await expect(board.notes).toHaveCount(10);
  await expect(board.notes.last()).toContainText("service paused the queue");
  await expect(page.getByRole("main", { name: "Audit" })).toBeFocused();
  await page.getByRole("button", { name: "Newest" }).click();
  await expect(board.notes).toHaveCount(50);
  // The keyboard's place is kept when something is decided meanwhile, and when the button goes.
  const older = page.getByRole("button", { name: "Older" });
  await older.focus();
  await work.decide("pause");
  await expect(board.notes.first()).toContainText("service paused the queue");
  await expect(older).toBeFocused();
  await page.route(/audit\?limit=50$/, (route) => route.abort(), { times: 1 });
  await expect(page.getByText("The server does not answer.")).toBeVisible();
  await expect(page.getByRole("main", { name: "Audit" })).toBeFocused();
  await expect(board.notes).toHaveCount(50);
});

test("what a service calls itself is not taken for a person", async ({ server, people }) => {
  const work = new Work(server);
  await work.decide("pause");
  await work.decide("resume", { "holdfast-by": "Ada" });
  const ada = await people.join("Ada", inbox);
  await ada.tab.page.getByRole("button", { name: "Pause" }).click();
  const { board } = ada.tab;
  await board.turnAudit();
  await expect(board.notes).toHaveText([/^Ada paused/, /^Ada \(service\) resumed/, /^service paused/]);
});

test("a server that is slow is not asked again before it has answered, nor waited for without end", async ({ page }) => {
  const asked: Route[] = [];
  await page.route("**/api/v1/queues", (route) => void asked.push(route));
  const givenUp = page.waitForEvent("requestfailed", { timeout: 30_000 });
  await page.goto("/queues");
  expect((await givenUp).url()).toContain("/api/v1/queues");
  expect(asked).toHaveLength(1);
  await expect(page.getByText("The server does not answer.")).toBeVisible();
  // It is asked again all the same, and by and by answers.
  await expect.poll(() => asked.length).toBe(2);
  await asked[1]!.continue();
  await expect(page.getByRole("link", { name: /inbox/ })).toBeVisible();
});

test("what was asked for another page of the audit is not shown when it comes late", async ({ server, people }) => {
  const work = new Work(server);
  for (let n = 0; n < 30; n++) {
    await work.decide("pause");
    await work.decide("resume");
  }
  const ada = await people.join("Ada", inbox);
  const { board, page } = ada.tab;
  await board.turnAudit();
  await expect(board.notes).toHaveCount(50);
  // The first page's next answer is held back.
  const held: Route[] = [];
  await page.route(/audit\?limit=50$/, (route) => void held.push(route), { times: 1 });
  await expect.poll(() => held.length).toBe(1);
  await page.getByRole("button", { name: "Older" }).click();
  await expect(board.notes).toHaveCount(10);
  await page.getByRole("button", { name: "Newest" }).click();
  await expect(board.notes).toHaveCount(50);
  await page.getByRole("main", { name: "Audit" }).evaluate((audit) => {
    const look = () => {
      if (audit.textContent.includes("Nothing was decided")) audit.setAttribute("data-emptied", "");
    };
    new MutationObserver(look).observe(audit, { childList: true, subtree: true, characterData: true });
  });
  await held[0]!.fulfill({ json: { audit: [] } });
  await work.decide("pause");
  await expect(board.notes.first()).toContainText("service paused the queue");
  await expect(page.getByRole("main", { name: "Audit" })).not.toHaveAttribute("data-emptied");
});

test("what is wrong with a new task is said where it is wrong", async ({ server, people }) => {
  const work = new Work(server);
  const ada = await people.join("Ada", inbox);
  const { board, page } = ada.tab;
  const delay = page.getByRole("spinbutton", { name: "Begin in (min)" });
  await page.getByText("More", { exact: true }).click();
  await delay.fill("0.5");
  await page.getByText("More", { exact: true }).click();
  await expect(delay).toBeHidden();
  await board.title.fill("Call Bo");
  await board.add.click();
  await expect(delay).toBeFocused();
  expect(await delay.evaluate((field) => (field as HTMLInputElement).validity.stepMismatch)).toBe(true);
  expect(await work.counts()).toMatchObject({ ready: 0 });
  await delay.fill("1e2");
  await board.add.click();
  await expect(board.job("Call Bo").article).toContainText(/in 1\sh/);
  const [job] = await work.list("ready");
  expect(job!["due_in_ms"]).toBeGreaterThan(99 * 60_000 - 30_000);
});

test("a task that is added with a delay stands as waiting for its time", async ({ server, people }) => {
  const work = new Work(server);
  const ada = await people.join("Ada", inbox);
  const { board, page } = ada.tab;
  await expect(page.getByRole("spinbutton", { name: "Priority" })).toBeHidden();
  await page.getByText("More", { exact: true }).click();
  await board.title.fill("Call Bo");
  await page.getByRole("spinbutton", { name: "Priority" }).fill("7");
  await page.getByRole("spinbutton", { name: "Begin in (min)" }).fill("5");
  await page.getByRole("textbox", { name: "Group" }).fill("ward-7");
  await board.add.click();
  const { article } = board.job("Call Bo");
  await expect(article).toContainText(/in [45]\smin/);
  await expect(article).toContainText("priority 7");
  await expect(article).toContainText("ward-7");
  await expect(board.job("Call Bo").button("Take")).toHaveCount(0);
  const [job] = await work.list("ready");
  expect(job).toMatchObject({ priority: 7, group: "ward-7", state: "ready" });
  expect(job!["due_in_ms"]).toBeGreaterThan(200_000);
  // What was said is of that task alone.
  await board.addTask("Call Cy");
  await expect(board.job("Call Cy").button("Take")).toBeVisible();
  await expect(board.job("Call Cy").article).not.toContainText("priority");
});

test("each line of a title is a task of its own, with what else is said of it", async ({ server, people }) => {
  const work = new Work(server);
  const ada = await people.join("Ada", inbox);
  const { board, page } = ada.tab;
  const number = (name: string): Locator => page.getByRole("spinbutton", { name });
  const sent: string[] = [];
  page.on("websocket", (socket) => socket.on("framesent", ({ payload }) => sent.push(String(payload))));
  await page.reload();
  await page.getByText("More", { exact: true }).click();
  await number("Attempts").fill("2");
  await number("Retry after (s)").fill("90");
  await number("Expires in (min)").fill("60");
  await board.details.fill("Before noon.");
  await board.title.fill("Call Bo");
  await board.title.press("Shift+Enter");
  await page.keyboard.type("  Call Cy");
  await board.title.press("Shift+Enter");
  await board.title.press("Shift+Enter");
  await page.keyboard.type("Call Di");
  await expect(page.getByRole("button", { name: "Add 3" })).toBeEnabled();
  await board.title.press("Enter");
  await expect(board.title).toHaveValue("");
  await expect(board.title).toBeFocused();
  await expect(board.add).toBeDisabled();
  const titles = ["Call Bo", "Call Cy", "Call Di"];
  await expect.poll(() => board.titles("Ready")).toEqual(titles);
  await expect.poll(async () => (await work.list("ready")).map((job) => job["data"])).toEqual(
    titles.map((title) => ({ title, body: "Before noon." })),
  );
  await work.fail("Nobody answers.");
  await expect(board.job("Call Bo").article).toContainText("attempt 1 of 2");
  const [failed] = (await work.list("ready")).filter((job) => job["attempt"] === 1);
  expect(failed).toMatchObject({ max_attempts: 2 });
  // A wait is drawn between half of it and all of it.
  expect(failed!["due_in_ms"]).toBeGreaterThan(30_000);
  // When a job expires is told to nobody before it does.
  expect(sent.filter((frame) => frame.includes('"expires_ms":3600000'))).toHaveLength(3);
});

test("more tasks than can be added at once are not added, and as many as can are, in their order", async ({ server, people }) => {
  const work = new Work(server);
  const ada = await people.join("Ada", inbox);
  const { board, page } = ada.tab;
  const titles = Array.from({ length: 101 }, (_, n) => `Call ${n + 1}`);
  await board.title.fill(titles.join("\n"));
  await expect(page.getByRole("button", { name: "At most 100" })).toBeDisabled();
  await board.title.press("Enter");
  await expect(board.title).not.toHaveValue("");
  expect(await work.counts()).toMatchObject({ ready: 0 });
  await board.title.fill(titles.slice(1).join("\n"));
  await page.getByRole("button", { name: "Add 100" }).click();
  await expect.poll(async () => (await work.counts())["ready"]).toBe(100);
  const first = (await work.list("ready")).map((job) => (job["data"] as { title: string }).title);
  expect(first).toEqual(titles.slice(1));
});

test("a browser that has no room to keep a task says so, and it is added all the same", async ({ server, people }) => {
  const work = new Work(server);
  const ada = await people.join("Ada", inbox);
  const { board, page } = ada.tab;
  await page.evaluate(() => {
    for (let size = 5_000_000; size > 0; size = Math.floor(size / 2)) {
      try {
        localStorage.setItem(`full.${size}`, "x".repeat(size));
      } catch {
        // The half of it may fit.
      }
    }
  });
  await board.addTask("Call Bo");
  await expect(page.getByText("This browser has no more room")).toBeVisible();
  await expect.poll(async () => (await work.counts())["ready"]).toBe(1);
});

test("on a touch screen a line is begun by Enter", async ({ server, people }) => {
  const work = new Work(server);
  const ada = await people.join("Ada", inbox);
  const { board, page } = ada.tab;
  const session = await page.context().newCDPSession(page);
  await session.send("Emulation.setTouchEmulationEnabled", { enabled: true });
  expect(await page.evaluate(() => matchMedia("(pointer: coarse)").matches)).toBe(true);
  await board.title.fill("Call Bo");
  await board.title.press("Enter");
  await page.keyboard.type("Call Cy");
  await page.getByRole("button", { name: "Add 2" }).press("Enter");
  await expect.poll(() => board.titles("Ready")).toEqual(["Call Bo", "Call Cy"]);
  expect(await work.counts()).toMatchObject({ ready: 2 });
});

test("by the keyboard alone a task is given a time and the audit is read, on a narrow screen too", async ({ server, people }) => {
  const work = new Work(server);
  await work.decide("pause");
  await work.decide("resume");
  const ada = await people.join("Ada", inbox);
  const { board, page } = ada.tab;
  await page.setViewportSize({ width: 320, height: 640 });
  await board.title.fill("Call Bo");
  await board.title.focus();
  await page.keyboard.press("Tab");
  await expect(board.details).toBeFocused();
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Tab");
  await expect(page.getByRole("spinbutton", { name: "Priority" })).toBeFocused();
  expect(await wider(page)).toBeLessThanOrEqual(0);
  await page.keyboard.press("Tab");
  await page.keyboard.type("5");
  await page.keyboard.press("Enter");
  await expect(board.title).toBeFocused();
  await expect(board.job("Call Bo").article).toContainText(/in [45]\smin/);

  const audit = page.getByRole("button", { name: "Audit" });
  await audit.focus();
  await page.keyboard.press("Enter");
  await expect(board.notes).toHaveCount(2);
  await expect(audit).toBeFocused();
  await expect(audit).toHaveAttribute("aria-pressed", "true");
  expect(await wider(page)).toBeLessThanOrEqual(0);
  await page.keyboard.press("Enter");
  await expect(board.title).toBeVisible();
});

test("the list has every queue with its oldest job's age, and keeps the keyboard's place while it changes", async ({ server, people }) => {
  const work = new Work(server);
  await work.add(["Call Bo"]);
  const ada = await people.join("Ada", inbox);
  const { page } = ada.tab;
  await page.setViewportSize({ width: 320, height: 640 });
  await page.goto("/queues");
  const queues = page.getByRole("main").getByRole("link");
  await expect(queues).toHaveText([/^inbox.*1 ready.*oldest/, /^holdfast\/exports.*0 ready/, /^holdfast\/webhooks.*0 ready/]);
  expect(await wider(page)).toBeLessThanOrEqual(0);
  await queues.first().focus();
  await work.add(["Call Cy"]);
  await expect(queues.first()).toContainText("2 ready");
  await expect(queues.first()).toBeFocused();
  // Of a queue in which nothing has ended this minute no rates are told.
  await expect(queues.first()).toHaveText(/0 dead$/);
  await work.finish();
  await work.finish();
  await expect(queues.first()).not.toContainText("oldest");
  await expect(queues.first()).toHaveText(/0 dead2 done\/minwait \d[\d.]*\s(ms|s)run \d[\d.]*\s(ms|s)$/);
  await expect(queues.first()).toBeFocused();
  await work.add(["Call Di"]);
  await work.bury("Nobody answers.");
  await expect(queues.first()).toHaveText(/1 dead2 done\/min1 failed\/minwait .*run /);
  await expect(queues.nth(1)).toHaveText(/0 dead$/);
  expect(await wider(page)).toBeLessThanOrEqual(0);
});

test("a job of the server's own is seen, and nobody is asked to take it", async ({ server, people }) => {
  const post = async (path: string): Promise<number> => {
    const headers = { "content-type": "application/json" };
    return (await fetch(`${server.baseUrl}/api/v1${path}`, { method: "POST", headers, body: "{}" })).status;
  };
  expect(await post("/holdfast/queues/exports/pause")).toBe(200);
  expect(await post("/chat/rooms/lobby/export")).toBe(202);
  const ada = await people.join("Ada", "/queues/holdfast/exports");
  const { board, page } = ada.tab;
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("holdfast/exports");
  const ready = board.column("Ready").getByRole("article");
  await expect(ready).toHaveCount(1);
  await expect(ready.getByRole("button")).toHaveText(["Details"]);
});
