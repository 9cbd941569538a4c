// The figures as people read them.

const RATES = ["enqueue1", "enqueue64", "complete1", "complete64", "bothIn", "bothOut"];
const WAITS = ["p50", "p99"];
const NAMES = {
  enqueue1: "enqueue/s, 1 producer",
  enqueue64: "enqueue/s, 64 producers",
  complete1: "complete/s, 1 consumer",
  complete64: "complete/s, 64 consumers",
  bothIn: "64 and 64 at once: enqueue/s",
  bothOut: "64 and 64 at once: complete/s",
  p50: "enqueue to start, p50 ms",
  p99: "enqueue to start, p99 ms",
};
// The phase that a figure is of.
const PHASES = { bothIn: "both", bothOut: "both", p50: "light", p99: "light" };
const STEADY = 0.2;
// What a rate with many waiting has to be of that with few, at least.
const LEAST = 0.75;
// Bytes that a server of ours may have at most with many waiting, beyond what it has empty.
const MOST_BYTES = 64 * 1048576;
const OURS = "holdfast";

const cell = (text, width) => String(text).padStart(width);
const digits = (value) => (Number.isFinite(value) ? value.toFixed(value < 10 ? 2 : 0) : "-");
const mib = (bytes) => (bytes / 1048576).toFixed(0);

const COLUMNS = ["enq 1", "enq 64", "done 1", "done 64", "both in", "both out", "p50 ms", "p99 ms", "MiB", "peak", "after"];

export function header() {
  const head = ["system".padEnd(12), cell("waiting", 8), cell("syncs/s", 12)];
  return [...head, ...COLUMNS.map((name) => cell(name, 9))].join("");
}

// The disk's syncs a second about a figure, and whether it was the same before and after.
function disk(row, name) {
  const [before, after] = row.disks[PHASES[name] ?? name] ?? [NaN, NaN];
  const steady = Math.abs(before - after) / Math.max(before, after) < STEADY;
  return { syncs: (before + after) / 2, steady };
}

export function line(row) {
  const all = Object.values(row.disks).flat();
  const range = `${digits(Math.min(...all))}-${digits(Math.max(...all))}`;
  const head = [row.system.padEnd(12), cell(row.waiting, 8), cell(range, 12)];
  const figure = (name) => digits(row[name]) + (disk(row, name).steady ? " " : "!");
  const memory = [row.rss, row.peak, row.after].map(mib);
  return [...head, ...[...[...RATES, ...WAITS].map(figure), ...memory].map((text) => cell(text, 9))].join("");
}

function median(values) {
  const sorted = values.filter(Number.isFinite).sort((a, b) => a - b);
  if (sorted.length === 0) return NaN;
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

const isOurs = (system) => system.startsWith(OURS);

// A system's rows in which a figure counts: where no round was steady, all, and it is said.
function counted(rows, system, waiting, name) {
  const all = rows.filter((row) => row.system === system && row.waiting === waiting);
  const steady = all.filter((row) => disk(row, name).steady);
  return { rows: steady.length ? steady : all, mark: steady.length ? "" : "!" };
}

// How far ahead of the best peer of the same round: above 1 is better, for times too.
function ahead(rows, row, name) {
  const peers = rows.filter((it) => it.round === row.round && it.waiting === row.waiting && !isOurs(it.system));
  const values = peers.map((it) => good(it, name)).filter(Number.isFinite);
  return values.length ? good(row, name) / Math.max(...values) : NaN;
}

// More is better.
const good = (row, name) => (WAITS.includes(name) ? 1 / row[name] : row[name]);

export function summary(rows, systems, counts) {
  const out = ["", "medians of the steady rounds (! none was), and how many there are to one sync of the disk"];
  for (const waiting of counts) {
    out.push("", `${waiting} waiting`, ["".padEnd(32), ...systems.map((system) => cell(system, 16))].join(""));
    for (const name of [...RATES, ...WAITS]) {
      const cells = systems.map((system) => {
        const { rows: own, mark } = counted(rows, system, waiting, name);
        const shares = own.map((row) => row[name] / disk(row, name).syncs);
        const share = WAITS.includes(name) ? "" : ` ${digits(median(shares))}x`;
        return cell(digits(median(own.map((row) => row[name]))) + mark + share, 16);
      });
      out.push(NAMES[name].padEnd(32) + cells.join(""));
    }
    const memory = systems.map((system) => {
      const own = rows.filter((row) => row.system === system && row.waiting === waiting);
      return cell(["rss", "peak", "after"].map((name) => mib(median(own.map((row) => row[name])))).join("/"), 16);
    });
    out.push("MiB before, peak, after".padEnd(32) + memory.join(""));
  }
  for (const system of systems.filter(isOurs)) out.push(...ours(rows, system, counts));
  return out.join("\n");
}

// With many waiting, beside with few.
function beside(rows, system, name, [few, many]) {
  const [before, after] = [few, many].map((waiting) => {
    const { rows: own } = counted(rows, system, waiting, name);
    return median(own.map((row) => good(row, name)));
  });
  return after / before;
}

// Bytes of memory that a system has at most with many waiting, beyond what it has empty.
function grown(rows, system, [few, many]) {
  const own = (waiting) => rows.filter((row) => row.system === system && row.waiting === waiting);
  return Math.max(...own(many).map((row) => row.peak)) - Math.min(...own(few).map((row) => row.rss));
}

// What makes a run one that proves nothing, or proves that a bound does not hold.
export function faults(rows, systems, counts, rounds) {
  const out = [];
  for (const waiting of counts) {
    for (const system of systems) {
      const had = rows.filter((row) => row.system === system && row.waiting === waiting).length;
      if (had < rounds) out.push(`${system} with ${waiting} waiting was measured in ${had} of ${rounds} rounds`);
    }
  }
  const [few, many] = [counts[0], counts.at(-1)];
  for (const system of systems.filter(isOurs)) {
    // The slowest one of a hundred is too few to be a bound.
    for (const name of few === many ? [] : [...RATES, "p50"]) {
      if (!(beside(rows, system, name, [few, many]) >= LEAST)) out.push(`${system} with ${many} waiting: ${NAMES[name]}: slower by more than a quarter`);
    }
    if (!(grown(rows, system, [few, many]) <= MOST_BYTES)) out.push(`${system} with ${many} waiting: it takes more than ${mib(MOST_BYTES)} MiB beyond what it takes empty`);
  }
  return out;
}

function ours(rows, system, counts) {
  const [few, many] = [counts[0], counts.at(-1)];
  const out = ["", `${system}: beside the best peer of the same round with ${counts.join(", with ")} waiting; the latter beside the former`];
  for (const name of [...RATES, ...WAITS]) {
    const best = counts.map((waiting) => {
      const { rows: own } = counted(rows, system, waiting, name);
      return cell(digits(median(own.map((row) => ahead(rows, row, name)))), 8);
    });
    const part = beside(rows, system, name, [few, many]);
    out.push(`${NAMES[name].padEnd(32)}${best.join("")}${cell(digits(part), 10)}${part < LEAST ? "  slower by more than a quarter" : ""}`);
  }
  out.push(`with ${many} waiting it has up to ${mib(grown(rows, system, [few, many]))} MiB more than empty`);
  return out;
}
