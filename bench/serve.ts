// What a request costs the server, under wrk: an operation route, and components that serve `wasi:http` with fresh memory for each request,
// beside a plain `node:http` server that says hello; each in a process of its own, under load at the same time.

import { execFile, spawn, type ChildProcess } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { serve } from "../src/star/serve.ts";
import { loadTarget } from "../src/star/star.ts";
import { startHttpServer } from "../src/triggers/http/server.ts";
import { type BenchRow, median, row } from "./measure.ts";

export const peerName = "node:http";

const ROUNDS = 7;
const SECONDS = 2;
const CONNECTIONS = 64;

/** What each process serves; the answers are as long as each other. */
const SERVERS: Readonly<Record<string, () => Promise<number>>> = {
  "node:http": async () => {
    const server = createServer((_request, response) => {
      response.writeHead(200, ["content-type", "application/json", "content-length", "15"]);
      response.end('"hello, world!"');
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    return typeof address === "object" ? (address?.port ?? 0) : 0;
  },
  operation: async () => {
    const text = { kind: "string" } as const;
    const server = await startHttpServer({
      listeners: [
        {
          port: 0,
          hosts: [
            {
              hostnames: ["*"],
              routes: [
                {
                  kind: "operation",
                  path: "/",
                  operation: "hello",
                  signature: { params: [], result: text, async: false },
                  call: () => "hello, world!",
                },
                {
                  kind: "operation",
                  path: "/hello/{name}",
                  operation: "greet",
                  signature: {
                    params: [
                      { name: "name", type: text, optional: false },
                      { name: "times", type: { kind: "u32" }, optional: true },
                    ],
                    result: text,
                    async: false,
                  },
                  call: ([name]) => `hello, ${String(name)}!`,
                },
                {
                  kind: "operation",
                  path: "/later",
                  operation: "later",
                  signature: { params: [], result: text, async: true },
                  call: () => Promise.resolve("hello, world!"),
                },
              ],
            },
          ],
        },
      ],
    });
    return server.addresses[0]?.port ?? 0;
  },
  flow: serveFlow,
  "wasi:http 0.2": () => serveGuest("guest-0.2.wasm"),
  "wasi:http 0.3": () => serveGuest("guest-0.3.wasm"),
  "wasi:http 0.3, callbacks": () => serveGuest("guest-0.3-callback.wasm"),
};

/** A component as `starlane serve` serves it. */
async function serveGuest(name: string): Promise<number> {
  const file = join(import.meta.dirname, "../src/capabilities/fixtures/http", name);
  const { target } = await loadTarget(file, { use: "run" });
  const server = await serve([target], { port: 0 });
  return server.addresses[0]?.port ?? 0;
}

/** An app with one flow of one node, which has fresh memory for each request. */
async function serveFlow(): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), "starlane-bench-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  process.once("SIGTERM", () => process.exit());
  cpSync(join(import.meta.dirname, "../guests/assemblyscript/greeter.wasm"), join(folder, "greeter.wasm"));
  const manifest = `starlane: v1
components: { greeter: ./greeter.wasm }
operations:
  hello: { input: { name: string, lang: { type: string, default: en } }, flow: "<> -> greeter::greet -> <>.greeting" }
triggers: [ { http: 0, routes: [ "GET /hello/{name} -> hello" ] } ]
`;
  writeFileSync(join(folder, "starlane.yaml"), manifest);
  const { target } = await loadTarget(folder, { use: "run" });
  const server = await serve([target], { port: 0 });
  return server.addresses[0]?.port ?? 0;
}

const ROUTES = [
  { name: "GET, synchronous operation", server: "operation", path: "/" },
  { name: "GET, path and query parameters", server: "operation", path: "/hello/world?times=3" },
  { name: "GET, asynchronous operation", server: "operation", path: "/later" },
  { name: "GET, flow of one wasm node, isolated", server: "flow", path: "/hello/Ada" },
  { name: "GET, wasi:http 0.2 component, isolated", server: "wasi:http 0.2", path: "/hello" },
  { name: "GET, wasi:http 0.3 component, isolated", server: "wasi:http 0.3", path: "/hello" },
  { name: "GET, wasi:http 0.3 component of callbacks, isolated", server: "wasi:http 0.3, callbacks", path: "/hello" },
];

export async function run(): Promise<BenchRow[]> {
  using peer = await started("node:http");
  const rows: BenchRow[] = [];
  for (const { name, server, path } of ROUTES) {
    using ours = await started(server);
    const costs: { readonly ours: number[]; readonly peer: number[] } = { ours: [], peer: [] };
    for (let i = 0; i <= ROUNDS; i++) {
      // At the same time: whatever else the machine does weighs on both alike.
      const [peerCost, ourCost] = await Promise.all([costOf(peer, "/"), costOf(ours, path)]);
      // The first round warms up.
      if (i > 0) costs.peer.push(peerCost);
      if (i > 0) costs.ours.push(ourCost);
    }
    rows.push(row(name, "us", median(costs.ours), median(costs.peer)));
  }
  return [...rows, await idleConnections()];
}

const OPEN = 8_000;

/** What a connection takes that was answered once and is kept open, beside the same of `node:http`. */
async function idleConnections(): Promise<BenchRow> {
  const [ours, peer] = [await idleKilobytes("operation"), await idleKilobytes("node:http")];
  return { name: "memory of an idle connection", unit: "KB", ours, peer, ratio: peer / ours };
}

async function idleKilobytes(name: string): Promise<number> {
  using server = await started(name);
  // What the first connections bring with them is no part of the others.
  using _first = await connected(server.port, 500);
  const before = memoryOf(server.process);
  using _others = await connected(server.port, OPEN);
  return (memoryOf(server.process) - before) / OPEN;
}

/** Clients in a process of their own; it is ended with them. */
async function connected(port: number, count: number): Promise<Disposable> {
  const file = join(import.meta.dirname, "../src/triggers/http/fixtures/open-connections.ts");
  const child = spawn(process.execPath, [file, String(port), String(count)], { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  const answered = await told(child);
  if (answered < count) throw new Error(`only ${answered} of ${count} connections could be opened`);
  return { [Symbol.dispose]: () => void child.kill() };
}

/** Kilobytes that are resident. */
function memoryOf({ pid }: ChildProcess): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
}

interface Started extends Disposable {
  readonly process: ChildProcess;
  readonly port: number;
}

async function started(name: string): Promise<Started> {
  const child = spawn(process.execPath, [import.meta.filename, name], { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  return { process: child, port: await told(child), [Symbol.dispose]: () => void child.kill() };
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
async function costOf(server: Started, path: string): Promise<number> {
  const before = await usedMs(server.process);
  const args = ["-t1", `-c${CONNECTIONS}`, `-d${SECONDS}s`, `http://127.0.0.1:${server.port}${path}`];
  const { stdout } = await promisify(execFile)("wrk", args, { encoding: "utf8" });
  const requests = Number(/(\d+) requests in/.exec(stdout)?.[1]);
  if (!(requests > 0) || stdout.includes("Non-2xx")) throw new Error(`wrk failed:\n${stdout}`);
  return ((await usedMs(server.process)) - before) / requests;
}

const [, file, name] = process.argv;
if (file === import.meta.filename && name !== undefined) {
  process.on("message", () => {
    const { user, system } = process.cpuUsage();
    process.send?.((user + system) / 1000);
  });
  process.send?.(await SERVERS[name]?.());
}
