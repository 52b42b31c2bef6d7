// One thread, one guest in an endless loop, and a neighbour: what the neighbour gets done beside what it gets done alone. Half would be its
// share; the guest is suspended after each slice, so that nobody waits longer than that. `ours` are the times with the loop, `peer` those
// without; the neighbour's 99th percentile is told on standard error.

import { readFileSync } from "node:fs";
import { Agent, createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { compile } from "../src/engine/compile.ts";
import type { Pool } from "../src/engine/engine.ts";
import { type BenchRow, median, row } from "./measure.ts";

export const peerName = "alone";

const MS = 1500;
const CONNECTIONS = [1, 16];

/** Does something again and again until it is stopped; tells how long each took. */
type Neighbour = (isOver: () => boolean, took: (ms: number) => void) => Promise<void>;

export async function run(): Promise<BenchRow[]> {
  const component = await compile(readFileSync(join(import.meta.dirname, "../guests/c/faults.wasm")));
  const pool = await component.pool();
  const text = await (await compile(readFileSync(join(import.meta.dirname, "../guests/c/text.wasm")))).pool();
  const rows = [await beside(pool, "pool calls, one a macrotask", callsOf(text))];
  const server = createServer((_, response) => response.end(String(text.callNow("upper", ["some text"]))));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  for (const count of CONNECTIONS) rows.push(await beside(pool, `HTTP, ${count} connections`, requestsOf(port, count)));
  server.close();
  pool.close();
  return rows;
}

async function beside(pool: Pool, name: string, neighbour: Neighbour): Promise<BenchRow> {
  await measure(neighbour);
  const alone = await measure(neighbour);
  const controller = new AbortController();
  const loop = pool.call("acme:faults/faults@1.0.0#spin", [], { signal: controller.signal }).catch(() => undefined);
  const shared = await measure(neighbour);
  controller.abort();
  await loop;
  const share = (shared.count / alone.count) * 100;
  console.error(
    `${name}: ${share.toFixed(0)} % of what it does alone; p99 ${shared.p99.toFixed(2)} ms (alone ${alone.p99.toFixed(2)} ms), ` +
      `median ${shared.median.toFixed(2)} ms`,
  );
  return row(name, "us", MS / shared.count, MS / alone.count);
}

interface Measured {
  readonly count: number;
  readonly median: number;
  readonly p99: number;
}

async function measure(neighbour: Neighbour): Promise<Measured> {
  const times: number[] = [];
  const end = performance.now() + MS;
  await neighbour(
    () => performance.now() >= end,
    (ms) => times.push(ms),
  );
  const sorted = times.toSorted((a, b) => a - b);
  return { count: times.length, median: median(times), p99: sorted[Math.floor(sorted.length * 0.99)] ?? NaN };
}

function callsOf(pool: Pool): Neighbour {
  return async (isOver, took) => {
    while (!isOver()) {
      const started = performance.now();
      await new Promise((resolve) => setImmediate(resolve));
      await pool.call("upper", ["some text"]);
      took(performance.now() - started);
    }
  };
}

/** Connections that stay open, each with one request after the other. */
function requestsOf(port: number, count: number): Neighbour {
  return async (isOver, took) => {
    const agent = new Agent({ keepAlive: true, maxSockets: count });
    const one = async (): Promise<void> => {
      while (!isOver()) {
        const started = performance.now();
        await new Promise<void>((resolve, reject) => {
          const sent = request({ port, host: "127.0.0.1", agent }, (response) => {
            response.resume();
            response.on("end", resolve);
          });
          sent.on("error", reject);
          sent.end();
        });
        took(performance.now() - started);
      }
    };
    await Promise.all(Array.from({ length: count }, one));
    agent.destroy();
  };
}
