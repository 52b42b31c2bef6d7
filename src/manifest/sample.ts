// A value of a type, as JSON: the plainest there is.

import type { ValType } from "../wit/types.ts";
import type { Json } from "./manifest.ts";

const LONGEST_SAMPLE = 1000;

/** Zero, empty, none, or the first case; of a stream, a list of one element. Other types must have JSON. */
export function sampleOf(type: ValType): Json {
  switch (type.kind) {
    case "bool":
      return false;
    case "s8":
    case "u8":
    case "s16":
    case "u16":
    case "s32":
    case "u32":
    case "s64":
    case "u64":
    case "f32":
    case "f64":
      return 0;
    case "char":
      return "a";
    case "string":
      return "";
    case "record":
      return Object.fromEntries(type.fields.map((field) => [field.name, sampleOf(field.type)]));
    case "variant": {
      const [first] = type.cases;
      if (first === undefined) return null;
      return first.type === undefined ? first.name : { [first.name]: sampleOf(first.type) };
    }
    case "enum":
      return type.labels[0] ?? null;
    case "flags":
      return [];
    case "tuple":
      return type.types.map(sampleOf);
    case "list":
      return Array.from({ length: Math.min(type.length ?? 0, LONGEST_SAMPLE) }, () => sampleOf(type.element));
    case "map":
      return [];
    case "option":
      return null;
    case "result":
      return type.ok === undefined ? "ok" : { ok: sampleOf(type.ok) };
    case "stream":
      return type.element === undefined ? [] : [sampleOf(type.element)];
    case "error-context":
    case "own":
    case "borrow":
    case "future":
      return null;
  }
}
