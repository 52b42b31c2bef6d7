// WIT types as component text: every type gets an index of its own, and those that need a name are imported under one, because
// functions that are imported or exported may only use named records, variants, enums and flags.

import type { ValType } from "../../src/wit/types.ts";

export interface TypeText {
  /** Definitions and imports, in order. */
  readonly lines: readonly string[];
  /** Names under which types are imported. */
  readonly names: readonly string[];
  /** How each of the types is referred to. */
  readonly refs: readonly string[];
}

export function typeText(types: readonly ValType[]): TypeText {
  const lines: string[] = [];
  const names: string[] = [];
  const define = (text: string): string => {
    const ref = `$d${lines.length}`;
    lines.push(`(type ${ref} ${text})`);
    return ref;
  };
  const named = (text: string): string => {
    const defined = define(text);
    const name = `t${names.length}`;
    names.push(name);
    lines.push(`(import "${name}" (type $${name} (eq ${defined})))`);
    return `$${name}`;
  };
  // oxlint-disable-next-line complexity -- one case a kind
  const refOf = (type: ValType): string => {
    switch (type.kind) {
      case "record":
        return named(`(record ${type.fields.map((field) => `(field "${field.name}" ${refOf(field.type)})`).join(" ")})`);
      case "variant":
        return named(
          `(variant ${type.cases.map((one) => `(case "${one.name}"${one.type === undefined ? "" : ` ${refOf(one.type)}`})`).join(" ")})`,
        );
      case "enum":
      case "flags":
        return named(`(${type.kind} ${type.labels.map((label) => `"${label}"`).join(" ")})`);
      case "tuple":
        return define(`(tuple ${type.types.map(refOf).join(" ")})`);
      case "list":
        return define(`(list ${refOf(type.element)}${type.length === undefined ? "" : ` ${type.length}`})`);
      case "map":
        return define(`(map ${refOf(type.key)} ${refOf(type.value)})`);
      case "option":
        return define(`(option ${refOf(type.type)})`);
      case "result":
        return define(
          `(result${type.ok === undefined ? "" : ` ${refOf(type.ok)}`}${type.error === undefined ? "" : ` (error ${refOf(type.error)})`})`,
        );
      case "own":
      case "borrow":
      case "stream":
      case "future":
      case "error-context":
        throw new TypeError(`no text for ${type.kind}`);
      default:
        return type.kind;
    }
  };
  return { refs: types.map(refOf), lines, names };
}
