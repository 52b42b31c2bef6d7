// How the generic operations find their types: the common type of several inputs, the type of a literal that nothing else types.

import { assignable } from "../../wit/assignable.ts";
import { printType } from "../../wit/type-text.ts";
import type { Json } from "../../manifest/manifest.ts";
import type { Signature, SignatureParam, Transaction } from "../flow.ts";
import type { Stream } from "../streams/stream.ts";
import type { ValType } from "../../wit/types.ts";
import type { CoreCall, CoreInput, CoreUse } from "./operation.ts";

/** A signature that needs all of its inputs. */
export function signatureOf(
  params: readonly { readonly name: string; readonly type: ValType }[],
  result: ValType | undefined,
  async = false,
): Signature {
  return { params: params.map(({ name, type }): SignatureParam => ({ name, type, optional: false })), result, async };
}

/** The one input of an operation that takes `value`. */
export function valueInput(use: CoreUse): CoreInput | undefined {
  return use.inputs[0];
}

/** The type of the elements of the one input of an operation that takes a stream; reported where it is none. */
export function streamInput(use: CoreUse): ValType | undefined {
  const input = valueInput(use);
  if (input === undefined) return undefined;
  if (input.type.kind === "stream" && input.type.element !== undefined) return input.type.element;
  const isList = input.type.kind === "list";
  use.wrong(
    "flow/type-mismatch",
    `it takes a stream, not \`${printType(input.type, 80)}\``,
    isList ? "Make a stream of the list with `core::spread`." : "Connect it to a source that gives a stream.",
  );
  return undefined;
}

/** A call on the one stream that an operation takes. */
export function streamCall(make: (stream: Stream, transaction: Transaction) => unknown): CoreCall {
  return ([stream], transaction) => make(stream as Stream, transaction);
}

/**
 * The one type among those of the inputs that all the others can become; types of literals yield to others. Reports where there
 * is none.
 */
export function commonType(use: CoreUse): ValType | undefined {
  return commonTypeOf(use, use.inputs);
}

/** The same for types in place of those of the inputs. */
export function commonTypeOf(use: CoreUse, all: readonly CoreInput[]): ValType | undefined {
  const typed = all.filter(({ literal }) => !literal);
  const inputs = typed.length > 0 ? typed : all;
  const [first] = inputs;
  if (first === undefined) {
    use.wrong(
      "flow/unconnected-input",
      "nothing is connected to it",
      "Connect the values to choose from, each by a line of its own.",
    );
    return undefined;
  }
  const common = inputs.find(({ type }) =>
    inputs.every((other) => other.type === type || assignable(other.type, type) !== undefined),
  );
  if (common !== undefined) return common.type;
  const shown = inputs.slice(0, 8).map(({ name, type }) => `\`${name}\` is \`${printType(type, 80)}\``);
  use.wrong(
    "flow/type-mismatch",
    `its inputs have no common type: ${shown.join(", ")}`,
    "Convert them to one type first, for example with `core::expr`.",
  );
  return undefined;
}

const S32 = { min: -(2 ** 31), max: 2 ** 31 - 1 };
const MAX_DEPTH = 64;

/** The type that a literal has where nothing says otherwise; undefined where there is no telling: `null`, `[]`, mixed lists. */
export function literalType(value: Json, depth = 0): ValType | undefined {
  if (value === null || depth > MAX_DEPTH) return undefined;
  if (typeof value === "boolean") return { kind: "bool" };
  if (typeof value === "string") return { kind: "string" };
  if (typeof value === "number") {
    if (!Number.isSafeInteger(value)) return { kind: "f64" };
    return { kind: value >= S32.min && value <= S32.max ? "s32" : "s64" };
  }
  return Array.isArray(value) ? listType(value, depth) : recordType(Object.entries(value), depth);
}

function listType(items: readonly Json[], depth: number): ValType | undefined {
  const types = items.map((item) => literalType(item, depth + 1));
  const element = types.find(
    (type) => type !== undefined && types.every((other) => other !== undefined && assignable(other, type) !== undefined),
  );
  return element === undefined ? undefined : { kind: "list", element };
}

function recordType(entries: readonly (readonly [string, Json])[], depth: number): ValType | undefined {
  const fields: { name: string; type: ValType }[] = [];
  for (const [name, item] of entries) {
    const type = literalType(item, depth + 1);
    if (type === undefined || !/^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/.test(name)) return undefined;
    fields.push({ name, type });
  }
  return fields.length === 0 ? undefined : { kind: "record", fields };
}
