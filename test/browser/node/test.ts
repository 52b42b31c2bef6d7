// `node:test` in a browser: runs the tests of one file, one after another, and tells each result. An error that nobody catches fails the
// test that was running, as in Node. A test that never ends fails after a minute: a page does not notice that nothing is left to do.

import type { TestResult } from "../protocol.ts";
import { show } from "./show.ts";
import { setImmediate } from "./timers.ts";

const DEFAULT_TIMEOUT_MS = 60_000;

interface Options {
  readonly skip?: boolean | string;
  readonly timeout?: number;
}

type Body = (context: Context) => unknown;
type Hook = () => unknown;
type Rest<T> = [options: Options, body: T] | [body: T];
type HookKind = "before" | "after" | "beforeEach" | "afterEach";

interface Suite extends Readonly<Record<HookKind, Hook[]>> {
  readonly name: readonly string[];
  readonly around: Suite | undefined;
  readonly jobs: (() => Promise<void>)[];
}

/** Who is told of the tests of this page. */
export interface Listener {
  started(name: readonly string[]): void;
  ended(result: TestResult): void;
}

const root = newSuite([], undefined);
let collecting = root;
let tail = Promise.resolve();
let hasBegun = false;
let running: Context | undefined;
let listener: Listener | undefined;

function newSuite(name: readonly string[], around: Suite | undefined): Suite {
  return { name, around, jobs: [], before: [], after: [], beforeEach: [], afterEach: [] };
}

// ---- what test files call

export function test(name: string, ...rest: Rest<Body>): Promise<void> {
  const suite = collecting;
  return schedule(suite, () => runTest(suite, [...suite.name, name], ...split(rest)));
}

export function describe(name: string, ...rest: Rest<Hook>): Promise<void> {
  const outer = collecting;
  const [options, body] = split(rest);
  const suite = newSuite([...outer.name, name], outer);
  if (isOn(options.skip)) return schedule(outer, () => tellSkipped(suite.name, options.skip));
  collecting = suite;
  try {
    body();
  } finally {
    collecting = outer;
  }
  return schedule(outer, () => runSuite(suite));
}

export { test as it, describe as suite };

export const before = (hook: Hook): void => void collecting.before.push(hook);
export const after = (hook: Hook): void => void collecting.after.push(hook);
export const beforeEach = (hook: Hook): void => void collecting.beforeEach.push(hook);
export const afterEach = (hook: Hook): void => void collecting.afterEach.push(hook);

/** What a test is given. */
class Context {
  readonly path: readonly string[];
  readonly diagnostics: string[] = [];
  readonly hooks: Hook[] = [];
  skipped: string | undefined;
  uncaught: { readonly error: unknown } | undefined;
  readonly #suite: Suite;
  readonly #ended = new AbortController();

  constructor(suite: Suite, path: readonly string[]) {
    this.#suite = suite;
    this.path = path;
  }

  get name(): string {
    return this.path.at(-1) ?? "";
  }

  get signal(): AbortSignal {
    return this.#ended.signal;
  }

  diagnostic(text: string): void {
    this.diagnostics.push(text);
  }

  skip(reason = ""): void {
    this.skipped = reason;
  }

  after(hook: Hook): void {
    this.hooks.push(hook);
  }

  test(name: string, ...rest: Rest<Body>): Promise<void> {
    return runTest(this.#suite, [...this.path, name], ...split(rest));
  }

  async end(): Promise<void> {
    this.#ended.abort();
    for (const hook of this.hooks) await hook();
  }
}

// ---- what the page calls

export function listen(to: Listener): void {
  listener = to;
}

/** Ends when all tests that the file has made have ended. */
export async function finish(): Promise<void> {
  let seen: Promise<void> | undefined;
  while (seen !== tail) await (seen = tail);
  if (hasBegun) await runHooks(root, "after");
}

/** An error that nobody caught: it counts against the test that is running. */
export function tellUncaught(error: unknown): void {
  if (running === undefined) tellFailed(["outside"], error);
  else running.uncaught ??= { error };
}

export function tellFailed(name: readonly string[], error: unknown): void {
  listener?.ended({ name, outcome: "failed", reason: reasonOf(error), diagnostics: [], durationMs: 0 });
}

// ---- running

/** Tests of the file itself start at once, each after the one before; those of a suite when its turn comes. */
function schedule(suite: Suite, job: () => Promise<void> | void): Promise<void> {
  if (suite === root) return (tail = tail.then(begin).then(job));
  suite.jobs.push(async () => job());
  return Promise.resolve();
}

async function begin(): Promise<void> {
  if (hasBegun) return;
  hasBegun = true;
  await runHooks(root, "before");
}

async function runSuite(suite: Suite): Promise<void> {
  if (await runHooks(suite, "before")) for (const job of suite.jobs) await job();
  await runHooks(suite, "after");
}

async function runHooks(suite: Suite, kind: HookKind): Promise<boolean> {
  try {
    for (const hook of suite[kind]) await hook();
    return true;
  } catch (error) {
    tellFailed(suite === root ? ["outside"] : suite.name, error);
    return false;
  }
}

async function runTest(suite: Suite, name: readonly string[], options: Options, body: Body): Promise<void> {
  if (isOn(options.skip)) return tellSkipped(name, options.skip);
  const context = new Context(suite, name);
  const outer = running;
  running = context;
  listener?.started(name);
  const startedAt = performance.now();
  const failure = await failureOf(async () => {
    for (const hook of hooksAround(suite, "beforeEach").toReversed()) await hook();
    await withinTime(body(context), options.timeout ?? DEFAULT_TIMEOUT_MS);
  });
  const cleanUp = await failureOf(async () => {
    await context.end();
    for (const hook of hooksAround(suite, "afterEach")) await hook();
    // Rejections that nobody handles are told after this task.
    await new Promise((resolve) => setImmediate(resolve));
  });
  running = outer;
  const failed = failure ?? cleanUp ?? context.uncaught;
  listener?.ended({
    name,
    diagnostics: context.diagnostics,
    durationMs: performance.now() - startedAt,
    ...(failed === undefined ? passed(context) : { outcome: "failed", reason: reasonOf(failed.error) }),
  });
}

function passed({ skipped }: Context): Pick<TestResult, "outcome" | "reason"> {
  return skipped === undefined ? { outcome: "passed" } : { outcome: "skipped", reason: skipped };
}

function hooksAround(suite: Suite | undefined, kind: HookKind): Hook[] {
  return suite === undefined ? [] : [...suite[kind], ...hooksAround(suite.around, kind)];
}

async function failureOf(run: () => Promise<void>): Promise<{ readonly error: unknown } | undefined> {
  try {
    await run();
    return undefined;
  } catch (error) {
    return { error };
  }
}

async function withinTime(result: unknown, timeoutMs: number): Promise<void> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`the test did not end within ${timeoutMs} ms`)), timeoutMs);
  try {
    await Promise.race([result, promise]);
  } finally {
    clearTimeout(timer);
  }
}

function tellSkipped(name: readonly string[], why: Options["skip"]): void {
  const reason = typeof why === "string" ? why : "";
  listener?.ended({ name, outcome: "skipped", reason, diagnostics: [], durationMs: 0 });
}

/** The stack starts with the message, but for errors whose message was changed after they were made. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return `thrown: ${show(error)}`;
  const stack = error.stack ?? "";
  const cause = error.cause === undefined ? "" : `\ncaused by ${reasonOf(error.cause)}`;
  return `${stack.includes(error.message) ? stack : `${String(error)}\n${stack}`}${cause}`;
}

function isOn(skip: Options["skip"]): boolean {
  return skip !== undefined && skip !== false;
}

function split<T>(rest: Rest<T>): [options: Options, body: T] {
  return rest.length === 1 ? [{}, rest[0]] : rest;
}
