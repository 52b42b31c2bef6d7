// `node:assert/strict` in a browser: the assertions that tests use, with Node's meaning (`assert.test.ts` compares both).

import { isDeepStrictEqual } from "./deep-equal.ts";
import { show } from "./show.ts";

interface Failed {
  readonly message?: string | Error | undefined;
  readonly actual?: unknown;
  readonly expected?: unknown;
  readonly operator?: string;
}

export class AssertionError extends Error {
  override readonly name: string = "AssertionError";
  readonly code = "ERR_ASSERTION";
  readonly actual: unknown;
  readonly expected: unknown;
  readonly operator: string;

  constructor({ message, actual, expected, operator = "fail" }: Failed) {
    super(String(message ?? `${operator}\nactual:   ${show(actual)}\nexpected: ${show(expected)}`));
    this.actual = actual;
    this.expected = expected;
    this.operator = operator;
  }
}

type Message = string | Error | undefined;

function check(holds: boolean, { message, ...rest }: Failed): void {
  if (holds) return;
  throw message instanceof Error ? message : new AssertionError({ message, ...rest });
}

function ok(value: unknown, message?: Message): void {
  check(Boolean(value), { message, actual: value, expected: true, operator: "ok" });
}

function equal(actual: unknown, expected: unknown, message?: Message): void {
  check(Object.is(actual, expected), { message, actual, expected, operator: "strictEqual" });
}

function notEqual(actual: unknown, expected: unknown, message?: Message): void {
  check(!Object.is(actual, expected), { message, actual, expected, operator: "notStrictEqual" });
}

function deepEqual(actual: unknown, expected: unknown, message?: Message): void {
  check(isDeepStrictEqual(actual, expected), { message, actual, expected, operator: "deepStrictEqual" });
}

function notDeepEqual(actual: unknown, expected: unknown, message?: Message): void {
  check(!isDeepStrictEqual(actual, expected), { message, actual, expected, operator: "notDeepStrictEqual" });
}

function match(actual: unknown, expected: RegExp, message?: Message): void {
  check(typeof actual === "string" && expected.exec(actual) !== null, { message, actual, expected, operator: "match" });
}

function doesNotMatch(actual: unknown, expected: RegExp, message?: Message): void {
  check(typeof actual !== "string" || expected.exec(actual) === null, { message, actual, expected, operator: "doesNotMatch" });
}

function fail(message: Message = "Failed"): never {
  throw message instanceof Error ? message : new AssertionError({ message });
}

/** What a thrown value must be: of a class, accepted by a function, like a pattern, or with these properties. */
type Expected = RegExp | ((error: unknown) => unknown) | (new (...args: never[]) => object) | object;
type Thrown = { readonly error: unknown } | undefined;

function throws(run: () => unknown, expected?: Expected | string, message?: Message): void {
  let thrown: Thrown;
  try {
    run();
  } catch (error) {
    thrown = { error };
  }
  judge(thrown, expected, message, "throws");
}

async function rejects(
  run: (() => PromiseLike<unknown>) | PromiseLike<unknown>,
  expected?: Expected | string,
  message?: Message,
): Promise<void> {
  // What a function throws before it returns a promise is no rejection: it passes through.
  const promise = typeof run === "function" ? run() : run;
  let thrown: Thrown;
  try {
    await promise;
  } catch (error) {
    thrown = { error };
  }
  judge(thrown, expected, message, "rejects");
}

function judge(thrown: Thrown, expected: Expected | string | undefined, message: Message, operator: string): void {
  const told = typeof expected === "string" ? expected : message;
  if (thrown === undefined) return check(false, { message: told ?? `${operator}: nothing was thrown`, expected, operator });
  if (expected === undefined || typeof expected === "string") return;
  const { error } = thrown;
  if (expected instanceof RegExp)
    return check(expected.exec(String(error)) !== null, { message, actual: error, expected, operator });
  if (typeof expected === "function") return judgeByFunction(error, expected, message, operator);
  judgeByProperties(error, expected, message, operator);
}

function judgeByFunction(error: unknown, expected: object, message: Message, operator: string): void {
  const { prototype } = expected as { prototype?: unknown };
  if (prototype !== undefined && error instanceof (expected as new () => object)) return;
  const isErrorClass = expected === Error || Object.prototype.isPrototypeOf.call(Error, expected);
  const accepts = expected as (error: unknown) => unknown;
  check(!isErrorClass && accepts.call({}, error) === true, { message, actual: error, expected, operator });
}

function judgeByProperties(error: unknown, expected: object, message: Message, operator: string): void {
  const keys = [...Object.keys(expected), ...(expected instanceof Error ? ["name", "message"] : [])];
  const isObject = typeof error === "object" && error !== null;
  const holds = keys.every((key) => {
    if (!isObject || !(key in error)) return false;
    const [is, wanted]: unknown[] = [Reflect.get(error, key), Reflect.get(expected, key)];
    return wanted instanceof RegExp && typeof is === "string" ? wanted.exec(is) !== null : isDeepStrictEqual(is, wanted);
  });
  check(holds, { message, actual: error, expected, operator });
}

const assert = Object.assign((value: unknown, message?: Message): void => ok(value, message), {
  AssertionError,
  ok,
  equal,
  strictEqual: equal,
  notEqual,
  notStrictEqual: notEqual,
  deepEqual,
  deepStrictEqual: deepEqual,
  notDeepEqual,
  notDeepStrictEqual: notDeepEqual,
  match,
  doesNotMatch,
  fail,
  throws,
  rejects,
});

export default assert;
