// Components that fuzzing found, or that are like them: valid, and shaped so that a host that is not careful stumbles.

import assert from "node:assert/strict";
import { test } from "node:test";
import { StarlaneError } from "../base/errors.ts";
import { instantiateWat } from "../../test/wat.ts";

/** A component with a resource `r` whose functions are named as given, each a function of one core function of that type. */
function withResource(names: readonly string[]): string {
  const params = (name: string): string => (name.startsWith("[method]") ? `(param "self" (borrow $r'))` : "");
  const results = (name: string): string => (name.startsWith("[constructor]") ? `(result (own $r'))` : "(result u32)");
  const core = (name: string): string =>
    name.startsWith("[method]") ? "self" : name.startsWith("[constructor]") ? "new" : "seven";
  const funcs = names.map(
    (name, i) => `(func $f${i} ${params(name)} ${results(name)} (canon lift (core func $m "${core(name)}")))`,
  );
  return `(component
    (type $r' (resource (rep i32)))
    (core func $new (canon resource.new $r'))
    (core module $M
      (import "r" "new" (func $new (param i32) (result i32)))
      (func (export "new") (result i32) (call $new (i32.const 42)))
      (func (export "self") (param i32) (result i32) (local.get 0))
      (func (export "seven") (result i32) (i32.const 7)))
    (core instance $m (instantiate $M (with "r" (instance (export "new" (func $new))))))
    (component $C
      (import "r" (type $r (sub resource)))
      ${names.map((name, i) => `(import "f${i}" (func $f${i} ${params(name).replace("$r'", "$r")} ${results(name).replace("$r'", "$r")}))`).join("\n")}
      (export $e "r" (type $r))
      ${names.map((name, i) => `(export "${name}" (func $f${i}) (func ${params(name).replace("$r'", "$e")} ${results(name).replace("$r'", "$e")}))`).join("\n")})
    ${funcs.join("\n")}
    (instance $i (instantiate $C (with "r" (type $r')) ${names.map((_, i) => `(with "f${i}" (func $f${i}))`).join(" ")}))
    (export "api" (instance $i)))`;
}

test("functions inside nested exported instances are reached through the exports", async () => {
  const instance = await instantiateWat(`(component
    (core module $M (func (export "seven") (result i32) (i32.const 7)))
    (core instance $m (instantiate $M))
    (func $seven (result u32) (canon lift (core func $m "seven")))
    (instance $inner (export "seven" (func $seven)))
    (instance $outer (export "inner" (instance $inner)))
    (export "outer" (instance $outer)))`);
  const { outer } = instance.exports as { outer: { inner: { seven: () => number } } };
  assert.equal(outer.inner.seven(), 7);
});

test("a resource with a method named then is no promise of something else", async () => {
  const instance = await instantiateWat(withResource(["[constructor]r", "[method]r.then"]));
  assert.ok("api" in instance.exports);
  const object = await instance.call("api#[constructor]r");
  assert.equal(typeof object, "object");
  assert.equal(await instance.call("api#[method]r.then", [object]), 42);
});

test("static functions may have the names that every class has", async () => {
  const instance = await instantiateWat(
    withResource(["[static]r.prototype", "[static]r.name", "[static]r.length", "[method]r.constructor"]),
  );
  const { api } = instance.exports as { api: { R: { name: () => number; length: () => number } } };
  assert.equal(api.R.name(), 7);
  assert.equal(api.R.length(), 7);
  assert.equal(await instance.call("api#[static]r.prototype"), 7);
});

test("a list of numbers that a guest passes to itself survives the growth of its memory", async () => {
  const instance = await instantiateWat(`(component
    (core module $M
      (memory (export "mem") 1)
      (global $next (mut i32) (i32.const 1024))
      (func (export "realloc") (param i32 i32 i32 i32) (result i32) (local $at i32)
        (drop (memory.grow (i32.const 1)))
        (local.set $at (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
        (global.set $next (i32.add (local.get $at) (local.get 3)))
        (local.get $at))
      (func (export "sum") (param $at i32) (param $left i32) (result i32) (local $sum i32)
        (block $done (loop $more
          (br_if $done (i32.eqz (local.get $left)))
          (local.set $sum (i32.add (local.get $sum) (i32.load (local.get $at))))
          (local.set $at (i32.add (local.get $at) (i32.const 4)))
          (local.set $left (i32.sub (local.get $left) (i32.const 1)))
          (br $more)))
        (local.get $sum)))
    (core instance $m (instantiate $M))
    (func $sum (param "v" (list u32)) (result u32)
      (canon lift (core func $m "sum") (memory (core memory $m "mem")) (realloc (core func $m "realloc"))))
    (core func $sum' (canon lower (func $sum) (memory (core memory $m "mem"))))
    (core module $N
      (import "" "sum" (func $sum (param i32 i32) (result i32)))
      (func (export "again") (param i32 i32) (result i32) (call $sum (local.get 0) (local.get 1))))
    (core instance $n (instantiate $N (with "" (instance (export "sum" (func $sum'))))))
    (func (export "again") (param "v" (list u32)) (result u32)
      (canon lift (core func $n "again") (memory (core memory $m "mem")) (realloc (core func $m "realloc")))))`);
  assert.equal(await instance.call("again", [[1, 2, 3]]), 6);
});

test("a thread that starts with a function of another type is a trap", async () => {
  const instance = await instantiateWat(`(component
    (core module $T (table (export "t") 1 funcref))
    (core instance $t (instantiate $T))
    (core type $start (func (param i32)))
    (core func $new (canon thread.new-indirect $start (core table $t "t")))
    (core module $M
      (import "" "new" (func $new (param i32 i32) (result i32)))
      (import "t" "t" (table $t 1 funcref))
      (func $other (param f64))
      (elem (table $t) (i32.const 0) func $other)
      (func (export "run") (result i32) (call $new (i32.const 0) (i32.const 7))))
    (core instance $m (instantiate $M (with "" (instance (export "new" (func $new)))) (with "t" (instance $t))))
    (func (export "run") (result u32) (canon lift (core func $m "run"))))`);
  await assert.rejects(instance.call("run"), (error) => error instanceof StarlaneError && error.code === "engine/trap");
});

test("a name that nothing provides is not shown longer than anybody reads", async () => {
  const name = `a${"b".repeat(5000)}`;
  await assert.rejects(
    instantiateWat(`(component (import "${name}" (func)))`),
    (error) => error instanceof StarlaneError && error.code === "engine/missing-import" && error.message.length < 500,
  );
});
