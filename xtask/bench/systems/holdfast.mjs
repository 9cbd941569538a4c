// Holdfast over HTTP: each producer and each consumer is a connection that is kept.
// A consumer ends a job and takes the next one with one call (`next`).

import { join } from "node:path";
import { Pool } from "undici";
import { end, start as startProcess, until } from "../process.mjs";

export const durable = "SQLite's write-ahead log, synchronous=FULL: enqueue, claim and end are each synced before they are answered";
export const waiting = "in the same queue, of lower priority";

const QUEUE = "/api/v1/work/queues/inbox";

export async function start(folder, { server }) {
  let said = "";
  const args = ["--listen", "127.0.0.1:0", "--data", join(folder, "data")];
  const env = { ...process.env, HOLDFAST_LOG: "warn" };
  const child = startProcess(folder, server, args, { env });
  child.stdout.on("data", (text) => (said += text));
  const address = await until("holdfast listens", 60_000, () => /listening on (http:\S+)/.exec(said)?.[1]);
  return { address, pid: child.pid, stop: () => end(child) };
}

export function job(data, behind) {
  return { type: "task", data: JSON.parse(data), priority: behind ? -1 : 0 };
}

export async function call(pool, path, body) {
  const headers = { "content-type": "application/json" };
  const answer = await pool.request({ method: "POST", path, headers, body: JSON.stringify(body) });
  const text = await answer.body.text();
  if (answer.statusCode >= 300) throw new Error(`${path}: ${answer.statusCode} ${text}`);
  return JSON.parse(text);
}

export async function connect(address, n) {
  const pool = new Pool(address, { connections: n, pipelining: 1 });
  return {
    add: (data) => call(pool, `${QUEUE}/jobs`, job(data)),
    addMany: (all, behind) => call(pool, `${QUEUE}/batch`, { jobs: all.map((data) => job(data, behind)) }),
    consume: (began, done) => consume(pool, n, began, done),
    close: () => pool.close(),
  };
}

function consume(pool, n, began, done) {
  let stopped = false;
  const lane = async (index) => {
    const consumer = `bench-${index}`;
    let held = [];
    while (held.length > 0 || !stopped) {
      if (held.length === 0) {
        held = (await call(pool, `${QUEUE}/lease`, { consumer, wait_ms: 500 })).jobs;
        continue;
      }
      const [{ id, token, data }] = held;
      began(data);
      const next = stopped ? undefined : { consumer };
      const ended = await call(pool, `/api/v1/work/jobs/${id}/complete`, { token, next });
      done();
      held = ended.jobs ?? [];
    }
  };
  const lanes = Promise.all(Array.from({ length: n }, (_, index) => lane(index)));
  return async () => {
    stopped = true;
    await lanes;
  };
}
