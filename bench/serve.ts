// What a request costs the server, under wrk: an operation route beside a plain `node:http` server that says hello, each in a process of
// its own, under load at the same time.

import { execFile, spawn, type ChildProcess } from "node:child_process";
import { createServer } from "node:http";
import { promisify } from "node:util";
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
};

const ROUTES = [
  { name: "GET, synchronous operation", path: "/" },
  { name: "GET, path and query parameters", path: "/hello/world?times=3" },
  { name: "GET, asynchronous operation", path: "/later" },
];

export async function run(): Promise<BenchRow[]> {
  const [peer, ours] = [await started("node:http"), await started("operation")];
  try {
    const rows: BenchRow[] = [];
    for (const { name, path } of ROUTES) {
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
    return rows;
  } finally {
    peer.process.kill();
    ours.process.kill();
  }
}

interface Started {
  readonly process: ChildProcess;
  readonly port: number;
}

async function started(name: string): Promise<Started> {
  const child = spawn(process.execPath, [import.meta.filename, name], { stdio: ["ignore", "inherit", "inherit", "ipc"] });
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
