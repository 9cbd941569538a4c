import { expect, type Locator, type Page } from "@playwright/test";

/** Where a job is, as the page tells it. */
export type JobState = "ready" | "leased" | "done" | "dead" | "cancelled";

/** One job on the board. */
export class JobPage {
  readonly article: Locator;

  constructor(article: Locator) {
    this.article = article;
  }

  async expectState(state: JobState, options: { timeout?: number } = {}): Promise<void> {
    await expect(this.article).toHaveAttribute("data-job-state", state, options);
  }

  button(name: string): Locator {
    return this.article.getByRole("button", { name, exact: true });
  }

  async press(name: string): Promise<void> {
    await this.button(name).click();
  }

  async take(): Promise<void> {
    await this.press("Take");
    await expect(this.button("Done")).toBeVisible();
  }
}

/** One of the figures, with its plot of the last minute. */
export class FigurePage {
  readonly value: Locator;
  readonly #line: Locator;

  constructor(tile: Locator) {
    this.value = tile.getByRole("definition");
    this.#line = tile.locator("polyline");
  }

  /** How high its plot is at each moment, the newest last; the highest is 20, and nothing is 0. */
  async heights(): Promise<number[]> {
    const points = (await this.#line.getAttribute("points")) ?? "";
    return points.split(" ").filter(Boolean).map((point) => 20 - Number(point.split(",")[1]));
  }

  /** Waits until the end of its plot is so high, or low. */
  async expectEnd(is: (height: number) => boolean): Promise<void> {
    await expect.poll(async () => is((await this.heights()).at(-1) ?? -1), { message: "the plot's end" }).toBe(true);
  }
}

/** A queue's board. */
export class BoardPage {
  readonly jobs: Locator;
  /** The notes of the audit, the newest first. */
  readonly notes: Locator;
  readonly title: Locator;
  readonly details: Locator;
  readonly add: Locator;
  readonly #page: Page;

  constructor(page: Page) {
    this.#page = page;
    this.jobs = page.getByRole("article");
    this.notes = page.getByRole("main", { name: "Audit" }).getByRole("listitem");
    this.title = page.getByRole("textbox", { name: "Title" });
    this.details = page.getByRole("textbox", { name: "Details" });
    this.add = page.getByRole("button", { name: "Add", exact: true });
  }

  /** The job of this title. */
  job(title: string): JobPage {
    return new JobPage(this.#page.getByRole("article", { name: title, exact: true }));
  }

  figure(name: string): FigurePage {
    const tiles = this.#page.getByLabel("Figures").locator(":scope > div");
    return new FigurePage(tiles.filter({ has: this.#page.getByText(name, { exact: true }) }));
  }

  /** Shows what was decided, or the jobs again. */
  async turnAudit(): Promise<void> {
    await this.#page.getByRole("button", { name: "Audit" }).click();
  }

  column(name: "Ready" | "Taken" | "Done" | "Dead"): Locator {
    return this.#page.getByRole("region", { name: new RegExp(`^${name}`) });
  }

  async addTask(title: string, details = ""): Promise<void> {
    await this.title.fill(title);
    await this.details.fill(details);
    await this.add.click();
  }

  async titles(column: "Ready" | "Taken" | "Done" | "Dead"): Promise<string[]> {
    return this.column(column).getByRole("heading", { level: 3 }).allTextContents();
  }
}
