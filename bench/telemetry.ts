// What telemetry costs a server: an operation route (a flow of one node of WebAssembly) that exports traces, metrics and logs to a receiver,
// beside the same without, each in a process of its own, under load at the same time.

import { execFile, spawn, type ChildProcess } from "node:child_process";
import { createServer } from "node:http";
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { serve } from "../src/star/serve.ts";
import { loadTarget } from "../src/star/star.ts";
import { startExporting } from "../src/star/telemetry/start.ts";
import { TransactionMetrics } from "../src/star/telemetry/transaction-metrics.ts";
import type { HttpServer } from "../src/triggers/http/server.ts";
import { type BenchRow, median, row } from "./measure.ts";

export const peerName = "off";

const ROUNDS = 5;
const SECONDS = 2;
const CONNECTIONS = 32;

const WATCHED: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "every trace": {},
  "one trace in ten": { OTEL_TRACES_SAMPLER: "parentbased_traceidratio", OTEL_TRACES_SAMPLER_ARG: "0.1" },
  "metrics and logs only": { OTEL_TRACES_EXPORTER: "none" },
};

const MANIFEST = `starlane: v1
name: acme/bench
components: { text: ./text.wasm }
operations:
  hello: { flow: "<>.name -> text::capitalize -> <>.greeting" }
triggers:
  - { http: { port: 8080 }, routes: [ "GET /hello/{name} -> hello" ] }
`;

export async function run(): Promise<BenchRow[]> {
  const receiver = await started("receiver", {});
  const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${receiver.port}` };
  const off = await started("server", {});
  const rows: BenchRow[] = [];
  try {
    for (const [name, env] of Object.entries(WATCHED)) {
      const watched = await started("server", { ...endpoint, ...env });
      rows.push(await compared(name, watched, off));
      watched.process.kill();
    }
    return rows;
  } finally {
    off.process.kill();
    receiver.process.kill();
  }
}

async function compared(name: string, watched: Started, off: Started): Promise<BenchRow> {
  const costs: { readonly watched: number[]; readonly off: number[] } = { watched: [], off: [] };
  for (let i = 0; i <= ROUNDS; i++) {
    const [watchedCost, offCost] = await Promise.all([costOf(watched), costOf(off)]);
    // The first round warms up.
    if (i > 0) costs.watched.push(watchedCost);
    if (i > 0) costs.off.push(offCost);
  }
  return row(`a request, ${name}`, "us", median(costs.watched), median(costs.off));
}

interface Started {
  readonly process: ChildProcess;
  readonly port: number;
}

async function started(what: string, env: Readonly<Record<string, string>>): Promise<Started> {
  const child = spawn(process.execPath, [import.meta.filename, what], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
    env: { ...process.env, ...env },
  });
  return { process: child, port: await told(child) };
}

/** The next number that a process tells. */
function told(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    const ended = (): void => reject(new Error("a server ended"));
    child.once("exit", ended);
    child.once("message", (message) => {
      child.off("exit", ended);
      resolve(Number(message));
    });
  });
}

async function usedMs(child: ChildProcess): Promise<number> {
  const answer = told(child);
  child.send("used");
  return await answer;
}

/** Milliseconds of the server's processor time for each request, which other work on the machine does not change. */
async function costOf(server: Started): Promise<number> {
  const before = await usedMs(server.process);
  const args = ["-t1", `-c${CONNECTIONS}`, `-d${SECONDS}s`, `http://127.0.0.1:${server.port}/hello/world`];
  const { stdout } = await promisify(execFile)("wrk", args, { encoding: "utf8" });
  const requests = Number(/(\d+) requests in/.exec(stdout)?.[1]);
  if (!(requests > 0) || stdout.includes("Non-2xx")) throw new Error(`wrk failed:\n${stdout}`);
  return ((await usedMs(server.process)) - before) / requests;
}

async function startServer(): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), "starlane-bench-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, "starlane.yaml"), MANIFEST);
  copyFileSync(join(import.meta.dirname, "../guests/c/text.wasm"), join(folder, "text.wasm"));
  const { target } = await loadTarget(folder, { use: "run" });
  const metrics = new TransactionMetrics();
  const running: { server?: HttpServer } = {};
  const exporting = await startExporting(process.env, {
    service: "bench",
    version: "0.0.0",
    mask: (text) => text,
    metrics: { transactions: metrics, http: () => running.server?.metrics() },
  });
  const telemetry = { log: exporting?.log ?? (() => undefined), metrics, tracer: exporting?.tracer };
  running.server = await serve([target], { port: 0, telemetry, httpTelemetry: exporting?.http });
  return running.server.addresses[0]?.port ?? 0;
}

function startReceiver(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer((request, response) => {
      request.resume().on("end", () => response.end());
    }).listen(0, "127.0.0.1", () => {
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : 0);
    });
  });
}

const [, file, what] = process.argv;
if (file === import.meta.filename && what !== undefined) {
  process.on("message", () => {
    const { user, system } = process.cpuUsage();
    process.send?.((user + system) / 1000);
  });
  process.on("disconnect", () => process.exit());
  process.send?.(await (what === "receiver" ? startReceiver() : startServer()));
}
