// What is written down while things run: one record for each thing that is worth saying, with what it is about as fields. Who writes
// records, and where, is told elsewhere; here is what they are, and what they are as a line of JSON.

import { StarlaneError } from "./errors.ts";

export const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "critical"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** What a record is about; every field may be missing. */
export interface LogFields {
  readonly app?: string | undefined;
  readonly operation?: string | undefined;
  /** Where in the transaction: `operation/node`, through flows inside flows. */
  readonly node?: string | undefined;
  readonly component?: string | undefined;
  /** Where a guest printed it. */
  readonly stream?: "stdout" | "stderr" | undefined;
  /** How a guest groups its messages. */
  readonly context?: string | undefined;
  /** The id of the transaction. */
  readonly transaction?: string | undefined;
  /** The id of the HTTP request, which a client is told where something fails. */
  readonly request?: string | undefined;
  /** Path pattern of the HTTP route. */
  readonly route?: string | undefined;
  readonly shard?: number | undefined;
  readonly traceId?: string | undefined;
  readonly spanId?: string | undefined;
  /** Of `core::log`: plain JSON. */
  readonly value?: unknown;
  /** Whatever was thrown. */
  readonly error?: unknown;
}

export interface LogRecord extends LogFields {
  readonly level: LogLevel;
  /** As its author wrote it, guests among them: whoever shows it on a terminal makes it safe. */
  readonly message: string;
  /** Milliseconds since 1970; the moment it is written where it is left out. */
  readonly timeMs?: number | undefined;
}

/** Takes records; never throws. */
export type Log = (record: LogRecord) => void;

export function isAtLeast(level: LogLevel, least: LogLevel): boolean {
  return LOG_LEVELS.indexOf(level) >= LOG_LEVELS.indexOf(least);
}

/** What is told of an error. */
export interface LoggedError {
  readonly code?: string;
  readonly message: string;
  readonly at?: string;
  readonly cure?: string;
  /** Messages of its causes that its own does not already say. */
  readonly causes?: readonly string[];
  /** Of what is no error of Starlane's: a mistake in it. */
  readonly stack?: string;
}

const MOST_CAUSES = 5;
const LONGEST_STACK = 8000;

export function loggedError(thrown: unknown): LoggedError {
  if (!(thrown instanceof Error)) return { message: textOf(thrown) };
  const causes = causesOf(thrown);
  const told = causes.length === 0 ? {} : { causes };
  if (!(thrown instanceof StarlaneError)) {
    return { message: thrown.message, ...told, stack: (thrown.stack ?? "").slice(0, LONGEST_STACK) };
  }
  const { code, message, at, cure } = thrown;
  return { code, message, ...(at === undefined ? {} : { at }), ...(cure === undefined ? {} : { cure }), ...told };
}

function causesOf(error: Error): string[] {
  const causes: string[] = [];
  let said = error.message;
  for (let cause = error.cause; cause instanceof Error && causes.length < MOST_CAUSES; cause = cause.cause) {
    if (!said.includes(cause.message)) causes.push(cause.message);
    said += `\n${cause.message}`;
  }
  return causes;
}

function textOf(value: unknown): string {
  try {
    return typeof value === "string" ? value : (JSON.stringify(value) ?? String(value));
  } catch {
    return String(value);
  }
}

/** Control characters beyond ASCII and marks that reorder text: a terminal that shows the line must not obey them. */
// oxlint-disable-next-line no-control-regex
const HIDDEN = /[\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g;

/** One line of JSON without its line feed; names of fields as in `docs/telemetry.md`. */
export function logLine({ level, message, timeMs, traceId, spanId, error, ...about }: LogRecord): string {
  const line = JSON.stringify({
    time: new Date(timeMs ?? Date.now()).toISOString(),
    level,
    message,
    ...about,
    trace_id: traceId,
    span_id: spanId,
    error: error === undefined ? undefined : loggedError(error),
  });
  return line.replace(HIDDEN, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
