// RabbitMQ: a quorum queue, persistent messages, publisher confirms, acks by hand; the prefetch is the
// number of consumers.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { connect as open } from "amqplib";
import { end, freePort, start as startProcess, until } from "../process.mjs";

export const durable = "RabbitMQ's quorum queue (of one node), synced before a publisher's confirm; an ack of a job is not answered";
export const waiting = "in a second queue of the same server (quorum queues have no priorities in this version)";

const NOW = "now";
const LATER = "later";
const QUORUM = { durable: true, arguments: { "x-queue-type": "quorum" } };

export async function start(folder, { which }) {
  const [port, mapper, spread] = [await freePort(), await freePort(), await freePort()];
  const config = join(folder, "rabbit.conf");
  mkdirSync(join(folder, "log"), { recursive: true });
  writeFileSync(config, `listeners.tcp.1 = 127.0.0.1:${port}\nloopback_users = none\nvm_memory_high_watermark.relative = 0.6\n`);
  const env = {
    ...process.env,
    HOME: folder,
    ERL_EPMD_ADDRESS: "127.0.0.1",
    ERL_EPMD_PORT: String(mapper),
    RABBITMQ_NODENAME: "bench@localhost",
    RABBITMQ_DIST_PORT: String(spread),
    RABBITMQ_MNESIA_BASE: join(folder, "data"),
    RABBITMQ_LOG_BASE: join(folder, "log"),
    RABBITMQ_CONFIG_FILE: config,
    RABBITMQ_CONF_ENV_FILE: join(folder, "none"),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, "plugins"),
    RABBITMQ_PID_FILE: join(folder, "pid"),
  };
  // Else the server would leave one behind that nobody ends.
  const names = startProcess(folder, which("epmd"), ["-port", String(mapper), "-address", "127.0.0.1"], { env });
  const server = which("rabbitmq-server", ["/usr/lib/rabbitmq/bin"], true);
  const child = startProcess(folder, server, [], { env });
  await until("RabbitMQ answers", 180_000, async () => {
    const connection = await open(`amqp://guest:guest@127.0.0.1:${port}`);
    const channel = await connection.createChannel();
    await channel.assertQueue(NOW, QUORUM);
    await channel.assertQueue(LATER, QUORUM);
    await connection.close();
    return true;
  });
  const stop = async () => {
    await end(child);
    await end(names);
  };
  return { address: String(port), pid: child.pid, stop };
}

export async function connect(address, n) {
  const connection = await open(`amqp://guest:guest@127.0.0.1:${address}`);
  const channel = await connection.createConfirmChannel();
  const add = (data, queue = NOW) =>
    new Promise((resolve, reject) => {
      const confirmed = (error) => (error ? reject(error) : resolve());
      channel.sendToQueue(queue, Buffer.from(data), { persistent: true }, confirmed);
    });
  return {
    add: (data) => add(data),
    addMany: (all, behind) => Promise.all(all.map((data) => add(data, behind ? LATER : NOW))),
    consume: (began, done) => consume(connection, n, began, done),
    close: () => connection.close(),
  };
}

async function consume(connection, n, began, done) {
  const channel = await connection.createChannel();
  await channel.prefetch(n);
  let stopped = false;
  const work = (message) => {
    // What came too late goes back to the queue with the channel.
    if (stopped || !message) return;
    began(JSON.parse(message.content));
    channel.ack(message);
    done();
  };
  const { consumerTag } = await channel.consume(NOW, work);
  return async () => {
    stopped = true;
    await channel.cancel(consumerTag);
    await channel.close();
  };
}
