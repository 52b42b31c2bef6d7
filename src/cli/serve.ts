// `starlane serve`: answers HTTP requests and runs schedules until it is told to stop; then it finishes what it has and leaves.

import { StarlaneError } from "../base/errors.ts";
import type { HttpLogEntry } from "../triggers/http/http.ts";
import type { HttpServer } from "../triggers/http/server.ts";
import { loadTarget, type Loaded } from "../star/star.ts";
import { ScheduleStates } from "../star/schedule-state.ts";
import { startSchedules, type ScheduleLogEntry, type Schedules } from "../star/schedules.ts";
import { serve } from "../star/serve.ts";
import type { CommandLine } from "./command-line.ts";
import { guestOutput } from "./guest-output.ts";
import { maskOutputs } from "./masked-output.ts";
import { printable } from "./terminal.ts";

/** What runs when it is told to stop has this long to end. */
const DRAIN_MS = 30_000;

export async function run(line: CommandLine): Promise<number> {
  const shards = shardsOf(line);
  if (shards > 1) {
    const { superviseShards } = await import("./shards.ts");
    return await superviseShards(line, shards);
  }
  const shard = process.env["STARLANE_SHARD"];
  const loaded: Loaded[] = [];
  const output = guestOutput();
  using states = new ScheduleStates();
  try {
    for (const path of line.positionals) loaded.push(await loadTarget(path, { use: "run" }));
    maskOutputs(new Set(loaded.flatMap(({ secrets }) => [...secrets])));
    const targets = loaded.map(({ target }) => target);
    const server = await serve(targets, {
      port: portOf(line),
      host: line.options.get("host"),
      reusePort: shard !== undefined,
      output: () => output.write,
      log: logEntry,
    });
    // Of several shards one runs the schedules.
    const scheduled = shard === undefined || shard === "0" ? targets : [];
    const schedules = startSchedules(scheduled, {
      output: () => output.write,
      log: logSchedule,
      stateOf: (key) => states.of(key),
    });
    if (shard === undefined) tellServed(server, schedules, loaded);
    process.send?.("ready");
    await untilStopped();
    const drained = await Promise.all([server.drain({ deadlineMs: DRAIN_MS }), schedules.drain(DRAIN_MS)]);
    return drained.every(Boolean) ? 0 : 1;
  } finally {
    output.end();
    await Promise.all(loaded.map((one) => one.close()));
    // The channel to whoever supervises this process would keep it alive.
    process.removeAllListeners("disconnect");
    if (process.connected) process.disconnect?.();
  }
}

function tellServed({ addresses }: HttpServer, { count }: Schedules, loaded: readonly Loaded[]): void {
  const names = loaded.map(({ target }) => target.name).join(", ");
  for (const { host, port, isSecure } of addresses) {
    const shown = host.includes(":") ? `[${host}]` : host;
    const url = `${isSecure ? "https" : "http"}://${shown}:${port}`;
    process.stderr.write(`serving ${names} at ${url} (operations to try: ${url}/docs)\n`);
  }
  if (count > 0) process.stderr.write(`running ${count === 1 ? "a schedule" : `${count} schedules`} of ${names}\n`);
}

function logSchedule({ level, schedule, message }: ScheduleLogEntry): void {
  process.stderr.write(`${level} ${schedule}: ${printable(message)}\n`);
}

/** The first signal lets what runs finish, the second one does not. */
function untilStopped(): Promise<void> {
  return new Promise((resolve) => {
    const stop = (): void => {
      process.once("SIGINT", () => process.exit(130));
      process.stderr.write("finishing what has begun; once more stops at once\n");
      resolve();
    };
    process.once("SIGINT", stop);
    process.once("SIGTERM", stop);
    process.once("disconnect", stop);
  });
}

function logEntry({ level, message, requestId, error }: HttpLogEntry): void {
  if (level === "info") return;
  const why = error === undefined ? "" : `: ${error instanceof Error ? error.message : JSON.stringify(error)}`;
  process.stderr.write(`${level}${requestId === undefined ? "" : ` ${requestId}`}: ${printable(`${message}${why}`)}\n`);
}

function shardsOf({ options }: CommandLine): number {
  const text = options.get("shards");
  if (text === undefined || process.env["STARLANE_SHARD"] !== undefined) return 1;
  const count = Number(text);
  if (Number.isInteger(count) && count >= 1 && count <= 256) return count;
  throw new StarlaneError("cli/usage", `--shards ${text} is no number of processes`, { cure: "write a number from 1 to 256" });
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
