import { expect, test } from "../fixtures/test.ts";

test("who writes on at once after sending is seen to write again", async ({ people }) => {
  const ada = await people.join("Ada");
  const bob = await people.join("Bob");
  await expect(ada.tab.room.here).toContainText("Bob");
  await bob.tab.room.message.pressSequentially("One");
  await expect(ada.tab.page.getByText("Bob is typing…")).toBeVisible();
  await bob.tab.room.message.press("Enter");
  await expect(ada.tab.room.entry("One").article).toBeVisible();
  await expect(ada.tab.page.getByText("Bob is typing…")).toBeHidden();
  await bob.tab.room.message.pressSequentially("Two");
  await expect(ada.tab.page.getByText("Bob is typing…")).toBeVisible();
});
