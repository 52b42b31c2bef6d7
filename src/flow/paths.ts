// Types along a path: `.name` into records, `[index]` into tuples and lists; behind a stream, into each of its elements.

import { listed, meant, named } from "../manifest/mistakes.ts";
import { printType } from "../wit/type-text.ts";
import { camelCase, type ValType } from "../wit/types.ts";
import type { Access } from "./checked.ts";
import type { PathPart } from "./syntax.ts";

type TypedPath = { readonly type: ValType; readonly path: readonly Access[] };

/** `part`: the one that does not fit. */
type PathProblem = { readonly problem: string; readonly cure: string; readonly part: PathPart };

/** The type behind a path, or what is wrong with it. */
export function typeOfPath(from: ValType, path: readonly PathPart[]): TypedPath | PathProblem {
  let type = from;
  let isInElements = false;
  const steps: Access[] = [];
  for (const part of path) {
    if (type.kind === "stream" && type.element !== undefined && !isInElements) {
      isInElements = true;
      type = type.element;
      steps.push({ kind: "elements" });
    }
    const step = part.kind === "name" ? fieldStep(type, part.name) : indexStep(type, part.index);
    if ("problem" in step) return { ...step, part };
    steps.push(step.access);
    type = step.type;
  }
  return { type: isInElements ? { kind: "stream", element: type } : type, path: steps };
}

type Step = { readonly type: ValType; readonly access: Access } | { readonly problem: string; readonly cure: string };

function fieldStep(type: ValType, name: string): Step {
  if (type.kind !== "record") {
    return { problem: `\`${printType(type, 80)}\` has no field ${named(name)}`, cure: cureFor(type) };
  }
  const field = type.fields.find((candidate) => candidate.name === name);
  if (field !== undefined) return { type: field.type, access: { kind: "field", name, key: camelCase(name) } };
  const names = type.fields.map((candidate) => candidate.name);
  const guess = meant(name, names);
  const cure = guess === undefined ? `Its fields: ${listed(names)}.` : `Did you mean ${named(guess)}?`;
  return { problem: `there is no field ${named(name)} in \`${printType(type, 80)}\``, cure };
}

function indexStep(type: ValType, index: number): Step {
  if (type.kind === "tuple") {
    const item = type.types[index];
    if (item === undefined)
      return { problem: `a tuple of ${type.types.length} has no element ${index}`, cure: "Elements are counted from 0." };
    return { type: item, access: { kind: "item", index } };
  }
  if (type.kind !== "list") return { problem: `\`${printType(type, 80)}\` has no elements`, cure: cureFor(type) };
  if (type.length === undefined) return { type: type.element, access: { kind: "element", index } };
  if (index < type.length) return { type: type.element, access: { kind: "item", index } };
  return { problem: `a list of ${type.length} has no element ${index}`, cure: "Elements are counted from 0." };
}

function cureFor(type: ValType): string {
  if (type.kind === "option") return "It may be none: part the two ways with `core::switch` first.";
  if (type.kind === "result" || type.kind === "variant") return "Part its cases with `core::switch` first.";
  if (type.kind === "record") return "Name one of its fields behind a `.`.";
  return type.kind === "list" ? "Write `[0]` for its first element." : "Take the value as it is.";
}
