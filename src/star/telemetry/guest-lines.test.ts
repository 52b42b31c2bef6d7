import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { GuestLines, LineAllowance } from "./guest-lines.ts";

function linesOf(pieces: readonly Uint8Array[]): string[] {
  const written: string[] = [];
  const lines = new GuestLines((_stream, line) => written.push(line));
  for (const piece of pieces) lines.print("stdout", piece);
  lines.end();
  return written;
}

test("however it is cut, what is printed comes as the same lines, without empty ones", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), fc.array(fc.nat(40)), (text, cuts) => {
      const bytes = new TextEncoder().encode(text.toWellFormed());
      const pieces: Uint8Array[] = [];
      let at = 0;
      for (const cut of cuts) pieces.push(bytes.subarray(at, (at += cut)));
      pieces.push(bytes.subarray(at));
      const whole = new TextDecoder().decode(bytes);
      const expected = whole
        .split("\n")
        .map((line) => line.replace(/\r$/, ""))
        .filter((line) => line !== "");
      const got = linesOf(pieces);
      // What has no end may end in a carriage return that a line feed would have followed.
      assert.deepEqual(got, expected);
    }),
  );
});

test("long lines go on in the next record, and none is kept longer than that", () => {
  const written = linesOf([new TextEncoder().encode("x".repeat(20_000)), new TextEncoder().encode("y\nz")]);
  assert.deepEqual(
    written.map(({ length }) => length),
    [8192, 8192, 3617, 1],
  );
});

test("streams do not mix", () => {
  const written: string[] = [];
  const lines = new GuestLines((stream, line) => written.push(`${stream} ${line}`));
  const print = (stream: "stdout" | "stderr", text: string): void => lines.print(stream, new TextEncoder().encode(text));
  print("stdout", "a");
  print("stderr", "b\n");
  print("stdout", "c\n");
  assert.deepEqual(written, ["stderr b", "stdout ac"]);
});

test("after ten thousand records a transaction is told once that it has said enough", () => {
  const allowance = new LineAllowance();
  const remarks: string[] = [];
  let taken = 0;
  for (let i = 0; i < 10_500; i++) if (allowance.takes((remark) => remarks.push(remark))) taken++;
  assert.deepEqual([taken, remarks], [10_000, ["the log of this transaction stopped after 10000 lines"]]);
});
