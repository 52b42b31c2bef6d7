// Writes log records to standard error: lines that people read on a terminal, JSON lines for everything else.

import { isAtLeast, type Log, LOG_LEVELS, loggedError, logLine, type LogLevel, type LogRecord } from "../base/log.ts";
import { StarlaneError } from "../base/errors.ts";
import type { CommandLine } from "./command-line.ts";
import { type Paint, paintFor, printable, type Style } from "./terminal.ts";

const STYLES: Readonly<Record<LogLevel, Style>> = {
  trace: "dim",
  debug: "dim",
  info: "blue",
  warn: "yellow",
  error: "red",
  critical: "red",
};

/** The log of a command, as its options ask for it. */
export class CommandLog {
  readonly #least: LogLevel;
  readonly #write: Log;
  readonly #common: { readonly shard: number } | undefined;
  #further: Log | undefined;

  /** @throws StarlaneError `cli/usage` */
  constructor({ options }: CommandLine) {
    this.#least = levelOf(options.get("log-level") ?? "info");
    this.#write = writerOf(options.get("log-format") ?? (process.stderr.isTTY ? "text" : "json"));
    const shard = process.env["STARLANE_SHARD"];
    this.#common = shard === undefined ? undefined : { shard: Number(shard) };
  }

  /** Sends records there too. */
  sendTo(further: Log | undefined): void {
    this.#further = further;
  }

  /** To standard error, and wherever else records are sent. */
  readonly log: Log = (record) => this.#add(record, this.#further);

  /** To standard error only. */
  readonly logHere: Log = (record) => this.#add(record, undefined);

  #add(record: LogRecord, further: Log | undefined): void {
    if (!isAtLeast(record.level, this.#least)) return;
    const whole = { ...record, ...this.#common, timeMs: record.timeMs ?? Date.now() };
    this.#write(whole);
    further?.(whole);
  }
}

function levelOf(text: string): LogLevel {
  const level = LOG_LEVELS.find((known) => known === text);
  if (level !== undefined) return level;
  throw new StarlaneError("cli/usage", `--log-level ${text} is no level`, { cure: `the levels are: ${LOG_LEVELS.join(", ")}` });
}

function writerOf(format: string): Log {
  if (format === "json") return (record) => void process.stderr.write(`${logLine(record)}\n`);
  if (format !== "text") {
    throw new StarlaneError("cli/usage", `--log-format ${format} is no format`, { cure: "write json or text" });
  }
  const paint = paintFor(process.stderr);
  return (record) => void process.stderr.write(`${textLine(record, paint)}\n`);
}

/** `12:30:01.250 warn shop orders: message: error [code] request=…`; what the command itself has to say stands alone. */
export function textLine(record: LogRecord, paint: Paint): string {
  const { level, message, timeMs, error, value } = record;
  const subject = subjectOf(record);
  const told = printable(
    [message, value === undefined ? undefined : JSON.stringify(value)].filter((part) => part !== undefined).join(" "),
  );
  const ids = idsOf(record);
  if (level === "info" && subject === "" && ids === "" && error === undefined) return told;
  const time = new Date(timeMs ?? Date.now()).toTimeString().slice(0, 8);
  const head = `${paint("dim", time)} ${paint(STYLES[level], level)}`;
  const why = error === undefined ? "" : printable(`: ${errorText(error)}`);
  return `${head} ${subject === "" ? "" : `${paint("bold", printable(subject))}: `}${told}${why}${ids === "" ? "" : ` ${paint("dim", printable(ids))}`}`;
}

function subjectOf({ app, operation, node, context, route, stream }: LogRecord): string {
  const where = node ?? operation ?? route;
  return [app, where, stream ?? (context === "" ? undefined : context)].filter((part) => part !== undefined).join(" ");
}

function idsOf({ transaction, request, traceId, shard }: LogRecord): string {
  const ids = { request, transaction, trace: traceId, shard };
  return Object.entries(ids)
    .flatMap(([name, id]) => (id === undefined ? [] : [`${name}=${id}`]))
    .join(" ");
}

function errorText(thrown: unknown): string {
  const { code, message, at, causes = [], stack } = loggedError(thrown);
  const where = at === undefined ? "" : ` at ${at}`;
  const text = `${message}${code === undefined ? "" : ` [${code}]`}${where}`;
  return [text, ...causes.map((cause) => `  because: ${cause}`), ...(stack === undefined ? [] : [stack])].join("\n");
}
