// What is inside a type: things that can be given away once, and streams where a flow can do nothing with them.

import { partsOf } from "../wit/type-size.ts";
import type { ValType } from "../wit/types.ts";

const known = new WeakMap<ValType, Map<(type: ValType) => boolean, boolean>>();

/** Whether a type is or contains one that `wanted` asks for; each type is looked at once. */
export function holds(type: ValType, wanted: (type: ValType) => boolean): boolean {
  const answers = known.get(type) ?? new Map<(type: ValType) => boolean, boolean>();
  known.set(type, answers);
  let answer = answers.get(wanted);
  if (answer === undefined) {
    answer = wanted(type) || partsOf(type).some((part) => holds(part, wanted));
    answers.set(wanted, answer);
  }
  return answer;
}

/** What has no form in JSON. */
export function isHandle({ kind }: ValType): boolean {
  return kind === "own" || kind === "borrow" || kind === "stream" || kind === "future" || kind === "error-context";
}

export function isOwned({ kind }: ValType): boolean {
  return kind === "own" || kind === "stream" || kind === "future";
}

export function isLater({ kind }: ValType): boolean {
  return kind === "stream" || kind === "future";
}

function isFuture({ kind }: ValType): boolean {
  return kind === "future";
}

/** Where a stream or future stands that a flow cannot carry. */
export interface Misplaced {
  readonly kind: "stream" | "future";
}

/** What is wrong at a port: futures anywhere, streams anywhere but as the whole of it. `option<stream<T>>` is fine where it is taken. */
export function misplacedIn(type: ValType, side: "in" | "out"): Misplaced | undefined {
  if (side === "in" && type.kind === "option" && type.type.kind === "stream") return misplacedIn(type.type, side);
  const inside = type.kind === "stream" ? type.element : type;
  if (inside === undefined || !holds(inside, isLater)) return undefined;
  return { kind: holds(inside, isFuture) ? "future" : "stream" };
}

/** The same for what an operation gives: a record has a port for each of its fields. */
export function misplacedInResult(type: ValType): Misplaced | undefined {
  if (type.kind !== "record") return misplacedIn(type, "out");
  return type.fields.map((field) => misplacedIn(field.type, "out")).find((found) => found !== undefined);
}
