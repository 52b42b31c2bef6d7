// The host's side of a component's imports: JS objects, functions and classes become component functions and resource types.
// Everything that is not provided is collected, so that one error can list it all.

import { StarlaneError } from "../base/errors.ts";
import type { CoreTypeDef, Declarator, ExternTypeRef } from "../component/component.ts";
import { checkModuleFits, standsAlone } from "../component/module-fits.ts";
import { camelCase } from "../wit/types.ts";
import { bytesOf } from "./compiled-modules.ts";
import type { ComponentFunction, Imports, Intercept } from "./engine.ts";
import type { HostClass, RuntimeResource } from "./instance.ts";
import type { Item, Items } from "./items.ts";
import { HostFunction } from "./lower.ts";
import { isMarked } from "./may-wait.ts";
import { isFinal } from "./restart.ts";
import { className } from "./resources.ts";
import { funcTypeAt, outerScope, pushCoreType, resolveType, type RuntimeType, typeAt, type TypeScope } from "./runtime-types.ts";

const LONGEST_NAME = 200;

function short(name: string): string {
  return name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME)}…` : name;
}

/** One component that is linked against the host: what it asked for and nobody provided, and who stands between the two. */
export class HostLinking {
  readonly intercept: Intercept | undefined;
  readonly #names: string[] = [];

  constructor(intercept: Intercept | undefined) {
    this.intercept = intercept;
  }

  add(name: string): void {
    this.#names.push(name);
  }

  throwIfAny(): void {
    if (this.#names.length === 0) return;
    const shown = this.#names.slice(0, 20).map((name) => `  ${short(name)}`);
    if (this.#names.length > 20) shown.push(`  and ${this.#names.length - 20} more`);
    throw new StarlaneError("engine/missing-import", `the component imports what nothing provides:\n${shown.join("\n")}`, {
      cure: "Provide these imports, or use a component that does not need them.",
      data: { missing: this.#names },
    });
  }
}

/**
 * The value given for an import name: under exactly that name, under a compatible version of the same interface (same major
 * version, below 1.0 same minor version), or under the name without a version.
 */
export function findImport(imports: Imports, name: string): unknown {
  if (Object.hasOwn(imports, name)) return imports[name];
  const at = name.lastIndexOf("@");
  if (at < 0) return undefined;
  const base = name.slice(0, at);
  const track = compatibilityTrack(name.slice(at + 1));
  if (track !== undefined) {
    for (const key of Object.keys(imports)) {
      if (key.startsWith(base) && key[at] === "@" && compatibilityTrack(key.slice(at + 1)) === track) return imports[key];
    }
  }
  return Object.hasOwn(imports, base) ? imports[base] : undefined;
}

/** What versions must share to be compatible; undefined for pre-releases, which are compatible with nothing. */
function compatibilityTrack(version: string): string | undefined {
  const match = /^(\d+)(?:\.(\d+))?(?:\.(\d+))?$/.exec(version);
  if (match === null) return undefined;
  const [, major, minor = "0", patch = "0"] = match;
  if (major !== "0") return major;
  return minor !== "0" ? `0.${minor}` : `0.0.${patch}`;
}

type HostScope = TypeScope & { readonly instances: Items[] };

const classResources = new WeakMap<object, RuntimeResource>();

/** The resource type behind a host's class: the same for every import of that class. */
function hostResource(hostClass: unknown, name: string, owner: string | undefined): RuntimeResource {
  const known = typeof hostClass === "function" ? classResources.get(hostClass) : undefined;
  if (known !== undefined) return known;
  const made: RuntimeResource = {
    kind: "resource",
    name,
    interface: owner,
    impl: undefined,
    dtor: disposeOf,
    hostClass: typeof hostClass === "function" ? (hostClass as HostClass) : undefined,
  };
  if (typeof hostClass === "function") classResources.set(hostClass, made);
  return made;
}

function disposeOf(rep: unknown): void {
  const dispose = (rep as { [Symbol.dispose]?: () => void })[Symbol.dispose];
  dispose?.call(rep);
}

/**
 * A property that the host put there itself: own, or inherited from a class of the host, never what every object or function
 * has. The names come from the guest, and `constructor` or `apply` would reach what nobody meant to give.
 */
function member(host: unknown, name: string): unknown {
  if ((typeof host !== "object" && typeof host !== "function") || host === null) return undefined;
  for (let holder: unknown = host; isHostMade(holder); holder = Object.getPrototypeOf(holder)) {
    if (!Object.hasOwn(holder, name)) continue;
    const value: unknown = Reflect.get(holder, name, host);
    return typeof value === "function" && value.prototype === holder ? undefined : value;
  }
  return undefined;
}

function isHostMade(holder: unknown): holder is object {
  return holder !== null && holder !== Object.prototype && holder !== Function.prototype;
}

/** One import of the root component. */
export function hostImport(
  name: string,
  type: ExternTypeRef,
  scope: TypeScope,
  value: unknown,
  linking: HostLinking,
): Item | undefined {
  switch (type.kind) {
    case "instance":
      return { sort: "instance", items: hostInstance(name, typeAt(scope, type.type), value, linking) };
    case "func":
      return {
        sort: "func",
        func: hostFunction(name, name, funcTypeAt(scope, type.type), { [name]: unwrapDefault(value) }, linking),
      };
    case "type":
      if (type.bound.kind === "eq") return { sort: "type", type: typeAt(scope, type.bound.type) };
      return { sort: "type", type: hostResource(value, name, undefined) };
    case "core-module":
      return hostModule(name, scope.coreTypes[type.type], value);
    case "component":
    case "value":
      throw new StarlaneError(
        "component/not-supported-yet",
        `the root component imports a ${type.kind}, ${short(name)}: this cannot be provided yet`,
      );
  }
}

/** jco gives a function import as `{ default: f }`. */
function unwrapDefault(value: unknown): unknown {
  return typeof value === "object" ? member(value, "default") : value;
}

/**
 * A core module of the host. One that the engine compiled is held to its type; of others the JS API tells only names and
 * kinds, and V8 checks the rest when the module is instantiated.
 */
function hostModule(where: string, type: CoreTypeDef | undefined, value: unknown): Item {
  if (!(value instanceof WebAssembly.Module))
    throw new StarlaneError("engine/missing-import", `${short(where)}: a WebAssembly.Module is needed`);
  if (type?.kind !== "module") throw new StarlaneError("starlane/internal", `${where} has no module type`);
  const bytes = bytesOf(value);
  if (bytes !== undefined && standsAlone(type)) checkModuleFits(bytes, type, where);
  const exported = new Map(WebAssembly.Module.exports(value).map(({ name, kind }) => [name, kind as string]));
  const offered = new Map<string, string>();
  for (const declarator of type.declarators) {
    if (declarator.kind === "import") offered.set(`${declarator.module}\0${declarator.name}`, jsKind(declarator.type.kind));
    if (declarator.kind === "export" && exported.get(declarator.name) !== jsKind(declarator.type.kind)) {
      throw new StarlaneError(
        "engine/instantiate",
        `${short(where)}: the module has no export ${short(declarator.name)} of kind ${declarator.type.kind}`,
      );
    }
  }
  for (const { module, name, kind } of WebAssembly.Module.imports(value)) {
    if (offered.get(`${module}\0${name}`) === kind) continue;
    throw new StarlaneError(
      "engine/instantiate",
      `${short(where)}: the module imports ${short(module)} ${short(name)}, which the component does not offer`,
    );
  }
  return { sort: "core module", module: value };
}

function jsKind(kind: string): string {
  return kind === "func" ? "function" : kind;
}

/** A host's object seen through an instance type. */
function hostInstance(name: string, type: RuntimeType, host: unknown, linking: HostLinking): Items {
  if (type.kind !== "instance-type") throw new StarlaneError("starlane/internal", `import ${name} has no instance type`);
  const scope: HostScope = { outer: type.scope, types: [], coreTypes: [], instances: [] };
  const items = new Map<string, Item>();
  for (const declarator of type.declarators) declare(name, declarator, scope, items, host, linking);
  return items;
}

function declare(
  owner: string,
  declarator: Declarator,
  scope: HostScope,
  items: Map<string, Item>,
  host: unknown,
  linking: HostLinking,
): void {
  switch (declarator.kind) {
    case "core-type":
      pushCoreType(scope, declarator.type);
      return;
    case "type":
      if (declarator.type.kind !== "resource") scope.types.push(resolveType(declarator.type, scope));
      return;
    case "alias":
      if (declarator.alias.kind === "outer") {
        const outer = outerScope(scope, declarator.alias.count);
        if (declarator.alias.sort === "type") scope.types.push(typeAt(outer, declarator.alias.index));
        else scope.coreTypes.push(outer.coreTypes[declarator.alias.index]);
      } else if (declarator.alias.kind === "export") {
        const item = scope.instances[declarator.alias.instance]?.get(declarator.alias.name);
        if (item?.sort === "type") scope.types.push(item.type);
        if (item?.sort === "instance") scope.instances.push(item.items);
      }
      return;
    case "import":
      throw new StarlaneError("starlane/internal", "an import inside an instance type");
    case "export": {
      const item = declaredItem(owner, declarator.name.name, declarator.type, scope, host, linking);
      if (item.sort === "type") scope.types.push(item.type);
      if (item.sort === "instance") scope.instances.push(item.items);
      items.set(declarator.name.name, item);
    }
  }
}

function declaredItem(
  owner: string,
  name: string,
  type: ExternTypeRef,
  scope: TypeScope,
  host: unknown,
  linking: HostLinking,
): Item {
  switch (type.kind) {
    case "func":
      return { sort: "func", func: hostFunction(`${owner}#${name}`, name, funcTypeAt(scope, type.type), host, linking) };
    case "type":
      if (type.bound.kind === "eq")
        return { sort: "type", type: sameResource(owner, name, typeAt(scope, type.bound.type), host) };
      return { sort: "type", type: hostResource(member(host, className(name)), name, owner) };
    case "instance":
      return { sort: "instance", items: hostInstance(`${owner}/${name}`, typeAt(scope, type.type), member(host, name), linking) };
    case "core-module":
      return hostModule(`${owner}/${name}`, scope.coreTypes[type.type], member(host, name));
    default:
      throw new StarlaneError(
        "component/not-supported-yet",
        `${short(owner)} imports a ${type.kind}, ${short(name)}: this cannot be provided yet`,
      );
  }
}

/** Where a type must equal a resource known already, a class that stands for another one is a mistake. */
function sameResource(owner: string, name: string, type: RuntimeType, host: unknown): RuntimeType {
  const given = member(host, className(name));
  if (type.kind === "resource" && typeof given === "function" && hostResource(given, name, owner) !== type) {
    throw new StarlaneError(
      "engine/instantiate",
      `${short(owner)}: mismatched resource types: ${short(className(name))} is another class than the one this type must equal`,
    );
  }
  return type;
}

function hostFunction(
  where: string,
  name: string,
  type: HostFunction["type"],
  host: unknown,
  linking: HostLinking,
): HostFunction {
  const found = findFunction(host, name);
  if (found === undefined) linking.add(where);
  const call = found?.call ?? (() => undefined);
  return new HostFunction(where, type, linking.intercept?.(where, type, call) ?? call, found?.mayWait, found?.isFinal);
}

interface Found {
  readonly call: ComponentFunction;
  readonly mayWait: boolean;
  readonly isFinal: boolean;
}

/** `[method]input-stream.read` is `read` of an object of `InputStream`; other names are functions in camelCase or as WIT has them. */
function findFunction(host: unknown, name: string): Found | undefined {
  const annotated = /^\[(constructor|method|static)\]([^.]+)(?:\.(.+))?$/.exec(name);
  const plain = member(host, name) ?? (annotated === null ? member(host, camelCase(name)) : undefined);
  if (typeof plain === "function") return { call: (...args) => Reflect.apply(plain, host, args) as unknown, ...marksOf(plain) };
  if (annotated === null) return undefined;
  const [, kind, resource = "", method = ""] = annotated;
  const hostClass = member(host, className(resource));
  if (typeof hostClass !== "function") return undefined;
  if (kind === "constructor")
    return { call: (...args) => Reflect.construct(hostClass, args) as unknown, mayWait: false, isFinal: false };
  const key = camelCase(method);
  const found = member(kind === "static" ? hostClass : hostClass.prototype, key);
  if (typeof found !== "function") return undefined;
  const call: ComponentFunction =
    kind === "static" ? (...args) => Reflect.apply(found, hostClass, args) as unknown : methodCall(key);
  return { call, ...marksOf(found) };
}

/** Calls the method of the object itself. Where it comes from its class, it is looked for once. */
function methodCall(key: string): ComponentFunction {
  let seen: unknown;
  let known: unknown;
  const methodOf = (self: unknown): ComponentFunction => {
    if (typeof self !== "object" || self === null || Object.hasOwn(self, key)) return member(self, key) as ComponentFunction;
    const prototype: unknown = Object.getPrototypeOf(self);
    if (prototype !== seen) {
      known = member(self, key);
      seen = prototype;
    }
    return known as ComponentFunction;
  };
  return function call(self, a, b, c): unknown {
    const method = methodOf(self);
    switch (arguments.length) {
      case 1:
        return method.call(self);
      case 2:
        return method.call(self, a);
      case 3:
        return method.call(self, a, b);
      case 4:
        return method.call(self, a, b, c);
      default:
        return Reflect.apply(method, self, Array.prototype.slice.call(arguments, 1)) as unknown;
    }
  };
}

function marksOf(f: unknown): Omit<Found, "call"> {
  return { mayWait: isMarked(f), isFinal: isFinal(f) };
}
