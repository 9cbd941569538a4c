// Holdfast over its WebSocket protocol `holdfast-work.v1`: one connection for all producers, one for all
// consumers, who are that much credit. Ending a job gives its credit back and takes the next one.

import { randomBytes } from "node:crypto";
import { connect as dial } from "node:net";
import { WebSocket } from "ws";
import * as http from "./holdfast.mjs";

export const { durable, waiting, start } = http;

const QUEUE = { ns: "work", queue: "inbox" };
// Of a connection of jobs.
const OPEN = 64;

export async function connect(address, n) {
  const url = address.replace("http", "ws") + "/ws";
  const asked = new Map();
  const connection = { asked, last: 0, leased: () => {} };
  const createConnection = ({ host, port }) => (connection.tcp = dial(port, host));
  const socket = new WebSocket(url, "holdfast-work.v1", { createConnection, perMessageDeflate: false });
  connection.socket = socket;
  const greeted = new Promise((resolve, reject) => {
    socket.onopen = () => send(connection, { hello: { name: "bench" } });
    socket.onerror = reject;
    socket.onclose = ({ code, reason }) => {
      clearInterval(connection.pings);
      for (const { reject } of asked.values()) reject(new Error(`closed: ${code} ${reason}`));
    };
    socket.onmessage = ({ data }) => heard(connection, data, resolve);
  });
  const { limits } = await greeted;
  const ping = () => send(connection, { ping: { n: ++connection.last } });
  connection.pings = setInterval(ping, limits.ping_every);
  const bulk = await http.connect(address, 1);
  const lanes = Math.min(n, OPEN);
  return {
    add: (data) => ask(connection, "enqueue", { id: uuid(), ...QUEUE, type: "task" }, data),
    addMany: bulk.addMany,
    consume: (began, done) => consume(connection, lanes, began, done),
    close: async () => {
      await bulk.close();
      socket.close();
    },
  };
}

function heard(connection, text, greeted) {
  const frame = JSON.parse(text);
  const [kind] = Object.keys(frame);
  const body = frame[kind];
  if (kind === "welcome") greeted(body);
  if (kind === "leased" && body.sub) connection.leased(body.job);
  if (body.req === undefined) return;
  const waits = connection.asked.get(body.req);
  connection.asked.delete(body.req);
  if (kind === "refused") waits?.reject(new Error(text));
  else waits?.resolve(body);
}

// What is sent at one turn of the loop is written at once.
function send(connection, frame, payload) {
  if (!connection.corked) {
    connection.corked = true;
    connection.tcp.cork();
    process.nextTick(() => {
      connection.corked = false;
      connection.tcp.uncork();
    });
  }
  const head = JSON.stringify(frame);
  connection.socket.send(payload === undefined ? head : `${head}\n${payload}`);
}

function ask(connection, kind, body, payload) {
  const req = ++connection.last;
  return new Promise((resolve, reject) => {
    connection.asked.set(req, { resolve, reject });
    send(connection, { [kind]: { req, ...body } }, payload);
  });
}

function consume(connection, n, began, done) {
  let stopped = false;
  let held = 0;
  let empty = () => {};
  const subscribed = ask(connection, "consume", { ...QUEUE, credit: n });
  const leased = async ({ id, token, data }) => {
    held += 1;
    began(data);
    const { sub } = await subscribed;
    await ask(connection, "complete", { job: id, token, next: stopped ? undefined : sub });
    held -= 1;
    done();
    if (held === 0) empty();
  };
  connection.leased = leased;
  return async () => {
    stopped = true;
    const { sub } = await subscribed;
    await ask(connection, "unconsume", { sub });
    if (held > 0) await new Promise((resolve) => (empty = resolve));
  };
}

// Of version 7: by the time, and then by chance.
function uuid() {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(Date.now(), 0, 6);
  bytes[6] = (bytes[6] & 0x0f) | 0x70;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
