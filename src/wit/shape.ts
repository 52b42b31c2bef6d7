// What a type looks like in JavaScript: property keys and cases by tag, computed once per type object and kept as long as it lives.

import { assertNever } from "../base/errors.ts";
import { camelCase, type Case, ERROR_TAG, type Field, type ValType } from "./types.ts";

export interface JsField extends Field {
  /** The property of the JS object. */
  readonly key: string;
}

interface JsFlag {
  readonly label: string;
  readonly key: string;
}

export type TaggedType = Extract<ValType, { kind: "variant" | "result" | "option" }>;

function perType<K extends object, V>(compute: (key: K) => V): (key: K) => V {
  const known = new WeakMap<K, V>();
  return (key) => {
    let value = known.get(key);
    if (value === undefined) {
      value = compute(key);
      known.set(key, value);
    }
    return value;
  };
}

/** The fields of a record with their JS keys. */
export const fieldsOf: (type: Extract<ValType, { kind: "record" }>) => readonly JsField[] = perType((type) =>
  type.fields.map((field) => ({ name: field.name, type: field.type, key: camelCase(field.name) })),
);

/** The labels of a flags type with their JS keys. */
export const flagsOf: (type: Extract<ValType, { kind: "flags" }>) => readonly JsFlag[] = perType((type) =>
  type.labels.map((label) => ({ label, key: camelCase(label) })),
);

/** The labels of an enum or flags type. */
export const labelsOf: (type: Extract<ValType, { kind: "enum" | "flags" }>) => ReadonlySet<string> = perType(
  (type) => new Set(type.labels),
);

/** A case and the tag that stands for it in JS; `name` is what WIT and JSON call it. */
export interface TaggedCase extends Case {
  readonly tag: string;
}

/** The cases of a variant, a result or a nested option, by tag. */
export const casesOf: (type: TaggedType) => ReadonlyMap<string, TaggedCase> = perType(
  (type) => new Map(taggedCases(type).map((item) => [item.tag, item])),
);

/** The same by the name that WIT and JSON have for them. */
export const casesByName: (type: TaggedType) => ReadonlyMap<string, TaggedCase> = perType(
  (type) => new Map(taggedCases(type).map((item) => [item.name, item])),
);

function taggedCases(type: TaggedType): TaggedCase[] {
  return listCases(type).map((item) => ({
    ...item,
    tag: type.kind === "result" && item.name === "error" ? ERROR_TAG : item.name,
  }));
}

function listCases(type: TaggedType): readonly Case[] {
  switch (type.kind) {
    case "variant":
      return type.cases;
    case "result":
      return [
        { name: "ok", type: type.ok },
        { name: "error", type: type.error },
      ];
    case "option":
      return [{ name: "none" }, { name: "some", type: type.type }];
    default:
      return assertNever(type);
  }
}

/** Whether an option of this payload is `{ tag: "some", val }` in JavaScript instead of the bare value. */
export function isNestedOption(payload: ValType): boolean {
  return payload.kind === "option";
}

/** The property of a record, flags or tagged value; never one that every object inherits. */
export function property(value: object, key: string): unknown {
  const found: unknown = Reflect.get(value, key);
  return found !== undefined && !Object.hasOwn(value, key) && found === Reflect.get(Object.prototype, key) ? undefined : found;
}
