// BullMQ on Redis: one worker with so much concurrency, which takes the next job as it ends one.

import { Queue, Worker } from "bullmq";
import Redis from "ioredis";
import { end, freePort, start as startProcess, until } from "../process.mjs";

export const durable = "Redis with appendonly yes, appendfsync always";
export const waiting = "in the same queue, of lower priority (its sorted set)";

const NAME = "queue";

export async function start(folder, { which }) {
  const port = await freePort();
  const args = ["--bind", "127.0.0.1", "--port", port, "--dir", folder, "--save", ""];
  // BullMQ asks for no eviction; the rewriting of its log is left as Redis has it.
  args.push("--appendonly", "yes", "--appendfsync", "always", "--maxmemory-policy", "noeviction");
  const child = startProcess(folder, which("redis-server"), args.map(String));
  const set = async (value) => {
    const redis = client(port);
    await redis.config("SET", "appendfsync", value);
    await redis.set("bench", value);
    redis.disconnect();
  };
  await until("Redis answers", 120_000, async () => {
    const redis = client(port);
    try {
      return (await redis.ping()) === "PONG";
    } finally {
      redis.disconnect();
    }
  });
  return {
    address: String(port),
    pid: child.pid,
    stop: () => end(child),
    load: async (fill) => {
      await set("everysec");
      await fill();
      await set("always");
    },
  };
}

function client(port) {
  const redis = new Redis({ host: "127.0.0.1", port: Number(port), maxRetriesPerRequest: null, retryStrategy: () => null });
  redis.on("error", () => {});
  return redis;
}

export async function connect(address, n) {
  const connection = { host: "127.0.0.1", port: Number(address), maxRetriesPerRequest: null };
  const queue = new Queue(NAME, { connection, defaultJobOptions: { removeOnComplete: true, removeOnFail: true } });
  await queue.waitUntilReady();
  const job = (data, behind) => ({ name: "task", data: JSON.parse(data), opts: behind ? { priority: 10 } : {} });
  return {
    add: (data) => queue.add("task", JSON.parse(data)),
    addMany: (all, behind) => queue.addBulk(all.map((data) => job(data, behind))),
    consume: (began, done) => consume(connection, n, began, done),
    close: () => queue.close(),
  };
}

async function consume(connection, n, began, done) {
  const worker = new Worker(NAME, async ({ data }) => began(data), { connection, concurrency: n });
  worker.on("completed", done);
  worker.on("error", (error) => console.error(`bullmq: ${error.message}`));
  await worker.waitUntilReady();
  return () => worker.close();
}
