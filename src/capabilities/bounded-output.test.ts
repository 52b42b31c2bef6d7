import assert from "node:assert/strict";
import { test } from "node:test";
import { withBoundedOutput } from "./bounded-output.ts";

const decoder = new TextDecoder();

function collected(limit: number) {
  const lines: [string, string][] = [];
  const transaction = withBoundedOutput({
    seed: 0,
    timestampMs: 0,
    outputLimitBytes: limit,
    output: (stream, bytes) => lines.push([stream, decoder.decode(bytes)]),
  });
  const write = (stream: "stdout" | "stderr", text: string) => transaction.output?.(stream, new TextEncoder().encode(text));
  return { lines, write };
}

test("output up to the limit is handed on as it was written", () => {
  const { lines, write } = collected(6);
  write("stdout", "abc");
  write("stderr", "def");
  write("stdout", "");
  assert.deepEqual(lines, [["stdout", "abc"], ["stderr", "def"]]); // prettier-ignore
});

test("output over the limit is cut, with one remark, however much follows", () => {
  const { lines, write } = collected(4);
  write("stdout", "abc");
  for (let i = 0; i < 3; i++) write("stderr", "def");
  assert.deepEqual(lines, [["stdout", "abc"], ["stderr", "d"], ["log", "output stopped after 4 bytes\n"]]); // prettier-ignore
});
