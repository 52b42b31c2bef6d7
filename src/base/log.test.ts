import assert from "node:assert/strict";
import { test } from "node:test";
import { StarlaneError } from "./errors.ts";
import { isAtLeast, loggedError, logLine } from "./log.ts";

test("a record is one line of JSON, its time first, what is missing left out", () => {
  const record = {
    level: "warn",
    message: "two\nlines",
    timeMs: 0,
    app: "acme/a",
    operation: undefined,
    traceId: "t",
    spanId: "s",
  } as const;
  assert.equal(
    logLine(record),
    '{"time":"1970-01-01T00:00:00.000Z","level":"warn","message":"two\\nlines","app":"acme/a","trace_id":"t","span_id":"s"}',
  );
});

test("no character of a message reaches a terminal as more than text", () => {
  const message = "\u001b[2J\u009b2J\u202e\u2028\u0000";
  const line = logLine({ level: "info", message, timeMs: 0 });
  assert.match(line, /^[\u0020-\u007e]*$/);
  assert.equal(JSON.parse(line).message, message);
});

test("an error tells its code, its place and its causes once; one of no code, its stack", () => {
  const cause = new Error("the disk is full");
  const error = new StarlaneError("star/file", "the file cannot be written", { at: "a/b", cure: "make room", cause });
  assert.deepEqual(loggedError(error), {
    code: "star/file",
    message: "the file cannot be written",
    at: "a/b",
    cure: "make room",
    causes: ["the disk is full"],
  });
  assert.deepEqual(loggedError(new StarlaneError("star/file", "failed: the disk is full", { cause })), {
    code: "star/file",
    message: "failed: the disk is full",
  });
  assert.match(loggedError(cause).stack ?? "", /^Error: the disk is full\n {4}at /);
  assert.deepEqual(loggedError("text"), { message: "text" });
  assert.deepEqual(loggedError({ a: 1n }), { message: "[object Object]" });
});

test("levels are ordered", () => {
  assert(isAtLeast("error", "warn") && isAtLeast("warn", "warn") && !isAtLeast("debug", "info"));
});
