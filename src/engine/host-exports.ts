// The host's view of what a component exports: functions by name, and objects in the shape that jco gives them.

import { nearest } from "../base/diagnostics.ts";
import { StarlaneError } from "../base/errors.ts";
import { camelCase } from "../wit/types.ts";
import type { ComponentFunction } from "./engine.ts";
import type { RuntimeResource } from "./instance.ts";
import type { Item, Items } from "./items.ts";
import { LiftedFunction } from "./lift.ts";
import type { HostFunction } from "./lower.ts";
import { className, guestClassOf, setConstructor } from "./resources.ts";

export class HostExports {
  readonly #items: Items;
  readonly #found = new Map<string, LiftedFunction | HostFunction>();
  readonly #functions = new Map<string, ComponentFunction>();
  readonly #callables = new Map<LiftedFunction | HostFunction, ComponentFunction>();
  #shaped: Readonly<Record<string, unknown>> | undefined;

  constructor(items: Items) {
    this.#items = items;
  }

  /** By `name`, `interface#function`, or the interface without its version where that is unambiguous. */
  function(name: string): ComponentFunction {
    const known = this.#functions.get(name);
    if (known !== undefined) return known;
    const found = this.#find(name);
    if (found === undefined) throw this.#unknown(name);
    const made = this.#callable(found);
    this.#functions.set(name, made);
    return made;
  }

  #callable(func: LiftedFunction | HostFunction): ComponentFunction {
    let made = this.#callables.get(func);
    if (made === undefined) this.#callables.set(func, (made = callable(func)));
    return made;
  }

  /** One call; @throws as `function` does, and what the call throws or rejects with. */
  call(name: string, args: readonly unknown[], signal: AbortSignal | undefined): unknown {
    const func = this.#found.get(name) ?? this.#find(name);
    if (func === undefined) throw this.#unknown(name);
    this.#found.set(name, func);
    return func instanceof LiftedFunction ? func.callForHost(args, signal) : func.call(...args);
  }

  #find(name: string): LiftedFunction | HostFunction | undefined {
    const hash = name.indexOf("#");
    if (hash < 0) return funcOf(this.#items.get(name));
    const wanted = name.slice(0, hash);
    const exact = this.#items.get(wanted);
    const matches =
      exact === undefined ? [...this.#items].filter(([key]) => key.split("@", 1)[0] === wanted).map(([, item]) => item) : [exact];
    const [only] = matches;
    return matches.length === 1 && only?.sort === "instance" ? funcOf(only.items.get(name.slice(hash + 1))) : undefined;
  }

  #unknown(name: string): StarlaneError {
    const names = [...functionNames(this.#items)];
    const near = nearest(name, names);
    return new StarlaneError("engine/unknown-export", `the component exports no function ${JSON.stringify(name.slice(0, 200))}`, {
      cure:
        near === undefined
          ? `It exports: ${names.slice(0, 20).join(", ") || "no functions"}.`
          : `Did you mean ${JSON.stringify(near)}?`,
    });
  }

  /** Made when first asked for: most callers only need `function`. */
  get shaped(): Readonly<Record<string, unknown>> {
    return (this.#shaped ??= this.#shape());
  }

  #shape(): Readonly<Record<string, unknown>> {
    const shaped: Record<string, unknown> = this.#shapeItems(this.#items);
    for (const [name, item] of this.#items) {
      if (item.sort !== "instance") continue;
      const short = camelCase(name.replace(/@.*$/, "").replace(/^.*\//, ""));
      if (!Object.hasOwn(shaped, short)) shaped[short] = shaped[name];
    }
    return Object.freeze(shaped);
  }

  #shapeItems(items: Items): Record<string, unknown> {
    const shaped: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
    for (const [name, item] of items) {
      if (item.sort === "type" && item.type.kind === "resource") shaped[className(name)] = classOf(item.type, name);
      if (item.sort === "instance") shaped[name] = Object.freeze(this.#shapeItems(item.items));
      if (item.sort === "core module") shaped[name] = item.module;
    }
    for (const [name, item] of items) {
      if (item.sort === "func") this.#placeFunction(shaped, name, this.#callable(item.func));
    }
    return shaped;
  }

  #placeFunction(shaped: Record<string, unknown>, name: string, call: ComponentFunction): void {
    const annotated = /^\[(constructor|method|static)\]([^.]+)(?:\.(.+))?$/.exec(name);
    if (annotated === null) {
      shaped[camelCase(name)] = call;
      return;
    }
    const [, kind, resource = "", method = ""] = annotated;
    const holder = shaped[className(resource)];
    if (typeof holder !== "function") return;
    const key = camelCase(method);
    if (RESERVED[kind ?? ""] === key) return;
    if (kind === "static") Object.defineProperty(holder, key, { value: call, configurable: true });
    if (kind === "method") {
      const invoke = function (this: unknown, ...args: unknown[]): unknown {
        return call(this, ...args);
      };
      Object.defineProperty(holder.prototype, key, { value: invoke, configurable: true, writable: true });
    }
    if (kind === "constructor") constructWith(this.#items, holder, call);
  }
}

/**
 * Names that a class cannot have for a function of its own: `prototype` is taken, and an object with a method `then` would be
 * mistaken for a promise wherever it is awaited. These functions are called by name.
 */
const RESERVED: Readonly<Record<string, string>> = { static: "prototype", method: "then" };

function constructWith(items: Items, holder: unknown, call: ComponentFunction): void {
  for (const item of items.values()) {
    if (item.sort === "instance") constructWith(item.items, holder, call);
    if (item.sort === "type" && item.type.kind === "resource" && item.type.guestClass === holder) setConstructor(item.type, call);
  }
}

function classOf(resource: RuntimeResource, name: string): unknown {
  return resource.impl === undefined ? resource.hostClass : guestClassOf(resource, name);
}

function funcOf(item: Item | undefined): LiftedFunction | HostFunction | undefined {
  return item?.sort === "func" ? item.func : undefined;
}

function callable(func: LiftedFunction | HostFunction): ComponentFunction {
  return func instanceof LiftedFunction ? func.forHost() : func.call;
}

function* functionNames(items: Items): Iterable<string> {
  for (const [name, item] of items) {
    if (item.sort === "func") yield name;
    if (item.sort === "instance") {
      for (const [inner, value] of item.items) if (value.sort === "func") yield `${name}#${inner}`;
    }
  }
}
