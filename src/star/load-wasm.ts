// A component binary, loaded: read, decoded, validated, its operations listed; compiled and its imports checked where it is to run.

import { hash } from "node:crypto";
import { basename } from "node:path";
import { setFlagsFromString } from "node:v8";
import { StarlaneError } from "../base/errors.ts";
import type { ComponentFacts } from "../component/facts.ts";
import type { Denial } from "../capabilities/capability.ts";
import type { CompiledComponent, InstanceImports, Pool } from "../engine/engine.ts";
import type { Grants, Isolation, LimitsDeclaration } from "../manifest/manifest.ts";
import type { WorldType } from "../wit/types.ts";
import type { Call, WasmComponent } from "./app.ts";
import type { GuestTransaction } from "./calls.ts";
import { guestCall } from "./call-guest.ts";
import { type CodeCache, openCodeCache } from "./code-cache.ts";
import { readComponentFile, readComponentFileLater, shown } from "./files.ts";
import { hasRoom } from "./heap.ts";
import { operationsOf } from "./operations.ts";
import type { RecordedAs } from "./record/transaction-records.ts";
import type { LoadOptions } from "./star.ts";

/**
 * `look`: whatever it is, tell what it asks for and offers. `check`: it must be able to run where it is used. `run`: it must be able
 * to run by itself. `once`: the same, for a process that runs one operation.
 */
export type Use = "look" | "check" | "run" | "once";

/** A file that holds a component. */
export interface Binary {
  /** For people: the file's name without its ending. */
  readonly name: string;
  /** As people know it. */
  readonly file: string;
  readonly sizeBytes: number;
  readonly type: WorldType;
  /** Where it was only looked at. */
  readonly facts?: ComponentFacts | undefined;
  readonly compiled?: CompiledComponent | undefined;
}

/** A binary that can run, and is shared by what uses it in the same way; `pool` is absent where it is only checked or looked at. */
export interface Runnable {
  readonly pool?: Pool<GuestTransaction> | undefined;
}

/** How an app uses a binary. */
export interface GuestSettings {
  readonly limits: LimitsDeclaration;
  readonly isolation: Isolation;
  /** What its instances are given; undefined: only what needs no grant. */
  readonly imports?: (() => InstanceImports<GuestTransaction>) | undefined;
  /** Imports that grants serve. */
  readonly provided?: ReadonlySet<string> | undefined;
}

/** What every component that answers requests is granted. */
export const SERVED: Grants = { http: [] };

export const NO_GRANTS: GuestSettings = { limits: {}, isolation: "transaction" };

/** @throws StarlaneError `component/malformed`, `component/invalid`, `star/file` */
export async function loadBinary(path: string, use: Use): Promise<Binary> {
  const file = shown(path);
  const name = basename(path).replace(/\.wasm$/i, "");
  try {
    if (use === "look") {
      const bytes = readComponentFile(path);
      return { name, file, sizeBytes: bytes.length, ...(await lookAt(bytes)) };
    }
    boundMemory();
    const cache = codeCache()?.forFile(path);
    cache?.readAhead();
    const reading = readComponentFileLater(path);
    const [{ compile }, bytes] = await Promise.all([
      import("../engine/compile.ts"),
      reading,
      import("../engine/pool/pool.ts"),
      import("../engine/pool/rewrite.ts"),
    ]);
    const compiled = await compile(bytes, {
      cache,
      digest: hash("sha256", bytes),
      handOver: true,
      onlyPools: use !== "check",
    });
    return { name, file, sizeBytes: bytes.length, type: compiled.type, compiled };
  } catch (error) {
    throw located(error, file);
  }
}

/** A component by the name that its app knows it by, and who is told of what it is denied. */
export interface UsedAs {
  /** `shop/cart` for one of an app inside. */
  readonly component: string;
  readonly denied: LoadOptions["denied"];
  readonly recordedAs: RecordedAs | undefined;
}

/**
 * A binary as a component of an app; `use` as it was loaded.
 * @throws StarlaneError `engine/missing-import` with every import that nothing provides
 */
export async function wasmComponent(binary: Binary, use: Use, settings: GuestSettings, as: UsedAs): Promise<WasmComponent> {
  return componentOf(binary, await makeRunnable(binary, use, settings), settings.limits, as);
}

/** The same binary can be several components: each is told of under its own name. */
export function componentOf(
  binary: Binary,
  { pool }: Runnable,
  limits: LimitsDeclaration,
  { component, denied, recordedAs }: UsedAs,
): WasmComponent {
  const { name, file, sizeBytes, type, facts } = binary;
  const hasImports = type.imports.length > 0;
  const tell = denied === undefined ? undefined : (denial: Denial): void => denied(component, denial);
  const callOf = (exported: string): Call =>
    pool === undefined ? notRunning : guestCall({ name, pool, hasImports, denied: tell }, exported);
  return { kind: "wasm", name, file, sizeBytes, type, facts, operations: operationsOf(type, { limits, recordedAs }, callOf) };
}

/** @throws StarlaneError `engine/missing-import` with every import that nothing provides */
export async function makeRunnable(binary: Binary, use: Use, settings: GuestSettings): Promise<Runnable> {
  try {
    return use === "look" ? {} : { pool: await poolOf(binary, use, settings) };
  } catch (error) {
    throw located(error, binary.file);
  }
}

async function poolOf(binary: Binary, use: Use, settings: GuestSettings): Promise<Runnable["pool"]> {
  const { compiled } = binary;
  if (compiled === undefined) return undefined;
  const { imports } = compiled.type;
  // Most small components import nothing, and need none of what provides imports.
  const hasImports = imports.length > 0;
  if (hasImports) {
    const { missingImports, missingImportsError } = await import("../capabilities/catalog.ts");
    const missing = missingImportsError(binary.file, missingImports(imports, settings.provided));
    if (missing !== undefined) throw missing;
  }
  if (use === "check") return undefined;
  const { limits, isolation } = settings;
  return await compiled.pool<GuestTransaction>({
    imports: hasImports ? (settings.imports ?? (await import("./inert-instance.ts")).inertInstance) : undefined,
    limits: { memoryBytes: limits.memoryBytes, valueBytes: limits.outputBytes },
    isolation,
    mayAllocate: hasRoom,
    reuse: use !== "once",
  });
}

function notRunning(): never {
  throw new StarlaneError("starlane/internal", "a component that was loaded only to be looked at cannot run");
}

// A guest must not be able to take the machine's memory; V8 knows no other bound than this one, of the whole process.
const MAX_MEMORY_PAGES = 16_384;
let isMemoryBounded = false;

let opened: { readonly cache: CodeCache | undefined } | undefined;

function codeCache(): CodeCache | undefined {
  opened ??= { cache: openCodeCache() };
  return opened.cache;
}

function boundMemory(): void {
  if (isMemoryBounded) return;
  isMemoryBounded = true;
  setFlagsFromString(`--wasm-max-mem-pages=${MAX_MEMORY_PAGES}`);
}

async function lookAt(bytes: Uint8Array): Promise<{ readonly type: WorldType; readonly facts: ComponentFacts }> {
  const { decode } = await import("../component/decode.ts");
  const { validate } = await import("../component/validate.ts");
  const { describeComponent } = await import("../component/facts.ts");
  const component = decode(bytes);
  return { type: validate(component), facts: describeComponent(component) };
}

/** Errors about bytes say in which file. */
function located(error: unknown, file: string): unknown {
  if (!(error instanceof StarlaneError) || error.at?.includes(file) === true || error.message.includes(file)) return error;
  const at = error.at === undefined ? file : `${file}, ${error.at}`;
  return new StarlaneError(error.code, error.message, { at, cure: error.cure, cause: error.cause, data: error.data });
}
