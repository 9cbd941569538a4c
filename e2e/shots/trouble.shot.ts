import { Backup } from "../fixtures/backup.ts";
import { test } from "../fixtures/test.ts";
import { take } from "../fixtures/shot.ts";

test("one's own events in each state", async ({ people }) => {
  const ada = await people.join("Ada Lovelace");
  await ada.tab.room.say("The server has this.", "This was turned \u0007 around.");
  await ada.tab.room.entry("turned").expectState("rejected");
  ada.line.blackhole();
  await ada.tab.room.say("This is on its way.");
  await ada.tab.room.entry("on its way").expectState("sent");
  await take(ada.tab.page, "own-states-sent");
  await ada.goOffline();
  await ada.tab.room.say("This is held here.");
  await ada.tab.room.change(ada.tab.room.entry("The server has this."), "The server has this, and an edit.");
  await ada.tab.room.entry("Edit waiting").article.waitFor();
  await take(ada.tab.page, "own-states-offline");
});

test("offline", async ({ people }) => {
  const ada = await people.join("Ada Lovelace");
  await ada.tab.room.say("Good morning!");
  await ada.tab.room.entry("Good morning!").expectState("acked");
  await ada.goOffline();
  await take(ada.tab.page, "offline");
});

test("a server that is being restarted", async ({ people, server }) => {
  const ada = await people.join("Ada Lovelace");
  await server.stop();
  await ada.tab.status.expectLink("offline");
  await take(ada.tab.page, "restarting");
});

test("blocked", async ({ people }) => {
  const ada = await people.meet("Ada Lovelace");
  await ada.context.addInitScript(() => {
    window.WebSocket = class extends WebSocket {
      constructor(url: string | URL) {
        super(url, "holdfast.v999");
      }
    };
  });
  const tab = await ada.open();
  await tab.welcome.introduce("Ada Lovelace");
  await tab.status.expectLink("blocked");
  await take(tab.page, "blocked");
});

test("the divider before what was missed", async ({ people }) => {
  const ada = await people.join("Ada Lovelace");
  const bob = await people.join("Bob");
  await ada.tab.room.say("Bob sees this live.");
  await bob.tab.room.entry("live").expectState("acked");
  await bob.goOffline();
  await ada.tab.room.say("Missed one.", "Missed two.", "Missed three.");
  await ada.tab.room.entry("three").expectState("acked");
  await bob.goOnline();
  await bob.tab.room.divider.waitFor();
  await take(bob.tab.page, "divider");
});

test("a gap, and what the server has lost", async ({ people, server }) => {
  const ada = await people.join("Ada Lovelace");
  const bob = await people.join("Bob");
  await ada.tab.room.say("In the backup.");
  await bob.tab.room.entry("In the backup.").expectState("acked");
  const backup = new Backup(server);
  await backup.make();
  await ada.tab.room.say("After the backup.");
  await bob.tab.room.entry("After the backup.").expectState("acked");
  await backup.restore();
  await bob.tab.room.gaps.waitFor({ timeout: 30_000 });
  await take(bob.tab.page, "gap");
  await ada.tab.status.expectLink("online", { timeout: 30_000 });
  await take(ada.tab.page, "lost");
});
