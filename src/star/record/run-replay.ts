// Replays a record on a target: the same operation, input, seed and time, and from outside what was recorded. Tells whether the same came
// of it.

import { StarlaneError } from "../../base/errors.ts";
import type { Json } from "../../wit/json.ts";
import { toJson } from "../../wit/json.ts";
import type { LoadedComponent, Operation } from "../app.ts";
import { secretHere } from "../environment.ts";
import { failureOf, payloadOf } from "../failure.ts";
import { argumentsFrom } from "../inputs.ts";
import { findOperation, shortName } from "../operations.ts";
import { type Loaded, loadTarget, type LoadOptions } from "../star.ts";
import { runTransaction, type TransactionSettings } from "../transaction.ts";
import { differenceError, sameJson, valueText } from "./difference.ts";
import { componentAt } from "./has-grants.ts";
import type { HeldValue, TransactionRecord } from "./record.ts";
import { isObject } from "./values.ts";
import { Replay } from "./replay.ts";
import { heldText, readAgain, sameHeld, unheld } from "./streamed-value.ts";
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

export type Replayed = { readonly operation: Operation } &
  /** `held`: in place of a value that has streams or resources. */
  (
    | { readonly value: unknown; readonly held?: HeldValue | undefined }
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
  const holder = componentAt(target, record.component ?? "");
  if (holder === undefined)
    throw new StarlaneError("star/unknown-operation", `${target.file} has no component ${record.component ?? ""}`);
  const operation = findOperation(holder, record.operation);
  const run = new Replay(record);
  const args = argumentsOf(record, operation, holder, run);
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
  const held =
    "value" in outcome && "held" in record.outcome ? await heldNow(record.outcome.held, operation, outcome.value) : undefined;
  await run.closed();
  if (run.difference === undefined) run.end();
  if (run.difference !== undefined) throw differenceError(run.difference);
  if ("value" in outcome) {
    const { result } = operation.signature;
    if (held !== undefined && "held" in record.outcome) {
      if (!anyOutcome && !sameHeld(record.outcome.held, held, sameJson))
        throw otherResult(heldText(record.outcome.held), heldText(held));
      return { operation, value: result === undefined ? undefined : unheld(result, held), held };
    }
    if (!anyOutcome)
      same(record, { result: result === undefined ? null : toJson(result, outcome.value, { path: "the result" }) });
    return { operation, value: outcome.value };
  }
  const failure = failureOf(outcome.error, holder, operation);
  const payload = payloadOf(failure, holder);
  if (!anyOutcome)
    same(record, { error: { code: failure.code, message: failure.message, ...(payload === undefined ? {} : { payload }) } });
  return { operation, failure };
}

/** A result with its streams read: a component that is not heard does not end. */
async function heldNow(recorded: HeldValue, { signature }: Operation, value: unknown): Promise<HeldValue> {
  const { result } = signature;
  return result === undefined ? { value: null, streams: {} } : await readAgain(result, value, recorded);
}

/** As they were given, with streams that give what they gave. */
function argumentsOf(record: TransactionRecord, operation: Operation, holder: LoadedComponent, run: Replay): readonly unknown[] {
  const { params } = operation.signature;
  if (record.handed !== undefined) return run.handed(params, record.handed);
  const { streamed = {} } = record;
  const isStreamed = (name: string): boolean => Object.hasOwn(streamed, name);
  const plain = {
    ...operation.signature,
    params: params.map((param) => (isStreamed(param.name) ? { ...param, optional: true } : param)),
  };
  const args = argumentsFrom(plain, [], record.input, shortName(operation, holder.operations.values()));
  return params.map(({ name, type }, i) => {
    const held = isStreamed(name) ? streamed[name] : undefined;
    return held === undefined ? args[i] : unheld(type, held);
  });
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
  const recorded = outcomeJson(outcome);
  if (!sameOutcome(recorded, now)) throw otherResult(valueText(recorded), valueText(now));
}

/** The outcome of a record, as what came of a replay is compared with it. */
export function outcomeJson(outcome: TransactionRecord["outcome"]): Json {
  if ("result" in outcome) return { result: outcome.result };
  return "held" in outcome ? { held: outcome.held as unknown as Json } : { error: { ...outcome.error } as Json };
}

function otherResult(recorded: string, now: string): StarlaneError {
  return new StarlaneError(
    "replay/differs",
    `all that came from outside was the same, but not what came of it:\n  recorded: ${recorded}\n  now:      ${now}`,
    { data: { recorded, now }, cure: "A component or a flow was changed since the record was made." },
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
