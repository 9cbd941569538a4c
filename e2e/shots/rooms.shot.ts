import { expect, test } from "../fixtures/test.ts";
import { take } from "../fixtures/shot.ts";
import type { Person } from "../fixtures/person.ts";

async function talk(ada: Person, bob: Person, day: number): Promise<void> {
  await ada.tab.room.say("Good morning! The generator on deck 3 is back.", `Who takes night watch ${day}?`);
  await bob.tab.room.entry(`night watch ${day}?`).expectState("acked");
  await bob.tab.room.say(`I take watch ${day}, from eight.\nPlease leave the checklist in the wheelhouse.`);
  await ada.tab.room.entry(`I take watch ${day},`).expectState("acked");
  await ada.tab.room.say(`Thanks. It is at https://example.com/checklists/night-watch?day=${day}.`);
  await bob.tab.room.entry(`day=${day}.`).expectState("acked");
}

test("a busy room, looked at, edited, and looked back in", async ({ people }) => {
  const ada = await people.join("Ada Lovelace");
  const bob = await people.join("Bob");
  for (let day = 1; day <= 6; day++) await talk(ada, bob, day);
  await bob.tab.room.say("wrong chat, sorry");
  await bob.tab.room.entry("wrong chat").expectState("acked");
  await bob.tab.room.entry("wrong chat").delete();
  await ada.tab.room.entry("message deleted").expectState("acked");
  await ada.tab.room.say("Seen nothing.");
  await ada.tab.room.change(ada.tab.room.entry("Seen nothing."), "Nothing seen.");
  await ada.tab.room.entry("edited").expectState("acked");
  await expect(async () => {
    await bob.tab.room.message.pressSequentially("Well");
    await expect(ada.tab.page.getByText("Bob is typing…")).toBeVisible();
  }).toPass();
  await take(ada.tab.page, "busy-room");

  await ada.tab.room.entry("Nothing seen.").edit();
  await take(ada.tab.page, "editing");
  await ada.tab.page.keyboard.press("Escape");
  await ada.tab.page.setViewportSize({ width: 1280, height: 800 });
  await ada.tab.room.entry("Nothing seen.").article.hover();
  await take(ada.tab.page, "tools");
  await ada.tab.page.setViewportSize({ width: 1280, height: 800 });
  await ada.tab.room.log.hover();
  await ada.tab.page.mouse.wheel(0, -900);
  await ada.tab.room.toLatest.waitFor();
  await take(ada.tab.page, "looking-back");
});

test("many rooms, with what is unread in them", async ({ people }) => {
  const ada = await people.join("Ada Lovelace");
  const bob = await people.join("Bob");
  for (let i = 1; i <= 30; i++) await bob.tab.rooms.create(`Ward ${i}`);
  await bob.tab.room.entry("created the room").expectState("acked");
  for (const room of ["Ward 3", "Ward 11", "A room with a name that does not fit into its line"]) {
    if (!room.startsWith("Ward")) await bob.tab.rooms.create(room);
    await bob.tab.rooms.go(room);
    await bob.tab.room.say("first");
    await bob.tab.room.entry("first").expectState("acked");
    await ada.tab.rooms.go(room);
    await ada.tab.room.joinRoom.click();
    await ada.tab.room.entry("first").expectState("acked");
  }
  await ada.tab.rooms.go("lobby");
  for (const room of ["Ward 3", "Ward 11"]) {
    await bob.tab.rooms.go(room);
    await bob.tab.room.say("second", "third");
  }
  await ada.tab.rooms.nav.getByText("unread").nth(1).waitFor({ state: "attached" });
  await take(ada.tab.page, "many-rooms");
  await ada.tab.page.setViewportSize({ width: 320, height: 640 });
  await ada.tab.page.getByRole("button", { name: /Show rooms/ }).click();
  await take(ada.tab.page, "many-rooms-list-open");
});

test("long words and every writing", async ({ people }) => {
  const ada = await people.join("A".repeat(80));
  await ada.tab.rooms.create("R".repeat(80));
  await ada.tab.room.say(
    "w".repeat(500),
    `https://example.com/${"path/".repeat(40)}`,
    "שלום עולם, this is mixed, العربية",
    "漢字".repeat(60),
    "👩‍👩‍👧‍👦".repeat(20),
  );
  await ada.tab.room.entry("👩").expectState("acked");
  await take(ada.tab.page, "long-words");
});
