// The whole command under load: `starlane serve` of an app whose operation is a flow of one isolated wasm node, beside a plain `node:http`
// server that answers the same. What a request costs, what a second process brings, how long answers take at half load, and what an idle
// connection takes. Processor times are those of /proc, so that whatever else the machine does, the load generator included, is left out.

import { execFile, spawn, type ChildProcess } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { Agent, get } from "node:http";
import { connect, type Socket } from "node:net";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { type BenchRow, median, row } from "./measure.ts";

export const peerName = "node:http";

const ROUNDS = 5;
const SECONDS = 2;
const CONNECTIONS = 64;
const IDLE_CONNECTIONS = 2000;
const PAGE_KB = 4;
const TICK_MS = 10;
const root = join(import.meta.dirname, "..");

const MANIFEST = `starlane: v1
components: { text: ./bench.wasm }
operations:
  add:
    input: { left: s32, right: s32 }
    flow: <> -> text::add -> <>.sum
triggers:
  - http: 8080
    routes: [ "GET /add?left&right -> add" ]
`;
const PATH = "/add?left=1&right=2";
const PLAIN = `
  const server = require("node:http").createServer((_request, response) => {
    response.writeHead(200, ["content-type", "application/json", "content-length", "9"]);
    response.end('{"sum":3}');
  });
  server.listen(0, "127.0.0.1", () => console.error("at http://127.0.0.1:" + server.address().port));
`;

export async function run(): Promise<BenchRow[]> {
  const folder = mkdtempSync(join(tmpdir(), "starlane-bench-"));
  writeFileSync(join(folder, "starlane.yaml"), MANIFEST);
  copyFileSync(join(root, "guests/wat/bench.wasm"), join(folder, "bench.wasm"));
  const serve = (shards: number): Promise<Server> =>
    started([join(root, "src/cli/main.ts"), "serve", folder, "--port", "0", "--shards", String(shards)]);
  const servers = [await started(["-e", PLAIN]), await serve(1), await serve(2)] as const;
  try {
    const [plain, one, two] = servers;
    return [
      await costs("a request, by processor time", one, plain),
      await scaling(one, two),
      ...(await latencies(one, plain)),
      await idleConnections(one, plain),
    ];
  } finally {
    for (const { child } of servers) child.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Server {
  readonly child: ChildProcess;
  readonly port: number;
}

async function started(args: readonly string[]): Promise<Server> {
  const child = spawn(process.execPath, args, { stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  for await (const chunk of child.stderr) {
    said += String(chunk);
    const port = /at http:\/\/127\.0\.0\.1:(\d+)/.exec(said)?.[1];
    if (port !== undefined) {
      child.stderr.resume();
      return { child, port: Number(port) };
    }
  }
  throw new Error(`a server ended: ${said}`);
}

/** Its own and those of its shards. */
function processesOf({ child }: Server): number[] {
  const pid = child.pid ?? 0;
  return [pid, ...readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean).map(Number)];
}

/** Milliseconds of processor time until now. */
function usedMs(server: Server): number {
  return processesOf(server).reduce((sum, pid) => {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
    return sum + (Number(fields[11]) + Number(fields[12])) * TICK_MS;
  }, 0);
}

const residentKb = (server: Server): number =>
  processesOf(server).reduce((sum, pid) => sum + Number(readFileSync(`/proc/${pid}/statm`, "utf8").split(" ")[1]) * PAGE_KB, 0);

interface Load {
  readonly requests: number;
  readonly usedMs: number;
  /** Processor time of the load generator. */
  readonly generatorMs: number;
}

async function load(server: Server): Promise<Load> {
  const before = [usedMs(server), process.resourceUsage()] as const;
  const args = ["-t1", `-c${CONNECTIONS}`, `-d${SECONDS}s`, `http://127.0.0.1:${server.port}${PATH}`];
  const { stdout, stderr } = await promisify(execFile)("bash", ["-c", `time wrk ${args.map((arg) => `'${arg}'`).join(" ")}`]);
  const requests = Number(/(\d+) requests in/.exec(stdout)?.[1]);
  if (!(requests > 0) || stdout.includes("Non-2xx")) throw new Error(`wrk failed:\n${stdout}`);
  const generatorMs = [...stderr.matchAll(/(?:user|sys)\s+(\d+)m([\d.]+)s/g)].reduce(
    (sum, [, minutes, seconds]) => sum + (Number(minutes) * 60 + Number(seconds)) * 1000,
    0,
  );
  return { requests, usedMs: usedMs(server) - before[0], generatorMs };
}

/** At the same time: whatever else the machine does weighs on both alike. */
async function costs(name: string, ours: Server, peer: Server): Promise<BenchRow> {
  const costs: { readonly ours: number[]; readonly peer: number[] } = { ours: [], peer: [] };
  for (let i = 0; i <= ROUNDS; i++) {
    const [our, their] = await Promise.all([load(ours), load(peer)]);
    // The first round warms up.
    if (i === 0) continue;
    costs.ours.push(our.usedMs / our.requests);
    costs.peer.push(their.usedMs / their.requests);
  }
  return row(name, "us", median(costs.ours), median(costs.peer));
}

/** Time for each request of two processes beside one; with fewer cores than the load generator wants besides, its share is taken off. */
async function scaling(one: Server, two: Server): Promise<BenchRow> {
  const times: { readonly one: number[]; readonly two: number[] } = { one: [], two: [] };
  for (let i = 0; i <= ROUNDS; i++) {
    const [single, pair] = [await load(one), await load(two)];
    if (i === 0) continue;
    times.one.push((SECONDS * 1000) / single.requests);
    const free = Math.min(2, availableParallelism() - pair.generatorMs / (SECONDS * 1000));
    times.two.push(((SECONDS * 1000) / pair.requests) * (free / 2));
  }
  return row("a request of two shards, beside one shard", "us", median(times.two), median(times.one));
}

/** At half of what one shard answers at most, sent at even distances whether answers come or not. */
async function latencies(ours: Server, peer: Server): Promise<BenchRow[]> {
  const { requests } = await load(ours);
  const perSecond = requests / SECONDS / 2;
  const our = await atRate(ours, perSecond);
  const their = await atRate(peer, perSecond);
  const at = (times: readonly number[], share: number): number =>
    times.toSorted((a, b) => a - b)[Math.floor(times.length * share)] ?? NaN;
  return [
    row("an answer at half load, median", "us", at(our, 0.5), at(their, 0.5)),
    row("an answer at half load, 99 of 100", "us", at(our, 0.99), at(their, 0.99)),
  ];
}

/** Milliseconds of each request, counted from when it was due. */
async function atRate(server: Server, perSecond: number): Promise<number[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const times: number[] = [];
  const total = Math.floor(perSecond * SECONDS);
  const begun = performance.now();
  let sent = 0;
  await new Promise<void>((resolve, reject) => {
    const send = (): void => {
      const due = Math.min(total, Math.floor(((performance.now() - begun) / 1000) * perSecond) + 1);
      for (; sent < due; sent++) {
        const dueAt = begun + (sent / perSecond) * 1000;
        get({ port: server.port, host: "127.0.0.1", path: PATH, agent }, (response) => {
          response.resume().on("end", () => {
            times.push(performance.now() - dueAt);
            if (times.length === total) resolve();
          });
        }).on("error", reject);
      }
      if (sent < total) setImmediate(send);
    };
    send();
  });
  agent.destroy();
  return times;
}

async function idleConnections(ours: Server, peer: Server): Promise<BenchRow> {
  const [our, their] = [await perConnection(ours), await perConnection(peer)];
  return { name: "an idle connection", unit: "KB", ours: our, peer: their, ratio: their / our };
}

async function perConnection(server: Server): Promise<number> {
  const before = residentKb(server);
  const sockets = await Promise.all(
    Array.from({ length: IDLE_CONNECTIONS }, async () => {
      const socket = connect(server.port, "127.0.0.1");
      await once(socket, `GET ${PATH} HTTP/1.1\r\nhost: bench\r\n\r\n`);
      return socket;
    }),
  );
  const after = residentKb(server);
  for (const socket of sockets) socket.destroy();
  return (after - before) / IDLE_CONNECTIONS;
}

/** Sends a request, and waits for the beginning of its answer. */
function once(socket: Socket, request: string): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once("data", () => resolve());
    socket.once("error", reject);
    socket.once("connect", () => socket.write(request));
  });
}
