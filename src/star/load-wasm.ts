// A component binary, loaded: read, decoded, validated, its operations listed; compiled and its imports checked where it is to run.
// Each memory of a guest is bounded to 1 GiB.

import { basename } from "node:path";
import { setFlagsFromString } from "node:v8";
import { StarlaneError } from "../base/errors.ts";
import type { ComponentFacts } from "../component/facts.ts";
import type { WorldType } from "../wit/types.ts";
import type { WasmComponent } from "./app.ts";
import { guestCall, type Guest } from "./call-guest.ts";
import { readComponentFile, shown } from "./files.ts";
import { operationsOf } from "./operations.ts";

/**
 * `look`: whatever it is, tell what it asks for and offers. `check`: it must be able to run where it is used. `run`: it must be able
 * to run by itself.
 */
export type Use = "look" | "check" | "run";

/**
 * @throws StarlaneError `component/malformed`, `component/invalid`, `star/file`, and except for `look` `engine/missing-import` with
 * every import that nothing provides
 */
export async function loadWasm(path: string, use: Use): Promise<WasmComponent> {
  const file = shown(path);
  const name = basename(path).replace(/\.wasm$/i, "");
  try {
    const bytes = readComponentFile(path);
    const common = { kind: "wasm", name, file, sizeBytes: bytes.length } as const;
    if (use === "look") {
      const { type, facts } = await lookAt(bytes);
      return { ...common, type, facts, operations: operationsOf(type, () => onlyLookedAt) };
    }
    const guest = await compileGuest(name, file, bytes);
    const { type } = guest.compiled;
    return { ...common, type, operations: operationsOf(type, (exported, func) => guestCall(guest, exported, func.async)) };
  } catch (error) {
    throw located(error, file);
  }
}

function onlyLookedAt(): never {
  throw new StarlaneError("starlane/internal", "a component that was loaded only to be looked at cannot run");
}

// A guest must not be able to take the machine's memory; V8 knows no other bound than this one, of the whole process.
const MAX_MEMORY_PAGES = 16_384;
let isMemoryBounded = false;

function boundMemory(): void {
  if (isMemoryBounded) return;
  isMemoryBounded = true;
  setFlagsFromString(`--wasm-max-mem-pages=${MAX_MEMORY_PAGES}`);
}

async function compileGuest(name: string, file: string, bytes: Uint8Array): Promise<Guest> {
  boundMemory();
  const { compile } = await import("../engine/compile.ts");
  const compiled = await compile(bytes);
  // Most small components import nothing, and need none of what provides imports.
  if (compiled.type.imports.length === 0) return { name, compiled, imports: undefined };
  const { missingImports, missingImportsError } = await import("../capabilities/catalog.ts");
  const missing = missingImportsError(file, missingImports(compiled.type.imports));
  if (missing !== undefined) throw missing;
  const { inertImports } = await import("../capabilities/inert.ts");
  return { name, compiled, imports: inertImports };
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
