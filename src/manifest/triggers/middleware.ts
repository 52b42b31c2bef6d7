// Reads `before:` and `after:` of listeners and routes: operations, and `wasi:http` middleware components.

import { readItems, readKnown, readText, wrongKind } from "../reading.ts";
import type { Entry, Tree } from "../tree.ts";
import type { Middleware } from "../triggers.ts";
import { MIDDLEWARE_KEYS } from "./keys.ts";
import { isComponentName, readTarget, type TriggerSurroundings } from "./targets.ts";

const MOST = 64;

export function readMiddleware(entry: Entry | undefined, around: TriggerSurroundings): readonly Middleware[] {
  if (entry === undefined) return [];
  const { key, value } = entry;
  const example = `${key}: [ auth::check ]`;
  if (value.kind === "text") {
    const message = `\`${key}\` must be a list, also of one`;
    around.mistakes.error("manifest/wrong-kind", value.span, message, `Write it as in \`${example}\`.`);
    return [];
  }
  const items = readItems(value, `\`${key}\``, "a list of operations", example, around.mistakes);
  if (items.length > MOST)
    around.mistakes.error("manifest/bad-value", value.span, `\`${key}\` may have ${MOST} items`, "Join some of them in a flow.");
  return items.slice(0, MOST).flatMap((item) => readItem(item, key, example, around) ?? []);
}

function readItem(tree: Tree, key: string, example: string, around: TriggerSurroundings): Middleware | undefined {
  const { mistakes } = around;
  if (tree.kind === "text") {
    const target = readTarget(tree, around);
    return target === undefined ? undefined : { kind: "operation", target };
  }
  if (tree.kind !== "map")
    return wrongKind(tree, `an item of \`${key}\``, "an operation, or `component: NAME`", example, mistakes);
  const component = readKnown(tree, `an item of \`${key}\``, MIDDLEWARE_KEYS, mistakes).get("component");
  if (component === undefined) return undefined;
  const name = readText(component.value, "`component`", "component: gzip", mistakes);
  if (name === undefined) return undefined;
  if (key === "after") {
    const message = "a `wasi:http` middleware component wraps what comes after it, so it cannot stand in `after`";
    mistakes.error("manifest/bad-value", component.keySpan, message, "Put it in `before`.");
    return undefined;
  }
  return isComponentName(name.value, name.span, around)
    ? { kind: "component", component: name.value, span: name.span }
    : undefined;
}
