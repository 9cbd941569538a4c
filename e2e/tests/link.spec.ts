import { expect, test } from "../fixtures/test.ts";
import { expectSame } from "../fixtures/same.ts";
import type { Tab } from "../pages/tab.page.ts";

test("a server that drains is waited for, and the page comes back by itself", async ({ server, people }) => {
  const ada = await people.join("Ada");
  const bob = await people.join("Bob");
  await ada.tab.room.say("before");
  await expectSame(server, [ada.tab, bob.tab]);
  await server.stop();
  for (const { tab } of [ada, bob]) {
    await tab.status.expectLink("offline");
    await expect(tab.status.status).toContainText("The server is restarting");
  }
  await ada.tab.room.say("meanwhile");
  await server.restart();
  const shown = await expectSame(server, [ada.tab, bob.tab]);
  expect(shown.map(({ text }) => text).slice(-2)).toEqual(["before", "meanwhile"]);
});

/** Opens a socket of the test's own that says the hello of `tab`'s session again. */
async function sayHelloAgain(tab: Tab, hello: string, url: string): Promise<void> {
  const other = await tab.page.context().newPage();
  await other.goto(`${url}/healthz`);
  await other.evaluate(async (hello) => {
    const socket = new WebSocket(`ws://${location.host}/ws`, "holdfast.v1");
    Object.assign(window, { socket });
    socket.onopen = () => socket.send(hello);
    await new Promise((resolve) => (socket.onmessage = resolve));
  }, hello);
}

test("a connection that was taken over says so, and goes on when its person asks", async ({ server, people }) => {
  const ada = await people.meet("Ada");
  const hellos: string[] = [];
  ada.context.on("page", (page) =>
    page.on("websocket", (socket) =>
      socket.on("framesent", ({ payload }) => {
        if (payload.toString().startsWith('{"hello"')) hellos.push(payload.toString());
      }),
    ),
  );
  const tab = await ada.open();
  await tab.welcome.introduce("Ada");
  await tab.status.expectLink("online");
  await tab.room.say("before");
  await expectSame(server, [tab]);

  const hello = JSON.parse(hellos.at(-1)!) as { hello: { generation: number } };
  hello.hello.generation += 1;
  await sayHelloAgain(tab, JSON.stringify(hello), ada.line.baseUrl);
  await tab.status.expectLink("blocked");
  await expect(tab.status.status).toContainText("A newer connection took over.");
  await tab.room.say("held while blocked");
  await tab.status.expectQueued(1);

  await tab.status.tryNow.click();
  const shown = await expectSame(server, [tab]);
  expect(shown.map(({ text }) => text).slice(-2)).toEqual(["before", "held while blocked"]);
});

test("a page of another version than the server's says so and does not go on by itself", async ({ people }) => {
  const ada = await people.meet("Ada");
  await ada.context.addInitScript(() => {
    window.WebSocket = class extends WebSocket {
      constructor(url: string | URL) {
        super(url, "holdfast.v999");
      }
    };
  });
  const tab = await ada.open();
  await tab.welcome.introduce("Ada");
  await tab.status.expectLink("blocked");
  await expect(tab.status.status).toContainText("Page and server speak different versions.");
  await expect(tab.status.status.getByRole("button", { name: "Reload the page" })).toBeVisible();
  await expect(tab.status.tryNow).toBeVisible();
});
