// The reference scripts of the component model, where they lie beside the checkout: every valid component must be accepted,
// every invalid one refused. Exceptions stand in a list with their reason, and the list only gets shorter.

import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parse } from "@bytecodealliance/jco-transpile/wasm-tools";
import { StarlaneError } from "../base/errors.ts";
import { decode, isCoreModule } from "./decode.ts";
import { validate } from "./validate.ts";

const root = fileURLToPath(new URL("../../../shared/conformance/", import.meta.url));
const reader = fileURLToPath(new URL("../../../shared/tools/wast.mjs", import.meta.url));
const skip = existsSync(root) && existsSync(reader) ? false : "the conformance scripts are not beside this checkout";

/** Commands whose component is refused by others, but not here, and why. */
const ACCEPTED_INVALID = new Map([
  ["spec/validation/core-modules.wast:24", "code of a core module: V8 validates it when the module is compiled"],
  ["wasmtime/restrictions.wast:1", "a limit of one engine, no rule of the component model"],
  ["wasmtime/restrictions.wast:5", "a limit of one engine, no rule of the component model"],
  ["wasmtime/restrictions.wast:9", "a limit of one engine, no rule of the component model"],
  ["wasmtime/restrictions.wast:16", "a limit of one engine, no rule of the component model"],
]);

/** Components in syntax that the text parser does not read. */
const UNREADABLE = new Map([
  ["spec/async/cancellable.wast:13", "`cancellable` is no longer part of the text format"],
  ["wasmtime/alias-region-known-imported-canonical-abi-memory.wast:12", "an inline export name in a memory option"],
  ["wasmtime/async/task-deletion.wast:11", "`cancellable` is no longer part of the text format"],
]);

interface Unit {
  readonly kind?: string;
  readonly binary?: Uint8Array;
  readonly parseError?: string;
}

interface Command extends Unit {
  readonly type: string;
  readonly line: number;
  readonly module?: Unit;
}

type ReadScript = (source: string, read: typeof parse) => Promise<{ readonly commands: readonly Command[] }>;

async function loadReader(): Promise<ReadScript> {
  const loaded: { readonly readScript: ReadScript } = await import(pathToFileURL(reader).href);
  return loaded.readScript;
}

/** The component of a command, if there is one to check. */
function unitOf(command: Command): Unit | undefined {
  if (command.type === "component" || command.type.startsWith("assert_") || command.type === "module") {
    const unit = command.module ?? command;
    if (unit.kind === "instance" || (unit.binary === undefined && unit.parseError === undefined)) return undefined;
    return unit.binary !== undefined && isCoreModule(unit.binary) ? undefined : unit;
  }
  return undefined;
}

function check(bytes: Uint8Array): string | undefined {
  try {
    validate(decode(bytes));
    return undefined;
  } catch (error) {
    assert.ok(error instanceof StarlaneError, String(error));
    return `${error.message} (${error.at})`;
  }
}

test("reference scripts: valid components are accepted, invalid ones refused", { skip }, async (t) => {
  const readScript = await loadReader();
  const scripts = readdirSync(root, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".wast"));
  const wrong: string[] = [];
  const exceptions = new Set<string>();
  const count = { accepted: 0, refused: 0 };
  for (const script of scripts.toSorted()) {
    const { commands } = await readScript(readFileSync(join(root, script), "utf8"), parse);
    for (const command of commands) {
      const unit = unitOf(command);
      if (unit === undefined) continue;
      const place = `${script}:${command.line}`;
      const mustFail = command.type === "assert_invalid" || command.type === "assert_malformed";
      const error = unit.binary === undefined ? "unreadable" : check(unit.binary);
      if (mustFail ? error !== undefined : error === undefined) {
        count[mustFail ? "refused" : "accepted"]++;
      } else if (ACCEPTED_INVALID.has(place) || UNREADABLE.has(place)) {
        exceptions.add(place);
      } else {
        wrong.push(`${place}: ${error ?? "accepted, although invalid"}`);
      }
    }
  }
  t.diagnostic(
    `${count.accepted} valid components accepted, ${count.refused} invalid ones refused, ${exceptions.size} exceptions`,
  );
  assert.deepEqual(wrong, []);
  assert.deepEqual(
    [...exceptions].toSorted(),
    [...ACCEPTED_INVALID.keys(), ...UNREADABLE.keys()].toSorted(),
    "an exception is no longer needed",
  );
  assert.ok(count.accepted > 300 && count.refused > 300);
});
