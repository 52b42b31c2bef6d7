// `starlane serve`: answers HTTP requests and runs schedules until it is told to stop; then it finishes what it has and leaves.

import { availableParallelism } from "node:os";
import { StarlaneError } from "../base/errors.ts";
import type { Log, LogRecord } from "../base/log.ts";
import { denialLines } from "../star/denials.ts";
import type { HttpLogEntry } from "../triggers/http/http.ts";
import type { HttpServer } from "../triggers/http/server.ts";
import type { Loaded } from "../star/star.ts";
import { heldInMemory, REUSES_PORTS } from "../star/one-process.ts";
import { ScheduleStates } from "../star/schedule-state.ts";
import { startSchedules } from "../star/schedules.ts";
import { serve } from "../star/serve.ts";
import type { Exporting } from "../star/telemetry/start.ts";
import { traceFields } from "../star/telemetry/telemetry.ts";
import { TransactionMetrics } from "../star/telemetry/transaction-metrics.ts";
import type { CommandLine } from "./command-line.ts";
import { CommandLog } from "./log.ts";
import { maskOutputs } from "./masked-output.ts";
import { loadRecorded } from "./record-served.ts";
import { metricsOfShards } from "./shard-metrics.ts";
import type { ShardCount } from "./shards.ts";
import { tellServed } from "./tell-served.ts";
import { endExport, exportOf } from "./telemetry.ts";

/** What runs when it is told to stop has this long to end. */
const DRAIN_MS = 30_000;

export async function run(line: CommandLine): Promise<number> {
  const shard = process.env["STARLANE_SHARD"];
  const count = shardsOf(line);
  if (shard === undefined && count.shards > 1) {
    const { superviseShards } = await import("./shards.ts");
    return await superviseShards(count, new CommandLog(line).log);
  }
  const loaded: Loaded[] = [];
  const records = new CommandLog(line);
  const { log } = records;
  const metrics = new TransactionMetrics();
  let exporting: Exporting | undefined;
  using states = new ScheduleStates();
  try {
    const denied = denialLines((message) => log({ level: "warn", message: `denied: ${message}` }));
    for (const path of line.positionals) loaded.push(await loadRecorded(line, path, { use: "run", denied }, log));
    maskOutputs(new Set(loaded.flatMap(({ secrets }) => [...secrets])));
    const targets = loaded.map(({ target }) => target);
    const running: { server?: HttpServer } = {};
    exporting = await exportOf(loaded, { transactions: metrics, http: () => running.server?.metrics() }, records.logHere);
    records.sendTo(exporting?.log);
    const telemetry = { log, metrics, tracer: exporting?.tracer };
    const server = await serve(targets, {
      port: portOf(line),
      host: line.options.get("host"),
      ports: portsOfShards(),
      reusePort: shard !== undefined && REUSES_PORTS,
      shareMetrics: shard === undefined ? undefined : metricsOfShards,
      telemetry,
      httpTelemetry: exporting?.http,
      log: (entry) => log(recordOf(entry)),
    });
    running.server = server;
    // Of several shards one runs the schedules.
    const scheduled = shard === undefined || shard === "0" ? targets : [];
    const schedules = startSchedules(scheduled, {
      telemetry,
      log,
      stateOf: (key) => states.of(key),
    });
    const served = { names: targets.map(({ name }) => name), addresses: server.addresses, schedules: schedules.count };
    if (shard === undefined) tellServed(served, 1, log);
    else process.send?.({ ready: { ...served, inMemory: targets.map(heldInMemory).find((held) => held !== undefined) } });
    await untilStopped(shard === undefined ? log : () => undefined);
    const drained = await Promise.all([server.drain({ deadlineMs: DRAIN_MS }), schedules.drain(DRAIN_MS)]);
    return drained.every(Boolean) ? 0 : 1;
  } finally {
    await Promise.all(loaded.map((one) => one.close()));
    await endExport(exporting);
    // The channel to whoever supervises this process would keep it alive.
    process.removeAllListeners("disconnect");
    if (process.connected) process.disconnect?.();
  }
}

/** The first signal lets what runs finish, the second one does not. */
function untilStopped(log: Log): Promise<void> {
  return new Promise((resolve) => {
    const stop = (): void => {
      process.once("SIGINT", () => process.exit(130));
      log({ level: "info", message: "finishing what has begun; once more stops at once" });
      resolve();
    };
    process.once("SIGINT", stop);
    process.once("SIGTERM", stop);
    process.once("disconnect", stop);
  });
}

/** What the server says in passing is for those who look for something. */
function recordOf({ level, message, requestId: request, route, transaction, traceparent, error }: HttpLogEntry): LogRecord {
  const about = { request, route, transaction, ...traceFields(traceparent), error };
  return { level: level === "info" ? "debug" : level, message, ...about };
}

function shardsOf({ options }: CommandLine): ShardCount {
  const text = options.get("shards");
  if (text === undefined) return { shards: availableParallelism(), isAsked: false };
  const shards = Number(text);
  if (Number.isInteger(shards) && shards >= 1 && shards <= 256) return { shards, isAsked: true };
  throw new StarlaneError("cli/usage", `--shards ${text} is no number of processes`, { cure: "write a number from 1 to 256" });
}

/** Those that the first shard took, in the order of its listeners. */
function portsOfShards(): readonly number[] {
  const ports: unknown = JSON.parse(process.env["STARLANE_SHARD_PORTS"] ?? "[]");
  return Array.isArray(ports) ? ports.map(Number) : [];
}

function portOf({ options }: CommandLine): number | undefined {
  const text = options.get("port");
  if (text === undefined) return undefined;
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65_535) return port;
  throw new StarlaneError("cli/usage", `--port ${text} is no port`, {
    cure: "write a number from 0 to 65535; 0 takes any that is free",
  });
}
