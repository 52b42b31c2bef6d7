// The help of one operation: its ports with their types, what it gives, and a line to try.

import type { LoadedComponent, Operation } from "../star/app.ts";
import { shortName } from "../star/operations.ts";
import { describeJson } from "../wit/describe-json.ts";
import { printType } from "../wit/type-text.ts";
import { takesStream } from "../wit/streams.ts";
import type { ValType } from "../wit/types.ts";

/** `starlane invoke TARGET OPERATION --help`. */
export function helpOfOperation(path: string, target: LoadedComponent, operation: Operation): string {
  const { signature } = operation;
  const name = shortName(operation, target.operations.values());
  const out: string[] = [];
  if (signature.description !== undefined) out.push(signature.description, "");
  out.push(
    `usage: starlane invoke ${path} ${name}${signature.params.map((p) => (p.optional ? ` [--${p.name} VALUE]` : ` --${p.name} VALUE`)).join("")}`,
    "",
  );
  if (signature.params.length > 0) {
    const heads = signature.params.map((p) => `--${p.name}`);
    const width = Math.max(...heads.map((h) => h.length));
    const types = signature.params.map((p) => printType(p.type, 60));
    const typeWidth = Math.min(40, Math.max(...types.map((t) => t.length)));
    out.push("ports:");
    signature.params.forEach((param, i) => {
      const notes = [param.optional ? leftOut(operation, param.name) : "", param.description ?? described(param.type)].filter(
        (note) => note !== "",
      );
      out.push(`  ${(heads[i] ?? "").padEnd(width)}  ${(types[i] ?? "").padEnd(typeWidth)}  ${notes.join("; ")}`);
    });
    out.push("", "A VALUE may be in a file, @FILE, or on standard input, @-; a text that starts with @ is written @@TEXT.");
    const streams = signature.params.filter(({ type }) => takesStream(type));
    const [only] = streams;
    if (only !== undefined)
      out.push(
        `${streams.length === 1 ? `--${only.name}` : "Each stream"} is read as it comes, one element a line${streams.length === 1 && !only.optional ? "; standard input where it is not given" : ""}.`,
      );
    out.push("");
  }
  out.push(`gives: ${signature.result === undefined ? "nothing" : printType(signature.result, 100)}`);
  if (signature.error !== undefined) out.push(`or fails with: ${printType(signature.error, 100)}`);
  const example = signature.params.filter((p) => !p.optional).map((p) => ` --${p.name} ${sample(p.type)}`);
  out.push("", "example:", `  starlane invoke ${path} ${name}${example.join("")}`);
  return out.join("\n");
}

/** Of a stream, what a line of it is. */
function described(type: ValType): string {
  const inside = type.kind === "option" ? type.type : type;
  if (inside.kind !== "stream") return describeJson(type, 80);
  if (inside.element?.kind === "u8") return "bytes as they are";
  return inside.element === undefined ? "a line for each element" : `a line each: ${describeJson(inside.element, 60)}`;
}

/** What stands for a port that is left out. */
function leftOut(operation: Operation, port: string): string {
  const declared = operation.kind === "flow" ? operation.declaration.input?.find(({ name }) => name === port) : undefined;
  return declared?.default === undefined ? "may be left out" : `else ${JSON.stringify(declared.default)}`;
}

/** `starlane invoke TARGET --help` where there are several operations. */
export function helpOfTarget(path: string, target: LoadedComponent): string {
  const all = [...target.operations.values()];
  return [
    `usage: starlane invoke ${path} OPERATION [--PORT VALUE …]`,
    "",
    "operations:",
    ...all.map((operation) => {
      const { params, result } = operation.signature;
      const ports = params.map((p) => `${p.name}: ${printType(p.type, 40)}`).join(", ");
      return `  ${shortName(operation, all)}(${ports})${result === undefined ? "" : ` -> ${printType(result, 60)}`}`;
    }),
  ].join("\n");
}

const MAX_DEPTH = 6;

/** A value of a type as a word of a command line. */
function sample(type: ValType): string {
  const value = sampleJson(type, 0);
  if (typeof value === "string") return /^[\w-]+$/.test(value) ? value : `'${value}'`;
  const text = JSON.stringify(value) ?? "";
  return /^[\w.-]+$/.test(text) ? text : `'${text}'`;
}

function sampleJson(type: ValType, depth: number): unknown {
  if (depth > MAX_DEPTH) return null;
  switch (type.kind) {
    case "bool":
      return true;
    case "string":
      return "text";
    case "char":
      return "x";
    case "f32":
    case "f64":
      return 1.5;
    case "record":
      return Object.fromEntries(type.fields.map((field) => [field.name, sampleJson(field.type, depth + 1)]));
    case "tuple":
      return type.types.map((part) => sampleJson(part, depth + 1));
    case "list":
      return type.element.kind === "u8" ? "aGk=" : [sampleJson(type.element, depth + 1)];
    case "option":
      return sampleJson(type.type, depth + 1);
    case "enum":
      return type.labels[0] ?? "";
    case "flags":
      return type.labels.slice(0, 1);
    case "variant": {
      const [first] = type.cases;
      return first === undefined
        ? ""
        : first.type === undefined
          ? first.name
          : { [first.name]: sampleJson(first.type, depth + 1) };
    }
    case "result":
      return type.ok === undefined ? "ok" : { ok: sampleJson(type.ok, depth + 1) };
    case "map":
      return [[sampleJson(type.key, depth + 1), sampleJson(type.value, depth + 1)]];
    case "stream":
      return type.element === undefined ? [] : [sampleJson(type.element, depth + 1)];
    case "own":
    case "borrow":
    case "future":
    case "error-context":
      return null;
    case "s8":
    case "u8":
    case "s16":
    case "u16":
    case "s32":
    case "u32":
    case "s64":
    case "u64":
      return 1;
  }
}
