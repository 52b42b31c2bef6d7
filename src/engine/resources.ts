// Resources as JS objects. A host's resource is its own object. A guest's resource is an object of a class made for it: methods are
// the guest's exported functions, `Symbol.dispose` drops it. Objects lent for one call stop working when the call ends.

import { StarlaneError } from "../base/errors.ts";
import { badValue } from "./bad-value.ts";
import type { BorrowScope, HostClass, RuntimeResource } from "./instance.ts";

interface GuestObjectState {
  readonly resource: RuntimeResource;
  /** The transaction it was made in: afterwards its representation means something else, or nothing. */
  readonly epoch: number;
  readonly rep: unknown;
  owned: boolean;
  usable: boolean;
}

const states = new WeakMap<object, GuestObjectState>();

/** The object that stands for `rep` outside; `scope` is the call it is lent to, undefined where ownership passes. */
export function toHost(resource: RuntimeResource, rep: unknown, scope: BorrowScope | undefined): unknown {
  if (resource.impl === undefined) return rep;
  const object: object = Object.create(guestClassOf(resource).prototype as object);
  const state = { resource, epoch: resource.impl.store.epoch, rep, owned: scope === undefined, usable: true };
  states.set(object, state);
  scope?.onEnd(() => {
    state.usable = false;
  });
  return object;
}

/** The representation behind a host's object; `take` moves ownership into the guest. */
export function fromHost(resource: RuntimeResource, value: unknown, how: "take" | "lend"): unknown {
  const name = resource.name ?? "resource";
  if (typeof value !== "object" || value === null) badValue(`an object of the resource ${name}`, value);
  if (resource.impl === undefined) {
    if (resource.hostClass !== undefined && !(value instanceof resource.hostClass))
      badValue(`an object of the class given for the resource ${name}`, value);
    return value;
  }
  const state = states.get(value);
  if (state === undefined || state.resource !== resource) badValue(`an object of the resource ${name}`, value);
  if (!state.usable || isOutdated(state))
    throw new StarlaneError(
      "engine/bad-value",
      `the resource ${name} was already dropped, passed on, was only lent for a call, or its transaction has ended`,
    );
  if (how === "take") {
    if (!state.owned) throw new StarlaneError("engine/bad-value", `the resource ${name} was only lent: it cannot be given away`);
    state.usable = false;
  }
  return state.rep;
}

function isOutdated({ resource, epoch }: GuestObjectState): boolean {
  return resource.impl !== undefined && resource.impl.store.epoch !== epoch;
}

/** Keeps a guest's new object under the JS object that its constructor is making. */
export function adopt(object: object, made: unknown): void {
  const state = typeof made === "object" && made !== null ? states.get(made) : undefined;
  if (state === undefined) throw new StarlaneError("starlane/internal", "a constructor did not answer with its resource");
  states.set(object, state);
}

/** The class that stands for a guest's resource; its methods are added where the resource's functions are exported. */
export function guestClassOf(resource: RuntimeResource, name = "resource"): HostClass {
  return (resource.guestClass ??= makeGuestClass(resource, className(name)));
}

function makeGuestClass(resource: RuntimeResource, name: string): HostClass {
  // One property of a literal: the class takes its name from it.
  const { [name]: made } = {
    [name]: class {
      constructor() {
        const construct = constructors.get(resource);
        if (construct === undefined) throw new TypeError(`${name} has no constructor`);
        adopt(this, construct(...arguments));
      }

      [Symbol.dispose](): void {
        const state = states.get(this);
        if (state === undefined || !state.usable || isOutdated(state)) return;
        state.usable = false;
        if (state.owned) resource.dtor?.(state.rep);
      }
    },
  };
  if (made === undefined) throw new StarlaneError("starlane/internal", "no class");
  return made;
}

const constructors = new WeakMap<RuntimeResource, (...args: unknown[]) => unknown>();

export function setConstructor(resource: RuntimeResource, construct: (...args: unknown[]) => unknown): void {
  constructors.set(resource, construct);
}

/** `input-stream` -> `InputStream`. */
export function className(name: string): string {
  return name
    .split("-")
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1).toLowerCase())
    .join("");
}
