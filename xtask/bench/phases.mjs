// What is measured of one system that runs: the phases of the benchmark.

import { spawn } from "node:child_process";
import { memory, sleep } from "./process.mjs";

const MANY = 64;
const PACE = 20;
// Nothing comes any more.
const PATIENCE = 7;
// Jobs that consumers find, for each second that they are measured: no system here does more.
const STOCK = 6000;

// A process of `tasks` clients on one core. Producers have the first, consumers the last.
async function clients(system, server, tasks, core) {
  const file = new URL("./client.mjs", import.meta.url).pathname;
  const args = ["-c", String(core), process.execPath, file, system, server.address, String(tasks)];
  const child = spawn("taskset", args, { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  const asked = new Map();
  let last = 0;
  const fail = (why) => {
    for (const { reject } of asked.values()) reject(new Error(`${system}'s clients: ${why}`));
    asked.clear();
  };
  await new Promise((resolve, reject) => {
    asked.set(0, { resolve, reject });
    child.on("message", ({ ready, id = 0, result, error }) => {
      const waits = asked.get(ready ? 0 : id);
      asked.delete(ready ? 0 : id);
      if (error) waits?.reject(new Error(`${system}: ${error}`));
      else waits?.resolve(result);
    });
    child.on("exit", (code, signal) => fail(`ended with ${code ?? signal}`));
    child.on("error", (error) => fail(error.message));
  });
  const ask = (deed, rest = {}) =>
    new Promise((resolve, reject) => {
      last += 1;
      asked.set(last, { resolve, reject });
      child.send({ id: last, deed, ...rest });
    });
  const close = async () => {
    const gone = new Promise((resolve) => child.once("exit", resolve));
    const timer = setTimeout(() => child.kill("SIGKILL"), 10_000);
    ask("close").catch(() => {});
    await gone;
    clearTimeout(timer);
  };
  return { ask, close };
}

export async function fill(system, server, jobs, behind, cores) {
  const load = server.load ?? ((work) => work());
  await load(async () => {
    const loader = await clients(system, server, 2, cores[0]);
    await loader.ask("fill", { jobs, behind });
    await loader.close();
  });
}

const at = (sorted, part) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? NaN;

// All phases, one after the other; each leaves no job behind.
export async function measure(system, server, { length, cores, disk }) {
  const [first, last] = [cores[0], cores.at(-1)];
  const figures = { rss: memory(server.pid), peak: 0, disks: {} };
  const watch = setInterval(() => (figures.peak = Math.max(figures.peak, memory(server.pid))), 500);
  let left = 0;
  const produce = async (tasks) => {
    const producers = await clients(system, server, tasks, first);
    const { added, rate } = await producers.ask("produce", { length });
    await producers.close();
    left += added;
    return rate;
  };
  const consume = async (tasks, limits) => {
    const consumers = await clients(system, server, tasks, last);
    const got = await consumers.ask("consume", { patience: PATIENCE, most: left, ...limits });
    await consumers.close();
    left -= got.fresh;
    return got;
  };
  // Between two looks at the disk, which others may use as well.
  const between = async (phase, work) => {
    const before = disk();
    Object.assign(figures, await work());
    figures.disks[phase] = [before, disk()];
  };
  try {
    await between("enqueue1", async () => ({ enqueue1: await produce(1) }));
    await between("enqueue64", async () => ({ enqueue64: await produce(MANY) }));
    const stock = STOCK * length - left;
    if (stock > 0) {
      await fill(system, server, stock, false, cores);
      left += stock;
    }
    await between("complete1", async () => ({ complete1: (await consume(1, { length })).rate }));
    await between("complete64", async () => ({ complete64: (await consume(MANY, { length })).rate }));
    await drain(consume, () => left);
    const more = (jobs) => (left += jobs);
    await between("both", () => both(system, server, { length, first, last }, more));
    await drain(consume, () => left);
    await between("light", () => light(system, server, { length, first, last }));
  } finally {
    clearInterval(watch);
  }
  figures.after = memory(server.pid);
  return figures;
}

async function drain(consume, left) {
  if (left() > 0) await consume(MANY, { length: 600 });
}

async function both(system, server, { length, first, last }, more) {
  const consumers = await clients(system, server, MANY, last);
  const producers = await clients(system, server, MANY, first);
  const consuming = consumers.ask("consume", { length, patience: PATIENCE });
  await sleep(300);
  const { added, rate } = await producers.ask("produce", { length });
  const got = await consuming;
  await Promise.all([producers.close(), consumers.close()]);
  more(added - got.fresh);
  return { bothIn: rate, bothOut: got.rate };
}

async function light(system, server, { length, first, last }) {
  const consumers = await clients(system, server, 1, last);
  const producers = await clients(system, server, 1, first);
  const time = Math.max(2 * length, 6);
  const consuming = consumers.ask("consume", { length: 2 * time, most: time * PACE, patience: PATIENCE });
  await sleep(500);
  await producers.ask("pace", { length: time, rate: PACE });
  const { waits } = await consuming;
  await Promise.all([producers.close(), consumers.close()]);
  return { p50: at(waits, 0.5), p99: at(waits, 0.99), samples: waits.length };
}
