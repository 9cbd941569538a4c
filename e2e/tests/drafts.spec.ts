import { expect, test } from "../fixtures/test.ts";
import { postMessage } from "../fixtures/log.ts";

test("who writes while looking back is brought to the new message", async ({ server, people }) => {
  for (let i = 1; i <= 300; i++) await postMessage(server, `line ${i}.`);
  const ada = await people.join("Ada");
  await expect(ada.tab.room.entry("line 300.").article).toBeInViewport();
  await ada.tab.room.log.hover();
  await ada.tab.page.mouse.wheel(0, -3_000);
  await expect(ada.tab.room.toLatest).toBeVisible();
  await ada.tab.room.say("from further up");
  await expect(ada.tab.room.entry("from further up").article).toBeInViewport();

  await ada.open("/rooms/lobby?at=5");
  await expect(ada.tab.room.at(5).article).toBeInViewport();
  await ada.tab.room.say("from the linked place");
  await expect(ada.tab.room.entry("from the linked place").article).toBeInViewport();
  await expect(ada.tab.room.toLatest).toHaveCount(0);
});
