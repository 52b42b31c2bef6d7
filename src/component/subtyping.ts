// Whether one thing may be given where another is expected: equality of value types, fewer imports and more exports for
// instances and components, the rules of core modules. Recursion is bounded by the depth of types, work by the factory.

import type { ModuleType } from "./core-types.ts";
import { coreExternText } from "./core-types.ts";
import { quote } from "./extern-names.ts";
import { bindTo, Substitution } from "./substitution.ts";
import type { AnyType, ComponentNode, Entity, FuncNode, InstanceNode, TypeFactory, ValNode } from "./type-model.ts";
import { describeType, describeVal } from "./type-text.ts";

/** Throws `component/invalid` where `actual` is no subtype of `expected`; `where` says what for: `import "x"`. */
export function checkSubtype(factory: TypeFactory, actual: Entity, expected: Entity, where: string): void {
  factory.step();
  const fail = (): Error => factory.fail(`${where}: expected ${describeEntity(expected)}, found ${describeEntity(actual)}`);
  switch (expected.kind) {
    case "func":
      if (actual.kind !== "func") throw fail();
      return checkFunc(factory, actual.type, expected.type, where);
    case "instance":
      if (actual.kind !== "instance") throw fail();
      return checkInstance(factory, actual.type, expected.type, where);
    case "component":
      if (actual.kind !== "component") throw fail();
      return checkComponent(factory, actual.type, expected.type, where);
    case "core-module":
      if (actual.kind !== "core-module") throw fail();
      return checkModule(factory, actual.type, expected.type, where);
    case "value":
      if (actual.kind !== "value") throw fail();
      return checkVal(factory, actual.type, expected.type, where);
    case "type":
      if (actual.kind !== "type") throw fail();
      return checkTypeEquality(factory, actual.type, expected.type, where);
  }
}

function checkFunc(factory: TypeFactory, actual: FuncNode, expected: FuncNode, where: string): void {
  if (actual === expected) return;
  factory.step(expected.params.length);
  if (actual.async !== expected.async) {
    const say = (node: FuncNode): string => (node.async ? "an async function" : "a function that is not async");
    throw factory.fail(`${where}: expected ${say(expected)}, found ${say(actual)}`);
  }
  if (actual.params.length !== expected.params.length) {
    throw factory.fail(`${where}: expected ${expected.params.length} parameters, found ${actual.params.length}`);
  }
  for (const [i, { name, type }] of expected.params.entries()) {
    const param = actual.params[i];
    if (param?.name !== name)
      throw factory.fail(`${where}: expected a parameter named ${quote(name)}, found ${quote(param?.name ?? "")}`);
    checkVal(factory, param.type, type, `${where}, parameter ${quote(name)}`);
  }
  if (actual.result === undefined && expected.result === undefined) return;
  if (actual.result === undefined || expected.result === undefined) {
    throw factory.fail(`${where}: expected ${expected.result === undefined ? "no result" : "a result"}`);
  }
  checkVal(factory, actual.result, expected.result, `${where}, result`);
}

function checkVal(factory: TypeFactory, actual: ValNode, expected: ValNode, where: string): void {
  if (actual.info.id === expected.info.id) return;
  const [want, have] = [describeVal(expected), describeVal(actual)];
  throw factory.fail(
    `${where}: expected type ${want}, found ${have === want ? `another ${have}: the resource types are not the same` : have}`,
  );
}

function checkInstance(factory: TypeFactory, actual: InstanceNode, expected: InstanceNode, where: string): void {
  if (actual === expected) return;
  const substitution = new Substitution(factory);
  bindTo(substitution, expected.defined, actual.exports);
  for (const [name, { type }] of expected.exports) {
    const found = actual.exports.get(name);
    if (found === undefined) throw factory.fail(`${where}: missing expected export ${quote(name)}`);
    checkSubtype(factory, found.type, substitution.entity(type), `${where}, export ${quote(name)}`);
  }
}

/** A component may import less and export more: its imports are checked against what the expected type is given. */
function checkComponent(factory: TypeFactory, actual: ComponentNode, expected: ComponentNode, where: string): void {
  if (actual === expected) return;
  const given = new Substitution(factory);
  bindTo(given, actual.imported, expected.imports);
  for (const [name, { type }] of actual.imports) {
    const found = expected.imports.get(name);
    if (found === undefined)
      throw factory.fail(`${where}: the component imports ${quote(name)}, which the expected type does not offer`);
    checkSubtype(factory, found.type, given.entity(type), `${where}, import ${quote(name)}`);
  }
  const made = given.externs(actual.exports);
  const wanted = new Substitution(factory);
  bindTo(wanted, expected.defined, made);
  for (const [name, { type }] of expected.exports) {
    const found = made.get(name);
    if (found === undefined) throw factory.fail(`${where}: missing expected export ${quote(name)}`);
    checkSubtype(factory, found.type, wanted.entity(type), `${where}, export ${quote(name)}`);
  }
}

function checkModule(factory: TypeFactory, actual: ModuleType, expected: ModuleType, where: string): void {
  factory.step(actual.imports.length + expected.imports.length + expected.exports.size);
  const offered = new Map(expected.imports.map((item) => [`${item.module}\0${item.name}`, item.type]));
  for (const { module, name, type } of actual.imports) {
    const found = offered.get(`${module}\0${name}`);
    if (found === undefined)
      throw factory.fail(`${where}: the module imports ${quote(module)} ${quote(name)}, which the expected type does not offer`);
    if (!factory.core.matches(found, type)) {
      throw factory.fail(
        `${where}: import ${quote(module)} ${quote(name)} is ${text(factory, type)}, the expected type offers ${text(factory, found)}`,
      );
    }
  }
  for (const [name, type] of expected.exports) {
    const found = actual.exports.get(name);
    if (found === undefined) throw factory.fail(`${where}: missing expected export ${quote(name)}`);
    if (!factory.core.matches(found, type)) {
      throw factory.fail(`${where}: export ${quote(name)} is ${text(factory, found)}, expected ${text(factory, type)}`);
    }
  }
}

function text(factory: TypeFactory, type: Parameters<typeof coreExternText>[0]): string {
  return coreExternText(type, factory.core);
}

/** A type given for a type must be the same type: subtypes both ways. */
function checkTypeEquality(factory: TypeFactory, actual: AnyType, expected: AnyType, where: string): void {
  if (actual === expected) return;
  factory.step();
  if (actual.kind === "value" && expected.kind === "value") return checkVal(factory, actual, expected, where);
  if (actual.kind === "resource" && expected.kind === "resource") {
    if (actual.resource !== expected.resource) throw factory.fail(`${where}: the resource types are not the same`);
    return;
  }
  if (actual.kind === "func" && expected.kind === "func") return checkFunc(factory, actual, expected, where);
  if (actual.kind === "instance" && expected.kind === "instance") {
    checkInstance(factory, actual, expected, where);
    return checkInstance(factory, expected, actual, where);
  }
  if (actual.kind === "component" && expected.kind === "component") {
    checkComponent(factory, actual, expected, where);
    return checkComponent(factory, expected, actual, where);
  }
  throw factory.fail(`${where}: expected ${describeType(expected)}, found ${describeType(actual)}`);
}

function describeEntity(entity: Entity): string {
  switch (entity.kind) {
    case "type":
      return `a type (${describeType(entity.type)})`;
    case "core-module":
      return "a core module";
    case "instance":
      return "an instance";
    case "func":
    case "component":
    case "value":
      return `a ${entity.kind}`;
  }
}
