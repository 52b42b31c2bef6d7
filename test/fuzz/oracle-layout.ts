// Canonical ABI, slow and direct: where values lie in memory and which core values carry them. Written from the specification's
// definitions alone, so that the engine can be held against it. Nothing is cached, nothing is shared with `src/engine`.

import type { ValType } from "../../src/wit/types.ts";

export type Pointer = 4 | 8;
export type Core = "i32" | "i64" | "f32" | "f64";

/** What is left when all types that are shorthand for another are written out. */
export type Plainest =
  | { readonly kind: "bool" | "char" | "string" | "handle" }
  | { readonly kind: "int"; readonly bytes: 1 | 2 | 4 | 8; readonly signed: boolean }
  | { readonly kind: "float"; readonly bytes: 4 | 8 }
  | { readonly kind: "flags"; readonly count: number }
  | { readonly kind: "list"; readonly element: ValType; readonly length: number | undefined }
  | { readonly kind: "record"; readonly fields: readonly ValType[] }
  | { readonly kind: "variant"; readonly cases: readonly (ValType | undefined)[] };

const INTEGERS = { s8: 1, u8: 1, s16: 2, u16: 2, s32: 4, u32: 4, s64: 8, u64: 8 } as const;

// oxlint-disable-next-line complexity -- one case a kind
export function despecialize(type: ValType): Plainest {
  switch (type.kind) {
    case "bool":
    case "char":
    case "string":
      return { kind: type.kind };
    case "s8":
    case "u8":
    case "s16":
    case "u16":
    case "s32":
    case "u32":
    case "s64":
    case "u64":
      return { kind: "int", bytes: INTEGERS[type.kind], signed: type.kind.startsWith("s") };
    case "f32":
      return { kind: "float", bytes: 4 };
    case "f64":
      return { kind: "float", bytes: 8 };
    case "flags":
      return { kind: "flags", count: type.labels.length };
    case "list":
      return { kind: "list", element: type.element, length: type.length };
    case "map":
      return { kind: "list", element: { kind: "tuple", types: [type.key, type.value] }, length: undefined };
    case "record":
      return { kind: "record", fields: type.fields.map((field) => field.type) };
    case "tuple":
      return { kind: "record", fields: type.types };
    case "variant":
      return { kind: "variant", cases: type.cases.map((one) => one.type) };
    case "enum":
      return { kind: "variant", cases: type.labels.map(() => undefined) };
    case "option":
      return { kind: "variant", cases: [undefined, type.type] };
    case "result":
      return { kind: "variant", cases: [type.ok, type.error] };
    case "own":
    case "borrow":
    case "stream":
    case "future":
    case "error-context":
      return { kind: "handle" };
    default:
      throw new TypeError(`no such type: ${JSON.stringify(type satisfies never)}`);
  }
}

export function alignUp(at: number, alignment: number): number {
  const past = at % alignment;
  return past === 0 ? at : at + alignment - past;
}

function flagBytes(count: number): 1 | 2 | 4 {
  if (count <= 8) return 1;
  return count <= 16 ? 2 : 4;
}

export function discriminantBytes(cases: number): 1 | 2 | 4 {
  const bits = Math.ceil(Math.log2(cases));
  if (bits <= 8) return 1;
  return bits <= 16 ? 2 : 4;
}

export function payloadAlignment(cases: readonly (ValType | undefined)[], pointer: Pointer): number {
  return Math.max(1, ...cases.map((type) => (type === undefined ? 1 : alignmentOf(type, pointer))));
}

export function alignmentOf(type: ValType, pointer: Pointer): number {
  const plain = despecialize(type);
  switch (plain.kind) {
    case "bool":
      return 1;
    case "char":
    case "handle":
      return 4;
    case "int":
    case "float":
      return plain.bytes;
    case "string":
      return pointer;
    case "flags":
      return flagBytes(plain.count);
    case "list":
      return plain.length === undefined ? pointer : alignmentOf(plain.element, pointer);
    case "record":
      return Math.max(1, ...plain.fields.map((field) => alignmentOf(field, pointer)));
    case "variant":
      return Math.max(discriminantBytes(plain.cases.length), payloadAlignment(plain.cases, pointer));
  }
}

export function sizeOf(type: ValType, pointer: Pointer): number {
  const plain = despecialize(type);
  switch (plain.kind) {
    case "bool":
      return 1;
    case "char":
    case "handle":
      return 4;
    case "int":
    case "float":
      return plain.bytes;
    case "string":
      return 2 * pointer;
    case "flags":
      return flagBytes(plain.count);
    case "list":
      return plain.length === undefined ? 2 * pointer : plain.length * sizeOf(plain.element, pointer);
    case "record": {
      let size = 0;
      for (const field of plain.fields) size = alignUp(size, alignmentOf(field, pointer)) + sizeOf(field, pointer);
      return alignUp(size, alignmentOf(type, pointer));
    }
    case "variant": {
      const start = alignUp(discriminantBytes(plain.cases.length), payloadAlignment(plain.cases, pointer));
      const payload = Math.max(0, ...plain.cases.map((one) => (one === undefined ? 0 : sizeOf(one, pointer))));
      return alignUp(start + payload, alignmentOf(type, pointer));
    }
  }
}

export function flatten(type: ValType, pointer: Pointer): Core[] {
  const plain = despecialize(type);
  const word: Core = pointer === 4 ? "i32" : "i64";
  switch (plain.kind) {
    case "bool":
    case "char":
    case "handle":
    case "flags":
      return ["i32"];
    case "int":
      return [plain.bytes === 8 ? "i64" : "i32"];
    case "float":
      return [plain.bytes === 8 ? "f64" : "f32"];
    case "string":
      return [word, word];
    case "list": {
      if (plain.length === undefined) return [word, word];
      const element = flatten(plain.element, pointer);
      return Array.from({ length: plain.length }, () => element).flat();
    }
    case "record":
      return plain.fields.flatMap((field) => flatten(field, pointer));
    case "variant":
      return ["i32", ...joined(plain.cases, pointer)];
  }
}

/** The core values that can carry the payload of any case. */
export function joined(cases: readonly (ValType | undefined)[], pointer: Pointer): Core[] {
  const slots: Core[] = [];
  for (const type of cases) {
    if (type === undefined) continue;
    flatten(type, pointer).forEach((core, i) => {
      const before = slots[i];
      slots[i] = before === undefined ? core : join(before, core);
    });
  }
  return slots;
}

function join(a: Core, b: Core): Core {
  if (a === b) return a;
  return [a, b].every((core) => core === "i32" || core === "f32") ? "i32" : "i64";
}
