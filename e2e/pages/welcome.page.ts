import type { Locator, Page } from "@playwright/test";

/** The first visit: who sits here? */
export class WelcomePage {
  readonly name: Locator;
  readonly join: Locator;

  constructor(page: Page) {
    this.name = page.getByRole("textbox", { name: "Your name" });
    this.join = page.getByRole("button", { name: "Join", exact: true });
  }

  async introduce(name: string): Promise<void> {
    await this.name.fill(name);
    await this.join.click();
  }
}
