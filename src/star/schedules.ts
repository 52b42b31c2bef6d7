// Starts the schedules of loaded apps: at each of their times one transaction, with the input that the manifest gives.

import { createHash } from "node:crypto";
import type { Clock } from "../base/clock.ts";
import type { StarlaneError } from "../base/errors.ts";
import type { ScheduleTrigger } from "../manifest/triggers.ts";
import { Schedule, type ScheduleEvent, type ScheduleState } from "../triggers/schedule.ts";
import { fromJson } from "../wit/json.ts";
import type { App, LoadedComponent, Operation } from "./app.ts";
import { failureOf } from "./failure.ts";
import { operationOf } from "./operations.ts";
import { randomSeed } from "./seeds.ts";
import type { Origin, Telemetry } from "./telemetry/telemetry.ts";
import { OperationTelemetry } from "./telemetry/transaction-telemetry.ts";
import { drained, streamsOf } from "./result-streams.ts";
import { runTransaction } from "./transaction.ts";

export interface SchedulesOptions {
  /** Told of the transactions that they start. */
  readonly telemetry?: Telemetry | undefined;
  readonly log?: ((entry: ScheduleLogEntry) => void) | undefined;
  readonly clock?: Clock | undefined;
  /** Where it is kept until when times were seen to, for schedules that make up for missed ones; undefined: nowhere. */
  readonly stateOf?: ((schedule: string) => ScheduleState | undefined) | undefined;
}

export interface ScheduleLogEntry {
  readonly level: "warn" | "error";
  readonly app: string;
  readonly operation: string;
  readonly message: string;
  /** Of a run that failed. */
  readonly transaction?: string | undefined;
  readonly error?: unknown;
}

export interface Schedules {
  readonly count: number;
  /** By what they do and when: another version of an app goes on with those that it has too. */
  readonly byKey: ReadonlyMap<string, Schedule>;
  /** Whether all runs came to their end in that time. */
  drain(timeoutMs: number): Promise<boolean>;
}

export function hasSchedules(target: LoadedComponent): boolean {
  return target.kind === "app" && target.manifest.triggers.some(({ kind }) => kind === "schedule");
}

/** @throws StarlaneError `star/unknown-operation`, `wit/bad-value`: before anything is started */
export function startSchedules(targets: readonly LoadedComponent[], options: SchedulesOptions): Schedules {
  return startPlanned(planSchedules(targets), options, undefined);
}

/** @throws StarlaneError `star/unknown-operation`, `wit/bad-value` */
export function planSchedules(targets: readonly LoadedComponent[]): readonly SchedulePlan[] {
  return targets.flatMap((target) => (target.kind === "app" ? plansOf(target) : []));
}

/** `before`: whose place they take. It must have been told to stop; what it still runs counts, and no time is lost or run twice. */
export function startPlanned(
  plans: readonly SchedulePlan[],
  options: SchedulesOptions,
  before: Schedules | undefined,
): Schedules {
  return started(
    plans.map((plan) => {
      const key = keyOf(plan.app, plan.trigger);
      return [key, start(plan, options, key, before?.byKey.get(key))] as const;
    }),
  );
}

/** Apart from where they are started: what is made here must not keep those before alive. */
function started(schedules: readonly (readonly [key: string, schedule: Schedule])[]): Schedules {
  return {
    count: schedules.length,
    byKey: new Map(schedules),
    async drain(timeoutMs) {
      return (await Promise.all(schedules.map(([, schedule]) => schedule.drain(timeoutMs)))).every(Boolean);
    },
  };
}

export interface SchedulePlan {
  readonly app: App;
  readonly trigger: ScheduleTrigger;
  readonly holder: LoadedComponent;
  readonly operation: Operation;
  readonly args: readonly unknown[];
}

function plansOf(app: App): SchedulePlan[] {
  return app.manifest.triggers.flatMap((trigger) => (trigger.kind === "schedule" ? [planOf(app, trigger)] : []));
}

function planOf(app: App, trigger: ScheduleTrigger): SchedulePlan {
  const { holder, operation } = operationOf(app, trigger.target);
  const args = operation.signature.params.map((param) => {
    const given = trigger.input.find((input) => input.name === param.name);
    return given === undefined ? undefined : fromJson(param.type, given.value, { path: param.name });
  });
  return { app, trigger, holder, operation, args };
}

function start(
  { app, trigger, holder, operation, args }: SchedulePlan,
  options: SchedulesOptions,
  key: string,
  after: Schedule | undefined,
): Schedule {
  const { cron, zone, missed, overlap } = trigger;
  const about = { app: app.name, operation: operation.name };
  const telemetry =
    options.telemetry === undefined ? undefined : new OperationTelemetry(options.telemetry, app.name, operation.name, "schedule");
  const streams = streamsOf(operation.signature.result).length > 0;
  return new Schedule({
    cron,
    zone,
    missed,
    overlap,
    clock: options.clock,
    after,
    state: missed === "skip" ? undefined : options.stateOf?.(key),
    run: async (atMs, signal) => {
      const origin: Origin = {};
      const settings = { seed: randomSeed(), timestampMs: atMs, signal, clock: options.clock, telemetry, origin };
      try {
        const result = await runTransaction(operation, args, settings);
        if (streams) await drained(operation.signature.result, result);
      } catch (error) {
        throw new FailedRun(origin.transaction, failureOf(error, holder, operation));
      }
    },
    onEvent: (event) => options.log?.({ ...about, ...told(event) }),
  });
}

/** The same for the same times and work of an app at the same place: other times were never missed. */
function keyOf(app: App, { cron, zone, target, input }: ScheduleTrigger): string {
  const { component, interface: interfaceName, operation } = target;
  const values = input.map(({ name, value }) => [name, value]);
  const all = JSON.stringify([app.file, app.folder, cron, zone, component, interfaceName, operation, values]);
  return createHash("sha256").update(all).digest("hex");
}

/** Of which transaction a run failed. */
class FailedRun extends Error {
  readonly transaction: string | undefined;
  readonly failure: StarlaneError;

  constructor(transaction: string | undefined, failure: StarlaneError) {
    super(failure.message, { cause: failure });
    this.transaction = transaction;
    this.failure = failure;
  }
}

function told(event: ScheduleEvent): Omit<ScheduleLogEntry, "app" | "operation"> {
  switch (event.kind) {
    case "failed":
      return { level: "error", message: `the run of ${iso(event.atMs)} failed`, ...failed(event.error) };
    case "state-failed":
      return { level: "error", message: "when it last ran cannot be kept", error: event.error };
    case "ended":
      return { level: "warn", message: "there are no more times" };
    case "left-out":
      return { level: "warn", message: leftOut(event) };
  }
}

function leftOut(event: Extract<ScheduleEvent, { kind: "left-out" }>): string {
  const from = iso(event.atMs);
  if (event.why === "busy") return `the run of ${from} is left out: the one before goes on`;
  if (event.why === "too-many") return `too many times after ${from} were missed: the last ones are made up for`;
  return event.count === 1 ? `the run of ${from} was missed` : `${event.count} runs from ${from} on were missed`;
}

function iso(ms: number): string {
  return new Date(ms).toISOString().replace(".000", "");
}

function failed(error: unknown): Pick<ScheduleLogEntry, "error" | "transaction"> {
  return error instanceof FailedRun ? { error: error.failure, transaction: error.transaction } : { error };
}
