// Servers as processes: started in a folder of their own, watched, and ended by their id.

import { spawn } from "node:child_process";
import { createWriteStream, readFileSync, readdirSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";

const running = new Set();

// Whatever ends the benchmark ends what it has started.
export function endAll() {
  for (const child of running) child.kill("SIGKILL");
}

// Starts a program; what it says goes into a file of the folder.
export function start(folder, program, args, options = {}) {
  const log = createWriteStream(join(folder, "said.log"), { flags: "a" });
  const child = spawn(program, args, { cwd: folder, stdio: ["ignore", "pipe", "pipe"], ...options });
  running.add(child);
  child.ended = new Promise((resolve) => {
    const over = (how) => {
      running.delete(child);
      resolve(how);
    };
    child.once("exit", (code, signal) => over(code ?? signal));
    child.once("error", over);
  });
  child.stdout.pipe(log, { end: false });
  child.stderr.pipe(log, { end: false });
  return child;
}

// Asks a program to end, and insists after a while.
export async function end(child, signal = "SIGTERM", patience = 30_000) {
  child.kill(signal);
  const timer = setTimeout(() => child.kill("SIGKILL"), patience);
  await child.ended;
  clearTimeout(timer);
}

// Runs a program to its end.
export async function run(folder, program, args, options = {}) {
  const how = await start(folder, program, args, options).ended;
  if (how !== 0) throw new Error(`${program} ${args.join(" ")} failed: ${how}; see ${folder}/said.log`);
}

export async function until(what, patience, holds) {
  const end = Date.now() + patience;
  for (;;) {
    try {
      const value = await holds();
      if (value) return value;
    } catch (error) {
      if (Date.now() > end) throw new Error(`${what}: ${error.message}`);
    }
    if (Date.now() > end) throw new Error(`${what}: not within ${patience} ms`);
    await sleep(50);
  }
}

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

// Memory in bytes of a process and all below it: what they share counts once.
export function memory(pid) {
  let bytes = 0;
  try {
    const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
    bytes = Number(/^Pss:\s+(\d+)/m.exec(rollup)?.[1] ?? 0) * 1024;
    for (const task of readdirSync(`/proc/${pid}/task`)) {
      const children = readFileSync(`/proc/${pid}/task/${task}/children`, "utf8").trim();
      for (const child of children.split(" ").filter(Boolean)) bytes += memory(child);
    }
  } catch {
    // It has ended meanwhile.
  }
  return bytes;
}
