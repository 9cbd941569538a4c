// A process of clients of one system: `client.mjs SYSTEM ADDRESS TASKS`. It does what its parent asks.

import { sleep } from "./process.mjs";

const PAYLOAD = 128;
const MANY = 1000;

const [, , system, address, tasks] = process.argv;
const n = Number(tasks);
const { connect } = await import(`./systems/${system}.mjs`);
const client = await connect(address, n);

// In nanoseconds, on a clock that all processes share.
const now = () => process.hrtime.bigint();
const seconds = (from, to = now()) => Number(to - from) / 1e9;

// Those that wait are told from the others by having no time.
function payload(behind) {
  const title = behind ? "0".repeat(15) : String(now());
  const bare = JSON.stringify({ title, body: "" }).length;
  return JSON.stringify({ title, body: "x".repeat(PAYLOAD - bare) });
}

const deeds = {
  // So many jobs, in large calls.
  async fill({ jobs, behind }) {
    let left = jobs;
    const lane = async () => {
      while (left > 0) {
        const some = Math.min(left, MANY);
        left -= some;
        await client.addMany(Array.from({ length: some }, () => payload(behind)), behind);
      }
    };
    await Promise.all([lane(), lane()]);
    return jobs;
  },

  // Each task enqueues one job after the other.
  async produce({ length }) {
    await client.add(payload());
    const start = now();
    let added = 0;
    const lane = async () => {
      while (seconds(start) < length) {
        await client.add(payload());
        added += 1;
      }
    };
    await Promise.all(Array.from({ length: n }, lane));
    return { added: added + 1, rate: added / seconds(start) };
  },

  // So many a second, evenly.
  async pace({ length, rate }) {
    const start = now();
    const all = [];
    for (let job = 0; job < length * rate; job += 1) {
      const wait = (job / rate - seconds(start)) * 1000;
      if (wait > 0) await sleep(wait);
      all.push(client.add(payload()));
    }
    await Promise.all(all);
    return { added: all.length };
  },

  // Takes and ends jobs for so long from the first one on, or so many that are not of those that wait, or
  // until none comes.
  async consume({ length, most = Infinity, patience }) {
    const state = { done: 0, fresh: 0, first: null, heard: now(), waits: [], over: null };
    const over = new Promise((resolve) => (state.over = resolve));
    const began = ({ title }) => {
      const at = BigInt(title);
      if (at === 0n) return;
      state.fresh += 1;
      state.waits.push(seconds(at) * 1000);
    };
    const done = () => {
      state.heard = now();
      state.first ??= state.heard;
      state.done += 1;
      if (state.fresh >= most || seconds(state.first, state.heard) >= length) state.over();
    };
    const stop = await client.consume(began, done);
    const silent = () => seconds(state.heard) > patience && state.over();
    const watch = setInterval(silent, 100);
    await over;
    clearInterval(watch);
    const counted = state.done - 1;
    const took = state.first ? seconds(state.first, state.heard) : 0;
    await stop();
    const waits = state.waits.sort((a, b) => a - b);
    return { fresh: state.fresh, rate: took > 0 ? counted / took : 0, took, waits: waits.length > 2000 ? [] : waits };
  },

  async close() {
    await client.close();
    setImmediate(() => process.exit(0));
  },
};

process.on("message", async ({ id, deed, ...rest }) => {
  try {
    process.send({ id, result: await deeds[deed](rest) });
  } catch (error) {
    process.send({ id, error: String(error?.stack ?? error) });
  }
});
process.on("disconnect", () => process.exit(1));
process.send({ ready: true });
