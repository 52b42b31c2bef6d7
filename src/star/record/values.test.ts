import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { arbitraryTyped } from "../../wit/arbitrary.ts";
import type { ValType } from "../../wit/types.ts";
import { equalValues } from "../../wit/value.ts";
import { asJson, bytesAsJson, bytesOf, decode, encode, holdsStreams, Numbering, replaceStreams, sizeOf } from "./values.ts";

const noObject = (): never => assert.fail("no object was expected");

test("every value comes back out of a record as it went in, through the text of the file", () => {
  fc.assert(
    fc.property(arbitraryTyped(), ({ type, value }) => {
      const written = encode(type, value, new Numbering());
      assert.ok(sizeOf(written) > 0);
      const read = decode(type, JSON.parse(JSON.stringify(asJson(written))), noObject);
      assert.ok(equalValues(type, value, read));
    }),
    { numRuns: 500 },
  );
});

test("bytes stand as text exactly where they are UTF-8", () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      assert.deepEqual(bytesOf(JSON.parse(JSON.stringify(bytesAsJson(bytes)))), bytes);
    }),
  );
  assert.equal(bytesAsJson(new TextEncoder().encode("\ufeffß")), "\ufeffß");
  assert.deepEqual(bytesAsJson(Uint8Array.of(255)), { base64: "/w==" });
});

test("objects are numbered as they are met, and go on behind those of the initialization", () => {
  const [a, b, c] = [{}, {}, {}];
  const initial = new Numbering();
  assert.deepEqual([initial.idOf(a), initial.idOf(b), initial.idOf(a)], ["#1", "#2", "#1"]);
  const later = new Numbering(initial);
  assert.deepEqual([later.idOf(c), later.idOf(b)], ["#3", "#2"]);
  assert.equal(later.objectOf("#1", noObject), a);
  const made = {};
  assert.equal(
    later.objectOf("#9", () => made),
    made,
  );
  assert.equal(later.idOf({}), "#10");
});

test("a value of another type is no crash but a bad record", () => {
  const types: ValType[] = [
    { kind: "bool" },
    { kind: "string" },
    { kind: "s64" },
    { kind: "list", element: { kind: "u8" } },
    { kind: "tuple", types: [{ kind: "u8" }] },
    { kind: "record", fields: [{ name: "a", type: { kind: "u8" } }] },
    { kind: "variant", cases: [{ name: "a" }] },
    { kind: "result" },
    { kind: "own", resource: { kind: "resource" } },
  ];
  for (const type of types) {
    for (const json of [null, 1.5, [], {}, { base64: "?" }, "#x"]) {
      try {
        decode(type, json, noObject);
      } catch (error) {
        assert.equal(Reflect.get(error as object, "code"), "replay/bad-record");
      }
    }
  }
});

test("streams and futures are found wherever they are in a value, and nothing else is touched", () => {
  const type: ValType = {
    kind: "tuple",
    types: [
      { kind: "option", type: { kind: "stream", element: { kind: "u8" } } },
      { kind: "result", ok: { kind: "list", element: { kind: "future" } }, error: { kind: "string" } },
      { kind: "record", fields: [{ name: "the-text", type: { kind: "string" } }] },
    ],
  };
  assert.ok(holdsStreams(type));
  const [stream, future, other] = [{ name: "stream" }, { name: "future" }, { name: "other" }];
  const seen: object[] = [];
  const replaced = replaceStreams(type, [stream, { tag: "ok", val: [future] }, { theText: "a" }], (_, object) => {
    seen.push(object);
    return other;
  });
  assert.deepEqual(replaced, [other, { tag: "ok", val: [other] }, { theText: "a" }]);
  assert.deepEqual(seen, [stream, future]);
  const empty = [undefined, { tag: "err", val: "a" }, { theText: "a" }];
  assert.deepEqual(replaceStreams(type, empty, noObject), empty);
});
