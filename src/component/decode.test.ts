import assert from "node:assert/strict";
import { test } from "node:test";
import { parse } from "@bytecodealliance/jco-transpile/wasm-tools";
import { StarlaneError } from "../base/errors.ts";
import type { Canon, Component, DefinitionOf, TypeDef } from "./component.ts";
import { decode, isComponent, isCoreModule } from "./decode.ts";
import { describeComponent } from "./facts.ts";
import { validate } from "./validate.ts";

const PREAMBLE = [0x00, 0x61, 0x73, 0x6d, 0x0d, 0x00, 0x01, 0x00];

function bytesOf(...sections: number[][]): Uint8Array {
  return Uint8Array.from([...PREAMBLE, ...sections.flatMap(([id = 0, ...body]) => [id, body.length, ...body])]);
}

function definitionsOf<K extends Component["definitions"][number]["kind"]>(component: Component, kind: K): DefinitionOf<K>[] {
  return component.definitions.filter((definition): definition is DefinitionOf<K> => definition.kind === kind);
}

function errorOf(run: () => unknown): StarlaneError {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof StarlaneError, `a StarlaneError, not ${String(error)}`);
    return error;
  }
  throw new assert.AssertionError({ message: "expected an error" });
}

test("the empty component has no definitions", () => {
  const component = decode(Uint8Array.from(PREAMBLE));
  assert.deepEqual(component.definitions, []);
  assert.equal(component.end, 8);
});

test("components and core modules are told apart by their first eight bytes", () => {
  const core = Uint8Array.from([0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]);
  assert.equal(isComponent(Uint8Array.from(PREAMBLE)), true);
  assert.equal(isComponent(core), false);
  assert.equal(isCoreModule(core), true);
  assert.equal(isCoreModule(core.subarray(0, 7)), false);
});

test("a core module in place of a component gets its own message, with the cure", () => {
  const error = errorOf(() => decode(Uint8Array.from([0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00])));
  assert.equal(error.code, "component/malformed");
  assert.match(error.message, /core WebAssembly module, not a component/);
  assert.match(error.cure ?? "", /wasm-tools component new/);
});

test("something that is no wasm at all is named as such", () => {
  const error = errorOf(() => decode(new TextEncoder().encode("#!/bin/sh\nexit 0\n")));
  assert.match(error.message, /not a WebAssembly file/);
  assert.equal(error.at, "byte 0x0");
});

test("an error carries the offset of the byte at fault", () => {
  const error = errorOf(() => decode(bytesOf([7, 1, 0x62])));
  assert.equal(error.at, "byte 0xb");
  assert.deepEqual(error.data, { offset: 11 });
  assert.match(error.message, /unknown type 0x62/);
});

test("offsets inside a nested component count from the start of the file", () => {
  const inner = bytesOf([7, 1, 0x62]);
  const error = errorOf(() => decode(bytesOf([4, ...inner])));
  assert.deepEqual(error.data, { offset: 8 + 2 + 11 });
});

test("a count that cannot fit is refused before anything is allocated", () => {
  const error = errorOf(() => decode(bytesOf([7, 0xff, 0xff, 0xff, 0xff, 0x0f])));
  assert.match(error.message, /4294967295 definitions do not fit in 0 bytes/);
});

test("integers that are too long or too large are refused", () => {
  assert.match(errorOf(() => decode(bytesOf([7, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00]))).message, /too long/);
  assert.match(errorOf(() => decode(bytesOf([7, 0x80, 0x80, 0x80, 0x80, 0x10]))).message, /too large/);
});

test("names must be strict UTF-8: no surrogates, no overlong forms", () => {
  for (const name of [[0xed, 0xa0, 0x80], [0xc0, 0x80], [0xff]]) {
    assert.match(errorOf(() => decode(bytesOf([10, 1, 0, name.length, ...name, 1, 0]))).message, /not valid UTF-8/);
  }
});

test("a section that holds more than its definitions is refused", () => {
  assert.match(errorOf(() => decode(bytesOf([7, 1, 0x7f, 0x00]))).message, /longer than what it holds/);
});

test("nesting is bounded for components, component types and module types", () => {
  let component = bytesOf();
  let type = [0x41, 0x00];
  let module = [0x50, 0x00];
  for (let i = 0; i < 101; i++) {
    component = Uint8Array.from([...PREAMBLE, 4, ...leb(component.length), ...component]);
    type = [0x41, 0x01, 0x01, ...type];
    module = [0x50, 0x01, 0x01, ...module];
  }
  const typeSection = [...leb(type.length + 1), 1, ...type];
  const coreSection = [...leb(module.length + 1), 1, ...module];
  for (const bytes of [component, [...PREAMBLE, 7, ...typeSection], [...PREAMBLE, 3, ...coreSection]]) {
    assert.match(errorOf(() => decode(Uint8Array.from(bytes))).message, /more than 100 levels deep/);
  }
});

function leb(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...leb(value >>> 7)];
}

test("the number of items of a file is bounded", () => {
  const sections = Uint8Array.from({ length: 3 * 260_000 }, (_, i) => [7, 1, 0][i % 3] ?? 0);
  assert.match(errorOf(() => decode(Uint8Array.from([...PREAMBLE, ...sections]))).message, /more than 250000 items/);
});

test("every value type decodes", async () => {
  const component = decode(
    await parse(`(component
      (type (record (field "a" u8) (field "b" string)))
      (type (variant (case "x" s64) (case "y")))
      (type (list f64)) (type (list u8 4)) (type (tuple bool char))
      (type (flags "r" "w")) (type (enum "red" "green")) (type (option s16)) (type (result u32 (error string)))
      (type (result)) (type (map string u64)) (type (stream u8)) (type (stream)) (type (future f32)) (type error-context))`),
  );
  const types = definitionsOf(component, "type").map((definition) => definition.type);
  assert.deepEqual(types, [
    {
      kind: "record",
      fields: [
        { name: "a", type: "u8" },
        { name: "b", type: "string" },
      ],
    },
    {
      kind: "variant",
      cases: [
        { name: "x", type: "s64" },
        { name: "y", type: undefined },
      ],
    },
    { kind: "list", element: "f64" },
    { kind: "list", element: "u8", length: 4 },
    { kind: "tuple", types: ["bool", "char"] },
    { kind: "flags", labels: ["r", "w"] },
    { kind: "enum", labels: ["red", "green"] },
    { kind: "option", type: "s16" },
    { kind: "result", ok: "u32", error: "string" },
    { kind: "result", ok: undefined, error: undefined },
    { kind: "map", key: "string", value: "u64" },
    { kind: "stream", element: "u8" },
    { kind: "stream", element: undefined },
    { kind: "future", element: "f32" },
    { kind: "primitive", primitive: "error-context" },
  ] satisfies TypeDef[]);
});

test("every canonical definition decodes", () => {
  const options = [1, 0x01];
  const canons: readonly (readonly [number[], Canon["kind"]])[] = [
    [[0x00, 0x00, 0, 0, 0], "lift"],
    [[0x01, 0x00, 0, 0], "lower"],
    [[0x02, 0], "resource.new"],
    [[0x03, 0], "resource.drop"],
    [[0x04, 0], "resource.rep"],
    [[0x05], "task.cancel"],
    [[0x06, 1], "subtask.cancel"],
    [[0x09, 0x00, 0x73, ...options], "task.return"],
    [[0x0a, 0x7f, 0], "context.get"],
    [[0x0b, 0x7e, 1], "context.set"],
    [[0x0c, 0], "thread.yield"],
    [[0x0d], "subtask.drop"],
    [[0x0e, 0], "stream.new"],
    [[0x0f, 0, ...options], "stream.read"],
    [[0x10, 0, ...options], "stream.write"],
    [[0x11, 0, 0], "stream.cancel-read"],
    [[0x12, 0, 1], "stream.cancel-write"],
    [[0x13, 0], "stream.drop-readable"],
    [[0x14, 0], "stream.drop-writable"],
    [[0x15, 0], "future.new"],
    [[0x16, 0, ...options], "future.read"],
    [[0x17, 0, ...options], "future.write"],
    [[0x18, 0, 0], "future.cancel-read"],
    [[0x19, 0, 0], "future.cancel-write"],
    [[0x1a, 0], "future.drop-readable"],
    [[0x1b, 0], "future.drop-writable"],
    [[0x1c, ...options], "error-context.new"],
    [[0x1d, ...options], "error-context.debug-message"],
    [[0x1e], "error-context.drop"],
    [[0x1f], "waitable-set.new"],
    [[0x20, 1, 0], "waitable-set.wait"],
    [[0x21, 0, 0], "waitable-set.poll"],
    [[0x22], "waitable-set.drop"],
    [[0x23], "waitable.join"],
    [[0x24], "backpressure.inc"],
    [[0x25], "backpressure.dec"],
    [[0x26], "thread.index"],
    [[0x27, 0, 0], "thread.new-indirect"],
    [[0x28], "thread.resume-later"],
    [[0x29, 0], "thread.suspend"],
    [[0x2a, 0], "thread.suspend-then-resume"],
    [[0x2b, 0], "thread.yield-then-resume"],
    [[0x2c, 0], "thread.suspend-then-promote"],
    [[0x2d, 0], "thread.yield-then-promote"],
    [[0x40, 1, 0], "thread.spawn-ref"],
    [[0x41, 1, 0, 0], "thread.spawn-indirect"],
    [[0x42, 1], "thread.available-parallelism"],
  ];
  for (const [bytes, kind] of canons) {
    const [definition] = definitionsOf(decode(bytesOf([8, 1, ...bytes])), "canon");
    assert.equal(definition?.canon.kind, kind);
  }
  const [taskReturn] = definitionsOf(decode(bytesOf([8, 1, 0x09, 0x00, 0x73, 2, 0x01, 0x06])), "canon");
  assert.deepEqual(taskReturn?.canon, {
    kind: "task.return",
    result: "string",
    options: { stringEncoding: "utf16", async: true },
  });
});

test("a canonical option given twice is refused", () => {
  assert.match(
    errorOf(() => decode(bytesOf([8, 1, 0x01, 0x00, 0, 2, 0x00, 0x01]))).message,
    /string-encoding is given more than once/,
  );
});

test("names carry their attributes in both layouts", () => {
  const plain = decode(bytesOf([10, 2, 0, 1, 0x61, 3, 1, 1, 1, 0x62, 3, 1]));
  assert.deepEqual(
    definitionsOf(plain, "import").map((definition) => definition.name),
    [{ name: "a" }, { name: "b" }],
  );
  const attributes = decode(bytesOf([10, 1, 2, 1, 0x61, 2, 0, 3, 0x78, 0x3a, 0x79, 2, 1, 0x7a, 3, 1]));
  assert.deepEqual(definitionsOf(attributes, "import")[0]?.name, { name: "a", implements: "x:y", externalId: "z" });
  assert.match(
    errorOf(() => decode(bytesOf([10, 1, 2, 1, 0x61, 2, 2, 1, 0x78, 2, 1, 0x7a, 3, 1]))).message,
    /duplicate attribute/,
  );
});

test("core types of WebAssembly 3.0 decode: rec groups, sub types, structs, arrays, references", async () => {
  const component = decode(
    await parse(`(component
      (core rec (type $a (sub (struct (field (mut i8)) (field (ref null $b))))) (type $b (sub final (array (mut (ref $a))))))
      (core type (sub (func (param v128 externref) (result (ref null any)))))
      (core type (module (import "a" "b" (memory i64 1 2)) (export "t" (table 1 funcref)) (import "a" "g" (global (mut f32))))))`),
  );
  const [group, func, module] = definitionsOf(component, "core-type").map((definition) => definition.type);
  assert.equal(group?.kind === "rec" && group.types.length, 2);
  assert.deepEqual(group?.kind === "rec" ? group.types[0] : undefined, {
    final: false,
    supertypes: [],
    type: {
      kind: "struct",
      fields: [
        { type: "i8", mutable: true },
        { type: { nullable: true, heap: 1 }, mutable: false },
      ],
    },
  });
  assert.equal(func?.kind === "rec" && func.types[0]?.final, false);
  assert.deepEqual(module?.kind === "module" ? module.declarators[0] : undefined, {
    offset: module?.kind === "module" ? module.declarators[0]?.offset : 0,
    kind: "import",
    module: "a",
    name: "b",
    type: { kind: "memory", limits: { min: 1n, max: 2n, shared: false, addressType: "i64" }, pageSizeLog2: undefined },
  });
});

test("names of definitions are read from the component-name section", async () => {
  const component = decode(await parse(`(component $app (core module $main) (component $child))`));
  assert.equal(component.names?.component, "app");
  assert.deepEqual(
    component.names?.sorts.map(({ sort, names }) => [sort, [...names]]),
    [
      ["core module", [[0, "main"]]],
      ["component", [[0, "child"]]],
    ],
  );
});

test("a broken component-name section is left out, not refused", () => {
  const name = [...new TextEncoder().encode("component-name")];
  const component = decode(bytesOf([0, name.length, ...name, 0, 0x7f]));
  assert.equal(component.names, undefined);
  assert.equal(component.customs[0]?.name, "component-name");
});

// Hostile bytes: whatever comes, the only errors are StarlaneErrors.

const SAMPLES = [
  `(component (import "a:b/c@1.2.3" (instance (export "r" (type (sub resource))) (export "f" (func (param "x" u32))))))`,
  `(component
    (core module $m (memory (export "m") 1) (global (export "g") (mut i64) (i64.const 7)) (table (export "t") 2 funcref)
      (func (export "f") (param i32 i32) (result i32) i32.const 0)
      (func (export "r") (param i32 i32 i32 i32) (result i32) i32.const 0))
    (core instance $i (instantiate $m))
    (type $rec (record (field "a" (list string)) (field "b" (option u64))))
    (export $rec2 "rec" (type $rec))
    (func (export "f") (param "s" string) (result $rec2)
      (canon lift (core func $i "f") (memory (core memory $i "m")) (realloc (core func $i "r")) string-encoding=utf16)))`,
  `(component
    (component $c (import "t" (type $t (sub resource))) (type $u (resource (rep i32))) (export "u" (type $u)) (export "v" (type $t)))
    (type $r (resource (rep i32)))
    (instance $i (instantiate $c (with "t" (type $r))))
    (alias export $i "u" (type $u))
    (core func (canon resource.drop $u)) (core func (canon resource.new $r))
    (core type (module (type (func (param i32))) (import "a" "b" (func (type 0))) (export "c" (memory 1)))))`,
  `(component
    (type $s (stream u8)) (type $f (future (result string)))
    (core func (canon stream.new $s)) (core func (canon future.drop-readable $f)) (core func (canon waitable-set.new))
    (type (component (import "x" (func async (param "s" $s) (result $f))) (export "y" (instance (export "z" (type (eq $s))))))))`,
];

/** Decodes, validates and describes; only a StarlaneError of this folder may come out. */
function survive(bytes: Uint8Array): boolean {
  try {
    const component = decode(bytes);
    validate(component);
    describeComponent(component);
    return true;
  } catch (error) {
    assert.ok(error instanceof StarlaneError, `a StarlaneError, not ${String(error)}`);
    assert.ok(error.code === "component/malformed" || error.code === "component/invalid", error.code);
    assert.match(error.at ?? "", /^byte 0x[0-9a-f]+$/);
    const offset = error.data?.["offset"];
    assert.ok(typeof offset === "number" && offset >= 0 && offset <= bytes.length, `offset ${String(offset)} of ${bytes.length}`);
    return false;
  }
}

test("every prefix of a component is refused with an error that names a byte, or is a whole component", async () => {
  for (const wat of SAMPLES) {
    const bytes = await parse(wat);
    assert.equal(survive(bytes), true);
    let accepted = 0;
    for (let end = 0; end < bytes.length; end++) if (survive(bytes.subarray(0, end))) accepted++;
    const sections = sectionEnds(bytes);
    assert.ok(accepted <= sections, `${accepted} prefixes accepted, only ${sections} end where a section ends`);
  }
});

function sectionEnds(bytes: Uint8Array): number {
  let ends = 1;
  for (let pos = 8; pos < bytes.length; ends++) {
    let size = 0;
    let at = pos + 1;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++] ?? 0;
      size += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) break;
    }
    pos = at + size;
  }
  return ends;
}

test("components with random bytes changed, removed and inserted end in an error or in a component", async () => {
  let state = 0x2545f491;
  const random = (below: number): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
  for (const wat of SAMPLES) {
    const original = await parse(wat);
    for (let round = 0; round < 4000; round++) {
      const bytes = [...original];
      for (let change = random(4); change >= 0; change--) {
        const at = 8 + random(bytes.length - 8);
        const action = random(4);
        if (action === 0) bytes.splice(at, 1 + random(3));
        else if (action === 1) bytes.splice(at, 0, random(256), random(256));
        else if (action === 2) bytes[at] = random(256);
        else bytes[at] = (bytes[at] ?? 0) ^ (1 << random(8));
      }
      survive(Uint8Array.from(bytes));
    }
  }
});

test("random bytes behind a preamble end in an error or in a component", () => {
  let state = 99991;
  const random = (below: number): number => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (state >>> 8) % below;
  };
  for (let round = 0; round < 20_000; round++) {
    const body = Array.from({ length: random(40) }, () => random(random(2) === 0 ? 14 : 256));
    survive(Uint8Array.from([...PREAMBLE, ...body]));
  }
});
