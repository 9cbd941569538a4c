import type { Page } from "@playwright/test";
import { RoomPage } from "./room.page.ts";
import { RoomsPage } from "./rooms.page.ts";
import { StatusPage } from "./status.page.ts";
import { WelcomePage } from "./welcome.page.ts";

/** The page in one tab. */
export class Tab {
  readonly page: Page;
  readonly welcome: WelcomePage;
  readonly status: StatusPage;
  readonly rooms: RoomsPage;
  readonly room: RoomPage;
  /** How many sockets this tab has opened. */
  sockets = 0;

  constructor(page: Page) {
    this.page = page;
    this.welcome = new WelcomePage(page);
    this.status = new StatusPage(page);
    this.rooms = new RoomsPage(page);
    this.room = new RoomPage(page);
    page.on("websocket", () => this.sockets++);
  }

  /** Takes the tab's process away: nothing of the page runs any more, not even its last handlers. */
  async kill(): Promise<void> {
    const crashed = this.page.waitForEvent("crash");
    const devtools = await this.page.context().newCDPSession(this.page);
    // There is nobody left to answer.
    devtools.send("Page.crash").catch(() => undefined);
    await crashed;
    await this.page.close();
  }

  async close(): Promise<void> {
    await this.page.close();
  }
}
