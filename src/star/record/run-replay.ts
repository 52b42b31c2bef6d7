// Replays a record on a target: the same operation, input, seed and time, and from outside what was recorded. Tells whether the same came
// of it.

import { StarlaneError } from "../../base/errors.ts";
import type { Json } from "../../wit/json.ts";
import { toJson } from "../../wit/json.ts";
import type { Operation } from "../app.ts";
import { secretHere } from "../environment.ts";
import { failureOf, payloadOf } from "../failure.ts";
import { argumentsFrom } from "../inputs.ts";
import { findOperation, shortName } from "../operations.ts";
import { type Loaded, loadTarget, type LoadOptions } from "../star.ts";
import { runTransaction, type TransactionSettings } from "../transaction.ts";
import { differenceError, sameJson, valueText } from "./difference.ts";
import type { TransactionRecord } from "./record.ts";
import { isObject } from "./values.ts";
import { Replay } from "./replay.ts";
import { filesOf } from "./write-record.ts";

/** What a replay may still compute beyond the time that the transaction had. */
const GRACE_MS = 1000;

/** Loads a target for the replay of a record: nothing is opened, and secrets need not be there. */
export function loadForReplay(path: string, record: TransactionRecord, options: Partial<LoadOptions> = {}): Promise<Loaded> {
  return loadTarget(path, {
    use: "once",
    ...options,
    replay: record,
    environment: (name) => (Object.hasOwn(record.environment, name) ? record.environment[name] : undefined),
    secrets: (name) => secretHere(name) ?? "***",
  });
}

export type Replayed = { readonly operation: Operation } & (
  | { readonly value: unknown }
  /** As the transaction failed, when it was recorded and now. */
  | { readonly failure: StarlaneError }
);

export interface ReplayOptions extends Pick<TransactionSettings, "observe" | "output"> {
  /** What comes of it may be something else; what is asked of the outside may not. */
  readonly anyOutcome?: boolean | undefined;
}

/** @throws StarlaneError `replay/differs`, `replay/incomplete`, `replay/bad-record`, and as `runTransaction` does where that was not recorded */
export async function replay(record: TransactionRecord, { target }: Loaded, options: ReplayOptions = {}): Promise<Replayed> {
  const { anyOutcome = false, ...settings } = options;
  const operation = findOperation(target, record.operation);
  const args = argumentsFrom(operation.signature, [], record.input, shortName(operation, target.operations.values()));
  const run = new Replay(record);
  const limitMs = record.timeoutMs ?? operation.limits.timeMs;
  const outcome = await settled(operation, args, {
    ...settings,
    seed: record.seed,
    timestampMs: record.timestampMs,
    timeoutMs: record.timeoutMs,
    callLimitMs: limitMs === undefined ? undefined : limitMs + GRACE_MS,
    replay: run,
  });
  if ("error" in outcome && isAboutReplay(outcome.error)) throw outcome.error;
  if (run.difference === undefined) run.end();
  if (run.difference !== undefined) throw differenceError(run.difference);
  if ("value" in outcome) {
    const { result } = operation.signature;
    if (!anyOutcome)
      same(record, { result: result === undefined ? null : toJson(result, outcome.value, { path: "the result" }) });
    return { operation, value: outcome.value };
  }
  const failure = failureOf(outcome.error, target, operation);
  const payload = payloadOf(failure, target);
  if (!anyOutcome)
    same(record, { error: { code: failure.code, message: failure.message, ...(payload === undefined ? {} : { payload }) } });
  return { operation, failure };
}

type Outcome = { readonly value: unknown } | { readonly error: unknown };

async function settled(operation: Operation, args: readonly unknown[], settings: TransactionSettings): Promise<Outcome> {
  try {
    return { value: await runTransaction(operation, args, settings) };
  } catch (error) {
    return { error };
  }
}

/** Not why the transaction failed, but why it cannot be replayed. */
function isAboutReplay(error: unknown): boolean {
  return error instanceof StarlaneError && (error.code === "replay/incomplete" || error.code === "replay/bad-record");
}

function same({ outcome }: TransactionRecord, now: Json): void {
  const recorded: Json = "result" in outcome ? { result: outcome.result } : { error: { ...outcome.error } as Json };
  if (sameOutcome(recorded, now)) return;
  throw new StarlaneError(
    "replay/differs",
    `all that came from outside was the same, but not what came of it:\n  recorded: ${valueText(recorded)}\n  now:      ${valueText(now)}`,
    {
      data: { recorded, now },
      cure: "A component or a flow was changed since the record was made.",
    },
  );
}

export function sameOutcome(recorded: Json, now: Json): boolean {
  return sameJson(recorded, now) || bothOutOfTime(recorded, now);
}

/** Which of several limits of the same moment was met first is chance. */
function bothOutOfTime(recorded: Json, now: Json): boolean {
  const code = (json: Json): Json | undefined => (isObject(json) && isObject(json["error"]) ? json["error"]["code"] : undefined);
  return code(recorded) === code(now) && (code(now) === "flow/deadline" || code(now) === "flow/timeout");
}

/** Files of the target that are not as they were. */
export function changedFiles(record: TransactionRecord, loaded: Loaded): string[] {
  const now = new Map(filesOf(loaded).map(({ file, sha256 }) => [file, sha256]));
  const known = new Set(record.files.map(({ file }) => file));
  return [
    ...record.files.filter(({ file, sha256 }) => now.get(file) !== sha256).map(({ file }) => file),
    ...[...now.keys()].filter((file) => !known.has(file)),
  ];
}
