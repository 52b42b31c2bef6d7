// Types as WIT text: by name, or with their structure, which `parseType` reads back. The text is bounded.

import { assertNever } from "../base/errors.ts";
import { escapeLabel } from "./labels.ts";
import type { ResourceType, ValType } from "./types.ts";

/** The name that a type or resource is written as; undefined: its structure is written out. */
type NameOf = (type: ValType | ResourceType) => string | undefined;

const LONGEST = 4000;

/** A type on one line: named types by their name, others by structure; cut with `…` after `longest` characters or so. */
export function printType(type: ValType, longest = LONGEST): string {
  return printTypeWith(type, (part) => ("name" in part ? part.name : undefined), longest);
}

/** A type on one line with the structure of everything in it, for messages; cut with `…` after `longest` characters or so. */
export function printTypeWhole(type: ValType, longest = LONGEST): string {
  return printTypeWith(type, () => undefined, longest);
}

/** A type with names of the caller's choice, already escaped where they need it. */
export function printTypeWith(type: ValType, nameOf: NameOf, longest = Infinity): string {
  return new TypePrinter(nameOf, longest).print(type);
}

class TypePrinter {
  readonly #nameOf: NameOf;
  #left: number;

  constructor(nameOf: NameOf, longest: number) {
    this.#nameOf = nameOf;
    this.#left = longest;
  }

  print(type: ValType): string {
    return this.#nameOf(type) ?? this.#structure(type);
  }

  // oxlint-disable-next-line complexity -- one case a kind
  #structure(type: ValType): string {
    switch (type.kind) {
      case "record":
        return this.#braces("record", type.fields, (field) => `${escapeLabel(field.name)}: ${this.print(field.type)}`);
      case "variant":
        return this.#braces("variant", type.cases, ({ name, type: payload }) =>
          payload === undefined ? escapeLabel(name) : `${escapeLabel(name)}(${this.print(payload)})`,
        );
      case "enum":
      case "flags":
        return this.#braces(type.kind, type.labels, escapeLabel);
      case "tuple":
        return this.#angles("tuple", type.types);
      case "list":
        return type.length === undefined
          ? this.#angles("list", [type.element])
          : `list<${this.print(type.element)}, ${type.length}>`;
      case "map":
        return this.#angles("map", [type.key, type.value]);
      case "option":
        return this.#angles("option", [type.type]);
      case "result":
        if (type.ok === undefined && type.error !== undefined) return `result<_, ${this.print(type.error)}>`;
        return this.#angles("result", [type.ok ?? [], type.error ?? []].flat());
      case "stream":
      case "future":
        return this.#angles(type.kind, type.element === undefined ? [] : [type.element]);
      case "own":
        return this.#resource(type.resource);
      case "borrow":
        return `borrow<${this.#resource(type.resource)}>`;
      case "bool":
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
      case "char":
      case "string":
      case "error-context":
        return type.kind;
      default:
        return assertNever(type);
    }
  }

  #resource(resource: ResourceType): string {
    return this.#nameOf(resource) ?? resource.name ?? "resource";
  }

  #angles(word: string, types: readonly ValType[]): string {
    return types.length === 0 ? word : `${word}<${this.#list(types, (type) => this.print(type))}>`;
  }

  #braces<T>(word: string, items: readonly T[], print: (item: T) => string): string {
    return `${word} { ${this.#list(items, print)} }`;
  }

  #list<T>(items: readonly T[], print: (item: T) => string): string {
    const shown: string[] = [];
    for (const item of items) {
      if (this.#left <= 0) {
        shown.push("…");
        break;
      }
      this.#left -= 6; // counted before going deeper, so that nesting is bounded too
      const text = print(item);
      this.#left -= Math.min(text.length, 40);
      shown.push(text);
    }
    return shown.join(", ");
  }
}
