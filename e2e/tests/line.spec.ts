import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { expect, test as base } from "@playwright/test";
import { Line } from "../fixtures/line.ts";

// The suite's own bad line, proved on bare sockets: a fault that it does not make proves nothing.

interface Ends {
  line: Line;
  page: Socket;
  server: Socket;
  /** Everything that has reached the page. */
  received: () => string;
}

const test = base.extend<{ ends: Ends }>({
  ends: async ({}, use) => {
    const listener = createServer({ allowHalfOpen: true }).listen(0, "127.0.0.1");
    await once(listener, "listening");
    const line = await Line.start({ port: (listener.address() as AddressInfo).port });
    const page = connect(line.port, "127.0.0.1");
    const [server] = (await once(listener, "connection")) as [Socket];
    for (const end of [page, server]) end.on("error", () => undefined);
    let received = "";
    page.on("data", (chunk: Buffer) => (received += chunk.toString("latin1")));
    await use({ line, page, server, received: () => received });
    await line.close();
    page.destroy();
    listener.close();
  },
});

function frame(text: string): Buffer {
  const payload = Buffer.from(text);
  if (payload.length < 126) return Buffer.concat([Buffer.from([0x81, payload.length]), payload]);
  const header = Buffer.from([0x81, 126, payload.length >> 8, payload.length & 0xff]);
  return Buffer.concat([header, payload]);
}

const upgrade = "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\n\r\n";

test("a frame that matches is swallowed once, and what follows goes through", async ({ ends }) => {
  const { line, server, received } = ends;
  const swallowed = line.swallowNext((text) => text.includes("ack"));
  const long = "x".repeat(300);
  server.write(Buffer.concat([Buffer.from(upgrade), frame(long), frame('{"ack":1}')]));
  server.write(frame('{"ack":2}'));
  expect(await swallowed).toBe('{"ack":1}');
  await expect.poll(received).toContain('{"ack":2}');
  expect(received()).toContain(long);
  expect(received()).not.toContain('{"ack":1}');
});

test("a frame that comes in pieces is still one frame", async ({ ends }) => {
  const { line, server, received } = ends;
  const seen = line.nextFrame((text) => text.startsWith("{"));
  const bytes = frame('{"n":1}');
  server.write(upgrade);
  await expect.poll(received).toContain("101");
  server.write(bytes.subarray(0, 1));
  server.write(bytes.subarray(1, 4));
  server.write(bytes.subarray(4));
  expect(await seen).toBe('{"n":1}');
  await expect.poll(received).toContain('{"n":1}');
});

test("a black hole keeps the line open, and a restored one delivers late", async ({ ends }) => {
  const { line, page, server, received } = ends;
  server.write("early");
  await expect.poll(received).toBe("early");
  line.blackhole("down");
  server.write("late");
  page.write("up");
  const [up] = (await once(server, "data")) as [Buffer];
  expect(up.toString()).toBe("up");
  expect(received()).toBe("early");
  expect(page.destroyed).toBe(false);
  line.restore();
  await expect.poll(received).toBe("earlylate");
});

test("a cut ends both ends", async ({ ends }) => {
  const { line, page, server } = ends;
  const closed = [page, server].map((end) => new Promise((resolve) => end.once("close", resolve)));
  line.cut();
  await Promise.all(closed);
  await expect.poll(() => line.connections).toBe(0);
});

test("a line that refuses resets who comes, and takes them again when restored", async ({ ends }) => {
  const { line, page } = ends;
  line.refuse();
  const refused = connect(line.port, "127.0.0.1");
  const [error] = (await once(refused, "error")) as [NodeJS.ErrnoException];
  expect(error.code).toBe("ECONNRESET");
  expect(page.destroyed).toBe(false);
  line.restore();
  const taken = connect(line.port, "127.0.0.1");
  await once(taken, "connect");
  await expect.poll(() => line.connections).toBe(2);
  taken.destroy();
});
