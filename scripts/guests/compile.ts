// Sources in, a component out: one function for each tool. Works in a folder of its own that is removed afterwards; paths that
// get into the result are relative to `guests/`, so that it is the same on every machine.

import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { stripTypeScriptTypes } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { componentEmbed, componentNew, parse } from "@bytecodealliance/jco-transpile/wasm-tools";
import { finishCoreModule } from "./core-module.ts";
import type { ExportNames, Recipe } from "./recipes.ts";

const LONGEST_BUILD_MS = 10 * 60_000;
const MOST_OUTPUT_BYTES = 16 * 1024 * 1024;

type Programs = Readonly<Record<string, string>>;

interface Bench {
  /** The folder `guests/`. */
  readonly guests: string;
  /** A folder for what lies between source and result. */
  readonly scratch: string;
  readonly programs: Programs;
}

function program(programs: Programs, name: string): string {
  const path = programs[name];
  if (path === undefined) throw new Error(`the toolchain has no ${name}`);
  return path;
}

/** @throws Error with what the program printed */
async function run(
  bench: Bench,
  path: string,
  args: readonly string[],
  where: string,
  env: NodeJS.ProcessEnv = {},
): Promise<void> {
  const options = { cwd: where, timeout: LONGEST_BUILD_MS, maxBuffer: MOST_OUTPUT_BYTES, env: { ...process.env, ...env } };
  try {
    await promisify(execFile)(path, [...args], options);
  } catch (error) {
    const printed = error instanceof Error && "stderr" in error ? `${String(error.stderr)}` : "";
    throw new Error(`${path} failed${printed === "" ? "" : `:\n${printed.trimEnd()}`}`, { cause: error });
  }
}

async function compileC(bench: Bench, entry: string): Promise<Uint8Array> {
  const object = join(bench.scratch, "guest.o");
  const module = join(bench.scratch, "guest.wasm");
  const language = ["-std=c17", "-ffreestanding", "-fvisibility=hidden", "-Wall", "-Wextra", "-Werror", "-Wno-unused-function"];
  const target = ["--target=wasm32", "-Os", "-mbulk-memory", "-mnontrapping-fptoint", "-msign-ext"];
  await run(bench, program(bench.programs, "clang"), [...target, ...language, "-c", "-o", object, entry], bench.guests);
  const link = ["--no-entry", "-z", "stack-size=16384", "--stack-first", "--strip-all", "-o", module, object];
  await run(bench, program(bench.programs, "linker"), link, bench.guests);
  return readFile(module);
}

/** A command whose source exports `_start` itself. */
async function compileWithLibc(bench: Bench, entry: string): Promise<Uint8Array> {
  const module = join(bench.scratch, "guest.wasm");
  const language = ["-std=c17", "-Wall", "-Wextra", "-Werror", "-Wno-unused-function"];
  const args = ["--target=wasm32-wasi", "-Os", ...language, "-nostartfiles", "-Wl,--strip-all", "-o", module, entry];
  await run(bench, program(bench.programs, "clang"), args, bench.guests);
  return readFile(module);
}

async function compileRust(bench: Bench, entry: string): Promise<Uint8Array> {
  const module = join(bench.scratch, "guest.wasm");
  const codegen = ["opt-level=s", "panic=abort", "lto=fat", "codegen-units=1", "strip=symbols", "link-arg=-zstack-size=65536"];
  const args = ["--edition", "2021", "--crate-type", "cdylib", "--target", "wasm32-unknown-unknown", "-D", "warnings"];
  for (const option of [...codegen, `linker=${program(bench.programs, "linker")}`]) args.push("-C", option);
  await run(bench, program(bench.programs, "rustc"), [...args, "-o", module, entry], bench.guests);
  return readFile(module);
}

async function compileAssemblyScript(bench: Bench, entry: string, runtime: string): Promise<Uint8Array> {
  const module = join(bench.scratch, "guest.wasm");
  const options = ["-O2", "--noAssert", "--use", "abort=", "--stackSize", "16384", "--runtime", runtime];
  await run(bench, process.execPath, [program(bench.programs, "program"), entry, "-o", module, ...options], bench.guests);
  return readFile(module);
}

async function compileGo(bench: Bench, folder: string): Promise<Uint8Array> {
  const module = join(bench.scratch, "guest.wasm");
  const args = ["build", "-buildmode=c-shared", "-trimpath", "-ldflags=-s -w", "-o", module, "."];
  await run(bench, program(bench.programs, "go"), args, join(bench.guests, folder), { GOOS: "wasip1", GOARCH: "wasm" });
  return readFile(module);
}

async function toComponent(
  core: Uint8Array,
  witSource: string,
  stringEncoding: "utf8" | "utf16",
  exports: ExportNames = {},
  adapters: [string, Uint8Array][] = [],
): Promise<Uint8Array> {
  try {
    const embedded = await componentEmbed({ binary: finishCoreModule(core, exports), witSource, stringEncoding });
    return await componentNew(embedded, adapters);
  } catch (error) {
    const reason = error instanceof Error && "payload" in error ? String(error.payload) : String(error);
    throw new Error(`the core module does not fit its WIT: ${reason}`, { cause: error });
  }
}

async function javaScript(bench: Bench, entry: string): Promise<string> {
  const source = join(bench.scratch, "guest.js");
  await writeFile(source, stripTypeScriptTypes(await readFile(join(bench.guests, entry), "utf8")));
  return source;
}

interface Componentizer<Options> {
  readonly componentize: (options: Options) => Promise<{ readonly component: Uint8Array }>;
}

interface StarlingMonkeyOptions {
  readonly sourcePath: string;
  readonly witWorld: string;
  readonly disableFeatures: readonly string[];
}

interface QuickJsOptions {
  readonly jsSource: string;
  readonly witPath: string;
  readonly stubWasi: boolean;
  readonly sync: boolean;
  readonly optSize: boolean;
}

/** Imported when it is needed: neither package has to be there otherwise. */
async function componentizer<Options>(bench: Bench): Promise<Componentizer<Options>> {
  return (await import(pathToFileURL(program(bench.programs, "program")).href)) as Componentizer<Options>;
}

async function runStarlingMonkey(bench: Bench, entry: string, witWorld: string): Promise<Uint8Array> {
  const { componentize } = await componentizer<StarlingMonkeyOptions>(bench);
  const disableFeatures = ["stdio", "random", "clocks", "http", "fetch-event"];
  return (await componentize({ sourcePath: await javaScript(bench, entry), witWorld, disableFeatures })).component;
}

/**
 * The interpreter takes streams that are imported for those of its own WASI, and then they fit nothing else. So they have another name, of
 * the same length, until the component is made.
 */
async function runQuickJs(bench: Bench, entry: string, wit: string, importsWasi: boolean): Promise<Uint8Array> {
  const { componentize } = await componentizer<QuickJsOptions>(bench);
  const jsSource = await readFile(await javaScript(bench, entry), "utf8");
  const witPath = join(bench.scratch, "guest.wit");
  await writeFile(witPath, wit.replaceAll("wasi:io", "late:io"));
  const { component } = await componentize({ jsSource, witPath, stubWasi: !importsWasi, sync: true, optSize: true });
  return Buffer.from(Buffer.from(component).toString("latin1").replaceAll("late:io", "wasi:io"), "latin1");
}

async function runPython(bench: Bench, folder: string, module: string, witPath: string, world: string): Promise<Uint8Array> {
  const component = join(bench.scratch, "guest.wasm");
  const args = ["-d", witPath, "-w", world, "componentize", "--stub-wasi", module, "-o", component];
  await run(bench, program(bench.programs, "program"), args, join(bench.guests, folder), { PYTHONDONTWRITEBYTECODE: "1" });
  return readFile(component);
}

/** The recipe's WIT and the packages that it imports from, in one text. */
async function witOf(recipe: Recipe, bench: Bench): Promise<string> {
  const read = (file: string): Promise<string> => readFile(join(bench.guests, file), "utf8");
  const packages = (recipe.packages ?? []).map(async (file) => nested(await read(file)));
  return [await read(recipe.wit), ...(await Promise.all(packages))].join("\n");
}

/** `package a:b@1.0.0; …` as `package a:b@1.0.0 { … }`: only so can one text have several packages. */
function nested(wit: string): string {
  return wit.replace(/^package ([^;]*);/m, "package $1 {").concat("}\n");
}

async function build(recipe: Recipe, bench: Bench): Promise<Uint8Array> {
  const witPath = join(bench.guests, recipe.wit);
  const wit = await witOf(recipe, bench);
  switch (recipe.tool) {
    case "clang":
      return toComponent(await compileC(bench, recipe.entry), wit, "utf8");
    case "wasi-libc": {
      const adapter = await readFile(program(bench.programs, "adapter"));
      return toComponent(await compileWithLibc(bench, recipe.entry), wit, "utf8", {}, [["wasi_snapshot_preview1", adapter]]);
    }
    case "rustc":
      return toComponent(await compileRust(bench, recipe.entry), wit, "utf8");
    case "assemblyscript":
      return toComponent(await compileAssemblyScript(bench, recipe.entry, recipe.runtime), wit, "utf16", recipe.exports);
    case "go": {
      const adapter = await parse(await readFile(join(bench.guests, recipe.adapter), "utf8"));
      return toComponent(await compileGo(bench, recipe.folder), wit, "utf8", {}, [["wasi_snapshot_preview1", adapter]]);
    }
    case "wat":
      return parse(wit);
    case "componentize-js":
      return runStarlingMonkey(bench, recipe.entry, wit);
    case "componentize-qjs":
      return runQuickJs(bench, recipe.entry, wit, recipe.packages !== undefined);
    case "componentize-py":
      return runPython(bench, recipe.folder, recipe.module, witPath, recipe.world);
  }
}

/**
 * Builds the component of one recipe with the programs of its toolchain.
 * @throws Error with the messages of the tool that failed
 */
export async function compileGuest(recipe: Recipe, guests: string, programs: Programs): Promise<Uint8Array> {
  const scratch = await mkdtemp(join(tmpdir(), "starlane-guest-"));
  try {
    return await build(recipe, { guests, scratch, programs });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
