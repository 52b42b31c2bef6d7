// Starts the schedules of loaded apps: at each of their times one transaction, with the input that the manifest gives.

import { createHash } from "node:crypto";
import type { Clock } from "../base/clock.ts";
import { StarlaneError } from "../base/errors.ts";
import type { ScheduleTrigger } from "../manifest/triggers.ts";
import { Schedule, type ScheduleEvent, type ScheduleState } from "../triggers/schedule.ts";
import { fromJson } from "../wit/json.ts";
import type { App, LoadedComponent, Operation } from "./app.ts";
import { failureOf } from "./failure.ts";
import { findOperation } from "./operations.ts";
import { runTransaction, type TransactionSettings } from "./transaction.ts";

export interface SchedulesOptions {
  /** Takes what guests print and log. */
  readonly output: (operation: string) => TransactionSettings["output"];
  readonly log?: ((entry: ScheduleLogEntry) => void) | undefined;
  readonly clock?: Clock | undefined;
  /** Where it is kept until when times were seen to, for schedules that make up for missed ones; undefined: nowhere. */
  readonly stateOf?: ((schedule: string) => ScheduleState | undefined) | undefined;
}

export interface ScheduleLogEntry {
  readonly level: "warn" | "error";
  /** `app operation`. */
  readonly schedule: string;
  readonly message: string;
}

export interface Schedules {
  readonly count: number;
  /** Whether all runs came to their end in that time. */
  drain(timeoutMs: number): Promise<boolean>;
}

export function hasSchedules(target: LoadedComponent): boolean {
  return target.kind === "app" && target.manifest.triggers.some(({ kind }) => kind === "schedule");
}

/** @throws StarlaneError `star/unknown-operation`, `wit/bad-value`: before anything is started */
export function startSchedules(targets: readonly LoadedComponent[], options: SchedulesOptions): Schedules {
  const planned = targets.flatMap((target) => (target.kind === "app" ? plansOf(target) : []));
  const schedules = planned.map((plan) => start(plan, options));
  return {
    count: schedules.length,
    async drain(timeoutMs) {
      return (await Promise.all(schedules.map((schedule) => schedule.drain(timeoutMs)))).every(Boolean);
    },
  };
}

interface Plan {
  readonly app: App;
  readonly trigger: ScheduleTrigger;
  readonly holder: LoadedComponent;
  readonly operation: Operation;
  readonly args: readonly unknown[];
}

function plansOf(app: App): Plan[] {
  return app.manifest.triggers.flatMap((trigger) => (trigger.kind === "schedule" ? [planOf(app, trigger)] : []));
}

function planOf(app: App, trigger: ScheduleTrigger): Plan {
  const { component, interface: interfaceName, operation: name } = trigger.target;
  const holder = component === undefined ? app : app.components.get(component);
  if (holder === undefined) throw new StarlaneError("star/unknown-operation", `there is no component ${component}`);
  const operation = findOperation(holder, interfaceName === undefined ? name : `${interfaceName}#${name}`);
  const args = operation.signature.params.map((param) => {
    const given = trigger.input.find((input) => input.name === param.name);
    return given === undefined ? undefined : fromJson(param.type, given.value, { path: param.name });
  });
  return { app, trigger, holder, operation, args };
}

function start({ app, trigger, holder, operation, args }: Plan, options: SchedulesOptions): Schedule {
  const { cron, zone, missed, overlap } = trigger;
  const name = `${app.name} ${operation.name}`;
  const output = options.output(operation.name);
  return new Schedule({
    cron,
    zone,
    missed,
    overlap,
    clock: options.clock,
    state: missed === "skip" ? undefined : options.stateOf?.(keyOf(app, trigger)),
    run: async (atMs, signal) => {
      try {
        const seed = crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;
        await runTransaction(operation, args, { seed, timestampMs: atMs, signal, output, clock: options.clock });
      } catch (error) {
        throw failureOf(error, holder, operation);
      }
    },
    onEvent: (event) => options.log?.({ schedule: name, ...told(event) }),
  });
}

/** The same for the same times and work of an app at the same place: other times were never missed. */
function keyOf(app: App, { cron, zone, target, input }: ScheduleTrigger): string {
  const { component, interface: interfaceName, operation } = target;
  const values = input.map(({ name, value }) => [name, value]);
  const all = JSON.stringify([app.file, app.folder, cron, zone, component, interfaceName, operation, values]);
  return createHash("sha256").update(all).digest("hex");
}

function told(event: ScheduleEvent): Omit<ScheduleLogEntry, "schedule"> {
  switch (event.kind) {
    case "failed":
      return { level: "error", message: `the run of ${iso(event.atMs)} failed: ${messageOf(event.error)}` };
    case "state-failed":
      return { level: "error", message: `when it last ran cannot be kept: ${messageOf(event.error)}` };
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

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
