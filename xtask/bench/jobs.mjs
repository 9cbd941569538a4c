// The benchmark of queues: `cargo xtask bench jobs`. Each system in turn, in rounds, the order turned, in
// one folder of one disk; before and after each phase the disk's own syncs are counted. The claim is the
// median of the rounds in which those two differ by less than a fifth.

import { execFileSync } from "node:child_process";
import { accessSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { fill, measure } from "./phases.mjs";
import { syncs } from "./disk.mjs";
import { endAll } from "./process.mjs";
import { faults, header, line, summary } from "./table.mjs";

const { values: options } = parseArgs({
  options: {
    folder: { type: "string" },
    server: { type: "string" },
    nats: { type: "string" },
    systems: { type: "string" },
    waiting: { type: "string", default: "1000000" },
    rounds: { type: "string", default: "3" },
    seconds: { type: "string", default: "4" },
  },
});
const systems = options.systems.split(",");
const counts = [...new Set([0, Number(options.waiting)])];
const length = Number(options.seconds);
const cores = cpus().map((_, core) => core);
const home = join(options.folder, "data");

// The first of a program's places where it is.
function which(name, folders = [], first = false) {
  const path = process.env.PATH.split(":");
  for (const folder of first ? [...folders, ...path] : [...path, ...folders]) {
    try {
      accessSync(join(folder, name), 1);
      return join(folder, name);
    } catch {
      // Not there.
    }
  }
  throw new Error(`there is no ${name}`);
}

// PostgreSQL does not run as root.
function user() {
  if (process.getuid() !== 0) return undefined;
  const row = readFileSync("/etc/passwd", "utf8").split("\n").find((row) => row.startsWith("postgres:"));
  const [, , uid, gid] = row?.split(":") ?? [];
  return row && { uid: Number(uid), gid: Number(gid) };
}

// One system with so many waiting. The folder in which many wait is filled once, for all rounds.
async function turn(system, waiting, loaded) {
  const { start } = await import(`./systems/${system}.mjs`);
  const folder = join(home, `${system}-${waiting}`);
  const key = `${system}-${waiting}`;
  if (!loaded.has(key)) rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const server = await start(folder, { server: options.server, nats: options.nats, which, user: user() });
  try {
    if (waiting > 0 && !loaded.has(key)) {
      const begun = Date.now();
      await fill(system, server, waiting, true, cores);
      console.log(`${system}: ${waiting} jobs loaded in ${((Date.now() - begun) / 1000).toFixed(0)} s`);
      loaded.add(key);
    }
    execFileSync("sync");
    const figures = await measure(system, server, { length, cores, disk: () => syncs(home) });
    return { system, waiting, ...figures };
  } finally {
    await server.stop();
    if (waiting === 0) rmSync(folder, { recursive: true, force: true });
  }
}

process.on("exit", endAll);
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(1));

rmSync(home, { recursive: true, force: true });
mkdirSync(home, { recursive: true });
for (const system of systems) {
  const { durable, waiting } = await import(`./systems/${system}.mjs`);
  console.log(`${system}: durable by ${durable}. Those that wait are ${waiting}.`);
}
const rows = [];
const loaded = new Set();
for (let round = 1; round <= Number(options.rounds); round += 1) {
  console.log(`\nround ${round}\n${header()}`);
  const order = [...systems.slice((round - 1) % systems.length), ...systems.slice(0, (round - 1) % systems.length)];
  for (const waiting of counts) {
    for (const system of order) {
      try {
        const row = { round, ...(await turn(system, waiting, loaded)) };
        rows.push(row);
        console.log(line(row));
      } catch (error) {
        console.log(`${system} with ${waiting} waiting: ${error.stack}`);
      }
      writeFileSync(join(options.folder, "jobs.json"), JSON.stringify(rows, null, 1));
    }
  }
}
rmSync(home, { recursive: true, force: true });
console.log(summary(rows, systems, counts));
const wrong = faults(rows, systems, counts, Number(options.rounds));
for (const fault of wrong) console.error(fault);
process.exit(wrong.length === 0 ? 0 : 1);
