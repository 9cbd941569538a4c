import { expect, type Locator, type Page } from "@playwright/test";
import { EntryPage } from "./entry.page.ts";

/** An event as the page shows it, in one line: what differs is seen at once. */
export function told({ id, offset, state, at, text }: Row): string {
  return `${offset ?? "-"} ${id} ${state} ${at} ${text}`;
}

/** An event as the page shows it. */
export interface Row {
  id: string;
  /** Absent while the event has no place in the log. */
  offset: number | undefined;
  state: string;
  /** When, as the page tells machines. */
  at: string;
  /** What a message says, what a room is called, or that a message is deleted. */
  text: string;
}

/** The open room: its log, and where one writes. */
export class RoomPage {
  readonly name: Locator;
  readonly log: Locator;
  readonly entries: Locator;
  readonly divider: Locator;
  readonly gaps: Locator;
  readonly message: Locator;
  readonly send: Locator;
  readonly here: Locator;
  readonly joinRoom: Locator;
  readonly toLatest: Locator;
  readonly toMissed: Locator;
  /** In place of what can be had and is not here yet. */
  readonly earlier: Locator;
  /** The event that an address led to. */
  readonly linked: Locator;
  readonly #page: Page;

  constructor(page: Page) {
    this.#page = page;
    this.name = page.getByRole("heading", { level: 1 });
    this.log = page.getByRole("log");
    this.entries = this.log.getByRole("article");
    this.divider = this.log.getByRole("separator", { name: "New while you were away" });
    this.gaps = this.log.getByRole("note");
    this.message = page.getByRole("textbox", { name: "Message" });
    this.send = page.getByRole("button", { name: "Send" });
    this.here = page.getByRole("complementary", { name: "People here" });
    this.joinRoom = page.getByRole("button", { name: "Join room" });
    this.toLatest = page.getByRole("button", { name: /Jump to latest/ });
    this.toMissed = page.getByRole("button", { name: "Jump to what you missed" });
    this.linked = this.log.locator("article.entry-here");
    this.earlier = this.log.getByRole("button", { name: /earlier message/ });
  }

  /** Writes each text as a message of its own, and waits until all are on the page: by then they
   *  are in the outbox. */
  async say(...texts: string[]): Promise<void> {
    for (const text of texts) {
      await this.message.fill(text);
      await this.message.press("Enter");
    }
    await expect(this.entry(texts.at(-1)!).article).not.toHaveCount(0);
  }

  /** The same from inside of the page, some milliseconds apart: nothing waits for anything, and the
   *  tab goes on by itself. Resolves when the first is on its way. */
  async burst(texts: string[]): Promise<void> {
    await this.message.evaluate((field, texts) => {
      const set = Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, "value")!.set!;
      const say = () => {
        const text = texts.shift();
        if (text === undefined) return;
        set.call(field, text);
        field.dispatchEvent(new Event("input", { bubbles: true }));
        field.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true, cancelable: true }));
        setTimeout(say, 5);
      };
      say();
    }, texts);
  }

  /** The event with this text in it. */
  entry(text: string | RegExp): EntryPage {
    return new EntryPage(this.entries.filter({ hasText: text }));
  }

  /** The event at this place of the log. */
  at(offset: number): EntryPage {
    return new EntryPage(this.log.locator(`article[data-offset="${offset}"]`));
  }

  /** The first event behind the divider. */
  get firstMissed(): EntryPage {
    return new EntryPage(this.divider.locator("xpath=following::article[1]"));
  }

  /** Replaces the text of a message by means of its button. */
  async change(entry: EntryPage, text: string): Promise<void> {
    await entry.edit();
    await expect(this.message).not.toHaveValue("");
    await this.message.fill(text);
    await this.send.click();
    await expect(this.entry(text).article).not.toHaveCount(0);
  }

  /** The events that are on the page, in its order, all of one moment. */
  async rows(): Promise<Row[]> {
    return this.entries.evaluateAll((articles) =>
      articles.map((article) => {
        const { eventId = "", offset, state = "" } = (article as HTMLElement).dataset;
        const at = article.querySelector("time")?.dateTime ?? "";
        const said = article.querySelector(".entry-text")?.cloneNode(true) as Element | undefined;
        for (const mark of said?.querySelectorAll(".entry-mark") ?? []) mark.remove();
        const fact = article.querySelector(".entry-fact");
        const name = fact?.querySelector("bdi")?.textContent ?? "";
        const words = fact?.textContent?.trim() ?? "";
        const text = said?.textContent ?? (words.startsWith("created") ? name : words.replace(` by ${name}`, ""));
        return { id: eventId, offset: offset === undefined ? undefined : Number(offset), state, at, text };
      }),
    );
  }

  /** Reads from where the page is up to `first`, as a person does who scrolls, and returns every
   *  event that was on the page on the way, in the order of the log. */
  async readUp(first: Row): Promise<Row[]> {
    const seen = new Map<string, Row>();
    await this.log.hover();
    const scrolled = async () => {
      await this.#page.mouse.wheel(0, -2_000);
      const isWhole = (await this.earlier.count()) === 0;
      const rows = await this.rows();
      for (const row of rows) seen.set(row.id, row);
      return isWhole && rows[0]?.id === first.id;
    };
    await expect.poll(scrolled, { intervals: [0, 50], timeout: 30_000 }).toBe(true);
    return [...seen.values()].sort((a, b) => (a.offset ?? Infinity) - (b.offset ?? Infinity));
  }

  /** Whether nothing on the page is wider than the window. */
  async expectNoOverflow(): Promise<void> {
    const width = () => this.#page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    expect(await width()).toBeLessThanOrEqual(0);
  }
}
