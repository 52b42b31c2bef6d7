import assert from "node:assert/strict";
import { test } from "node:test";
import { ALL_OPTIONS, inTime, isValid, Rewritten, rewritten } from "../../../test/instrumented.ts";
import { wat } from "../../../test/wat.ts";
import { ALLOWANCE } from "./fuel.ts";
import { instrument } from "./instrument.ts";

/** Programs that run for ever, by what keeps them going; `run` is what is called. */
const ENDLESS: Readonly<Record<string, string>> = {
  "a loop": `(func (export "run") (loop (br 0)))`,
  "a loop that something is calculated in": `(func (export "run") (local i64)
    (loop (local.set 0 (i64.mul (i64.add (local.get 0) (i64.const 3)) (i64.const 7))) (br 0)))`,
  "a loop with a parameter": `(func (export "run") (i32.const 1) (loop (param i32) (i32.add (i32.const 1)) (br 0)))`,
  "a loop with parameters and results": `(func (export "run") (result i32) (i32.const 1) (i64.const 2)
    (loop (param i32 i64) (result i32) (drop) (i32.add (i32.const 1)) (i64.const 5) (br 0)))`,
  "a loop with a result": `(func (export "run") (result f64) (loop (result f64) (br 0)))`,
  "a loop ended by a condition": `(func (export "run") (loop (br_if 0 (i32.const 1))))`,
  "an outer loop": `(func (export "run") (loop (block (loop (br_if 1 (i32.const 1)) (br 0))) (br 0)))`,
  "an inner loop": `(func (export "run") (loop (loop (br_if 0 (i32.const 1))) (br 0)))`,
  "an inner loop that goes on with the outer one": `(func (export "run") (loop (loop (br 1))))`,
  "twenty loops in each other": `(func (export "run") ${"(loop ".repeat(20)} (br_table 0 5 10 19 (i32.const 3)) ${")".repeat(20)})`,
  "a table of branches": `(func (export "run") (local i32)
    (loop (block (block (block (br_table 0 1 2 3 (i32.and (local.get 0) (i32.const 3))))
      (local.set 0 (i32.add (local.get 0) (i32.const 1)))) (br_if 1 (i32.const 1)))
      (local.set 0 (i32.add (local.get 0) (i32.const 1))) (br 0)))`,
  "a loop between ifs": `(func (export "run") (if (i32.const 1) (then (loop (if (i32.const 1) (then (br 1)) (else (br 1)))))))`,
  recursion: `(func $f (export "run") (call $f))`,
  "recursion with parameters and results": `(func (export "run") (drop (call $f (i32.const 1))))
    (func $f (param i32) (result i32) (i32.add (call $f (i32.add (local.get 0) (i32.const 1))) (i32.const 1)))`,
  "mutual recursion": `(func $f (export "run") (call $g) (nop)) (func $g (if (i32.const 1) (then (call $f))))`,
  "recursion through a table": `(type $t (func)) (table funcref (elem $f)) (func $f (export "run") (call_indirect (type $t) (i32.const 0)))`,
  "recursion through a reference": `(type $t (func)) (elem declare func $f) (func $f (type $t) (call_ref $t (ref.func $f)))
    (func (export "run") (call $f))`,
  "a tail call": `(func $f (export "run") (return_call $f))`,
  "tail calls of each other": `(func $f (export "run") (return_call $g (i32.const 0)))
    (func $g (param i32) (if (local.get 0) (then (return_call $f))) (return_call $g (i32.const 1)))`,
  "a tail call out of a loop": `(func $f (export "run") (loop (if (i32.const 1) (then (return_call $f))) (br 0)))`,
  "a tail call through a table": `(type $t (func)) (table funcref (elem $f))
    (func $f (export "run") (return_call_indirect (type $t) (i32.const 0)))`,
  "a tail call through a reference": `(type $t (func)) (elem declare func $f)
    (func $f (type $t) (return_call_ref $t (ref.func $f))) (func (export "run") (call $f))`,
  "a loop of calls": `(func $f (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))
    (func (export "run") (local i32) (loop (local.set 0 (call $f (local.get 0))) (br 0)))`,
  "a loop of calls through a table": `(type $t (func)) (table funcref (elem $g)) (func $g)
    (func (export "run") (loop (call_indirect (type $t) (i32.const 0)) (br 0)))`,
  "a loop of calls through a reference": `(type $t (func)) (elem declare func $g) (func $g (type $t))
    (func (export "run") (loop (call_ref $t (ref.func $g)) (br 0)))`,
  "a loop of exceptions": `(tag) (func (export "run") (loop (try_table (catch 0 0) (throw 0))))`,
  "a loop of exceptions with values": `(tag (param i32)) (func (export "run") (i32.const 1)
    (loop (param i32) (drop) (try_table (catch 0 0) (throw 0 (i32.const 5))) (unreachable)))`,
  "a loop of exceptions that are references": `(tag) (func (export "run")
    (loop (block (result exnref) (try_table (catch_all_ref 0) (throw 0)) (unreachable)) (drop) (br 0)))`,
  "a loop of exceptions thrown on": `(tag) (func (export "run")
    (loop (try_table (catch_all 0) (block (result exnref) (try_table (catch_all_ref 0) (throw 0)) (unreachable)) (throw_ref))))`,
  "a loop of exceptions of a function": `(tag) (func $f (throw 0)) (func (export "run") (loop (try_table (catch_all 0) (call $f))))`,
  "a loop of exceptions of a function behind others": `(tag) (func $f (throw 0)) (func $g (call $f)) (func $h (loop (call $g)))
    (func (export "run") (loop (try_table (catch_all 0) (call $h))))`,
  "a loop of legacy exceptions": `(tag) (func (export "run") loop try throw 0 catch 0 br 1 end br 0 end)`,
  "a loop of legacy exceptions of a function": `(tag) (func $f (throw 0))
    (func (export "run") loop try call $f catch_all br 1 end br 0 end)`,
  "a loop of legacy exceptions thrown on and delegated": `(tag) (func $f (throw 0))
    (func (export "run") loop try try call $f catch 0 rethrow 0 end catch_all end try try call $f delegate 0 catch_all end br 0 end)`,
  "a loop ended by null": `(func (export "run") (loop (block (br_on_null 1 (ref.null func)) (drop)) (br 0)))`,
  "a loop ended by no null": `(elem declare func $g) (func $g) (type $t (func)) (func (export "run") (ref.func $g)
    (loop (param (ref func)) (br_on_non_null 0) (unreachable)))`,
  "a loop ended by a cast": `(func (export "run") (ref.i31 (i32.const 1)) (loop (param anyref) (br_on_cast 0 anyref i31ref) (drop)))`,
  "a loop ended by a cast that fails": `(func (export "run") (ref.i31 (i32.const 1))
    (loop (param anyref) (br_on_cast_fail 0 anyref (ref struct)) (drop)))`,
  "a loop that fills memory": `(memory 100) (func (export "run")
    (loop (memory.fill (i32.const 0) (i32.const 1) (i32.const 6553600)) (br 0)))`,
  "a loop behind code that is never run": `(func (export "run") (block (br 0) (loop (br 0))) (loop (br 0)))`,
  "a loop whose start is long": `(func (export "run") (local i32) (loop
    ${"(local.set 0 (i32.add (local.get 0) (i32.const 1)))".repeat(4000)} (br 0)))`,
  "the start function's loop": `(func $f (loop (br 0))) (start $f) (func (export "run"))`,
};

test("no program runs for ever", async (t) => {
  for (const [name, fields] of Object.entries(ENDLESS)) {
    await t.test(name, async () => {
      const bytes = await wat(`(module ${fields})`);
      assert.ok(isValid(bytes), "the program itself is valid");
      // Start functions run before there is an instance to ask.
      let stopped = false;
      const host = { fuel: 2_000n, onStop: () => (stopped = true) };
      assert.throws(() => inTime(() => new Rewritten(bytes, { fuel: true }, host).call("run")), WebAssembly.RuntimeError);
      assert.ok(stopped, "it was stopped because the fuel was used up");
    });
  }
});

test("a loop through the functions of another module is stopped", async () => {
  const functions = `(module (func (export "f") (nop)) (func (export "g") (local i32) (loop (br_if 0 (local.get 0)))))`;
  const exporter = await rewritten(functions, { fuel: true }, { fuel: 2_000n });
  const text = `(module (func $f (import "a" "f")) (func $g (import "a" "g")) (func (export "run") (loop (call $f) (call $g) (br 0))))`;
  const { exports } = exporter;
  const importer = await rewritten(text, { fuel: true }, { imports: { a: exports }, with: exporter });
  assert.throws(() => inTime(() => importer.call("run")), WebAssembly.RuntimeError);
  assert.ok(exporter.stopped);
});

const KINDS_OF_WORK = `(module
  (memory 1) (table 10 funcref) (tag $t (param i32))
  (func $tiny (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))
  (func $sum (param i32) (result i32) (local i32)
    (loop (local.set 1 (i32.add (local.get 1) (local.get 0))) (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
    (local.get 1))
  (func $fib (param i32) (result i32)
    (if (i32.lt_u (local.get 0) (i32.const 2)) (then (return (local.get 0))))
    (i32.add (call $fib (i32.sub (local.get 0) (i32.const 1))) (call $fib (i32.sub (local.get 0) (i32.const 2)))))
  (func $throws (param i32) (if (i32.and (local.get 0) (i32.const 1)) (then (throw $t (call $sum (local.get 0))))))
  (func (export "run") (param i32) (result i32) (local i32 i32)
    (loop $next
      (local.set 2 (i32.add (local.get 2) (call $sum (i32.add (local.get 1) (i32.const 1)))))
      (local.set 2 (i32.add (call $tiny (local.get 2)) (call $fib (i32.and (local.get 1) (i32.const 7)))))
      (block $caught (result i32) (try_table (catch $t $caught) (call $throws (local.get 1))) (i32.const 3))
      (local.set 2 (i32.add (local.get 2)))
      (memory.fill (i32.const 0) (local.get 2) (local.get 1))
      (br_if $next (i32.lt_u (local.tee 1 (i32.add (local.get 1) (i32.const 1))) (local.get 0))))
    (local.get 2))
)`;

test("the same work costs the same, always and however the fuel is handed out", async () => {
  const first = await rewritten(KINDS_OF_WORK, { fuel: true });
  const cost = first.cost("run", 500);
  assert.ok(cost > 500 * 500 * 3, `${cost}`);
  for (const options of ALL_OPTIONS.filter(({ fuel }) => fuel === true)) {
    const again = await rewritten(KINDS_OF_WORK, options, { slice: 777n });
    for (let i = 0; i < 3; i++) assert.equal(again.cost("run", 500), cost, JSON.stringify(options));
    assert.ok(again.asked > 100);
  }
});

test("an instruction costs a unit", async () => {
  const straight = "(local.set 0 (i32.add (local.get 0) (i32.const 1)))".repeat(50);
  const made = await rewritten(
    `(module
      (func (export "straight") (local i32) ${straight})
      (func (export "loop") (param i32) (loop (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))
      (func (export "if") (param i32) (if (local.get 0) (then ${"(drop (i32.const 0))".repeat(50)}) (else (drop (i32.const 0)))))
      (func (export "leave") (param i32) (block (br_if 0 (local.get 0)) ${"(drop (i32.const 0))".repeat(50)}))
    )`,
    { fuel: true },
  );
  assert.equal(made.cost("straight"), 200);
  assert.equal(made.cost("loop", 10), 50);
  assert.equal(made.cost("loop", 100_000), 500_000);
  assert.equal(made.cost("if", 1), 102);
  assert.equal(made.cost("if", 0), 4);
  assert.equal(made.cost("leave", 0), 102);
  assert.equal(made.cost("leave", 1), 2);
});

test("a small function is paid by those who call it", async () => {
  const made = await rewritten(
    `(module
      (func $tiny (export "tiny") (result i32) (i32.add (i32.const 1) (i32.const 2)))
      (func (export "direct") (drop (call $tiny)) (drop (call $tiny)) (call $nothing))
      (func $nothing)
      (table funcref (elem $tiny))
      (func (export "unknown") (drop (call_indirect (result i32) (i32.const 0)))))`,
    { fuel: true },
  );
  assert.equal(made.cost("tiny"), 0);
  assert.equal(made.cost("direct"), 2 * (2 + 3) + 2);
  assert.equal(made.cost("unknown"), 3 + 10);
});

test("what moves much costs much", async () => {
  const made = await rewritten(
    `(module
      (memory $m 100) (memory $w i64 100) (table $t 10 funcref) (table $u i64 10 funcref)
      (type $array (array (mut i32))) (type $struct (struct ${"(field i64)".repeat(400)})) (data $d "${"x".repeat(4096)}")
      (func (export "fill") (param i32) (memory.fill $m (i32.const 0) (i32.const 1) (local.get 0)))
      (func (export "fill64") (param i64) (memory.fill $w (i64.const 0) (i32.const 1) (local.get 0)))
      (func (export "copy") (param i32) (memory.copy $m $w (i32.const 0) (i64.const 0) (local.get 0)))
      (func (export "copy64") (param i64) (memory.copy $w $w (i64.const 0) (i64.const 0) (local.get 0)))
      (func (export "init") (param i32) (memory.init $m $d (i32.const 0) (i32.const 0) (local.get 0)))
      (func (export "table-grow") (param i32) (result i32) (table.grow $t (ref.null func) (local.get 0)))
      (func (export "table-grow64") (param i64) (result i64) (table.grow $u (ref.null func) (local.get 0)))
      (func (export "table-fill") (param i32) (table.fill $t (i32.const 0) (ref.null func) (local.get 0)))
      (func (export "array") (param i32) (drop (array.new_default $array (local.get 0))))
      (func (export "struct") (drop (struct.new_default $struct)))
      (func (export "grow") (param i32) (result i32) (memory.grow $m (local.get 0)))
      (func (export "locals") (local ${"i64 ".repeat(1600)}) (drop (i32.const 1)))
    )`,
    { fuel: true },
  );
  const atLeast = (least: number, name: string, ...args: unknown[]): void => {
    const cost = made.cost(name, ...args);
    assert.ok(cost >= least && cost <= least + 20, `${name}(${args.join(", ")}) costs ${cost}, not ${least}`);
  };
  atLeast(65536 / 16, "fill", 65536);
  atLeast(65536 / 16, "fill64", 65536n);
  atLeast(65536 / 16, "copy", 65536);
  atLeast(65536 / 16, "copy64", 65536n);
  atLeast(4096 / 16, "init", 4096);
  atLeast(5_000, "table-grow", 5_000);
  atLeast(5_000, "table-grow64", 5_000n);
  atLeast(5_000, "table-fill", 5_000);
  atLeast(10_000 / 4, "array", 10_000);
  atLeast(400 / 4, "struct");
  atLeast(100, "grow", 1);
  atLeast(100, "locals");
});

test("no size is so big that it gives fuel", async () => {
  const made = await rewritten(
    `(module (memory i64 1) (table i64 1 funcref)
      (func (export "grow") (param i64) (result i64) (table.grow (ref.null func) (local.get 0)))
      (func (export "fill") (param i64) (memory.fill (i64.const 0) (i32.const 1) (local.get 0)))
      (func (export "fill-table") (param i64) (table.fill (i64.const 0) (ref.null func) (local.get 0))))`,
    { fuel: true },
  );
  for (const size of [-1n, -(2n ** 63n), 2n ** 63n - 1n, -4096n, 2n ** 62n]) {
    const before = made.used;
    assert.equal(made.call("grow", size), -1n);
    for (const name of ["fill", "fill-table"]) assert.throws(() => made.call(name, size), WebAssembly.RuntimeError);
    assert.ok(made.used >= before, `${size}`);
  }
});

test("what was used in front of a trap is counted but for the last allowance of each open function", async () => {
  const made = await rewritten(
    `(module (func $work (param i32) (loop (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))
      (func (export "run") (param i32) (call $work (local.get 0)) (loop (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))) (unreachable)))`,
    { fuel: true },
  );
  const before = made.used;
  assert.throws(() => made.call("run", 100_000), WebAssembly.RuntimeError);
  const used = Number(made.used - before);
  assert.ok(used <= 1_000_004 && used > 1_000_000 - ALLOWANCE, `${used}`);
});

for (const [kind, call] of [
  ["new", "(block (try_table (catch_all 0) (call $b (i32.const 1000))))"],
  ["legacy", "try i32.const 1000 call $b catch_all end"],
] as const)
  test(`what functions used that an exception leaves is counted (${kind} exceptions)`, async () => {
    const work = "(loop (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))";
    const made = await rewritten(
      `(module (tag $t)
        (func $a (param i32) ${work} (throw $t))
        (func $b (param i32) (local i32) (local.set 1 (local.get 0)) ${work} (call $a (local.get 1)))
        (func (export "run") (param i32) (loop ${call} (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))))`,
      { fuel: true },
    );
    const cost = made.cost("run", 100);
    assert.ok(cost >= 100 * (2 * 5 * 1000 + 500), `${cost}`);
    assert.ok(cost <= 100 * (2 * 5 * 1000 + 2000), `${cost}`);
  });

test("a value that is thrown arrives", async () => {
  const made = await rewritten(
    `(module (tag $t (param i32 f64)) (tag $other)
      (func $a (param i32) (loop (br_if 0 (i32.const 0))) (throw $t (local.get 0) (f64.const 2.5)))
      (func $b (param i32) (call $a (local.get 0)) (call $a (i32.const 1)))
      (func (export "run") (param i32) (result i32 f64)
        (block (try_table (catch $other 0) (block (result i32 f64) (try_table (catch $t 0) (call $b (local.get 0))) (unreachable)) (return)))
        (unreachable)))`,
    { fuel: true },
  );
  assert.deepEqual(made.call("run", 77), [77, 2.5]);
});

test("waiting for another thread is a trap", async () => {
  const made = await rewritten(
    `(module (memory 1 1 shared)
    (func (export "wait32") (result i32) (memory.atomic.wait32 (i32.const 0) (i32.const 0) (i64.const 1)))
    (func (export "wait64") (result i32) (memory.atomic.wait64 (i32.const 0) (i64.const 0) (i64.const 1)))
    (func (export "notify") (result i32) (memory.atomic.notify (i32.const 0) (i32.const 1))))`,
    { fuel: true },
  );
  for (const name of ["wait32", "wait64"]) assert.throws(() => made.call(name), /unreachable/);
  assert.equal(made.call("notify"), 0);
});

test("legacy and new exceptions in one module stay invalid", async () => {
  const bytes = await wat(`(module (tag) (func try throw 0 catch_all end) (func (block (try_table (catch_all 0) (throw 0)))))`);
  assert.ok(!isValid(bytes) && !isValid(instrument(bytes, { fuel: true }).bytes));
});
