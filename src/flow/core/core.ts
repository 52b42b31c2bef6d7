// The operations of `core::`, the component that is built into flows: one table, read by `check`, `inspect` and the reference.
//
// How the generic ones get their types: a node's sources are typed before the node itself (the flow is walked from its inputs on),
// so an operation sees the types of what is connected to it, and its output type follows: `value` of type T gives T, a path gives
// the type at that path, an expression gives what CEL infers or the `type` written, several inputs give the one among their types
// that all the others can become. A literal has the type of the port that it ends at; where that is generic too, texts are
// `string`, integers `s32` (`s64` where they need it), other numbers `f64`.

import { mergeOperation, raceOperation, switchOperation } from "./choosing.ts";
import type { CoreOperation } from "./operation.ts";
import { assertOperation, delayOperation, logOperation } from "./passing.ts";
import { batchOperation, collectOperation, spreadOperation } from "./gathering.ts";
import { takeOperation, throttleOperation } from "./pacing.ts";
import { exprOperation, pickOperation, zipOperation } from "./shaping.ts";

/** The local name that the component has in every manifest. */
export const CORE = "core";

const OPERATIONS = [
  assertOperation,
  batchOperation,
  collectOperation,
  delayOperation,
  exprOperation,
  logOperation,
  mergeOperation,
  pickOperation,
  raceOperation,
  spreadOperation,
  switchOperation,
  takeOperation,
  throttleOperation,
  zipOperation,
] as const satisfies readonly CoreOperation[];

export const CORE_OPERATIONS: ReadonlyMap<string, CoreOperation> = new Map(
  OPERATIONS.map((operation) => [operation.name, operation]),
);
