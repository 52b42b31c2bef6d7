// The engine beside jco: the same component, the same calls, one run.

import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { transpile } from "@bytecodealliance/jco";
import { compile } from "../src/engine/compile.ts";
import { type BenchRow, compare } from "./measure.ts";

export const peerName = "jco 1.35";

type Exports = Record<"add" | "echo" | "echoNumbers" | "echoStrings" | "echoRecord", (...args: unknown[]) => unknown>;
interface Transpiled {
  instantiate(getCoreModule: (path: string) => WebAssembly.Module, imports: object): Promise<Exports>;
}

const FOLDER = join(import.meta.dirname, "../.cache/bench-engine");

export async function run(): Promise<BenchRow[]> {
  const bytes = readFileSync(join(import.meta.dirname, "../guests/wat/bench.wasm"));
  const component = await compile(bytes);
  const ours = (await component.instantiate()).exports as Exports;
  const { instantiate, modules } = await transpiled(bytes);
  const getModule = (path: string): WebAssembly.Module => {
    const module = modules.get(path);
    if (module === undefined) throw new Error(`jco asked for ${path}`);
    return module;
  };
  const peer = await instantiate(getModule, {});
  const kilobyte = "a".repeat(1024);
  const numbers = Uint32Array.from({ length: 10_000 }, (_, i) => i);
  const strings = Array.from({ length: 1_000 }, (_, i) => `item number ${i}`);
  const person = { id: 7, name: "Ada Lovelace", score: 0.5, active: true };
  return [
    await compare(
      "add(s32, s32) -> s32",
      "ns",
      () => ours.add(1, 2),
      () => peer.add(1, 2),
    ),
    await compare(
      "echo(string), 10 B",
      "ns",
      () => ours.echo("0123456789"),
      () => peer.echo("0123456789"),
    ),
    await compare(
      "echo(string), 1 KB",
      "ns",
      () => ours.echo(kilobyte),
      () => peer.echo(kilobyte),
    ),
    await compare(
      "echo(record)",
      "ns",
      () => ours.echoRecord(person),
      () => peer.echoRecord(person),
    ),
    await compare(
      "echo(list<u32>), 10 000",
      "us",
      () => ours.echoNumbers(numbers),
      () => peer.echoNumbers(numbers),
    ),
    await compare(
      "echo(list<string>), 1 000",
      "us",
      () => ours.echoStrings(strings),
      () => peer.echoStrings(strings),
    ),
    await compare(
      "compile",
      "us",
      () => compile(bytes),
      () => transpiled(bytes),
      5,
    ),
    await compare(
      "instantiate",
      "us",
      () => component.instantiateSync(),
      () => instantiate(getModule, {}),
    ),
  ];
}

let generation = 0;

/** What jco needs before a first instance: generated JS, evaluated, and the core modules compiled. */
async function transpiled(bytes: Uint8Array): Promise<Transpiled & { modules: Map<string, WebAssembly.Module> }> {
  const { files } = await transpile(bytes, { name: "peer", instantiation: "async", noTypescript: true });
  const folder = join(FOLDER, String(generation++));
  const modules = new Map<string, WebAssembly.Module>();
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
    if (path.endsWith(".wasm")) modules.set(path, new WebAssembly.Module(content as Uint8Array<ArrayBuffer>));
  }
  const loaded = (await import(pathToFileURL(join(folder, "peer.js")).href)) as Transpiled;
  rmSync(folder, { recursive: true });
  return { instantiate: loaded.instantiate, modules };
}
