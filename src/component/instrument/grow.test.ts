import assert from "node:assert/strict";
import { test } from "node:test";
import { Rewritten, rewritten } from "../../../test/instrumented.ts";
import { wat } from "../../../test/wat.ts";

const SHRINK = { expose: true, shrink: true };
const WASM_PAGE = 65536;

for (const type of ["i32", "i64"] as const) {
  const of = (pages: number): number | bigint => (type === "i64" ? BigInt(pages) : pages);
  const code = `
    (func (export "size") (result ${type}) (memory.size))
    (func (export "grow") (param ${type}) (result ${type}) (memory.grow (local.get 0)))
    (func (export "store") (param ${type}) (i32.store8 (local.get 0) (i32.const 7)))
    (func (export "load") (param ${type}) (result i32) (i32.load8_u (local.get 0)))`;
  const header = type === "i64" ? "i64 " : "";

  test(`memory has its first size again when it was put back (addresses are ${type})`, async () => {
    const made = await rewritten(`(module (memory ${header}2) ${code})`, SHRINK);
    made.save();
    for (let i = 0; i < 3; i++) {
      assert.equal(made.call("size"), of(2));
      assert.equal(made.call("grow", of(0)), of(2));
      assert.equal(made.call("grow", of(3)), of(2));
      assert.equal(made.call("size"), of(5));
      assert.equal(made.call("grow", of(1)), of(5));
      made.call("store", of(6 * WASM_PAGE - 1));
      assert.equal(made.memory().buffer.byteLength, 6 * WASM_PAGE, "the memory itself grew once and for all");
      assert.equal(made.restore(), true);
    }
    assert.equal(made.call("grow", of(10)), of(2));
    assert.equal(made.memory().buffer.byteLength, 12 * WASM_PAGE);
  });

  test(`what was grown during initialization stays (addresses are ${type})`, async () => {
    const start = `(func $start (drop (memory.grow (${type}.const 3)))) (start $start)`;
    const made = await rewritten(`(module (memory ${header}1) ${code} ${start})`, SHRINK);
    made.save();
    made.call("grow", of(1));
    assert.equal(made.restore(), true);
    assert.equal(made.call("size"), of(4));
  });

  test(`no memory grows over its maximum (addresses are ${type})`, async () => {
    const made = await rewritten(`(module (memory ${header}1 5) ${code})`, SHRINK);
    made.save();
    for (let i = 0; i < 3; i++) {
      for (const pages of [5, 6, 65536, 0x7fffffff]) assert.equal(made.call("grow", of(pages)), of(-1), `${pages}`);
      assert.equal(made.call("grow", of(-1)), of(-1));
      assert.equal(made.call("size"), of(1));
      assert.equal(made.call("grow", of(4)), of(1));
      assert.equal(made.call("grow", of(1)), of(-1));
      assert.equal(made.call("size"), of(5));
      made.restore();
    }
  });

  test(`a limit is a maximum (addresses are ${type})`, async () => {
    const limits = { memoryPages: 3 };
    for (const memory of [`${header}1`, `${header}1 100`]) {
      const made = await rewritten(`(module (memory ${memory}) ${code})`, { ...SHRINK, limits });
      assert.equal(made.call("grow", of(3)), of(-1));
      assert.equal(made.call("grow", of(2)), of(1));
    }
    const lower = await rewritten(`(module (memory ${header}1 2) ${code})`, { ...SHRINK, limits });
    assert.equal(lower.call("grow", of(2)), of(-1));
    const higher = await rewritten(`(module (memory ${header}4) ${code})`, { ...SHRINK, limits });
    assert.equal(higher.call("size"), of(4));
    assert.equal(higher.call("grow", of(1)), of(-1));
  });
}

test("64-bit sizes that are no sizes do not grow a memory", async () => {
  const made = await rewritten(
    `(module (memory i64 1) (func (export "grow") (param i64) (result i64) (memory.grow (local.get 0))))`,
    SHRINK,
  );
  for (const pages of [-1n, 2n ** 48n, 2n ** 62n, -(2n ** 63n), 2n ** 32n, 2n ** 32n + 1n, 2n ** 32n - 1n])
    assert.equal(made.call("grow", pages), -1n, `${pages}`);
  assert.equal(made.memory().buffer.byteLength, WASM_PAGE);
});

test("modules that share a memory share its size", async () => {
  const grow = `(func (export "size") (result i32) (memory.size)) (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))`;
  const owner = await rewritten(`(module (memory (export "m") 1) ${grow})`, SHRINK);
  const pages = owner.exports[owner.made.memories[0]?.pages ?? ""];
  const user = await rewritten(`(module (import "o" "m" (memory 1)) ${grow})`, SHRINK, {
    imports: { o: owner.exports, starlane: { "pages:0": pages } },
  });
  owner.save();
  user.save();
  assert.equal(user.call("grow", 2), 1);
  assert.equal(owner.call("size"), 3);
  assert.equal(owner.call("grow", 1), 3);
  assert.equal(user.call("size"), 4);
  assert.ok(owner.restore() && user.restore());
  assert.equal(user.call("size"), 1);
  assert.equal(owner.call("size"), 1);
});

test("memory behind the first size is marked, so that it can be emptied for the next transaction", async () => {
  const bytes = await wat(`(module (memory 1)
    (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
    (func (export "store") (param i32) (i32.store8 (local.get 0) (i32.const 7))))`);
  const made = new Rewritten(bytes, { ...SHRINK, barrier: true });
  made.save();
  made.call("grow", 3);
  made.restore();
  // Given up: this is no trap until the memory is as small as it says.
  made.call("store", 3 * WASM_PAGE);
  assert.equal(made.map()[48], 1);
});

test("several memories have sizes of their own", async () => {
  const made = await rewritten(
    `(module (memory $a 1) (memory $b i64 2) (memory $c 3 4)
      (func (export "grow") (result i32 i64 i32) (memory.grow $a (i32.const 1)) (memory.grow $b (i64.const 1)) (memory.grow $c (i32.const 2)))
      (func (export "size") (result i32 i64 i32) (memory.size $a) (memory.size $b) (memory.size $c)))`,
    { ...SHRINK, barrier: true, fuel: true },
  );
  made.save();
  for (let i = 0; i < 2; i++) {
    assert.deepEqual(made.call("grow"), [1, 2n, -1]);
    assert.deepEqual(made.call("size"), [2, 3n, 3]);
    assert.equal(made.restore(), true);
  }
  assert.deepEqual(
    [0, 1, 2].map((i) => made.pages(i).value),
    [1, 2n, 3],
  );
});
