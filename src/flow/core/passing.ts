// `core::log`, `core::assert`, `core::delay`: they hand their value on unchanged, and do something beside it.

import { StarlaneError } from "../../base/errors.ts";
import { toJson } from "../../wit/json.ts";
import { printType } from "../../wit/type-text.ts";
import type { ValType } from "../../wit/types.ts";
import { compileExpression } from "./expression.ts";
import type { CoreNode, CoreOperation, CoreUse } from "./operation.ts";
import { signatureOf, valueInput } from "./types.ts";

const LEVELS = ["debug", "info", "warn", "error"] as const;
const MAX_DELAY_MS = 24 * 60 * 60 * 1000;

export const logOperation: CoreOperation = {
  name: "log",
  description: "Writes its value to the log of the transaction and hands it on.",
  inputs: "`value`, of any type.",
  outputs: "The value; it may be left unconnected.",
  settings: [
    { name: "message", kind: "text", required: false, description: "what stands before the value." },
    { name: "level", kind: "text", required: false, description: "`debug`, `info` (without one), `warn` or `error`." },
  ],
  takes: "value",
  mayEnd: true,
  check: checkLog,
};

export const assertOperation: CoreOperation = {
  name: "assert",
  description: "Fails unless a CEL expression over its value holds; hands the value on.",
  inputs: "`value`, of any type.",
  outputs: "The value; it may be left unconnected.",
  settings: [
    { name: "that", kind: "text", required: true, description: "the expression: `value.count > 0`." },
    { name: "message", kind: "text", required: false, description: "what the failure says." },
  ],
  takes: "value",
  mayEnd: true,
  computes: true,
  check: checkAssert,
};

export const delayOperation: CoreOperation = {
  name: "delay",
  description: "Hands its value on after a time, by the clock of the transaction.",
  inputs: "`value`, of any type.",
  outputs: "The value.",
  settings: [{ name: "for", kind: "duration", required: true, description: "how long: `500ms`, `2s`; at most a day." }],
  takes: "value",
  check: checkDelay,
};

function passing(type: ValType, call: (value: unknown, ...rest: Parameters<PassingCall>) => unknown, async = false): CoreNode {
  return {
    signature: signatureOf([{ name: "value", type }], type, async),
    run: { kind: "call", call: ([value], transaction, target) => call(value, transaction, target) },
  };
}

type PassingCall = (
  transaction: Parameters<Extract<CoreNode["run"], { kind: "call" }>["call"]>[1],
  target: Parameters<Extract<CoreNode["run"], { kind: "call" }>["call"]>[2],
) => unknown;

function checkLog(use: CoreUse): CoreNode | undefined {
  const input = valueInput(use);
  const message = use.settings.text("message");
  const level = use.settings.oneOf("level", LEVELS) ?? "info";
  if (input === undefined) return undefined;
  const { type } = input;
  return passing(type, (value, transaction) => {
    transaction.observe?.({ kind: "log", path: "", atMs: performance.now(), level, message, value: jsonOf(type, value) });
    return value;
  });
}

/** Handles and streams have no JSON; the log then says what they are. */
function jsonOf(type: ValType, value: unknown): ReturnType<typeof toJson> {
  try {
    return toJson(type, value);
  } catch {
    return `(${printType(type, 80)})`;
  }
}

function checkAssert(use: CoreUse): CoreNode | undefined {
  const input = valueInput(use);
  const that = use.settings.text("that");
  const message = use.settings.text("message");
  if (input === undefined || that === undefined) return undefined;
  const expression = compileExpression(that, [{ name: "value", type: input.type }]);
  if ("problem" in expression) return use.settings.wrong("that", expression.problem, expression.cure);
  if (expression.type !== undefined && expression.type.kind !== "bool") {
    return use.settings.wrong(
      "that",
      `the expression gives \`${printType(expression.type, 80)}\`, not \`bool\``,
      "Compare it with something: `value > 3`.",
    );
  }
  return passing(input.type, (value) => {
    if (expression.evaluate([value]) === true) return value;
    throw new StarlaneError("flow/assertion-failed", message ?? `\`${that}\` does not hold`);
  });
}

function checkDelay(use: CoreUse): CoreNode | undefined {
  const input = valueInput(use);
  const ms = use.settings.durationMs("for");
  if (input === undefined || ms === undefined) return undefined;
  if (ms > MAX_DELAY_MS) return use.settings.wrong("for", "a delay lasts a day at most", "Write a shorter one.");
  return passing(input.type, (value, transaction) => transaction.clock.sleep(ms, transaction.signal).then(() => value), true);
}
