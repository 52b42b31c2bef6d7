import assert from "node:assert/strict";
import { test } from "node:test";
import { isValid, rewritten } from "../../../test/instrumented.ts";
import { wat } from "../../../test/wat.ts";
import { instrument } from "./instrument.ts";

const EXPOSE = { expose: true };

interface GlobalCase {
  readonly type: string;
  readonly initial: string;
  readonly other: string;
  /** From a value on the stack to something that can be compared. */
  readonly look: string;
  readonly before: unknown;
  readonly after: unknown;
}

const GLOBALS: readonly GlobalCase[] = [
  { type: "i32", initial: "(i32.const 1)", other: "(i32.const 2)", look: "", before: 1, after: 2 },
  { type: "i64", initial: "(i64.const 1)", other: "(i64.const 2)", look: "i32.wrap_i64", before: 1, after: 2 },
  { type: "f32", initial: "(f32.const 1)", other: "(f32.const 2)", look: "i32.trunc_f32_s", before: 1, after: 2 },
  { type: "f64", initial: "(f64.const 1)", other: "(f64.const 2)", look: "i32.trunc_f64_s", before: 1, after: 2 },
  {
    type: "v128",
    initial: "(v128.const i32x4 1 1 1 1)",
    other: "(v128.const i32x4 2 2 2 2)",
    look: "i32x4.extract_lane 3",
    before: 1,
    after: 2,
  },
  { type: "funcref", initial: "(ref.null func)", other: "(ref.func $f)", look: "ref.is_null", before: 1, after: 0 },
  { type: "(ref $t)", initial: "(ref.func $f)", other: "(ref.func $g)", look: "call_ref $t", before: 11, after: 12 },
  { type: "(ref null $t)", initial: "(ref.func $f)", other: "(ref.func $g)", look: "call_ref $t", before: 11, after: 12 },
  {
    type: "externref",
    initial: "(ref.null extern)",
    other: "(extern.convert_any (ref.i31 (i32.const 1)))",
    look: "ref.is_null",
    before: 1,
    after: 0,
  },
  { type: "exnref", initial: "(ref.null exn)", other: "(call $exception)", look: "ref.is_null", before: 1, after: 0 },
  {
    type: "i31ref",
    initial: "(ref.i31 (i32.const 5))",
    other: "(ref.i31 (i32.const 6))",
    look: "i31.get_s",
    before: 5,
    after: 6,
  },
  {
    type: "anyref",
    initial: "(ref.i31 (i32.const 5))",
    other: "(struct.new $s (i32.const 6))",
    look: "ref.test i31ref",
    before: 1,
    after: 0,
  },
  {
    type: "(ref $s)",
    initial: "(struct.new $s (i32.const 5))",
    other: "(struct.new $s (i32.const 6))",
    look: "struct.get $s 0",
    before: 5,
    after: 6,
  },
  { type: "eqref", initial: "(ref.null eq)", other: "(ref.i31 (i32.const 6))", look: "ref.is_null", before: 1, after: 0 },
];

const TYPES = "(type $t (func (result i32))) (type $s (struct (field i32)))";
const FUNCTIONS = `
  (tag $e)
  (elem declare func $f $g)
  (func $f (type $t) (i32.const 11)) (func $g (type $t) (i32.const 12))
  (func $exception (result exnref) (block (result exnref) (try_table (catch_all_ref 0) (throw $e)) (unreachable)))`;

for (const { type, initial, other, look, before, after } of GLOBALS)
  test(`a global of type ${type} is put back`, async () => {
    const own = `(global $g (export "g") (mut ${type}) ${initial}) (global $constant ${type} ${initial})`;
    const use = `(func (export "set") (global.set $g ${other})) (func (export "get") (result i32) (global.get $g) ${look})`;
    const made = await rewritten(`(module ${TYPES} ${FUNCTIONS} ${own} ${use})`, EXPOSE);
    assert.deepEqual(made.made.state?.obstacles, []);
    made.save();
    for (let i = 0; i < 3; i++) {
      assert.equal(made.call("get"), before);
      made.call("set");
      assert.equal(made.call("get"), after);
      assert.equal(made.restore(), true);
    }
    assert.equal(made.call("get"), before);
    // The same through a module that imports it: its owner puts it back.
    const imported = `(import "o" "g" (global $g (mut ${type})))`;
    const user = await rewritten(`(module ${TYPES} ${imported} ${FUNCTIONS} ${use})`, EXPOSE, { imports: { o: made.exports } });
    user.save();
    user.call("set");
    assert.equal(user.call("get"), after);
    assert.ok(made.restore() && user.restore());
    assert.equal(user.call("get"), before);
  });

test("what the start function left behind is what is put back", async () => {
  const made = await rewritten(
    `(module (global $g (mut i32) (i32.const 1)) (table $t 2 funcref) (elem $e declare func $start)
      (func $start (global.set $g (i32.const 5)) (table.set $t (i32.const 1) (ref.func $start)))
      (start $start)
      (func (export "spoil") (global.set $g (i32.const 9)) (table.set $t (i32.const 1) (ref.null func)))
      (func (export "g") (result i32) (global.get $g))
      (func (export "is-null") (result i32) (ref.is_null (table.get $t (i32.const 1)))))`,
    EXPOSE,
  );
  made.save();
  made.call("spoil");
  assert.equal(made.call("is-null"), 1);
  assert.equal(made.restore(), true);
  assert.equal(made.call("g"), 5);
  assert.equal(made.call("is-null"), 0);
});

const TABLE_WRITES: Readonly<Record<string, string>> = {
  set: "(table.set $t (i32.const 1) (ref.func $b))",
  fill: "(table.fill $t (i32.const 0) (ref.func $b) (i32.const 3))",
  copy: "(table.copy $t $t (i32.const 1) (i32.const 2) (i32.const 1))",
  "copy from another": "(table.copy $t $other (i32.const 0) (i32.const 0) (i32.const 3))",
  init: "(table.init $t $passive (i32.const 1) (i32.const 0) (i32.const 1))",
};

for (const [name, write] of Object.entries(TABLE_WRITES))
  for (const wide of [false, true])
    test(`a ${wide ? "64-bit" : "32-bit"} table is put back after table ${name}`, async () => {
      const adapted = wide
        ? write.replaceAll(/\(table\.(\w+)(.*)/g, (_, op: string, rest: string) => wideWrite(op, rest))
        : write;
      const address = wide ? "i64" : "i32";
      const made = await rewritten(
        `(module (type $f (func (result i32)))
          (table $t ${wide ? "i64" : ""} 3 funcref) (table $other ${wide ? "i64" : ""} 3 funcref)
          (elem (table $t) (${address}.const 0) func $a $a $b) (elem $passive func $b)
          (func $a (result i32) (i32.const 1)) (func $b (result i32) (i32.const 2))
          (func (export "write") ${adapted})
          (func (export "get") (param ${address}) (result i32) (call_indirect $t (type $f) (local.get 0))))`,
        EXPOSE,
      );
      const get = (): unknown[] =>
        [0, 1, 2].map((i) => {
          try {
            return made.call("get", wide ? BigInt(i) : i);
          } catch {
            return "null";
          }
        });
      made.save();
      for (let i = 0; i < 3; i++) {
        made.call("write");
        assert.notDeepEqual(get(), [1, 1, 2]);
        assert.equal(made.restore(), true);
        assert.deepEqual(get(), [1, 1, 2]);
      }
    });

function wideWrite(op: string, rest: string): string {
  const size = op === "init" ? "" : rest.replaceAll("i32.const", "i64.const");
  return `(table.${op}${op === "init" ? rest.replace("i32.const", "i64.const") : size}`;
}

test("elements of every type of reference are put back", async () => {
  for (const [type, value] of [
    ["externref", "(extern.convert_any (ref.i31 (i32.const 1)))"],
    ["exnref", "(call $exception)"],
    ["anyref", "(ref.i31 (i32.const 1))"],
    ["(ref null $t)", "(ref.func $g)"],
    ["(ref null $s)", "(struct.new $s (i32.const 1))"],
  ] as const) {
    const made = await rewritten(
      `(module ${TYPES} ${FUNCTIONS} (table $table 2 ${type})
        (func (export "write") (table.set $table (i32.const 0) ${value}))
        (func (export "get") (result i32) (ref.is_null (table.get $table (i32.const 0)))))`,
      EXPOSE,
    );
    assert.deepEqual(made.made.state?.obstacles, []);
    made.save();
    made.call("write");
    assert.equal(made.call("get"), 0);
    assert.equal(made.restore(), true);
    assert.equal(made.call("get"), 1, type);
  }
});

const LASTING: Readonly<Record<string, string>> = {
  "a data segment is dropped": "(data.drop $d)",
  "an element segment is dropped": "(elem.drop $e)",
  "a table grows": "(drop (table.grow $t (ref.null func) (i32.const 1)))",
};

for (const [name, code] of Object.entries(LASTING))
  test(`nothing can be put back when ${name}`, async () => {
    const made = await rewritten(
      `(module (data $d "x") (table $t 1 funcref) (elem $e func $f) (func $f)
        (func (export "run") ${code}) (func (export "harmless") (table.set $t (i32.const 0) (ref.func $f))))`,
      EXPOSE,
    );
    made.save();
    made.call("harmless");
    assert.equal(made.restore(), true);
    made.call("run");
    assert.equal(made.restore(), false);
    assert.equal(made.restore(), false);
  });

test("what is dropped during initialization is no obstacle", async () => {
  const made = await rewritten(
    `(module (memory 1) (data $d "x") (func $start (memory.init $d (i32.const 0) (i32.const 0) (i32.const 1)) (data.drop $d)) (start $start))`,
    EXPOSE,
  );
  made.save();
  assert.equal(made.restore(), true);
});

test("nothing can be put back when the table of another module was written to", async () => {
  const owner = await rewritten(`(module (table (export "t") 2 funcref))`, EXPOSE);
  for (const write of [
    "(table.set $t (i32.const 0) (ref.func $f))",
    "(table.fill $t (i32.const 0) (ref.func $f) (i32.const 1))",
    "(table.copy $t $own (i32.const 0) (i32.const 0) (i32.const 1))",
    "(table.init $t $e (i32.const 0) (i32.const 0) (i32.const 1))",
    "(drop (table.grow $t (ref.null func) (i32.const 0)))",
  ]) {
    const text = `(module (import "o" "t" (table $t 2 funcref)) (table $own 1 funcref) (elem $e func $f) (func $f)
      (func (export "run") ${write}) (func (export "own") (table.copy $own $t (i32.const 0) (i32.const 0) (i32.const 1))))`;
    const user = await rewritten(text, EXPOSE, { imports: { o: owner.exports } });
    owner.save();
    user.save();
    user.call("own");
    assert.equal(user.restore(), true, write);
    user.call("run");
    assert.equal(user.restore(), false, write);
    assert.equal(owner.restore(), true, "the owner itself has nothing to say");
  }
});

test("a trap in the middle of changes is put back too", async () => {
  const made = await rewritten(
    `(module (global $g (mut i32) (i32.const 1)) (func (export "run") (global.set $g (i32.const 2)) (unreachable))
      (func (export "get") (result i32) (global.get $g)))`,
    { expose: true, fuel: true },
  );
  made.save();
  assert.throws(() => made.call("run"), WebAssembly.RuntimeError);
  assert.equal(made.restore(), true);
  assert.equal(made.call("get"), 1);
});

test("what can never be put back is told", async () => {
  const obstacles = async (fields: string): Promise<unknown> =>
    instrument(await wat(`(module ${fields})`), EXPOSE).state?.obstacles;
  assert.deepEqual(await obstacles("(memory 1 1 shared)"), ["shared-memory"]);
  assert.deepEqual(await obstacles(`(import "a" "m" (memory 1 1 shared))`), ["shared-memory"]);
  const types = "(type $s (struct (field (mut i32)))) (type $a (array (mut i32)))";
  for (const code of [
    "(struct.set $s 0 (struct.new_default $s) (i32.const 1))",
    "(array.set $a (array.new_default $a (i32.const 1)) (i32.const 0) (i32.const 1))",
    "(array.fill $a (array.new_default $a (i32.const 1)) (i32.const 0) (i32.const 1) (i32.const 1))",
  ])
    assert.deepEqual(await obstacles(`${types} (func ${code})`), ["objects"]);
  const table = `(elem declare func $f) (table $t 1 (ref func) (ref.func $f)) (func $f)`;
  assert.deepEqual(await obstacles(table), []);
  assert.deepEqual(await obstacles(`${table} (func (table.set $t (i32.const 0) (ref.func $f)))`), ["table"]);
});

test("a module without code, globals and tables can be put back", async () => {
  const made = await rewritten("(module)", { fuel: true, expose: true, barrier: true, shrink: true });
  made.save();
  assert.equal(made.restore(), true);
  assert.ok(isValid(made.made.bytes));
});
