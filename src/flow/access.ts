// Paths into values, compiled: what a connection does to the value it carries. The types were checked before.

import { assertNever } from "../base/errors.ts";
import { convert, identity, type Conversion } from "../wit/assignable.ts";
import { property } from "../wit/shape.ts";
import { isRereadable } from "../wit/value.ts";
import { Routed } from "./core/operation.ts";
import type { Access, ValueAccess } from "./checked.ts";

/** What an accessor answers where there is no value: the switch went another way, or the list is too short. */
export const ROUTED_ELSEWHERE: unique symbol = Symbol("routed elsewhere");
export const NO_ELEMENT: unique symbol = Symbol("no element");

export type Accessor = (value: unknown) => unknown;

/** The function for a path and a conversion behind it; undefined where the value goes over as it is. */
export function accessorOf(path: readonly ValueAccess[], conversion: Conversion | undefined): Accessor | undefined {
  const steps = path.map(accessStep);
  const converted = converter(conversion);
  const [first, second] = steps;
  if (first === undefined) return converted;
  if (second === undefined && converted === undefined) return first;
  return (value) => {
    let part = value;
    for (const step of steps) {
      part = step(part);
      if (part === ROUTED_ELSEWHERE || part === NO_ELEMENT) return part;
    }
    return converted === undefined ? part : converted(part);
  };
}

/** The steps to a value or stream, and those into each element of the stream. */
export function splitPath(path: readonly Access[]): {
  readonly outer: readonly ValueAccess[];
  readonly inner: readonly ValueAccess[];
} {
  const outer: ValueAccess[] = [];
  const inner: ValueAccess[] = [];
  let steps = outer;
  for (const step of path) {
    if (step.kind === "elements") steps = inner;
    else steps.push(step);
  }
  return { outer, inner };
}

function converter(conversion: Conversion | undefined): Accessor | undefined {
  if (conversion === undefined) return undefined;
  const change = convert(conversion);
  return change === identity ? undefined : change;
}

function accessStep(step: ValueAccess): Accessor {
  switch (step.kind) {
    case "field": {
      const { key } = step;
      return (value) => (typeof value === "object" && value !== null ? property(value, key) : undefined);
    }
    case "item": {
      const { index } = step;
      return (value) => (typeof value === "object" && value !== null ? Reflect.get(value, index) : undefined);
    }
    case "element": {
      const { index } = step;
      return (value) => elementOf(value, index);
    }
    case "route": {
      const { port } = step;
      return (value) => (value instanceof Routed && value.port === port ? value.value : ROUTED_ELSEWHERE);
    }
    default:
      return assertNever(step);
  }
}

function elementOf(value: unknown, index: number): unknown {
  if (!isRereadable(value)) return NO_ELEMENT;
  const list: ArrayLike<unknown> = Array.isArray(value) || isArrayLike(value) ? value : Array.from(value);
  return index < list.length ? list[index] : NO_ELEMENT;
}

function isArrayLike(value: object): value is ArrayLike<unknown> {
  return ArrayBuffer.isView(value) && "length" in value;
}
