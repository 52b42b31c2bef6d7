// Reads `before:` and `after:` of listeners and routes: operations, and `wasi:http` middleware components.

import { isLabel, kebabCase } from "../../wit/labels.ts";
import { named, quoted, type Mistakes } from "../mistakes.ts";
import { readEntries, readItems, readKnown, readText, wrongKind } from "../reading.ts";
import type { Entry, Tree } from "../tree.ts";
import type { Middleware, OperationMiddleware } from "../triggers.ts";
import { readBindings, readPortUse } from "./bindings.ts";
import { AFTER_KEYS, BEFORE_KEYS } from "./keys.ts";
import { readErrors, readSetHeaders } from "./operation-route.ts";
import { isPlace } from "./place.ts";
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

const NO_BINDINGS = { query: [], headers: [], cookies: [], errors: [], redirects: [], set: [] } as const;

function readItem(tree: Tree, key: string, example: string, around: TriggerSurroundings): Middleware | undefined {
  const { mistakes } = around;
  const what = `an item of \`${key}\``;
  if (tree.kind === "text") {
    const target = readTarget(tree, around);
    return target === undefined ? undefined : { kind: "operation", target, ...NO_BINDINGS };
  }
  if (tree.kind !== "map") return wrongKind(tree, what, "an operation, or a mapping with `operation`", example, mistakes);
  const isWrapped = key === "after" && tree.entries.some((entry) => entry.key === "component");
  const entries = isWrapped ? tree.entries.filter((entry) => entry.key !== "component") : tree.entries;
  const keys = readKnown({ ...tree, entries }, what, key === "after" ? AFTER_KEYS : BEFORE_KEYS, mistakes);
  const operation = keys.get("operation");
  const component = isWrapped ? tree.entries.find((entry) => entry.key === "component") : keys.get("component");
  if (component !== undefined) return readComponent(component, keys, isWrapped, around);
  if (operation === undefined) {
    const isMistyped = entries.length > 0 && keys.size === 0;
    if (!isMistyped)
      mistakes.error(
        "manifest/missing-key",
        entries[0]?.keySpan ?? tree.span,
        `${what} names no operation`,
        "Add it, as in `operation: auth::check`.",
      );
    return undefined;
  }
  const text = readText(operation.value, `\`operation\` in ${what}`, "operation: auth::check", mistakes);
  const target = text === undefined ? undefined : readTarget(text, around);
  const before = mistakes.errorCount;
  const rest = readOperation(keys, around);
  return target === undefined || mistakes.errorCount > before ? undefined : { kind: "operation", target, ...rest };
}

function readOperation(
  keys: ReadonlyMap<string, Entry>,
  around: TriggerSurroundings,
): Omit<OperationMiddleware, "kind" | "target"> {
  const { mistakes } = around;
  const [status, as, set] = ["status", "as", "set"].map((key) => keys.get(key)?.value);
  const errors = status === undefined ? [] : readErrors(status, mistakes);
  return {
    query: readBindings(keys.get("query"), "query", around),
    headers: readBindings(keys.get("headers"), "header", around),
    cookies: readBindings(keys.get("cookies"), "cookie", around),
    errors,
    redirects: readRedirects(keys.get("redirect"), errors, mistakes),
    as: as === undefined ? undefined : readPortUse(as, "`as`", mistakes),
    set: set === undefined ? [] : readSetHeaders(set, "`set`", "set: { x-user: user }", true, mistakes),
  };
}

function readComponent(
  { keySpan, value }: Entry,
  others: ReadonlyMap<string, Entry>,
  isAfter: boolean,
  around: TriggerSurroundings,
): Middleware | undefined {
  const { mistakes } = around;
  if (isAfter) {
    const message = "a `wasi:http` middleware component wraps what comes after it, so it cannot stand in `after`";
    mistakes.error("manifest/bad-value", keySpan, message, "Put it in `before`.");
    return undefined;
  }
  for (const [key, other] of others) {
    if (key === "component") continue;
    const message = `${named(key)} is about an operation, and a \`wasi:http\` middleware component sees the request itself`;
    mistakes.error("manifest/bad-value", other.keySpan, message, "Remove it.");
  }
  const name = readText(value, "`component`", "component: gzip", mistakes);
  if (name === undefined || !isComponentName(name.value, name.span, around)) return undefined;
  return { kind: "component", component: name.value, span: name.span };
}

const REDIRECT_EXAMPLE = "redirect: { signed-out: /sign-in }";

function readRedirects(
  entry: Entry | undefined,
  errors: OperationMiddleware["errors"],
  mistakes: Mistakes,
): OperationMiddleware["redirects"] {
  if (entry === undefined) return [];
  return readEntries(entry.value, "`redirect`", REDIRECT_EXAMPLE, mistakes).flatMap(({ key, keySpan, value }) => {
    const to = readText(value, `the place for the error ${named(key)}`, REDIRECT_EXAMPLE, mistakes);
    if (key !== "*" && !isLabel(key)) {
      const kebab = kebabCase(key);
      const cure =
        kebab === undefined ? 'Write the name of a case of the error, or `"*"` for any other.' : `Write ${named(kebab)}.`;
      mistakes.error("manifest/bad-name", keySpan, `${quoted(key)} is no case of an error result`, cure);
      return [];
    }
    const other = errors.find((error) => error.case === key);
    if (other !== undefined) {
      const message = `the error ${named(key)} has the status ${other.status} already`;
      mistakes.error("manifest/duplicate-name", keySpan, message, "Remove one of them.");
    }
    if (to === undefined) return [];
    if (isPlace(to.value)) return [{ case: key, to: to.value, span: keySpan }];
    const cure = "Write a path or a URL, as in `/sign-in` or `https://example.com/sign-in`.";
    mistakes.error("manifest/bad-value", to.span, `${quoted(to.value)} is no place that a browser can be sent to`, cure);
    return [];
  });
}
