import { expect, test } from "../fixtures/test.ts";
import { expectSame } from "../fixtures/same.ts";
import type { Person } from "../fixtures/person.ts";

const texts = [
  "<script>window.broken = 1</script>",
  '<img src="x" onerror="window.broken = 1">',
  '"><svg onload=window.broken=1>',
  "javascript:window.broken=1",
  "[click](javascript:window.broken=1)",
  "{{constructor.constructor('window.broken=1')()}}",
  "&lt;b&gt; &amp; &#x3c;",
  "</div></article></main>",
];

/** Nothing that was written has run anywhere. */
async function expectUnbroken(people: Person[]): Promise<void> {
  for (const { tab } of people) {
    expect(await tab.page.evaluate(() => "broken" in window)).toBe(false);
    // Links are made of web addresses alone, pictures and frames of nothing.
    const log = tab.room.log;
    await expect(log.locator("img, iframe, script, object, embed")).toHaveCount(0);
    await expect(log.locator('a:not([href^="/"]):not([href^="http"])')).toHaveCount(0);
    await tab.room.expectNoOverflow();
  }
}

test("markup and script in texts are text", async ({ server, people }) => {
  const ada = await people.join("Ada");
  const bob = await people.join("Bob");
  await ada.tab.room.say(...texts);
  const shown = await expectSame(server, [ada.tab, bob.tab]);
  expect(shown.map(({ text }) => text).slice(-texts.length)).toEqual(texts);
  await expectUnbroken([ada, bob]);
});

test("markup and script in the names of people and rooms are text", async ({ server, people }) => {
  const name = '<img src=x onerror="window.broken=1">';
  const room = '"><script>window.broken=1</script>/../?#&amp;';
  const eve = await people.join(name);
  const bob = await people.join("Bob");
  await eve.tab.rooms.create(room);
  await eve.tab.room.say("hello");
  await eve.tab.room.entry("hello").expectState("acked");
  await bob.tab.rooms.go(room);
  await bob.tab.room.joinRoom.click();
  await bob.tab.room.message.pressSequentially("hi");
  await expectSame(server, [eve.tab, bob.tab], room);
  await expect(bob.tab.room.entry("hello").article).toContainText(name);
  await expect(bob.tab.room.name).toContainText(room);
  await expect(bob.tab.room.here).toContainText(name);
  await expectUnbroken([eve, bob]);

  // The address leads back to it.
  await bob.tab.page.reload();
  await expect(bob.tab.room.name).toContainText(room);
  await expectSame(server, [bob.tab], room);
});

test("a name of somebody that no server takes is refused where it is asked for", async ({ people }) => {
  const eve = await people.meet("Eve");
  const tab = await eve.open();
  for (const name of ["", "   ", "x".repeat(81)]) {
    await tab.welcome.name.fill(name);
    await expect(tab.welcome.join).toBeDisabled();
  }
});

for (const width of [320, 1280]) {
  test(`very long words and texts of any writing stay in their place, ${width} px wide`, async ({ server, people }) => {
    const ada = await people.join("A".repeat(80));
    const bob = await people.join("Bob");
    await ada.tab.rooms.create("R".repeat(80));
    const lines = [
      "w".repeat(2_000),
      "https://example.com/" + "path".repeat(200),
      "שלום עולם, this is mixed, العربية",
      "👩‍👩‍👧‍👦".repeat(60),
      "Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢".repeat(20),
      "one\n\n\ntwo\n\tthree",
      "漢字".repeat(300),
    ];
    await ada.tab.room.say(...lines);
    await ada.tab.room.entry("漢字").expectState("acked");
    const path = new URL(ada.tab.page.url()).pathname;
    for (const { tab } of [ada, bob]) await tab.page.setViewportSize({ width, height: 700 });
    await bob.open(path);
    await bob.tab.page.setViewportSize({ width, height: 700 });
    await bob.tab.room.joinRoom.click();
    await expectSame(server, [ada.tab, bob.tab], "R".repeat(80));
    await expectUnbroken([ada, bob]);
    for (const { tab } of [ada, bob]) {
      await expect(tab.room.message).toBeInViewport({ ratio: 1 });
      await expect(tab.status.status).toBeInViewport({ ratio: 1 });
      const wide = await tab.room.entries.evaluateAll((articles) =>
        articles.filter((article) => article.scrollWidth > article.clientWidth).length,
      );
      expect(wide).toBe(0);
    }
  });
}
