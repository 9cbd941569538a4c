import type { Page } from "@playwright/test";
import { expect, test } from "../fixtures/test.ts";
import { expectSame } from "../fixtures/same.ts";

test("what is unread is counted by its room and in the title, until it is read", async ({ server, people }) => {
  const ada = await people.join("Ada");
  const bob = await people.join("Bob");
  await bob.tab.rooms.create("Elsewhere");
  await expect(bob.tab.page).toHaveTitle("Elsewhere · Holdfast");
  await ada.tab.room.say("one", "two", "three");
  await expect(bob.tab.rooms.link("lobby")).toHaveAccessibleName(/3 unread/);
  await expect(bob.tab.page).toHaveTitle("(3) Elsewhere · Holdfast");

  await bob.tab.rooms.go("lobby");
  await expect(bob.tab.page).toHaveTitle("lobby · Holdfast");
  await expect(bob.tab.rooms.link("lobby")).not.toHaveAccessibleName(/unread/);
  await expectSame(server, [ada.tab, bob.tab]);

  // What was read is known elsewhere as well: one's own words are never unread.
  await expect(ada.tab.page).toHaveTitle("lobby · Holdfast");
});

test("what is said while nobody looks is unread when the page is opened again", async ({ people, server }) => {
  const ada = await people.join("Ada");
  const bob = await people.join("Bob");
  await ada.tab.room.say("seen");
  await expect(bob.tab.room.entry("seen").article).toBeVisible();
  await bob.tab.rooms.create("Elsewhere");
  await bob.tab.room.say("mine");
  await bob.tab.room.entry("mine").expectState("acked");
  await bob.tab.close();
  await ada.tab.room.say("unseen one", "unseen two");
  await expectSame(server, [ada.tab]);
  await bob.open("/rooms/Elsewhere");
  await expect(bob.tab.rooms.link("lobby")).toHaveAccessibleName(/2 unread/);
  await expect(bob.tab.page).toHaveTitle("(2) Elsewhere · Holdfast");
});

test("who is writing is seen by the others, and no longer once it is said", async ({ people }) => {
  const ada = await people.join("Ada");
  const bob = await people.join("Bob");
  await expect(ada.tab.room.here).toContainText("Bob");
  await bob.tab.room.message.pressSequentially("I am");
  await expect(ada.tab.page.getByText("Bob is typing…")).toBeVisible();
  await expect(bob.tab.page.getByText("is typing…")).toHaveCount(0);
  await bob.tab.room.message.press("Enter");
  await expect(ada.tab.room.entry("I am").article).toBeVisible();
  await expect(ada.tab.page.getByText("Bob is typing…")).toBeHidden();
});

test("who is here is seen, once each, and no longer once they have gone", async ({ people }) => {
  const ada = await people.join("Ada");
  const bob = await people.join("Bob");
  for (const { tab } of [ada, bob]) {
    await expect(tab.room.here.getByRole("listitem")).toHaveCount(2);
    await expect(tab.room.here).toContainText("Here now – 2");
  }
  await bob.open();
  await bob.tab.status.expectLink("online");
  await expect(ada.tab.room.here.getByRole("listitem")).toHaveCount(2);
  await bob.context.close();
  await expect(ada.tab.room.here.getByRole("listitem")).toHaveCount(1);
  await expect(ada.tab.room.here).not.toContainText("Bob");
});

/** So many strangers follow the lobby, over sockets of one page, until the page is closed. */
async function crowd(page: Page, count: number): Promise<void> {
  await page.evaluate(async (count) => {
    const came = Array.from({ length: count }, async (_, n) => {
      const socket = new WebSocket("/ws", "holdfast.v1");
      const hello = {
        person: crypto.randomUUID(), secret: crypto.randomUUID(), name: `Stranger ${n}`,
        writer: crypto.randomUUID(), generation: 1, session: crypto.randomUUID(), rooms: [], lanes: [],
      };
      socket.onopen = () => socket.send(JSON.stringify({ hello }));
      await new Promise<void>((live) => {
        socket.onmessage = ({ data }) => {
          if (String(data).startsWith('{"live"')) live();
        };
      });
    });
    await Promise.all(came);
  }, count);
}

test("of more than a hundred people nobody is listed, and everybody is again when some have gone", async ({ server, people, page }) => {
  const ada = await people.join("Ada");
  await page.goto("/healthz");
  await crowd(page, 99);
  await expect(ada.tab.room.here.getByRole("listitem")).toHaveCount(100);
  await expect(ada.tab.room.here).toContainText("Here now – 100");
  const bob = await people.join("Bob");
  for (const { tab } of [ada, bob]) {
    await expect(tab.room.here).toContainText("Too many people to list.");
    await expect(tab.room.here.getByRole("listitem")).toHaveCount(0);
  }
  await ada.tab.room.say("crowded in here");
  await expectSame(server, [ada.tab, bob.tab]);
  await page.close();
  for (const { tab } of [ada, bob]) {
    await expect(tab.room.here.getByRole("listitem")).toHaveCount(2);
  }
});

test("a new name stands by what is said from then on", async ({ server, people }) => {
  const ada = await people.join("Ada");
  const bob = await people.join("Bob");
  await bob.tab.room.say("as Bob");
  await bob.tab.page.getByRole("button", { name: "Change your name" }).click();
  const dialog = bob.tab.page.getByRole("dialog", { name: "Change your name" });
  await dialog.getByRole("textbox", { name: "New name" }).fill("Robert");
  await dialog.getByRole("button", { name: "Change name" }).click();
  await expect(ada.tab.room.here).toContainText("Robert");
  await bob.tab.room.say("as Robert");
  await expectSame(server, [ada.tab, bob.tab]);
  await expect(ada.tab.room.entry("as Bob").article).not.toContainText("Robert\n");
  await expect(ada.tab.room.entry("as Robert").article).toContainText("Robert");
});
