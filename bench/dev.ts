// How long it takes from the save of a file until the first response with what it says, under `starlane dev`, beside `node --watch` that starts a
// server of `node:http` again.

import { spawn, type ChildProcess } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { get } from "node:http";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse } from "@bytecodealliance/jco-transpile/wasm-tools";
import { type BenchRow, median, row } from "./measure.ts";

export const peerName = "node --watch";

const SAVES = 10;
const root = fileURLToPath(new URL("..", import.meta.url));

/** Something that is saved, and a server that then says something else. */
interface Subject extends AsyncDisposable {
  readonly port: number;
  /** Makes it say this from now on; `content` was made before. */
  readonly contentOf: (text: string) => string | Uint8Array | Promise<string | Uint8Array>;
  readonly file: string;
}

export async function run(): Promise<BenchRow[]> {
  const folder = mkdtempSync(join(root, ".cache/bench-dev-"));
  try {
    await using peer = await watched(join(folder, "peer"));
    const rows: BenchRow[] = [];
    for (const [name, start] of [
      ["save to served, the manifest", manifestSubject],
      ["save to served, a component that was built", wasmSubject],
      ["save to served, TypeScript built for QuickJS", typescriptSubject],
    ] as const) {
      await using ours = await start(join(folder, String(rows.length)));
      const times: { readonly ours: number[]; readonly peer: number[] } = { ours: [], peer: [] };
      for (let i = 0; i <= SAVES; i++) {
        const [peerMs, oursMs] = [await saveToServed(peer, `peer ${rows.length} ${i}`), await saveToServed(ours, `ours ${i}`)];
        // The first one warms up.
        if (i > 0) times.ours.push(oursMs);
        if (i > 0) times.peer.push(peerMs);
      }
      rows.push(row(name, "ms", median(times.ours), median(times.peer)));
    }
    return rows;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function saveToServed(subject: Subject, text: string): Promise<number> {
  const content = await subject.contentOf(text);
  const start = performance.now();
  save(subject.file, content);
  while (!(await said(subject.port)).includes(text)) {
    if (performance.now() > start + 60_000) throw new Error(`${subject.file} was saved, and is not served`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  return performance.now() - start;
}

function save(file: string, content: string | Uint8Array): void {
  mkdirSync(dirname(file), { recursive: true });
  // In place: a file that is renamed to another's name Node's own watcher loses.
  writeFileSync(file, content);
}

/** What the server answers; nothing where it does not. */
function said(port: number): Promise<string> {
  return new Promise((resolve) => {
    const sent = get({ port, host: "127.0.0.1", path: "/", agent: false }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (chunk: string) => (body += chunk));
      response.on("end", () => resolve(body)).on("error", () => resolve(""));
    });
    sent.on("error", () => resolve(""));
  });
}

async function started(args: readonly string[], cwd: string, port: number): Promise<ChildProcess> {
  const child = spawn(process.execPath, args, { cwd, stdio: ["ignore", "ignore", "pipe"] });
  let printed = "";
  child.stderr?.on("data", (chunk: Buffer) => (printed = `${printed}${chunk.toString()}`.slice(-4000)));
  for (const end = performance.now() + 60_000; (await said(port)) === "";) {
    if (child.exitCode !== null || performance.now() > end) throw new Error(`a server does not answer:\n${printed}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return child;
}

async function watched(folder: string): Promise<Subject> {
  const port = await freePort();
  const file = join(folder, "server.mjs");
  const contentOf = (text: string): string =>
    `import { createServer } from "node:http";\ncreateServer((_, response) => response.end(${JSON.stringify(text)})).listen(${port}, "127.0.0.1");\n`;
  save(file, contentOf("first"));
  return subject(await started(["--watch", file], folder, port), { port, file, contentOf });
}

async function dev(folder: string, port: number): Promise<ChildProcess> {
  return await started([join(root, "src/cli/main.ts"), "dev", ".", "--dashboard-port", "0"], folder, port);
}

function subject(child: ChildProcess, parts: Omit<Subject, typeof Symbol.asyncDispose>): Subject {
  const ended = new Promise((resolve) => child.once("exit", resolve));
  return {
    ...parts,
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await ended;
    },
  };
}

async function manifestSubject(folder: string): Promise<Subject> {
  const port = await freePort();
  const file = join(folder, "starlane.yaml");
  const contentOf = (text: string): string => `starlane: v1
operations:
  say:
    output: { said: string }
    flow: |
      say -> <>.said
    nodes:
      say: { uses: "core::expr", with: { expr: "'${text}'" } }
triggers: [ { http: { port: ${port} }, routes: [ "GET / -> say" ] } ]
`;
  save(file, contentOf("first"));
  return subject(await dev(folder, port), { port, file, contentOf });
}

const GUEST = (port: number, component: string): string => `starlane: v1
components:
  guest: ${component}
operations:
  say: { flow: "guest::say -> <>.said" }
triggers: [ { http: { port: ${port} }, routes: [ "GET / -> say" ] } ]
`;

async function wasmSubject(folder: string): Promise<Subject> {
  const port = await freePort();
  const file = join(folder, "guest.wasm");
  save(join(folder, "starlane.yaml"), GUEST(port, "./guest.wasm"));
  const contentOf = (text: string): Promise<Uint8Array> =>
    parse(`(component
      (core module $core
        (memory (export "memory") 1)
        (data (i32.const 0) "\\10\\00\\00\\00\\${Buffer.byteLength(text).toString(16).padStart(2, "0")}\\00\\00\\00")
        (data (i32.const 16) "${text}")
        (func (export "say") (result i32) (i32.const 0)))
      (core instance $m (instantiate $core))
      (func (export "say") (result string) (canon lift (core func $m "say") (memory (core memory $m "memory")))))`);
  save(file, await contentOf("first"));
  return subject(await dev(folder, port), { port, file, contentOf });
}

async function typescriptSubject(folder: string): Promise<Subject> {
  const port = await freePort();
  const file = join(folder, "src/guest.ts");
  save(
    join(folder, "starlane.yaml"),
    GUEST(port, "{ from: ./build/guest.wasm, build: { typescript: ./src/guest.ts, wit: ./wit } }"),
  );
  save(join(folder, "wit/guest.wit"), "package bench:guest;\nworld guest { export say: func() -> string; }\n");
  const contentOf = (text: string): string => `export function say(): string {\n  return ${JSON.stringify(text)};\n}\n`;
  save(file, contentOf("first"));
  return subject(await dev(folder, port), { port, file, contentOf });
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" ? (address?.port ?? 0) : 0;
}
