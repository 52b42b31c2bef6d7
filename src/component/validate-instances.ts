// Component instances: instantiation of a component with arguments, and instances made of exports.

import type { InstanceExpr, SortIndex } from "./component.ts";
import { quote } from "./extern-names.ts";
import type { Scope } from "./scope.ts";
import { bindTo, Substitution } from "./substitution.ts";
import { checkSubtype } from "./subtyping.ts";
import type { ComponentNode, Extern, InstanceNode } from "./type-model.ts";
import { checkName, takeName } from "./validate-externs.ts";

export function validateInstance(scope: Scope, expr: InstanceExpr): InstanceNode {
  if (expr.kind === "instantiate") return instantiate(scope, scope.component(expr.component), expr.args);
  const exports = new Map<string, Extern>();
  const taken = new Map<string, string>();
  for (const { name, item } of expr.exports) {
    const entity = scope.entity(item.sort, item.index);
    const parsed = checkName(scope, name, entity, "export name");
    if (parsed.kind !== "plain" && parsed.kind !== "interface") {
      throw scope.fail(`export ${quote(name.name)}: a resource does not have a name in an instance that is made of exports`);
    }
    takeName(scope, taken, name.name, "export");
    exports.set(name.name, { name, type: entity });
  }
  return scope.factory.instance(exports);
}

/** The type of a new instance: imports replaced by what is given for them, resources of its own fresh. */
function instantiate(
  scope: Scope,
  component: ComponentNode,
  args: readonly { readonly name: string; readonly item: SortIndex }[],
): InstanceNode {
  const { factory } = scope;
  const given = new Map<string, Extern>();
  for (const { name, item } of args) {
    if (given.has(name)) throw scope.fail(`argument ${quote(name)} is given more than once`);
    given.set(name, { name: { name }, type: scope.entity(item.sort, item.index) });
  }
  factory.step(component.imports.size + args.length);
  const checking = new Substitution(factory);
  const making = new Substitution(factory);
  for (const substitution of [checking, making]) bindTo(substitution, component.imported, given);
  for (const [name, { type }] of component.imports) {
    const arg = given.get(name);
    if (arg === undefined) throw scope.fail(`missing import named ${quote(name)}: no argument is given for it`);
    checkSubtype(factory, arg.type, checking.entity(type), `argument ${quote(name)}`);
    making.rename(type, arg.type);
  }
  for (const { resource } of component.defined) {
    const fresh = factory.resource().resource;
    making.set(resource, fresh);
    scope.ownResources.add(fresh);
  }
  return factory.instance(making.externs(component.exports));
}
