import { expect, type Locator } from "@playwright/test";

/** How far an event has come. */
export type EntryState = "queued" | "sent" | "acked" | "rejected";

/** One event in the open room. */
export class EntryPage {
  readonly article: Locator;

  constructor(article: Locator) {
    this.article = article;
  }

  /** The same event under another text: bound to its id. */
  async byId(): Promise<EntryPage> {
    const id = await this.article.getAttribute("data-event-id");
    return new EntryPage(this.article.page().locator(`article[data-event-id="${id}"]`));
  }

  async expectState(state: EntryState): Promise<void> {
    await expect(this.article).toHaveAttribute("data-state", state);
  }

  async retry(): Promise<void> {
    await this.#press("Retry");
  }

  async edit(): Promise<void> {
    await this.#press("Edit");
  }

  async discard(): Promise<void> {
    await this.#press("Discard");
  }

  /** Deleting takes a second press of the same button. */
  async delete(): Promise<void> {
    await this.#press("Delete");
    await this.#press("Delete?");
  }

  button(name: string): Locator {
    return this.article.getByRole("button", { name, exact: true });
  }

  /** The tools of an event are seen under the pointer. */
  async #press(name: string): Promise<void> {
    await this.article.hover();
    await this.button(name).click();
  }
}
