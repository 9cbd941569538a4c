import { expect, type Locator, type Page } from "@playwright/test";

/** How it stands with the link, as the page tells it. */
export type LinkState = "online" | "connecting" | "offline" | "blocked";

/** The link's state and the outbox's length. */
export class StatusPage {
  readonly status: Locator;
  readonly tryNow: Locator;

  constructor(page: Page) {
    this.status = page.getByRole("status");
    this.tryNow = this.status.getByRole("button", { name: "Try now" });
  }

  async expectLink(state: LinkState, { timeout }: { timeout?: number } = {}): Promise<void> {
    const options = timeout === undefined ? {} : { timeout };
    await expect(this.status).toHaveAttribute("data-link", state, options);
  }

  /** How many events are in the outbox without a verdict. */
  async expectQueued(count: number): Promise<void> {
    await expect(this.status).toHaveAttribute("data-queued", String(count));
  }
}
