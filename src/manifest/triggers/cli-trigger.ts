// Reads `cli:`: what `starlane run` starts, as the name of an operation or a mapping.

import { isLabel } from "../../wit/labels.ts";
import { named, quoted, type Mistakes } from "../mistakes.ts";
import { missingKey, readDescription, readEntries, readItems, readKnown, readText, wrongKind } from "../reading.ts";
import type { Entry, MapTree, Tree } from "../tree.ts";
import type { CliTrigger, Trigger } from "../triggers.ts";
import { readPortName, readPortUse } from "./bindings.ts";
import { CLI_KEYS } from "./keys.ts";
import { isComponentName, readTarget, type TriggerSurroundings } from "./targets.ts";

const EXAMPLE = "cli: { operation: welcome, arguments: [ name ], short: { l: lang } }";

export function readCliTrigger(entry: Entry, around: TriggerSurroundings): CliTrigger | undefined {
  const { value, keySpan: span } = entry;
  if (value.kind === "text") {
    const target = readTarget(value, around);
    if (target === undefined) return undefined;
    return { kind: "cli", runs: { kind: "operation", target }, name: target.operation, arguments: [], short: [], span };
  }
  if (value.kind !== "map") return wrongKind(value, "`cli`", "an operation, or a mapping", EXAMPLE, around.mistakes);
  return readMapping(value, span, around);
}

function readMapping(tree: MapTree, span: Entry["keySpan"], around: TriggerSurroundings): CliTrigger | undefined {
  const { mistakes } = around;
  const keys = readKnown(tree, "`cli`", CLI_KEYS, mistakes);
  const runs = readRuns(keys, span, around);
  const [name, positional, short, stdin] = ["name", "arguments", "short", "stdin"].map((key) => keys.get(key)?.value);
  const trigger = {
    name: name === undefined ? undefined : readCommandName(name, mistakes),
    description: readDescription(keys.get("description"), "`cli`", mistakes),
    arguments: positional === undefined ? [] : readArguments(positional, mistakes),
    short: short === undefined ? [] : readShort(short, mistakes),
    stdin: stdin === undefined ? undefined : readPortUse(stdin, "standard input", mistakes),
  };
  if (runs === undefined) return undefined;
  if (runs.kind === "component") {
    for (const key of ["arguments", "short", "stdin"]) {
      const entry = keys.get(key);
      if (entry === undefined) continue;
      const message = `\`${key}\` is about the ports of an operation, but a command component reads its arguments itself`;
      mistakes.error("manifest/bad-value", entry.keySpan, message, "Remove it.");
    }
  }
  const usual = runs.kind === "operation" ? runs.target.operation : runs.component;
  return { kind: "cli", runs, ...trigger, name: trigger.name ?? usual, span };
}

function readRuns(
  keys: ReadonlyMap<string, Entry>,
  span: Entry["keySpan"],
  around: TriggerSurroundings,
): CliTrigger["runs"] | undefined {
  const { mistakes } = around;
  const [operation, component] = [keys.get("operation"), keys.get("component")];
  if (operation !== undefined && component !== undefined) {
    const message = "`cli` runs an operation or a component, not both";
    mistakes.error("manifest/bad-value", component.keySpan, message, "Make two triggers of them.");
    return undefined;
  }
  if (component !== undefined) {
    const text = readText(component.value, "`component` of `cli`", "component: tool", mistakes);
    if (text === undefined || !isComponentName(text.value, text.span, around)) return undefined;
    return { kind: "component", component: text.value, span: text.span };
  }
  if (operation === undefined) {
    missingKey("operation", "`cli`", span, "operation: welcome", mistakes);
    return undefined;
  }
  const text = readText(operation.value, "`operation` of `cli`", "operation: welcome", mistakes);
  const target = text === undefined ? undefined : readTarget(text, around);
  return target === undefined ? undefined : { kind: "operation", target };
}

function readCommandName(tree: Tree, mistakes: Mistakes): string | undefined {
  const text = readText(tree, "`name` of `cli`", "name: welcome", mistakes);
  if (text === undefined || (isLabel(text.value) && text.value.length <= 64)) return text?.value;
  const message = `${quoted(text.value)} cannot be the name of a subcommand`;
  mistakes.error("manifest/bad-name", text.span, message, "Use lower-case words joined by hyphens, as in `say-hello`.");
  return undefined;
}

function readArguments(tree: Tree, mistakes: Mistakes): CliTrigger["arguments"] {
  return readItems(tree, "`arguments` of `cli`", "a list of input ports", "arguments: [ name ]", mistakes).flatMap((item) => {
    const port = readPortUse(item, "an argument", mistakes);
    return port === undefined ? [] : [port];
  });
}

function readShort(tree: Tree, mistakes: Mistakes): CliTrigger["short"] {
  return readEntries(tree, "`short` of `cli`", "short: { l: lang }", mistakes).flatMap(({ key, keySpan, value }) => {
    const port = readPortName(value, `the letter ${named(key)}`, mistakes);
    if (/^[A-Za-z]$/.test(key) && key !== "h") return port === undefined ? [] : [{ letter: key, port, span: value.span }];
    const isSwapped = value.kind === "text" && /^[A-Za-z]$/.test(value.value);
    const message = key === "h" ? "`-h` shows the help of every command" : `${named(key)} is no single letter`;
    const cure = isSwapped
      ? `Write the letter first: \`${value.value}: ${key.slice(0, 60)}\`.`
      : "Write it as in `short: { l: lang }`.";
    mistakes.error("manifest/bad-value", keySpan, message, key === "h" ? "Choose another letter." : cure);
    return [];
  });
}

/** Reports subcommands of the same name. */
export function checkCommands(triggers: readonly Trigger[], mistakes: Mistakes): void {
  const names = new Set<string>();
  for (const trigger of triggers) {
    if (trigger.kind !== "cli") continue;
    if (names.has(trigger.name)) {
      const message = `two \`cli\` triggers have the name ${named(trigger.name)}`;
      mistakes.error("manifest/duplicate-name", trigger.span, message, "Give one of them another `name`.");
    }
    names.add(trigger.name);
  }
}
