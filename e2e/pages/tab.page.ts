import type { Page } from "@playwright/test";
import { BoardPage } from "./board.page.ts";
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
  readonly board: BoardPage;
  /** How many sockets this tab has opened. */
  sockets = 0;

  constructor(page: Page) {
    this.page = page;
    this.welcome = new WelcomePage(page);
    this.status = new StatusPage(page);
    this.rooms = new RoomsPage(page);
    this.room = new RoomPage(page);
    this.board = new BoardPage(page);
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

  /** Whether this tab holds the lock by which one tab of a profile leads. */
  async leads(): Promise<boolean> {
    return this.page.evaluate(async () => {
      // A lock of the test's own tells the tab its name among the holders.
      const held = await navigator.locks.request("who am I", async () => navigator.locks.query());
      const own = held.held?.find((lock) => lock.name === "who am I")?.clientId;
      return held.held?.some((lock) => lock.name !== "who am I" && lock.clientId === own) ?? false;
    });
  }

  async close(): Promise<void> {
    await this.page.close();
  }
}
