// What a run of the benchmark proves, and what it does not.

import assert from "node:assert/strict";
import { test } from "node:test";
import { faults, summary } from "./table.mjs";

const COUNTS = [0, 1000];
const PHASES = ["enqueue1", "enqueue64", "complete1", "complete64", "both", "light"];

// A row in which all is well.
function row(system, round, waiting, changed = {}) {
  const rates = { enqueue1: 100, enqueue64: 100, complete1: 100, complete64: 100, bothIn: 100, bothOut: 100 };
  const disks = Object.fromEntries(PHASES.map((phase) => [phase, [500, 500]]));
  const memory = { rss: 10 << 20, peak: 40 << 20, after: 20 << 20 };
  return { system, round, waiting, ...rates, p50: 1, p99: 2, disks, ...memory, ...changed };
}

// All rows of a run, each changed as its waiting, its system and its round say.
function run(change = () => ({})) {
  const rows = [];
  for (const round of [1, 2, 3]) {
    for (const waiting of COUNTS) {
      for (const system of ["holdfast", "nats"]) rows.push(row(system, round, waiting, change(system, waiting, round)));
    }
  }
  return rows;
}

const found = (rows) => faults(rows, ["holdfast", "nats"], COUNTS, 3);

test("a run in which all is well has no fault", () => {
  assert.deepEqual(found(run()), []);
});

test("a system that was not measured in each round is a fault, whosever it is", () => {
  const rows = run().filter((it) => !(it.system === "nats" && it.waiting === 0 && it.round === 2));
  assert.deepEqual(found(rows), ["nats with 0 waiting was measured in 2 of 3 rounds"]);
});

test("a rate of ours or a wait that is worse by more than a quarter with many waiting is a fault, theirs is none", () => {
  const slower = (figure, value) => found(run((_, waiting) => (waiting > 0 ? { [figure]: value } : {})));
  assert.deepEqual(slower("complete64", 76), []);
  assert.deepEqual(slower("complete64", 74), ["holdfast with 1000 waiting: complete/s, 64 consumers: slower by more than a quarter"]);
  assert.deepEqual(slower("p50", 1.3), []);
  assert.deepEqual(slower("p50", 1.4), ["holdfast with 1000 waiting: enqueue to start, p50 ms: slower by more than a quarter"]);
});

test("a figure that is none is a fault", () => {
  const none = found(run((system, waiting) => (system === "holdfast" && waiting > 0 ? { enqueue1: NaN } : {})));
  assert.equal(none.length, 1);
});

test("more than 64 MiB beyond an empty server is a fault", () => {
  const peak = (bytes) => found(run((system, waiting) => (system === "holdfast" && waiting > 0 ? { peak: bytes } : {})));
  assert.deepEqual(peak(74 << 20), []);
  assert.equal(peak(75 << 20).length, 1);
});

test("what was measured while the disk changed does not count where there is something else", () => {
  const disks = { ...row("x", 1, 0).disks, enqueue1: [500, 100] };
  const rows = run((system, _, round) => (system === "holdfast" && round === 1 ? { enqueue1: 900, disks } : {}));
  const line = summary(rows, ["holdfast", "nats"], COUNTS).split("\n").find((it) => it.startsWith("enqueue/s, 1 producer"));
  assert.match(line, /^enqueue\/s, 1 producer +100 0\.20x +100 0\.20x$/);
});

test("ours stands beside the best of the others in its own round", () => {
  const rows = run((system, _, round) => ({ enqueue1: (system === "holdfast" ? 120 : 100) * round }));
  const lines = summary(rows, ["holdfast", "nats"], COUNTS).split("\n");
  assert.match(lines.findLast((it) => it.startsWith("enqueue/s, 1 producer")), /^enqueue\/s, 1 producer +1\.20 +1\.20 +1\.00$/);
});
