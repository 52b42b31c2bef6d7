// `wasi:logging` as lines of text in the transaction's output: `level [context] message`.

import type { Binding, Capability, CapabilityTransaction } from "../capability.ts";
import { tooMuch } from "../guest.ts";

/** In UTF-16 units, of context and message together. */
const LONGEST_MESSAGE = 1 << 16;
const encoder = new TextEncoder();

function bind(): Binding {
  let output: CapabilityTransaction["output"];
  const logging = {
    __proto__: null,
    log: (level: string, context: string, message: string): void => {
      const length = context.length + message.length;
      if (length > LONGEST_MESSAGE) throw tooMuch(`a log message of ${length} characters`, LONGEST_MESSAGE);
      output?.("log", encoder.encode(`${level}${context === "" ? "" : ` [${oneLine(context)}]`} ${oneLine(message)}\n`));
    },
  };
  return {
    imports: { "wasi:logging/logging@0.1.0-draft": logging, "wasi:logging/logging": logging },
    prepare(transaction) {
      output = transaction.output;
    },
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
