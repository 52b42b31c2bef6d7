// What a guest prints and logs, handed on up to a limit that all streams of a transaction share. What is over is dropped with one
// remark: a chatty guest still gets its answer, and cannot fill the host's memory.

import type { CapabilityTransaction, OutputStreamName } from "./capability.ts";

const DEFAULT_LIMIT_BYTES = 1 << 20;
const encoder = new TextEncoder();

/** The same transaction with an output that keeps to its limit. */
export function withBoundedOutput(transaction: CapabilityTransaction): CapabilityTransaction {
  const { output, outputLimitBytes = DEFAULT_LIMIT_BYTES } = transaction;
  if (output === undefined) return transaction;
  let left = outputLimitBytes;
  const bounded = (stream: OutputStreamName, bytes: Uint8Array): void => {
    if (left < 0 || bytes.length === 0) return;
    const kept = bytes.length <= left ? bytes : bytes.subarray(0, left);
    left -= bytes.length;
    if (kept.length > 0) output(stream, kept);
    if (left < 0) output("log", encoder.encode(`output stopped after ${outputLimitBytes} bytes\n`));
  };
  return { ...transaction, output: bounded, outputLimitBytes };
}
