import { expect, test } from "../fixtures/test.ts";
import { expectSame } from "../fixtures/same.ts";
import { readTexts } from "../fixtures/log.ts";

test("two people talk, and both see the same log", async ({ server, people }) => {
  const ada = await people.join("Ada");
  const bob = await people.join("Bob");
  await ada.tab.room.say("Morning!");
  await expect(bob.tab.room.entry("Morning!").article).toContainText("Ada");
  await bob.tab.room.say("Good morning.");
  await expect(ada.tab.room.entry("Good morning.").article).toContainText("Bob");
  await ada.tab.room.say("Shall we begin?");
  await expectSame(server, [ada.tab, bob.tab]);
  expect(await readTexts(server)).toEqual(["Morning!", "Good morning.", "Shall we begin?"]);
});

test("who joins late sees the whole history, and nothing of it as missed", async ({ server, people }) => {
  const ada = await people.join("Ada");
  await ada.tab.room.say("one", "two", "three");
  await expectSame(server, [ada.tab]);
  const cy = await people.join("Cy");
  const shown = await expectSame(server, [ada.tab, cy.tab]);
  expect(shown.filter(({ text }) => /one|two|three/.test(text))).toHaveLength(3);
  await expect(cy.tab.room.divider).toHaveCount(0);
});
