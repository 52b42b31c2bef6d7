// The JSON that a type expects, in one short line for people: `{ "name": text, "age": 0 to 255 }`.

import { assertNever } from "../base/errors.ts";
import { SMALL_INTEGERS } from "./numeric.ts";
import type { ValType } from "./types.ts";

const LONGEST = 200;

/** One line about the JSON of a type, for help texts; cut with `…` after `longest` characters or so. */
export function describeJson(type: ValType, longest = LONGEST): string {
  return new Describer(longest).describe(type);
}

class Describer {
  #left: number;

  constructor(longest: number) {
    this.#left = longest;
  }

  // oxlint-disable-next-line complexity -- one case a kind
  describe(type: ValType): string {
    switch (type.kind) {
      case "bool":
        return "true or false";
      case "s8":
      case "u8":
      case "s16":
      case "u16":
        return `${SMALL_INTEGERS[type.kind].min} to ${SMALL_INTEGERS[type.kind].max}`;
      case "s32":
      case "s64":
        return "whole number";
      case "u32":
      case "u64":
        return "whole number from 0";
      case "f32":
      case "f64":
        return "number";
      case "char":
        return "one character";
      case "string":
        return "text";
      case "record":
        return `{ ${this.#list(type.fields, (field) => `"${field.name}": ${this.describe(field.type)}`)} }`;
      case "tuple":
        return `[${this.#list(type.types, (item) => this.describe(item))}]`;
      case "flags":
        return `list of ${this.#list(type.labels, JSON.stringify)}`;
      case "enum":
        return this.#list(type.labels, JSON.stringify, " or ");
      case "variant":
        return this.#list(type.cases, ({ name, type: payload }) => this.#case(name, payload), " or ");
      case "result":
        return `${this.#case("ok", type.ok)} or ${this.#case("error", type.error)}`;
      case "option":
        return type.type.kind === "option"
          ? `null or { "some": ${this.describe(type.type)} }`
          : `${this.describe(type.type)} or null`;
      case "list":
        return this.#listOf(type);
      case "map":
        if (type.key.kind === "string") return `{ text: ${this.describe(type.value)}, … }`;
        return `[[${this.describe(type.key)}, ${this.describe(type.value)}], …]`;
      case "own":
      case "borrow":
      case "stream":
      case "future":
      case "error-context":
        return `(a ${type.kind === "own" || type.kind === "borrow" ? "handle" : type.kind}: no JSON)`;
      default:
        return assertNever(type);
    }
  }

  #case(name: string, payload: ValType | undefined): string {
    return payload === undefined ? `"${name}"` : `{ "${name}": ${this.describe(payload)} }`;
  }

  #listOf({ element, length }: ValType & { kind: "list" }): string {
    if (element.kind === "u8") return length === undefined ? "base64 text" : `base64 text of ${length} bytes`;
    const item = this.describe(element);
    return length === undefined ? `[${item}, …]` : `[${item}, …] of ${length}`;
  }

  #list<T>(items: readonly T[], describe: (item: T) => string, separator = ", "): string {
    const shown: string[] = [];
    for (const item of items) {
      if (this.#left <= 0) {
        shown.push("…");
        break;
      }
      this.#left -= 8;
      const text = describe(item);
      this.#left -= Math.min(text.length, 24);
      shown.push(text);
    }
    return shown.join(separator);
  }
}
