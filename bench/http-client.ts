// Outgoing HTTP of a guest beside undici bare, against the same server; and a thousand transactions that wait at once on one thread.

import { once } from "node:events";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { Agent } from "undici";
import type { CapabilityTransaction } from "../src/capabilities/capability.ts";
import { grantedHttp } from "../src/capabilities/http/granted.ts";
import type { HttpClient } from "../src/capabilities/http/http-client.ts";
import type { HttpRequest } from "../src/capabilities/http/http-message.ts";
import { httpHandlerOf } from "../src/capabilities/http/handler.ts";
import { type GuestCall, handleWithGuest } from "../src/capabilities/http/incoming.ts";
import { undiciClient } from "../src/capabilities/http/undici-client.ts";
import { compile } from "../src/engine/compile.ts";
import { type BenchRow, compare, row } from "./measure.ts";

export const peerName = "undici 8 bare";

const WAITING = 1000;
const SLOW_MS = 2000;

export async function run(): Promise<BenchRow[]> {
  const server = await serverInThread();
  const client = undiciClient({ connectionsPerOrigin: WAITING });
  const agent = new Agent({ connections: WAITING });
  try {
    return await rows(server.authority, client, agent);
  } finally {
    await client[Symbol.asyncDispose]();
    await agent.destroy();
    await server.stop();
  }
}

async function rows(authority: string, client: HttpClient, agent: Agent): Promise<BenchRow[]> {
  const send = await guestSender("0.3", client, authority);
  const sendOlder = await guestSender("0.2", client, authority);
  const bare = (path: string) => async () => {
    const { body } = await agent.request({ origin: `http://${authority}`, path, method: "GET" });
    for await (const _ of body);
  };
  const concurrently = (work: () => Promise<void>, count: number) => () => Promise.all(Array.from({ length: count }, work));
  return [
    await compare("GET, 1 KB, one after another (0.3)", "us", send("/small"), bare("/small")),
    await compare("GET, 1 KB, one after another (0.2)", "us", sendOlder("/small"), bare("/small")),
    await compare(
      "GET, 1 KB, 32 at once (0.3), all of them",
      "ms",
      concurrently(send("/small"), 32),
      concurrently(bare("/small"), 32),
    ),
    await compare("GET, 10 MB (0.3)", "ms", send("/large"), bare("/large")),
    await compare("GET, 10 MB (0.2)", "ms", sendOlder("/large"), bare("/large")),
    ...(await waiting("0.3", send("/slow"), bare("/slow"))),
    ...(await waiting("0.2", sendOlder("/slow"), bare("/slow"))),
  ];
}

/** A whole transaction each time: a fresh instance of the pool, a request that it sends on, its answer read to the end. */
async function guestSender(version: string, client: HttpClient, authority: string) {
  const compiled = await compile(
    readFileSync(new URL(`../src/capabilities/fixtures/http/guest-${version}.wasm`, import.meta.url)),
  );
  const handler = httpHandlerOf(compiled.functions.keys());
  if (handler === undefined) throw new Error("the guest serves no HTTP");
  const bind = grantedHttp(client).configure([`http://${authority}`]);
  const pool = await compiled.pool<CapabilityTransaction>({ imports: bind, maxInstances: WAITING });
  const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
  return (path: string) => async (): Promise<void> => {
    const { signal } = new AbortController();
    const transaction = { seed: 1, timestampMs: 0, signal };
    const headers = [["x-authority", bytes(authority)], ["x-path", bytes(path)]] as const; // prettier-ignore
    const request: HttpRequest = { method: "GET", scheme: "http", authority: "localhost", path: "/send", headers };
    const call: GuestCall = (name, args) => pool.call(name, args, { signal, transaction });
    const { body, finished } = await handleWithGuest(call, handler, request, { signal });
    for await (const _ of body);
    await finished;
  };
}

/** All at once: how long until the last has its answer, beyond what the server takes; and what each of them takes while it waits. */
async function waiting(version: string, ours: () => Promise<void>, peer: () => Promise<void>): Promise<BenchRow[]> {
  const [mine, theirs] = [await allAtOnce(ours), await allAtOnce(peer)];
  return [
    row(`${WAITING} transactions waiting at once, until the last is done (${version})`, "ms", mine.ms, theirs.ms),
    {
      name: `${WAITING} transactions waiting at once, memory of each (${version})`,
      unit: "KB",
      ours: mine.kilobytesEach,
      peer: theirs.kilobytesEach,
      ratio: theirs.kilobytesEach / mine.kilobytesEach,
    },
  ];
}

async function allAtOnce(work: () => Promise<void>): Promise<{ readonly ms: number; readonly kilobytesEach: number }> {
  await Promise.all(Array.from({ length: WAITING }, work));
  globalThis.gc?.();
  const before = process.memoryUsage.rss();
  const start = performance.now();
  const all = Promise.all(Array.from({ length: WAITING }, work));
  await sleep(SLOW_MS * 0.75);
  globalThis.gc?.();
  const during = process.memoryUsage.rss();
  await all;
  return { ms: performance.now() - start - SLOW_MS, kilobytesEach: Math.max(0, during - before) / 1024 / WAITING };
}

const SERVER = `
const { createServer } = require("node:http");
const { parentPort, workerData } = require("node:worker_threads");
const small = Buffer.alloc(1024, 97), large = Buffer.alloc(10 << 20, 97);
const server = createServer((request, response) => {
  if (request.url === "/slow") return setTimeout(() => response.end("done"), workerData);
  const body = request.url === "/large" ? large : small;
  response.writeHead(200, { "content-length": body.length }).end(body);
});
server.listen({ port: 0, host: "127.0.0.1", backlog: 2048 }, () => parentPort.postMessage(server.address().port));
`;

/** The server must not take the time of what is measured. */
async function serverInThread(): Promise<{ readonly authority: string; stop(): Promise<unknown> }> {
  const worker = new Worker(SERVER, { eval: true, workerData: SLOW_MS });
  const [port] = (await once(worker, "message")) as [number];
  return { authority: `127.0.0.1:${port}`, stop: () => worker.terminate() };
}
