// Reads `schedule:`: times at which an operation is started, as `"0 3 * * * -> cleanup"` or a mapping.

import { named, quoted } from "../mistakes.ts";
import { meantName } from "../port-types.ts";
import { missingKey, readBoolean, readChoice, readEntries, readKnown, readText, wrongKind } from "../reading.ts";
import { checkReferences } from "../references.ts";
import { toJson, type Entry, type MapTree, type TextTree, type Tree } from "../tree.ts";
import type { ScheduleTrigger } from "../triggers.ts";
import { isTimeZone, parseCron } from "./cron.ts";
import { SCHEDULE_KEYS } from "./keys.ts";
import { readTarget, type TriggerSurroundings } from "./targets.ts";

const EXAMPLE = 'schedule: "0 3 * * * -> cleanup"';

export function readSchedule(entry: Entry, around: TriggerSurroundings): ScheduleTrigger | undefined {
  const { value, keySpan } = entry;
  const before = around.mistakes.errorCount;
  const schedule =
    value.kind === "text"
      ? readShort(value, keySpan, around)
      : value.kind === "map"
        ? readMapping(value, keySpan, around)
        : wrongKind(value, "`schedule`", "a text, or a mapping with `cron` and `operation`", EXAMPLE, around.mistakes);
  return around.mistakes.errorCount === before ? schedule : undefined;
}

function readShort(tree: TextTree, span: Entry["keySpan"], around: TriggerSurroundings): ScheduleTrigger | undefined {
  const arrow = /\s+->\s+/.exec(tree.value);
  if (arrow === null) {
    const message = `${quoted(tree.value)} has no \`->\` between the times and the operation`;
    around.mistakes.error("manifest/bad-schedule", tree.span, message, `Write it as in \`${EXAMPLE}\`.`);
    return undefined;
  }
  const cron = readCron(tree, 0, arrow.index, around);
  const target = readTarget(tree, around, arrow.index + arrow[0].length, tree.value.trimEnd().length);
  if (cron === undefined || target === undefined) return undefined;
  const cronSpan = tree.place(0, arrow.index);
  return { kind: "schedule", cron, cronSpan, zone: "UTC", target, input: [], missed: "skip", overlap: false, span };
}

function readMapping(tree: MapTree, span: Entry["keySpan"], around: TriggerSurroundings): ScheduleTrigger | undefined {
  const { mistakes } = around;
  const keys = readKnown(tree, "`schedule`", SCHEDULE_KEYS, mistakes);
  const [cronTree, zone, operation, input, missed, overlap] = ["cron", "zone", "operation", "input", "missed", "overlap"].map(
    (key) => keys.get(key)?.value,
  );
  if (cronTree === undefined) missingKey("cron", "`schedule`", span, 'cron: "0 3 * * *"', mistakes);
  if (operation === undefined) missingKey("operation", "`schedule`", span, "operation: cleanup", mistakes);
  const cronText = cronTree === undefined ? undefined : readText(cronTree, "`cron` of `schedule`", 'cron: "0 3 * * *"', mistakes);
  const cron = cronText === undefined ? undefined : readCron(cronText, 0, cronText.value.length, around);
  const targetText =
    operation === undefined ? undefined : readText(operation, "`operation` of `schedule`", "operation: cleanup", mistakes);
  const target = targetText === undefined ? undefined : readTarget(targetText, around);
  const schedule = {
    zone: zone === undefined ? "UTC" : readZone(zone, around),
    input: input === undefined ? [] : readInput(input, around),
    missed:
      missed === undefined
        ? ("skip" as const)
        : readChoice(missed, "`missed` of `schedule`", ["skip", "once", "all"], MISSED, mistakes),
    overlap: overlap === undefined ? false : readBoolean(overlap, "`overlap` of `schedule`", "overlap: true", mistakes),
  };
  const isWhole = schedule.zone !== undefined && schedule.missed !== undefined && schedule.overlap !== undefined;
  if (cron === undefined || cronText === undefined || target === undefined || !isWhole) return undefined;
  const { zone: zoneName, missed: policy, overlap: mayOverlap } = schedule;
  if (zoneName === undefined || policy === undefined || mayOverlap === undefined) return undefined;
  return {
    kind: "schedule",
    cron,
    cronSpan: cronText.span,
    zone: zoneName,
    target,
    input: schedule.input,
    missed: policy,
    overlap: mayOverlap,
    span,
  };
}

const MISSED = {
  none: "skip",
  ignore: "skip",
  drop: "skip",
  one: "once",
  last: "once",
  latest: "once",
  catchup: "all",
  "catch-up": "all",
  each: "all",
} as const;

function readCron(tree: TextTree, from: number, to: number, { mistakes }: TriggerSurroundings): string | undefined {
  const cron = parseCron(tree.value.slice(from, to));
  if ("cron" in cron) return cron.cron;
  mistakes.error("manifest/bad-schedule", tree.place(from + cron.start, from + cron.end), cron.message, cron.cure);
  return undefined;
}

function readZone(tree: Tree, { mistakes }: TriggerSurroundings): string | undefined {
  const text = readText(tree, "`zone` of `schedule`", "zone: Europe/Berlin", mistakes);
  if (text === undefined || isTimeZone(text.value)) return text?.value;
  const isOffset = /^(?:UTC|GMT)?[+-][0-9]/.test(text.value);
  const known = Intl.supportedValuesOf("timeZone");
  const near = known.find((name) => name.split("/").at(-1)?.toLowerCase() === text.value.toLowerCase().replaceAll(" ", "_"));
  const cure = isOffset
    ? "Write the name of a place, as in `Europe/Berlin`: an offset would be wrong for half of the year."
    : near === undefined
      ? zoneCure(text.value, known)
      : `Did you mean \`${near}\`?`;
  mistakes.error("manifest/bad-schedule", text.span, `there is no time zone ${named(text.value)}`, cure);
  return undefined;
}

function zoneCure(name: string, known: readonly string[]): string {
  const area = name.split("/")[0]?.toLowerCase();
  const close = known.filter((zone) => zone.split("/")[0]?.toLowerCase() === area);
  return meantName(name, close, "Write the name of one in the IANA database, as in `Europe/Berlin` or `UTC`.");
}

function readInput(tree: Tree, { mistakes }: TriggerSurroundings): ScheduleTrigger["input"] {
  const entries = readEntries(tree, "`input` of `schedule`", "input: { name: Ada }", mistakes);
  for (const { value } of entries)
    checkReferences(
      value,
      { parameters: undefined, outside: undefined, nowhere: ": a schedule gives what is written" },
      mistakes,
    );
  return entries.map(({ key, keySpan, value }) => ({ name: key, value: toJson(value), span: keySpan, valueSpan: value.span }));
}
