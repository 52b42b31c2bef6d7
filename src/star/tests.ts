// Runs the tests of an app against its real components: with a virtual clock, seeded randomness, and a bound on real time, so
// that a test gives the same answer every time and everywhere.

import { virtualClock, type Clock } from "../base/clock.ts";
import { StarlaneError } from "../base/errors.ts";
import { compareOutcome, type Mismatch, type Outcome } from "../manifest/expect.ts";
import type { TestDeclaration } from "../manifest/manifest.ts";
import { toJson } from "../wit/json.ts";
import type { App, Operation } from "./app.ts";
import { failureOf, payloadOf } from "./failure.ts";
import { argumentsFrom } from "./inputs.ts";
import type { LoadedCode } from "./load-app.ts";
import { findOperation } from "./operations.ts";
import { hasGrants } from "./record/has-grants.ts";
import type { LoadOptions } from "./star.ts";
import { gathered } from "./result-streams.ts";
import { runTransaction } from "./transaction.ts";

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

/** An app whose tests are run. */
export interface TestedApp {
  readonly app: App;
  /** What loads of it share. */
  readonly code: LoadedCode;
  readonly denied?: LoadOptions["denied"];
}

/** Runs tests side by side; results come in the order of the tests. */
export async function runTests(
  app: TestedApp,
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

async function runTest(tested: TestedApp, name: string, test: TestDeclaration): Promise<TestResult> {
  const decoder = new TextDecoder();
  let printed = "";
  const startedAt = performance.now();
  const { outcome, mismatches } = await endOf(tested, test, (bytes) => {
    if (printed.length < MOST_PRINTED) printed += decoder.decode(bytes, { stream: true });
  });
  const tookMs = performance.now() - startedAt;
  return { name, test, outcome, tookMs, printed, mismatches };
}

interface End {
  readonly outcome: Outcome;
  readonly mismatches: readonly Mismatch[];
}

type Print = (bytes: Uint8Array) => void;

async function endOf(tested: TestedApp, test: TestDeclaration, print: Print): Promise<End> {
  const { app } = tested;
  const { record } = test;
  if (record !== undefined) return await endOfReplay(tested, { ...test, record }, print);
  if (!hasGrants(app)) {
    const outcome = await outcomeOf(app, test, virtualClock(startOf(test)), print);
    return { outcome, mismatches: compareOutcome(test.expect, outcome) };
  }
  return await endWithDoubles(tested, test, print);
}

/** With stores, network and time of its own. */
async function endWithDoubles({ app, code, denied }: TestedApp, test: TestDeclaration, print: Print): Promise<End> {
  const { Doubles } = await import("./doubles/doubles.ts");
  const { loadTarget } = await import("./star.ts");
  const doubles = new Doubles(test.given, startOf(test));
  const resources = { inMemory: true, now: () => doubles.clock.now() };
  const loaded = await loadTarget(app.file, { use: "run", resources, doubles, code, denied });
  try {
    if (loaded.target.kind !== "app") throw new StarlaneError("starlane/internal", "an app is no app any more");
    const outcome = await outcomeOf(loaded.target, test, doubles.clock, print);
    const differences = compareOutcome(test.expect, outcome);
    const unexpected = differences.length > 0 ? doubles.http.unexpected : [];
    return { outcome, mismatches: [...differences, ...[...doubles.unused(), ...unexpected].map(aboutGiven)] };
  } finally {
    await loaded.close();
  }
}

function aboutGiven(message: string): Mismatch {
  return { path: "$given", expected: undefined, actual: undefined, message };
}

async function endOfReplay(
  { app, code }: TestedApp,
  test: TestDeclaration & { readonly record: string },
  print: Print,
): Promise<End> {
  try {
    const { replayTest } = await import("./record/record-test.ts");
    const { outcome, otherwise } = await replayTest(app, test, { code }, { output: (_stream, bytes) => print(bytes) });
    if (test.expect !== undefined || otherwise === undefined)
      return { outcome, mismatches: compareOutcome(test.expect ?? sameOf(outcome), outcome) };
    const actual = outcome.kind === "done" ? { result: outcome.output } : { error: outcome.message };
    const message = "all that came from outside was as recorded, but not what came of it";
    return { outcome, mismatches: [{ path: "$record", expected: otherwise, actual, message }] };
  } catch (error) {
    if (!(error instanceof StarlaneError) || error.code === "starlane/internal") throw error;
    const { code: name, message } = error;
    const outcome: Outcome = { kind: "failed", code: name, message };
    return {
      outcome,
      mismatches: [{ path: "$record", expected: undefined, actual: undefined, message: `${message} [${name}]` }],
    };
  }
}

/** An expectation that the outcome of a record, whatever it was, meets. */
function sameOf({ kind }: Outcome): TestDeclaration["expect"] {
  return kind === "failed" ? { error: true } : undefined;
}

function startOf({ timestampMs = DEFAULT_TIMESTAMP_MS }: TestDeclaration): number {
  return timestampMs;
}

async function outcomeOf(app: App, test: TestDeclaration, clock: Clock, print: Print): Promise<Outcome> {
  let operation: Operation | undefined;
  try {
    operation = findOperation(app, test.operation);
    const args = argumentsFrom(operation.signature, [], test.input, operation.name);
    const result = await runTransaction(operation, args, {
      seed: test.seed ?? DEFAULT_SEED,
      timestampMs: startOf(test),
      clock,
      callLimitMs: CALL_LIMIT_MS,
      output: (_stream, bytes) => print(bytes),
    });
    const { result: type } = operation.signature;
    if (type === undefined) return { kind: "done", output: null };
    const whole = await gathered(type, result);
    return { kind: "done", output: toJson(whole.type, whole.value, { path: "the result" }) };
  } catch (error) {
    if (operation === undefined) throw error;
    const failure = failureOf(error, app, operation);
    if (failure.code === "starlane/internal") throw failure;
    const payload = payloadOf(failure, app);
    return { kind: "failed", code: failure.code, message: failure.message, ...(payload === undefined ? {} : { payload }) };
  }
}
