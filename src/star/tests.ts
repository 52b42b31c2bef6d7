// Runs the tests of an app against its real components: with a virtual clock, seeded randomness, and a bound on real time, so
// that a test gives the same answer every time and everywhere.

import { virtualClock } from "../base/clock.ts";
import { compareOutcome, type Mismatch, type Outcome } from "../manifest/expect.ts";
import type { TestDeclaration } from "../manifest/manifest.ts";
import { toJson } from "../wit/json.ts";
import type { App, Operation } from "./app.ts";
import { failureOf, payloadOf } from "./failure.ts";
import { argumentsFrom } from "./inputs.ts";
import { findOperation } from "./operations.ts";
import { openHost, openTransaction } from "./transaction.ts";

export interface TestResult {
  readonly name: string;
  readonly test: TestDeclaration;
  /** None: it passed. */
  readonly mismatches: readonly Mismatch[];
  readonly outcome: Outcome;
  /** Of the machine's clock. */
  readonly tookMs: number;
  /** What guests printed. */
  readonly printed: string;
}

const DEFAULT_SEED = 0;
/** 2026-01-01T00:00:00Z: any time will do, as long as it is always the same. */
const DEFAULT_TIMESTAMP_MS = Date.UTC(2026, 0, 1);
const CALL_LIMIT_MS = 10_000;
const MOST_AT_ONCE = 16;
const MOST_PRINTED = 64 * 1024;

/** What people call a test: its name, or its operation and place in the file. */
export function nameOf(test: TestDeclaration, index: number): string {
  return test.name ?? `${test.operation} #${index + 1}`;
}

/** Runs tests side by side; results come in the order of the tests. */
export async function runTests(
  app: App,
  tests: readonly { readonly name: string; readonly test: TestDeclaration }[],
): Promise<TestResult[]> {
  const results: TestResult[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let i = next++; i < tests.length; i = next++) {
      const entry = tests[i];
      if (entry !== undefined) results[i] = await runTest(app, entry.name, entry.test);
    }
  };
  await Promise.all(Array.from({ length: Math.min(MOST_AT_ONCE, tests.length) }, worker));
  return results;
}

async function runTest(app: App, name: string, test: TestDeclaration): Promise<TestResult> {
  const decoder = new TextDecoder();
  let printed = "";
  const startedAt = performance.now();
  const outcome = await outcomeOf(app, test, (bytes) => {
    if (printed.length < MOST_PRINTED) printed += decoder.decode(bytes, { stream: true });
  });
  const tookMs = performance.now() - startedAt;
  return { name, test, outcome, tookMs, printed, mismatches: compareOutcome(test.expect, outcome) };
}

async function outcomeOf(app: App, test: TestDeclaration, print: (bytes: Uint8Array) => void): Promise<Outcome> {
  let operation: Operation | undefined;
  try {
    operation = findOperation(app, test.operation);
    const args = argumentsFrom(operation.signature, [], test.input, operation.name);
    const timestampMs = test.timestampMs ?? DEFAULT_TIMESTAMP_MS;
    const transaction = openTransaction({ seed: test.seed ?? DEFAULT_SEED, timestampMs, clock: virtualClock(timestampMs) });
    const host = openHost({ callLimitMs: CALL_LIMIT_MS, output: (_stream, bytes) => print(bytes) });
    const result = await operation.call(args, transaction, host, undefined);
    const { result: type } = operation.signature;
    return { kind: "done", output: type === undefined ? null : toJson(type, result, { path: "the result" }) };
  } catch (error) {
    if (operation === undefined) throw error;
    const failure = failureOf(error, app, operation);
    if (failure.code === "starlane/internal") throw failure;
    const payload = payloadOf(failure, app);
    return { kind: "failed", code: failure.code, message: failure.message, ...(payload === undefined ? {} : { payload }) };
  }
}
