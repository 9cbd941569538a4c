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

/** A queue's board. */
export class BoardPage {
  readonly jobs: Locator;
  readonly title: Locator;
  readonly details: Locator;
  readonly add: Locator;
  readonly #page: Page;

  constructor(page: Page) {
    this.#page = page;
    this.jobs = page.getByRole("article");
    this.title = page.getByRole("textbox", { name: "Title" });
    this.details = page.getByRole("textbox", { name: "Details" });
    this.add = page.getByRole("button", { name: "Add", exact: true });
  }

  /** The job of this title. */
  job(title: string): JobPage {
    return new JobPage(this.#page.getByRole("article", { name: title, exact: true }));
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
