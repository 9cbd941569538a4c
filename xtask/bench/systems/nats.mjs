// NATS JetStream: one stream as a work queue, a pull consumer with explicit acks. What a job's publisher and
// its worker hear are answers of the server (`publish` waits for its ack, `ackAck` for the ack's ack).

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { AckPolicy, RetentionPolicy, StorageType, jetstream, jetstreamManager } from "@nats-io/jetstream";
import { connect as open } from "@nats-io/transport-node";
import { end, freePort, start as startProcess, until } from "../process.mjs";

export const durable = "JetStream's file store with sync_interval always: each message is synced before its publisher's ack; an ack of a job is answered, but not synced";
export const waiting = "in the same stream, under another subject (there are no priorities)";

const STREAM = "jobs";
const NOW = "jobs.now";
const LATER = "jobs.later";

export async function start(folder, { nats }) {
  const port = await freePort();
  const store = join(folder, "data");
  mkdirSync(store, { recursive: true });
  let child;
  const serve = async (sync) => {
    const config = join(folder, "nats.conf");
    writeFileSync(config, `listen: "127.0.0.1:${port}"\njetstream { store_dir: "${store}", sync_interval: ${sync} }\n`);
    child = startProcess(folder, nats, ["-c", config]);
    await until("NATS answers", 60_000, async () => {
      const connection = await open({ servers: `127.0.0.1:${port}`, reconnect: false });
      await connection.close();
      return true;
    });
  };
  await serve("always");
  await until("JetStream has its stream", 60_000, () => prepare(port));
  return {
    address: String(port),
    get pid() {
      return child.pid;
    },
    stop: () => end(child),
    // With a sync for each, loading would take hours.
    load: async (fill) => {
      await end(child);
      await serve('"10s"');
      await until("JetStream is back", 60_000, () => prepare(port));
      await fill();
      await end(child);
      await serve("always");
      await until("JetStream is back", 60_000, () => prepare(port));
    },
  };
}

async function prepare(port) {
  const connection = await open({ servers: `127.0.0.1:${port}` });
  try {
    const manager = await jetstreamManager(connection);
    const options = { name: STREAM, subjects: [NOW, LATER], retention: RetentionPolicy.Workqueue, storage: StorageType.File };
    await manager.streams.add(options);
    const consumer = { ack_policy: AckPolicy.Explicit, max_ack_pending: 1000, ack_wait: 5_000_000_000 };
    await manager.consumers.add(STREAM, { durable_name: "now", filter_subject: NOW, ...consumer });
    await manager.consumers.add(STREAM, { durable_name: "later", filter_subject: LATER, ...consumer });
    return true;
  } finally {
    await connection.close();
  }
}

export async function connect(address, n) {
  const connection = await open({ servers: `127.0.0.1:${address}` });
  const stream = jetstream(connection, { timeout: 30_000 });
  return {
    add: (data) => stream.publish(NOW, data),
    addMany: (all, behind) => Promise.all(all.map((data) => stream.publish(behind ? LATER : NOW, data))),
    consume: (began, done) => consume(stream, n, began, done),
    close: () => connection.close(),
  };
}

async function consume(stream, n, began, done) {
  const consumer = await stream.consumers.get(STREAM, "now");
  const messages = await consumer.consume({ max_messages: n });
  const under = new Set();
  const work = async (message) => {
    began(message.json());
    if (await message.ackAck({ timeout: 30_000 })) done();
  };
  const reading = (async () => {
    for await (const message of messages) {
      const one = work(message).finally(() => under.delete(one));
      under.add(one);
      if (under.size >= n) await Promise.race(under);
    }
  })();
  return async () => {
    messages.stop();
    await reading;
    await Promise.all(under);
  };
}
