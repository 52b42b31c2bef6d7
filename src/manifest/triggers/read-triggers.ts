// Reads `triggers:`: a list in which each item is one thing that starts transactions.

import { listed } from "../mistakes.ts";
import { readKnown, wrongKind } from "../reading.ts";
import type { MapTree, Tree } from "../tree.ts";
import type { HttpTrigger, Trigger } from "../triggers.ts";
import { checkTriggerPorts } from "./check-ports.ts";
import { checkCommands, readCliTrigger } from "./cli-trigger.ts";
import { checkListeners, checkRouteConflicts } from "./conflicts.ts";
import { TRIGGER_KEYS } from "./keys.ts";
import { readListener } from "./listener.ts";
import { readMiddleware } from "./middleware.ts";
import { readRoutes } from "./routes.ts";
import { readSchedule } from "./schedule-trigger.ts";
import { declaredPorts, type TriggerSurroundings } from "./targets.ts";

const KINDS = ["http", "cli", "schedule", "queue", "message"];
const EXAMPLE = 'triggers: [ { http: 8080, routes: [ "GET /hello/{name} -> welcome" ] } ]';
const MOST_TRIGGERS = 1000;

export function readTriggers(tree: Tree | undefined, around: TriggerSurroundings): readonly Trigger[] {
  if (tree === undefined || tree.kind === "null") return [];
  const { mistakes } = around;
  if (tree.kind !== "list") {
    wrongKind(tree, "`triggers`", "a list", EXAMPLE, mistakes);
    return [];
  }
  if (tree.items.length > MOST_TRIGGERS)
    mistakes.error(
      "manifest/too-large",
      tree.span,
      `there are more than ${MOST_TRIGGERS} triggers`,
      "Make several apps of them.",
    );
  const triggers = tree.items.slice(0, MOST_TRIGGERS).flatMap((item) => readTrigger(item, around) ?? []);
  const portsOf = declaredPorts(around.operations);
  for (const trigger of triggers) mistakes.addAll(checkTriggerPorts(trigger, portsOf));
  checkListeners(triggers, mistakes);
  checkCommands(triggers, mistakes);
  return triggers;
}

function readTrigger(tree: Tree, around: TriggerSurroundings): Trigger | undefined {
  const { mistakes } = around;
  if (tree.kind !== "map") return wrongKind(tree, "a trigger", "a mapping with its kind", "{ cli: welcome }", mistakes);
  const kinds = tree.entries.filter(({ key }) => KINDS.includes(key));
  const [, second] = kinds;
  if (second !== undefined) {
    const message = `one trigger cannot be of several kinds: ${listed(kinds.map(({ key }) => key))}`;
    mistakes.error("manifest/bad-value", second.keySpan, message, "Make each an item of the list of its own.");
    return undefined;
  }
  const keys = readKnown(tree, "a trigger", TRIGGER_KEYS, mistakes);
  const [http, cli, schedule] = [keys.get("http"), keys.get("cli"), keys.get("schedule")];
  if (http !== undefined) return readHttp(tree, keys, around);
  for (const key of ["routes", "before", "after"] as const) {
    const entry = keys.get(key);
    if (entry === undefined) continue;
    const message = `\`${key}\` is a part of an http trigger, and this is none`;
    mistakes.error("manifest/bad-value", entry.keySpan, message, "Write `http: 8080` beside it, or remove it.");
  }
  if (cli !== undefined) return readCliTrigger(cli, around);
  if (schedule !== undefined) return readSchedule(schedule, around);
  if (tree.entries.length === 0) {
    const message = "a trigger has no kind";
    mistakes.error("manifest/missing-key", tree.span, message, `Write one of ${listed(["http", "cli", "schedule"])}.`);
  }
  return undefined;
}

function readHttp(tree: MapTree, keys: ReturnType<typeof readKnown>, around: TriggerSurroundings): HttpTrigger | undefined {
  const http = keys.get("http");
  if (http === undefined) return undefined;
  const listener = readListener(http, around);
  const routes = readRoutes(keys.get("routes"), around);
  checkRouteConflicts(routes, around.mistakes);
  const before = readMiddleware(keys.get("before"), around);
  const after = readMiddleware(keys.get("after"), around);
  if (!keys.has("routes") && !tree.entries.some(({ key }) => /^routes?$/i.test(key))) {
    const message = "the http trigger has no `routes`, so it answers nothing";
    around.mistakes.error(
      "manifest/missing-key",
      http.keySpan,
      message,
      'Add them, as in `routes: [ "GET /hello/{name} -> welcome" ]`.',
    );
  }
  return listener === undefined ? undefined : { kind: "http", ...listener, before, after, routes, span: http.keySpan };
}
