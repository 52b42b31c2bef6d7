// Canonical options: which definition takes which, that the core funcs and memories they name fit, and which are required.

import type { CanonOptions, CoreValType } from "./component.ts";
import { signatureText, type CoreFuncType } from "./core-types.ts";
import type { AddressType } from "./flatten.ts";
import type { Scope } from "./scope.ts";
import type { ValNode } from "./type-model.ts";

/** Which canonical options a definition takes beside `memory` and `string-encoding`. */
const ALLOWED = {
  lift: ["realloc", "postReturn", "async", "callback", "gc", "coreType"],
  lower: ["realloc", "async", "gc", "coreType"],
  "task.return": [],
  copy: ["realloc", "async"],
  "error-context": ["realloc"],
} as const satisfies Record<string, readonly (keyof CanonOptions)[]>;

const OPTION_NAMES = {
  realloc: "realloc",
  postReturn: "post-return",
  async: "async",
  callback: "callback",
  gc: "gc",
  coreType: "core-type",
} as const;

const RESTRICTED = ["realloc", "postReturn", "async", "callback", "gc", "coreType"] as const;

/** Checks the options themselves and gives the type of addresses in the memory. */
export function checkOptions(scope: Scope, options: CanonOptions, use: keyof typeof ALLOWED): AddressType {
  const allowed: readonly string[] = ALLOWED[use];
  for (const option of RESTRICTED) {
    const given = options[option];
    if (given !== undefined && given !== false && !allowed.includes(option)) {
      throw scope.fail(
        `canonical option \`${OPTION_NAMES[option]}\` cannot be specified for ${use === "lower" ? "lowerings" : use}`,
      );
    }
  }
  if (options.coreType !== undefined) scope.coreType(options.coreType);
  const address = options.memory === undefined ? "i32" : memoryAddress(scope, options.memory);
  if (options.realloc !== undefined) {
    if (options.memory === undefined) throw scope.fail("canonical option `realloc` requires `memory` to also be specified");
    const expected = { params: [address, address, address, address], results: [address] };
    checkSignature(scope, coreSignature(scope, options.realloc), expected, "canonical option `realloc`");
  }
  if (options.callback !== undefined) {
    if (!options.async) throw scope.fail("canonical option `callback` requires `async` to also be specified");
    const expected = { params: ["i32", "i32", "i32"], results: ["i32"] } as const;
    checkSignature(scope, coreSignature(scope, options.callback), expected, "canonical option `callback`");
  }
  return address;
}

/** The address type of a memory that canonical definitions may use. */
export function memoryAddress(scope: Scope, index: number): AddressType {
  const { limits, pageSizeLog2 } = scope.coreItem("memory", index);
  if (limits.shared) throw scope.fail(`core memory ${index} is shared: canonical definitions need a memory that is not`);
  if ((pageSizeLog2 ?? 16) !== 16) throw scope.fail(`core memory ${index} has pages of another size than 64 KiB`);
  return limits.addressType;
}

export function checkMemory(scope: Scope, options: CanonOptions, needsMemory: boolean, needsRealloc: boolean): void {
  if (needsMemory && options.memory === undefined) throw scope.fail("canonical option `memory` is required");
  if (needsRealloc && options.realloc === undefined) throw scope.fail("canonical option `realloc` is required");
}

/** What reading values of a type into the component (`lift`) or out of it needs of the options. */
export function checkElement(scope: Scope, options: CanonOptions, element: ValNode | undefined, direction: "in" | "out"): void {
  if (element !== undefined) checkMemory(scope, options, true, direction === "in" && element.info.pointer);
}

export function coreSignature(scope: Scope, index: number): CoreFuncType {
  const type = scope.factory.core.funcType(scope.coreItem("func", index).type);
  if (type === undefined) throw scope.fail(`core func ${index} has no function type`);
  return type;
}

interface Signature {
  readonly params: readonly CoreValType[];
  readonly results: readonly CoreValType[];
}

export function checkSignature(scope: Scope, actual: CoreFuncType, expected: Signature, what: string): void {
  if (sameTypes(actual.params, expected.params) && sameTypes(actual.results, expected.results)) return;
  const wanted = signatureText({ kind: "func", params: expected.params, results: expected.results });
  throw scope.fail(
    `${what} uses a core function with an incorrect signature: expected (func${wanted}), found (func${signatureText(actual)})`,
  );
}

function sameTypes(a: readonly CoreValType[], b: readonly CoreValType[]): boolean {
  return a.length === b.length && a.every((type, i) => type === b[i]);
}
