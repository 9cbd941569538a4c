import type { Locator, Page } from "@playwright/test";

/** The list of rooms. */
export class RoomsPage {
  readonly nav: Locator;
  readonly newRoom: Locator;
  readonly #page: Page;

  constructor(page: Page) {
    this.#page = page;
    this.nav = page.getByRole("navigation", { name: "Rooms" });
    this.newRoom = this.nav.getByRole("button", { name: "New room" });
  }

  /** The link of a room. What is unread in it is a part of its name. */
  link(room: string): Locator {
    return this.nav.getByRole("link").filter({ has: this.#page.getByText(room, { exact: true }) });
  }

  async go(room: string): Promise<void> {
    await this.link(room).click();
  }

  async create(room: string): Promise<void> {
    await this.newRoom.click();
    const dialog = this.#page.getByRole("dialog", { name: "New room" });
    await dialog.getByRole("textbox", { name: "Room name" }).fill(room);
    await dialog.getByRole("button", { name: "Create room" }).click();
  }
}
