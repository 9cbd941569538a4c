// graphile-worker on PostgreSQL. With several consumers it takes jobs in batches (`localQueue`) and marks
// batches as done (`completeJobBatchDelay` of 0: those of one turn share a transaction), as its own manual
// advises for throughput; both are off for one consumer, whom they would only delay.

import { chownSync } from "node:fs";
import { join } from "node:path";
import { Logger, makeWorkerUtils, run as runWorker } from "graphile-worker";
import pg from "pg";
import { end, freePort, run, sleep, start as startProcess, until } from "../process.mjs";

export const durable = "PostgreSQL with fsync=on, synchronous_commit=on; what is done is deleted, not awaited one by one";
export const waiting = "in the same table and task, of lower priority";

const TASK = "task";
const BINARIES = ["/usr/lib/postgresql/15/bin", "/usr/lib/postgresql/16/bin", "/usr/lib/postgresql/17/bin"];
// Calls of 64 tasks share so many connections: more of them are slower on few cores.
const CONNECTIONS = 20;

export async function start(folder, { which, user }) {
  const data = join(folder, "data");
  // It refuses to run as root.
  const as = user ? { uid: user.uid, gid: user.gid } : {};
  if (user) chownSync(folder, user.uid, user.gid);
  const binary = (name) => which(name, BINARIES);
  await run(folder, binary("initdb"), ["-D", data, "-U", "bench", "-A", "trust", "-E", "UTF8"], as).catch((error) => {
    if (!String(error).includes("failed: 1")) throw error;
  });
  const port = await freePort();
  const settings = {
    listen_addresses: "127.0.0.1",
    port,
    unix_socket_directories: "",
    fsync: "on",
    synchronous_commit: "on",
    full_page_writes: "on",
    shared_buffers: "512MB",
    max_wal_size: "4GB",
    max_connections: 100,
  };
  const options = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  const child = startProcess(folder, binary("postgres"), ["-D", data, ...options], as);
  const base = `postgres://bench@127.0.0.1:${port}`;
  await until("PostgreSQL answers", 60_000, () => query(`${base}/postgres`, "select 1"));
  const known = await query(`${base}/postgres`, "select 1 from pg_database where datname = 'queue'");
  if (known.rowCount === 0) await query(`${base}/postgres`, "create database queue");
  const address = `${base}/queue`;
  return {
    address,
    pid: child.pid,
    stop: () => end(child, "SIGINT"),
    load: async (fill) => {
      await query(address, "alter database queue set synchronous_commit = off");
      await fill();
      await query(address, "alter database queue set synchronous_commit = on");
      await query(address, "vacuum (analyze)");
      await query(address, "checkpoint");
      await sleep(500);
    },
  };
}

async function query(address, text) {
  const client = new pg.Client({ connectionString: address });
  client.on("error", () => {});
  await client.connect();
  try {
    return await client.query(text);
  } finally {
    await client.end();
  }
}

export async function connect(address, n) {
  const pgPool = new pg.Pool({ connectionString: address, max: Math.min(n + 2, CONNECTIONS) });
  // It insists on both.
  pgPool.on("error", () => {});
  pgPool.on("connect", (client) => client.on("error", () => {}));
  const logger = new Logger(() => () => {});
  const utils = await makeWorkerUtils({ pgPool, logger });
  await utils.migrate();
  const job = (data, behind) => ({ identifier: TASK, payload: JSON.parse(data), priority: behind ? 10 : 0 });
  return {
    add: (data) => utils.addJob(TASK, JSON.parse(data)),
    addMany: (all, behind) => utils.addJobs(all.map((data) => job(data, behind))),
    consume: (began, done) => consume(pgPool, logger, n, began, done),
    close: async () => {
      await utils.release();
      await pgPool.end();
    },
  };
}

async function consume(pgPool, logger, n, began, done) {
  const batches = n > 1 ? { localQueue: { size: n + 1 }, completeJobBatchDelay: 0 } : {};
  const runner = await runWorker({
    pgPool,
    logger,
    noHandleSignals: true,
    taskList: { [TASK]: (payload) => began(payload) },
    preset: { worker: { concurrentJobs: n, ...batches } },
  });
  runner.events.on("job:complete", done);
  return () => runner.stop();
}
