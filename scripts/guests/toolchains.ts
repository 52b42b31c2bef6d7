// Finds the compilers before they are needed. A tool that is missing is not an error here: it is told what to install.

import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Tool } from "./recipes.ts";

const run = promisify(execFile);
const require = createRequire(import.meta.url);

export type Toolchain =
  | { readonly found: true; readonly version: string; readonly programs: Readonly<Record<string, string>> }
  | { readonly found: false; readonly install: string };

/** What a program prints on its standard output, or nothing when it cannot be run. */
async function output(program: string, args: readonly string[]): Promise<string | undefined> {
  try {
    return (await run(program, [...args], { timeout: 30_000 })).stdout.trim();
  } catch {
    return undefined;
  }
}

async function firstWorking(
  candidates: readonly (string | undefined)[],
  works: (program: string) => Promise<boolean>,
): Promise<string | undefined> {
  for (const candidate of candidates) {
    if (candidate !== undefined && candidate !== "" && (await works(candidate))) return candidate;
  }
  return undefined;
}

const LLVM_VERSIONS = ["", "-22", "-21", "-20", "-19", "-18", "-17", "-16", "-15", "-14"];

function wasmLinker(): Promise<string | undefined> {
  const candidates = [process.env["WASM_LD"], ...LLVM_VERSIONS.map((version) => `wasm-ld${version}`)];
  return firstWorking(candidates, async (program) => (await output(program, ["--version"])) !== undefined);
}

async function findClang(): Promise<Toolchain> {
  const candidates = [process.env["CLANG"], ...LLVM_VERSIONS.map((version) => `clang${version}`)];
  const clang = await firstWorking(
    candidates,
    async (program) => (await output(program, ["--print-targets"]))?.includes("wasm32") === true,
  );
  const linker = await wasmLinker();
  if (clang === undefined || linker === undefined) {
    return { found: false, install: "clang and lld with the wasm32 target (Debian: apt install clang lld)" };
  }
  return { found: true, version: firstLine(await output(clang, ["--version"])), programs: { clang, linker } };
}

/** Commands in C: the libc of WASI, and the adapter from WASI 0.1, which that libc asks for, to 0.2. */
async function findWasiLibc(): Promise<Toolchain> {
  const clang = await findClang();
  const adapter = packageFile("@bytecodealliance/jco", "lib/wasi_snapshot_preview1.command.wasm");
  const libc = clang.found
    ? await output(clang.programs["clang"] ?? "", ["--target=wasm32-wasi", "-print-file-name=libc.a"])
    : undefined;
  if (!clang.found || adapter === undefined || libc === undefined || !existsSync(libc)) {
    return {
      found: false,
      install: "clang, lld and wasi-libc (Debian: apt install clang lld wasi-libc libclang-rt-dev-wasm32), npm install",
    };
  }
  return { ...clang, programs: { ...clang.programs, adapter } };
}

async function findRust(): Promise<Toolchain> {
  const hasWasm = async (program: string) => {
    const libraries = await output(program, ["--print", "target-libdir", "--target", "wasm32-unknown-unknown"]);
    return libraries !== undefined && existsSync(libraries);
  };
  const rustc = await firstWorking([process.env["RUSTC"], "rustc", "/usr/bin/rustc"], hasWasm);
  const linker = await wasmLinker();
  if (rustc === undefined || linker === undefined) {
    return {
      found: false,
      install:
        "rustc with the target wasm32-unknown-unknown, and lld (Debian: apt install rustc libstd-rust-dev-wasm32 lld; else rustup target add wasm32-unknown-unknown)",
    };
  }
  return { found: true, version: firstLine(await output(rustc, ["--version"])), programs: { rustc, linker } };
}

async function findGo(): Promise<Toolchain> {
  const go = process.env["GO"] ?? "go";
  const version = await output(go, ["env", "GOVERSION"]);
  const [, major, minor] = /^go(\d+)\.(\d+)/.exec(version ?? "") ?? [];
  const recent = Number(major) > 1 || (Number(major) === 1 && Number(minor) >= 24);
  if (version === undefined || !recent) return { found: false, install: "Go 1.24 or later (https://go.dev/dl)" };
  return { found: true, version, programs: { go } };
}

async function findPython(): Promise<Toolchain> {
  const program = process.env["COMPONENTIZE_PY"] ?? "componentize-py";
  const version = await output(program, ["--version"]);
  if (version === undefined) return { found: false, install: "componentize-py (pip install componentize-py==0.25.1)" };
  return { found: true, version, programs: { program } };
}

/** A file of an installed package; where `exports` hides it, found beside the package's own entry. */
function packageFile(name: string, file: string): string | undefined {
  for (const folder of require.resolve.paths(name) ?? []) {
    const path = join(folder, name, file);
    if (existsSync(path)) return path;
  }
  return undefined;
}

/** `needs`: what the package imports without declaring it. */
function findPackage(name: string, entry: string, needs: readonly string[] = []): Toolchain {
  const manifest = packageFile(name, "package.json");
  const program = packageFile(name, entry);
  const missing = needs.filter((other) => packageFile(other, "package.json") === undefined);
  if (missing.length > 0) return { found: false, install: `the npm package ${missing.join(", ")} (npm install)` };
  if (manifest === undefined || program === undefined) return { found: false, install: `the npm package ${name} (npm install)` };
  const { version } = require(manifest) as { version: string };
  return { found: true, version: `${name} ${version}`, programs: { program } };
}

function firstLine(text: string | undefined): string {
  return text?.split("\n")[0] ?? "";
}

async function find(tool: Tool): Promise<Toolchain> {
  switch (tool) {
    case "clang":
      return findClang();
    case "wasi-libc":
      return findWasiLibc();
    case "rustc":
      return findRust();
    case "go":
      return findGo();
    case "componentize-py":
      return findPython();
    case "assemblyscript":
      return findPackage("assemblyscript", "bin/asc.js");
    case "componentize-js":
      return findPackage("@bytecodealliance/componentize-js", "src/componentize.js", ["@bytecodealliance/preview2-shim"]);
    case "componentize-qjs":
      return findPackage("componentize-qjs", "index.js");
    case "wat":
      return findPackage("@bytecodealliance/jco-transpile", "dist/wasm-tools.js");
  }
}

const known = new Map<Tool, Promise<Toolchain>>();

/** Looks for the tool once. */
export function toolchain(tool: Tool): Promise<Toolchain> {
  let answer = known.get(tool);
  if (answer === undefined) {
    answer = find(tool);
    known.set(tool, answer);
  }
  return answer;
}
