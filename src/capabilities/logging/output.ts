// `wasi:logging`: records for whoever takes them, else lines of text in the transaction's output: `level [context] message`.
// Bounded: a message, and all messages of a transaction together.

import type { Binding, Capability, CapabilityTransaction, LogLevel, LogRecord } from "../capability.ts";
import { misuse, tooMuch } from "../guest.ts";

/** In UTF-16 units, of context and message together. */
const LONGEST_MESSAGE = 1 << 16;
const DEFAULT_LIMIT_BYTES = 1 << 20;
const LEVELS: ReadonlySet<string> = new Set<LogLevel>(["trace", "debug", "info", "warn", "error", "critical"]);
const encoder = new TextEncoder();

function bind(): Binding {
  let output: CapabilityTransaction["output"];
  let record: CapabilityTransaction["log"];
  const logging = {
    __proto__: null,
    log: (level: string, context: string, message: string): void => {
      const length = context.length + message.length;
      if (length > LONGEST_MESSAGE) throw tooMuch(`a log message of ${length} characters`, LONGEST_MESSAGE);
      if (!isLevel(level)) throw misuse("a log message has to have a level of wasi:logging");
      if (record !== undefined) return record({ level, context, message });
      output?.("log", encoder.encode(logLine({ level, context, message })));
    },
  };
  return {
    imports: { "wasi:logging/logging@0.1.0-draft": logging, "wasi:logging/logging": logging },
    prepare(transaction) {
      output = transaction.output;
      record = bounded(transaction);
    },
  };
}

/** A message as a line of the transaction's output. */
export function logLine({ level, context, message }: LogRecord): string {
  return `${level}${context === "" ? "" : ` [${oneLine(context)}]`} ${oneLine(message)}\n`;
}

function isLevel(level: string): level is LogLevel {
  return LEVELS.has(level);
}

/** What is over the limit is dropped, with one remark. */
function bounded({ log, outputLimitBytes = DEFAULT_LIMIT_BYTES }: CapabilityTransaction): CapabilityTransaction["log"] {
  if (log === undefined) return undefined;
  let left = outputLimitBytes;
  return (record) => {
    if (left < 0) return;
    left -= record.context.length + record.message.length + record.level.length;
    if (left >= 0) log(record);
    else log({ level: "warn", context: "", message: `output stopped after ${outputLimitBytes} bytes` });
  };
}

/** Control characters escaped: a message cannot pretend to be two, nor move a terminal's cursor. */
function oneLine(text: string): string {
  return text.replace(/\p{Cc}/gu, (control) => {
    if (control === "\n") return "\\n";
    return control === "\t" ? "\\t" : `\\u${control.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}

/** Logging into the transaction's output; always there. */
export const outputLogging: Capability = {
  name: "logging",
  packages: ["wasi:logging"],
  configure: () => bind,
};
