import assert from "node:assert/strict";
import { test } from "node:test";
import { StarlaneError } from "../base/errors.ts";
import { parseType } from "../wit/type-text.ts";
import type { ValType } from "../wit/types.ts";
import { argumentsFrom, type PortText } from "./inputs.ts";

/** The value of a port `p` of a type. */
function valueOf(type: string, ...flags: readonly Omit<PortText, "name">[]): unknown {
  const params = [{ name: "p", type: typeOf(type), optional: false }];
  const ports = flags.map((flag) => ({ name: "p", ...flag }));
  return argumentsFrom({ params, result: undefined, async: false }, ports, undefined, "op")[0];
}

function typeOf(text: string): ValType {
  const { type } = parseType(text);
  assert(type !== undefined, text);
  return type;
}

/** What a file gives for a port. */
function file(content: string | Uint8Array): Omit<PortText, "name"> {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  return { text: "@file", content: { bytes, from: "file" } };
}

test("the content of a file is read as text of the port's type", () => {
  assert.equal(valueOf("string", file("a\n")), "a\n");
  assert.equal(valueOf("option<u8>", file(" 7\n")), 7);
  assert.deepEqual(valueOf("tuple<u8, string>", file('[1, "a"]\n')), [1, "a"]);
});

test("bytes are those of the file, in lists of bytes too", () => {
  const bytes = Uint8Array.of(0, 0xff, 0x5b);
  assert.deepEqual(valueOf("list<u8>", file(bytes)), bytes);
  assert.deepEqual(valueOf("option<list<u8>>", file(bytes)), bytes);
  assert.deepEqual(valueOf("list<list<u8>>", file(bytes), { text: "AAE=" }), [bytes, Uint8Array.of(0, 1)]);
});

test("a list is one JSON array, or an element a file", () => {
  assert.deepEqual(valueOf("list<string>", file('["a", "b"]\n')), ["a", "b"]);
  assert.deepEqual(valueOf("list<string>", file("[a"), file("b")), ["[a", "b"]);
  assert.deepEqual(valueOf("list<list<u8>>", { text: '["AAE="]' }), [Uint8Array.of(0, 1)]);
});

test("a file that is no text, or could not be read, is told with the other mistakes", () => {
  const problem = new StarlaneError("cli/bad-input", "there is no file");
  assert.throws(() => valueOf("string", { text: "@file", content: problem }), problem);
  assert.throws(() => valueOf("string", file(Uint8Array.of(0xff))), /file is not UTF-8 text/);
});
