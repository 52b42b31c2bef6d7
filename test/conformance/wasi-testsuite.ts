// Runs the programs of WebAssembly/wasi-testsuite (branch prod/testsuite-base), where it is beside the checkout:
//   node test/conformance/wasi-testsuite.ts FOLDER [--memory] [part of a name …]
// Programs for wasip3 run as they are; those for wasip1 are made into components with the adapter that jco ships. Those that serve HTTP
// or need a server for it are not run to their end here. With --memory, files are in memory instead of a real folder.

import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { componentNew } from "@bytecodealliance/jco";
import { exitStatusOf } from "../../src/capabilities/cli/interfaces.ts";
import { grantedCli } from "../../src/capabilities/cli/granted.ts";
import { realClocks } from "../../src/capabilities/clocks/real.ts";
import { openFolder } from "../../src/capabilities/filesystem/folder.ts";
import type { Filesystem } from "../../src/capabilities/filesystem/filesystem.ts";
import { grantedFiles } from "../../src/capabilities/filesystem/granted.ts";
import { memoryFilesystem } from "../../src/capabilities/filesystem/memory.ts";
import { linkInert } from "../../src/capabilities/inert.ts";
import { systemRandom } from "../../src/capabilities/random/system.ts";
import { grantedSockets } from "../../src/capabilities/sockets/granted.ts";
import { nodeNetwork } from "../../src/capabilities/sockets/node-network.ts";
import { compile } from "../../src/engine/compile.ts";

const say = (line: string): void => void process.stdout.write(`${line}\n`);

const LIMIT_MS = 20_000;
const ADAPTER = new URL("../../node_modules/@bytecodealliance/jco/lib/wasi_snapshot_preview1.command.wasm", import.meta.url);

interface Operation {
  readonly type: string;
  readonly id?: string;
  readonly payload?: string;
  readonly exit_code?: number;
  readonly env?: Record<string, string>;
  readonly args?: readonly string[];
  readonly root?: string;
}

interface Settings extends Omit<Operation, "type"> {
  readonly operations?: readonly Operation[];
  readonly stdout?: string;
  readonly stderr?: string;
}

function operationsOf(file: string): readonly Operation[] {
  const spec = file.replace(/\.wasm$/, ".json");
  const settings = (existsSync(spec) ? JSON.parse(readFileSync(spec, "utf8")) : {}) as Settings;
  if (settings.operations !== undefined) return settings.operations;
  const { args = [], env = {}, root, exit_code = 0, stdout, stderr } = settings;
  return [
    { type: "run", args, env, ...(root === undefined ? {} : { root }) },
    ...(stdout === undefined ? [] : [{ type: "read", id: "stdout", payload: stdout }]),
    ...(stderr === undefined ? [] : [{ type: "read", id: "stderr", payload: stderr }]),
    { type: "wait", exit_code },
  ];
}

/** A connection to a program that serves: what came is kept until it is asked for. */
async function connectTo(address: string): Promise<{ readonly socket: Socket; readonly received: Pipe }> {
  const [, host = "", port = ""] = /^\[?(.*?)\]?:(\d+)$/.exec(address) ?? [];
  const socket = connect(Number(port), host);
  let isOver = false;
  const received = new Pipe(() => isOver);
  const end = (): void => {
    isOver = true;
    received.tell();
  };
  socket.on("data", (bytes) => received.put(bytes));
  socket.on("close", end).on("error", end);
  await new Promise((resolve) => socket.once("connect", resolve).once("error", resolve));
  return { socket, received };
}

/** Bytes that the program gets, and bytes that it printed. */
class Pipe {
  text = "";
  #told = Promise.withResolvers<void>();
  readonly #isDone: () => boolean;

  constructor(isDone: () => boolean) {
    this.#isDone = isDone;
  }

  put(bytes: Uint8Array | string): void {
    this.text += typeof bytes === "string" ? bytes : new TextDecoder().decode(bytes);
    this.tell();
  }

  tell(): void {
    this.#told.resolve();
    this.#told = Promise.withResolvers();
  }

  async take(length: number): Promise<string> {
    while (this.text.length < length && !this.#isDone()) await this.#told.promise;
    const taken = this.text.slice(0, length);
    this.text = this.text.slice(length);
    return taken;
  }

  async line(): Promise<string> {
    while (!this.text.includes("\n") && !this.#isDone()) await this.#told.promise;
    const end = this.text.indexOf("\n");
    return (await this.take(end + 1)).trim();
  }

  async *bytes(): AsyncGenerator<Uint8Array> {
    while (!this.#isDone() || this.text !== "") {
      const text = await this.take(1);
      const all = text + this.text;
      this.text = "";
      if (all !== "") yield new TextEncoder().encode(all);
    }
  }
}

function inMemoryOf(folder: string): Filesystem {
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) =>
    statSync(join(folder, name)).isFile(),
  );
  return memoryFilesystem({ files: Object.fromEntries(names.map((name) => [name, readFileSync(join(folder, name))])) });
}

async function binaryOf(file: string): Promise<Uint8Array> {
  const bytes = readFileSync(file);
  if (bytes[4] === 0x0d) return bytes;
  return componentNew(bytes, [["wasi_snapshot_preview1", readFileSync(ADAPTER)]]);
}

async function runProgram(file: string): Promise<string | undefined> {
  const operations = operationsOf(file);
  const start = operations[0];
  const root = start?.root === undefined ? undefined : mkdtempSync(join(tmpdir(), "wasi-"));
  if (root !== undefined && start?.root !== undefined)
    cpSync(join(dirname(file), start.root), join(root, "d"), { recursive: true });
  const folder = root === undefined ? undefined : await openFolder(join(root, "d"));
  const backend = folder !== undefined && root !== undefined && inMemory ? inMemoryOf(join(root, "d")) : folder;

  let inputEnded = false;
  let outputEnded = false;
  const stdin = new Pipe(() => inputEnded);
  const [stdout, stderr] = [new Pipe(() => outputEnded), new Pipe(() => outputEnded)];
  let errors = "";
  const granted = [
    grantedCli.configure({
      args: [basename(file), ...(start?.args ?? [])],
      env: start?.env ?? {},
      stdin: { bytes: stdin.bytes() },
      stdout: { write: (bytes) => stdout.put(bytes) },
      stderr: {
        write: (bytes) => {
          errors += new TextDecoder().decode(bytes);
          stderr.put(bytes);
        },
      },
    }),
    realClocks.configure("real"),
    systemRandom.configure("system"),
    grantedSockets(nodeNetwork).configure({
      connect: ["127.0.0.1:*", "[::1]:*"],
      listen: ["127.0.0.1:*", "[::1]:*", "0.0.0.0:*", "[::]:*"],
    }),
    grantedFiles.configure(backend === undefined ? {} : { "/": { backend } }),
  ];
  const inert = linkInert();
  const bindings = granted.map((bind) => bind());
  const imports = Object.assign({}, inert.imports, ...bindings.map((binding) => binding.imports)) as Record<string, unknown>;

  const ending = (async (): Promise<number | string> => {
    try {
      const component = await compile(await binaryOf(file));
      const instance = await component.instantiate(imports);
      const signal = AbortSignal.timeout(LIMIT_MS);
      const transaction = { seed: 1, timestampMs: Date.now(), signal };
      inert.prepare(transaction);
      for (const { prepare } of bindings) prepare?.(transaction);
      // Programs for 0.3 may have a `main` for 0.2 too, which is none.
      const name = [...component.functions.keys()]
        .filter((one) => /^wasi:cli\/run@.*#run$/.test(one))
        .toSorted()
        .at(-1);
      if (name === undefined) return "no export wasi:cli/run";
      await instance.call(name, [], { signal });
      return 0;
    } catch (error) {
      const status = exitStatusOf(error);
      if (status !== undefined) return status;
      if (error instanceof Error && error.name === "ComponentError") return 1;
      return error instanceof Error ? `${error.name}: ${error.message.slice(0, 400)}` : String(error);
    } finally {
      for (const { finish } of bindings) await finish?.("done");
      inputEnded = true;
      outputEnded = true;
      for (const pipe of [stdin, stdout, stderr]) pipe.tell();
      await folder?.close();
      if (root !== undefined) rmSync(root, { recursive: true, force: true });
    }
  })();

  const problems: string[] = [];
  const connections = new Map<string | undefined, Awaited<ReturnType<typeof connectTo>>>();
  for (const { type, id, payload = "", exit_code = 0 } of operations) {
    if (type === "write") stdin.put(payload);
    else if (type === "read") {
      const got = await (id === "stderr" ? stderr : stdout).take(payload.length);
      if (got !== payload) problems.push(`${id} is ${JSON.stringify(got)}, not ${JSON.stringify(payload)}`);
    } else if (type === "connect") connections.set(id, await connectTo(await stdout.line()));
    else if (type === "send") connections.get(id)?.socket.write(payload);
    else if (type === "recv") {
      const got = await connections.get(id)?.received.take(payload.length);
      if (got !== payload) problems.push(`${id} sent ${JSON.stringify(got)}, not ${JSON.stringify(payload)}`);
    } else if (type === "wait") {
      for (const { socket } of connections.values()) socket.end();
      inputEnded = true;
      stdin.tell();
      const status = await ending;
      if (status !== exit_code) problems.push(`ended with ${status}, not ${exit_code}`);
    } else if (type !== "run") {
      problems.push(`operation ${type} is not known here`);
      break;
    }
  }
  inputEnded = true;
  stdin.tell();
  await ending;
  return problems.length === 0
    ? undefined
    : `${problems.join("; ")}${errors === "" ? "" : `\n    ${errors.trim().split("\n").slice(0, 4).join("\n    ")}`}`;
}

const [folder, ...rest] = process.argv.slice(2);
const inMemory = rest.includes("--memory");
const parts = rest.filter((part) => part !== "--memory");
if (folder === undefined || !existsSync(join(folder, "tests"))) {
  say("skipped: wasi-testsuite is not there; give the folder of a checkout of its branch prod/testsuite-base");
  process.exit(0);
}
const suites = [
  "rust/testsuite/wasm32-wasip3",
  "rust/testsuite/wasm32-wasip1",
  "c/testsuite/wasm32-wasip1",
  "assemblyscript/testsuite/wasm32-wasip1",
];
const keepAlive = setInterval(() => undefined, 1000);
for (const suite of suites) {
  const files = readdirSync(join(folder, "tests", suite), { recursive: true, encoding: "utf8" }).filter((name) =>
    name.endsWith(".wasm"),
  );
  let passed = 0;
  let ran = 0;
  for (const name of files.toSorted()) {
    if (parts.length > 0 && !parts.some((part) => `${suite}/${name}`.includes(part))) continue;
    ran++;
    const problem = await runProgram(join(folder, "tests", suite, name));
    if (problem === undefined) passed++;
    else say(`${suite}/${name}: ${problem}`);
  }
  if (ran > 0) say(`${suite}: ${passed} of ${ran}`);
}
clearInterval(keepAlive);
process.exit(0);
