// Guests that try to carry something from one transaction into the next, each through another thing that can change. `hide` leaves it,
// `look` tells what is there: always what a new instance has.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { compileWat } from "../../../test/wat.ts";
import type { CompiledComponent, InstanceImports, Pool } from "../engine.ts";

interface Smuggler {
  readonly name: string;
  readonly wat: string;
  /** Instances that were put back; otherwise each is thrown away after `hide`. */
  readonly recycled?: false;
  /** `hide` traps when it is done. */
  readonly traps?: true;
  /** What `look` tells; where it is left out, what a new instance says. For what only rewritten code does. */
  readonly expected?: bigint;
}

const LIFTS = `
  (func (export "hide") (canon lift (core func $m "hide")))
  (func (export "look") (result u64) (canon lift (core func $m "look")))`;

/** A component of one core module. */
function simple(body: string): string {
  return `(component (core module $M ${body}) (core instance $m (instantiate $M)) ${LIFTS})`;
}

/** A global of each type, `look` gives its bits. */
function globalOf(type: string, initial: string, changed: string, bits: string): string {
  return simple(`
    (global $g (mut ${type}) (${initial}))
    (func (export "hide") (global.set $g (${changed})))
    (func (export "look") (result i64) ${bits.replaceAll("$value", "(global.get $g)")})`);
}

function stores(what: string, read = "(i64.load (i32.const 40000))"): string {
  return simple(`
    (memory 1)
    (data (i32.const 0) "initial")
    (func (export "hide") ${what})
    (func (export "look") (result i64) ${read})`);
}

const ALL_BYTES = `
    (func $all (result i64)
      (local $i i32) (local $sum i64)
      (loop $more
        (local.set $sum (i64.add (i64.mul (local.get $sum) (i64.const 31)) (i64.load (local.get $i))))
        (local.set $i (i32.add (local.get $i) (i32.const 8)))
        (br_if $more (i32.lt_u (local.get $i) (i32.const 131072))))
      (local.get $sum))`;

const SMUGGLERS: readonly Smuggler[] = [
  // ---- memory
  { name: "memory behind the data segments", wat: stores("(i64.store (i32.const 40000) (i64.const -1))") },
  { name: "the data segment itself", wat: stores("(i32.store (i32.const 0) (i32.const 9))", "(i64.load (i32.const 0))") },
  {
    name: "the last byte of memory",
    wat: stores("(i32.store8 (i32.const 65535) (i32.const 9))", "(i64.load (i32.const 65528))"),
  },
  ...["i32.store8", "i32.store16", "i32.store", "i64.store", "f64.store", "v128.store"].map((store) => ({
    name: `${store} that spills into the next page`,
    wat: stores(
      `(${store} (i32.const ${store === "v128.store" ? 8177 : 8191}) (${store.replace(/store.*/, "const")}${
        store.startsWith("v128") ? " i64x2 -1 -1" : " -1"
      }))`,
      "(i64.add (i64.load (i32.const 8191)) (i64.load (i32.const 8183)))",
    ),
  })),
  {
    name: "memory by bulk operations",
    wat: simple(`
      (memory 2)
      (data $passive "some bytes that are copied")
      (data (i32.const 70000) "active")
      ${ALL_BYTES}
      (func (export "hide")
        (memory.fill (i32.const 5000) (i32.const 7) (i32.const 90000))
        (memory.init $passive (i32.const 4090) (i32.const 0) (i32.const 20))
        (memory.copy (i32.const 120000) (i32.const 5000) (i32.const 11000)))
      (func (export "look") (result i64) (call $all))`),
  },
  {
    name: "memory by atomic operations",
    wat: stores(
      `(drop (i64.atomic.rmw.add (i32.const 40000) (i64.const 5)))
       (drop (i32.atomic.rmw8.cmpxchg_u (i32.const 40007) (i32.const 0) (i32.const 5)))`,
    ),
  },
  {
    name: "memory by lanes of vectors",
    wat: stores("(v128.store32_lane 2 (i32.const 40000) (v128.const i32x4 1 2 3 4))"),
  },
  {
    name: "a small memory that cannot grow, put back as a whole",
    wat: simple(`
      (memory 2 2)
      (data (i32.const 1000) "initial")
      ${ALL_BYTES}
      (func (export "hide") (memory.fill (i32.const 0) (i32.const 255) (i32.const 131072)))
      (func (export "look") (result i64) (call $all))`),
  },
  {
    name: "memory that was grown",
    wat: simple(`
      (memory 1)
      (func (export "hide")
        (drop (memory.grow (i32.const 5)))
        (i64.store (i32.const 300000) (i64.const -1)))
      (func (export "look") (result i64)
        (if (i32.ne (memory.size) (i32.const 1)) (then unreachable))
        (drop (memory.grow (i32.const 5)))
        (i64.add (i64.load (i32.const 300000)) (i64.extend_i32_u (memory.size))))`),
  },
  {
    name: "memory that was grown beyond what is kept ready",
    recycled: false,
    wat: simple(`
      (memory 1)
      (func (export "hide")
        (drop (memory.grow (i32.const 1000)))
        (i64.store (i32.const 60000000) (i64.const -1)))
      (func (export "look") (result i64)
        (drop (memory.grow (i32.const 1000)))
        (i64.add (i64.load (i32.const 60000000)) (i64.extend_i32_u (memory.size))))`),
  },
  {
    name: "memory grown to its maximum, which is below what is kept ready",
    wat: simple(`
      (memory 1 7)
      (func (export "hide")
        (drop (memory.grow (i32.const 6)))
        (i64.store (i32.const 450000) (i64.const -1)))
      (func (export "look") (result i64)
        (if (i32.ne (memory.grow (i32.const 7)) (i32.const -1)) (then unreachable))
        (drop (memory.grow (i32.const 6)))
        (i64.add (i64.load (i32.const 450000)) (i64.extend_i32_u (memory.size))))`),
  },
  {
    name: "memory behind its end, which rewritten code can reach",
    expected: 0n,
    wat: simple(`
      (memory 1)
      (func (export "hide") (i64.store (i32.const 3000000) (i64.const -1)))
      (func (export "look") (result i64) (i64.load (i32.const 3000000)))`),
  },
  {
    name: "a memory with 64-bit addresses",
    wat: simple(`
      (memory i64 1)
      (func (export "hide")
        (drop (memory.grow (i64.const 5)))
        (i64.store (i64.const 300000) (i64.const -1))
        (memory.fill (i64.const 9000) (i32.const 1) (i64.const 9000)))
      (func (export "look") (result i64)
        (if (i64.ne (memory.size) (i64.const 1)) (then unreachable))
        (drop (memory.grow (i64.const 5)))
        (i64.add (i64.load (i64.const 300000)) (i64.load (i64.const 12000))))`),
  },
  {
    name: "a second memory",
    wat: simple(`
      (memory $a 1) (memory $b 1)
      (func (export "hide")
        (i64.store $b (i32.const 40000) (i64.const -1))
        (memory.copy $a $b (i32.const 100) (i32.const 40000) (i32.const 8)))
      (func (export "look") (result i64)
        (i64.add (i64.load $a (i32.const 100)) (i64.load $b (i32.const 40000))))`),
  },
  {
    name: "a memory that another module has",
    wat: `(component
      (core module $Libc (memory (export "mem") 1))
      (core module $M
        (import "libc" "mem" (memory 1))
        (func (export "hide")
          (drop (memory.grow (i32.const 1)))
          (i64.store (i32.const 40000) (i64.const -1))
          (i64.store (i32.const 100000) (i64.const -1)))
        (func (export "look") (result i64)
          (if (i32.ne (memory.size) (i32.const 1)) (then unreachable))
          (drop (memory.grow (i32.const 1)))
          (i64.add (i64.load (i32.const 40000)) (i64.load (i32.const 100000)))))
      (core instance $libc (instantiate $Libc))
      (core instance $m (instantiate $M (with "libc" (instance $libc))))
      ${LIFTS})`,
  },
  {
    name: "what a start function put into memory, a global and a table",
    wat: simple(`
      (memory 1) (global $g (mut i64) (i64.const 1)) (table $t 4 funcref)
      (func $f (result i64) (i64.const 1000)) (func $h (result i64) (i64.const 5)) (elem declare func $f $h)
      (func $start
        (i64.store (i32.const 40000) (i64.const 77)) (global.set $g (i64.const 78))
        (drop (memory.grow (i32.const 1))) (table.set $t (i32.const 2) (ref.func $f)))
      (start $start)
      (func (export "hide")
        (i64.store (i32.const 40000) (i64.const -1)) (global.set $g (i64.const -1)) (drop (memory.grow (i32.const 1)))
        (table.set $t (i32.const 2) (ref.func $h)))
      (func (export "look") (result i64)
        (i64.add (i64.add (i64.load (i32.const 40000)) (global.get $g))
          (i64.add (i64.extend_i32_u (memory.size)) (call_indirect $t (result i64) (i32.const 2)))))`),
  },

  // ---- globals
  { name: "a global of i32", wat: globalOf("i32", "i32.const 1", "i32.const -1", "(i64.extend_i32_u $value)") },
  { name: "a global of i64", wat: globalOf("i64", "i64.const 1", "i64.const -1", "$value") },
  {
    name: "the bits of a NaN in a global of f32",
    wat: globalOf("f32", "f32.const nan:0x200001", "f32.const nan:0x300001", "(i64.extend_i32_u (i32.reinterpret_f32 $value))"),
  },
  {
    name: "the sign of 0 in a global of f64",
    wat: globalOf("f64", "f64.const 0", "f64.const -0", "(i64.reinterpret_f64 $value)"),
  },
  {
    name: "a global of v128",
    wat: globalOf("v128", "v128.const i64x2 1 2", "v128.const i64x2 3 4", "(i64x2.extract_lane 1 $value)"),
  },
  {
    name: "a global of funcref",
    wat: simple(`
      (type $f (func (result i64)))
      (func $one (result i64) (i64.const 1)) (func $two (result i64) (i64.const 2)) (elem declare func $one $two)
      (global $g (mut (ref null $f)) (ref.func $one))
      (func (export "hide") (global.set $g (ref.func $two)))
      (func (export "look") (result i64) (call_ref $f (global.get $g)))`),
  },
  {
    name: "a global of i31ref",
    wat: globalOf("i31ref", "ref.null i31", "ref.i31 (i32.const 5)", "(i64.extend_i32_u (ref.is_null $value))"),
  },
  {
    name: "a global that another module exports, written by the importing one",
    wat: `(component
      (core module $A (global (export "g") (mut i64) (i64.const 5)))
      (core module $M
        (import "a" "g" (global $g (mut i64)))
        (func (export "hide") (global.set $g (i64.const -1)))
        (func (export "look") (result i64) (global.get $g)))
      (core instance $a (instantiate $A))
      (core instance $m (instantiate $M (with "a" (instance $a))))
      ${LIFTS})`,
  },

  // ---- tables and segments
  ...[
    ["table.set", "(table.set $t (i32.const 1) (ref.func $two))"],
    ["table.fill", "(table.fill $t (i32.const 0) (ref.func $two) (i32.const 3))"],
    ["table.copy", "(table.copy $t $t (i32.const 1) (i32.const 2) (i32.const 1))"],
    ["table.init", "(table.init $t $e (i32.const 1) (i32.const 0) (i32.const 1))"],
  ].map(([name = "", code = ""]) => ({
    name: `a table by ${name}`,
    wat: simple(`
      (table $t 3 10 funcref) (elem (table $t) (i32.const 0) func $one $one $two) (elem $e func $two)
      (func $one (result i64) (i64.const 1)) (func $two (result i64) (i64.const 2))
      (func (export "hide") ${code})
      (func (export "look") (result i64)
        (i64.add (call_indirect $t (result i64) (i32.const 1)) (i64.extend_i32_u (table.size $t))))`),
  })),
  {
    name: "a table that was grown",
    recycled: false,
    wat: simple(`
      (table $t 3 10 funcref)
      (func (export "hide") (drop (table.grow $t (ref.null func) (i32.const 2))))
      (func (export "look") (result i64) (i64.extend_i32_u (table.size $t)))`),
  },
  {
    name: "a table of another module",
    recycled: false,
    wat: `(component
      (core module $A (table (export "t") 2 funcref))
      (core module $M
        (import "a" "t" (table $t 2 funcref))
        (func $f (result i64) (i64.const 2)) (elem declare func $f)
        (func (export "hide") (table.set $t (i32.const 1) (ref.func $f)))
        (func (export "look") (result i64) (i64.extend_i32_u (ref.is_null (table.get $t (i32.const 1))))))
      (core instance $a (instantiate $A))
      (core instance $m (instantiate $M (with "a" (instance $a))))
      ${LIFTS})`,
  },
  {
    name: "a table of externref",
    wat: simple(`
      (table $t 3 externref)
      (func (export "hide") (table.set $t (i32.const 1) (extern.convert_any (ref.i31 (i32.const 4)))))
      (func (export "look") (result i64) (i64.extend_i32_u (ref.is_null (table.get $t (i32.const 1)))))`),
  },
  {
    name: "a data segment that was dropped",
    recycled: false,
    wat: simple(`
      (memory 1) (data $d "abcd")
      (func (export "hide") (data.drop $d))
      (func (export "look") (result i64) (memory.init $d (i32.const 0) (i32.const 0) (i32.const 4)) (i64.load (i32.const 0)))`),
  },
  {
    name: "an element segment that was dropped",
    recycled: false,
    wat: simple(`
      (table $t 2 funcref) (func $f) (elem $e func $f)
      (func (export "hide") (elem.drop $e))
      (func (export "look") (result i64) (table.init $t $e (i32.const 0) (i32.const 0) (i32.const 1)) (i64.const 1))`),
  },
  {
    name: "an object that is written to",
    recycled: false,
    wat: simple(`
      (type $s (struct (field (mut i64))))
      (global $g (ref $s) (struct.new $s (i64.const 5)))
      (func (export "hide") (struct.set $s 0 (global.get $g) (i64.const -1)))
      (func (export "look") (result i64) (struct.get $s 0 (global.get $g)))`),
  },

  // ---- traps
  {
    name: "memory, a global and the stack, before a trap",
    traps: true,
    wat: simple(`
      (memory 1) (global $g (mut i64) (i64.const 0))
      (func (export "hide") (i64.store (i32.const 40000) (i64.const -1)) (global.set $g (i64.const 1)) unreachable)
      (func (export "look") (result i64) (i64.add (i64.load (i32.const 40000)) (global.get $g)))`),
  },
  {
    name: "memory, before the stack overflows",
    traps: true,
    wat: simple(`
      (memory 1) (global $depth (mut i64) (i64.const 0))
      (func $deep (export "hide") (global.set $depth (i64.add (global.get $depth) (i64.const 1)))
        (i64.store (i32.const 40000) (global.get $depth)) (call $deep) (call $deep))
      (func (export "look") (result i64) (i64.add (i64.load (i32.const 40000)) (global.get $depth)))`),
  },
  {
    name: "memory, before an exception that nobody catches",
    traps: true,
    wat: simple(`
      (memory 1) (tag $t (param i64))
      (func (export "hide") (i64.store (i32.const 40000) (i64.const -1)) (throw $t (i64.const 1)))
      (func (export "look") (result i64) (i64.load (i32.const 40000)))`),
  },
  {
    name: "memory, before a trap in post-return",
    traps: true,
    wat: `(component
      (core module $M
        (memory 1)
        (func (export "hide") (i64.store (i32.const 40000) (i64.const -1)))
        (func (export "clean-up") (i64.store (i32.const 50000) (i64.const -1)) unreachable)
        (func (export "look") (result i64) (i64.add (i64.load (i32.const 40000)) (i64.load (i32.const 50000)))))
      (core instance $m (instantiate $M))
      (func (export "hide") (canon lift (core func $m "hide") (post-return (core func $m "clean-up"))))
      (func (export "look") (result u64) (canon lift (core func $m "look"))))`,
  },

  // ---- handles
  {
    name: "handles of a resource of its own, and which indices are free",
    wat: `(component
      (type $R (resource (rep i32)))
      (core func $new (canon resource.new $R)) (core func $drop (canon resource.drop $R))
      (core module $M
        (import "" "new" (func $new (param i32) (result i32))) (import "" "drop" (func $drop (param i32)))
        (func $start
          (drop (call $new (i32.const 10))) (drop (call $new (i32.const 11))) (drop (call $new (i32.const 12)))
          (call $drop (i32.const 1)) (call $drop (i32.const 3)))
        (start $start)
        (func (export "hide")
          (drop (call $new (i32.const 1))) (drop (call $new (i32.const 1))) (drop (call $new (i32.const 1)))
          (call $drop (i32.const 2)) (call $drop (i32.const 1)))
        (func (export "look") (result i64)
          (i64.extend_i32_u (i32.add (i32.mul (call $new (i32.const 1)) (i32.const 100)) (i32.add
            (i32.mul (call $new (i32.const 1)) (i32.const 10)) (call $new (i32.const 1)))))))
      (core instance $m (instantiate $M (with "" (instance (export "new" (func $new)) (export "drop" (func $drop))))))
      ${LIFTS})`,
  },
  {
    name: "memory, before a trap in a destructor",
    traps: true,
    wat: `(component
      (core module $D
        (memory (export "mem") 1)
        (func (export "dtor") (param i32) (i64.store (i32.const 40000) (i64.const -1)) unreachable))
      (core instance $d (instantiate $D))
      (alias core export $d "mem" (core memory $mem))
      (type $R (resource (rep i32) (dtor (core func $d "dtor"))))
      (core func $new (canon resource.new $R)) (core func $drop (canon resource.drop $R))
      (core module $M
        (import "" "mem" (memory 1))
        (import "" "new" (func $new (param i32) (result i32))) (import "" "drop" (func $drop (param i32)))
        (func (export "hide") (call $drop (call $new (i32.const 1))))
        (func (export "look") (result i64) (i64.load (i32.const 40000))))
      (core instance $m (instantiate $M
        (with "" (instance (export "mem" (memory $mem)) (export "new" (func $new)) (export "drop" (func $drop))))))
      ${LIFTS})`,
  },

  // ---- what only components with async things have
  ...[
    ["a waitable set", "(drop (call $set))"],
    ["a stream", "(drop (call $stream))"],
    ["a future", "(drop (call $future))"],
    ["an error context", "(drop (call $error (i32.const 0) (i32.const 0)))"],
    ["a waitable set with a stream in it", "(call $join (i32.wrap_i64 (call $stream)) (call $set))"],
    ["a stream that was dropped", "(call $drop-stream (i32.wrap_i64 (call $stream)))"],
    ["a copy under way", "(drop (call $read (i32.wrap_i64 (call $stream)) (i32.const 40000) (i32.const 100)))"],
    ["back-pressure", "(call $inc)"],
    ["a context slot", "(call $put (i32.const 9))"],
  ].map(([name = "", code = ""]) => ({
    name: `${name}, left behind`,
    wat: `(component
      (type $S (stream u8)) (type $F (future u8))
      (core module $Libc (memory (export "mem") 1))
      (core instance $libc (instantiate $Libc))
      (alias core export $libc "mem" (core memory $mem))
      (core func $set (canon waitable-set.new))
      (core func $join (canon waitable.join))
      (core func $stream (canon stream.new $S))
      (core func $read (canon stream.read $S async (memory $mem)))
      (core func $drop-stream (canon stream.drop-readable $S))
      (core func $future (canon future.new $F))
      (core func $error (canon error-context.new (memory $mem)))
      (core func $inc (canon backpressure.inc))
      (core func $put (canon context.set i32 0))
      (core func $get (canon context.get i32 0))
      (core module $M
        (import "" "mem" (memory 1))
        (import "" "set" (func $set (result i32)))
        (import "" "join" (func $join (param i32 i32)))
        (import "" "stream" (func $stream (result i64)))
        (import "" "read" (func $read (param i32 i32 i32) (result i32)))
        (import "" "drop-stream" (func $drop-stream (param i32)))
        (import "" "future" (func $future (result i64)))
        (import "" "error" (func $error (param i32 i32) (result i32)))
        (import "" "inc" (func $inc))
        (import "" "put" (func $put (param i32)))
        (import "" "get" (func $get (result i32)))
        (func (export "hide") ${code})
        (func (export "look") (result i64)
          (i64.add (i64.load (i32.const 40000))
            (i64.extend_i32_u (i32.add (call $set) (i32.mul (i32.const 1000) (call $get)))))))
      (core instance $m (instantiate $M (with "" (instance
        (export "mem" (memory $mem)) (export "set" (func $set)) (export "join" (func $join)) (export "stream" (func $stream))
        (export "read" (func $read)) (export "drop-stream" (func $drop-stream))
        (export "future" (func $future)) (export "error" (func $error)) (export "inc" (func $inc)) (export "put" (func $put))
        (export "get" (func $get))))))
      (func (export "hide") (canon lift (core func $m "hide")))
      (func (export "look") async (result u64) (canon lift (core func $m "look"))))`,
  })),

  // ---- components in components
  {
    name: "memory and handles of a component inside, and of one beside it",
    wat: `(component
      (component $Inner
        (type $R' (resource (rep i32)))
        (export $R "r" (type $R'))
        (core func $new (canon resource.new $R'))
        (core module $M
          (import "" "new" (func $new (param i32) (result i32)))
          (memory 1) (global $count (mut i64) (i64.const 0))
          (func (export "make") (result i32) (call $new (i32.const 7)))
          (func (export "count") (param i32) (result i64)
            (global.set $count (i64.add (global.get $count) (i64.const 1)))
            (i64.store (i32.const 40000) (i64.add (i64.load (i32.const 40000)) (i64.const 10)))
            (i64.add (global.get $count) (i64.load (i32.const 40000)))))
        (core instance $m (instantiate $M (with "" (instance (export "new" (func $new))))))
        (func (export "make") (result (own $R)) (canon lift (core func $m "make")))
        (func (export "count") (param "r" (borrow $R)) (result u64) (canon lift (core func $m "count"))))
      (instance $a (instantiate $Inner)) (instance $b (instantiate $Inner))
      (core func $make-a (canon lower (func $a "make"))) (core func $count-a (canon lower (func $a "count")))
      (core func $make-b (canon lower (func $b "make"))) (core func $count-b (canon lower (func $b "count")))
      (core module $M
        (import "" "make-a" (func $make-a (result i32))) (import "" "count-a" (func $count-a (param i32) (result i64)))
        (import "" "make-b" (func $make-b (result i32))) (import "" "count-b" (func $count-b (param i32) (result i64)))
        (func (export "look") (result i64)
          (local $a i32) (local $b i32)
          (local.set $a (call $make-a)) (local.set $b (call $make-b))
          (i64.add (i64.extend_i32_u (i32.add (i32.mul (i32.const 1000) (local.get $a)) (i32.mul (i32.const 100) (local.get $b))))
            (i64.add (call $count-a (local.get $a)) (call $count-b (local.get $b)))))
        (func (export "hide")
          (drop (call $count-a (call $make-a))) (drop (call $count-b (call $make-b))) (drop (call $make-a))))
      (core instance $m (instantiate $M (with "" (instance
        (export "make-a" (func $make-a)) (export "count-a" (func $count-a)) (export "make-b" (func $make-b))
        (export "count-b" (func $count-b))))))
      ${LIFTS})`,
  },
  {
    name: "memory of the component inside that trapped, and of its caller",
    traps: true,
    wat: `(component
      (component $Inner
        (core module $M
          (memory 1)
          (func (export "look") (result i64) (i64.load (i32.const 40000)))
          (func (export "fail") (i64.store (i32.const 40000) (i64.const -1)) unreachable))
        (core instance $m (instantiate $M))
        (func (export "look") (result u64) (canon lift (core func $m "look")))
        (func (export "fail") (canon lift (core func $m "fail"))))
      (instance $a (instantiate $Inner))
      (core func $look (canon lower (func $a "look"))) (core func $fail (canon lower (func $a "fail")))
      (core module $M
        (import "" "look" (func $look (result i64))) (import "" "fail" (func $fail))
        (global $g (mut i64) (i64.const 0))
        (func (export "look") (result i64) (i64.add (global.get $g) (call $look)))
        (func (export "hide") (global.set $g (i64.const -1)) (call $fail)))
      (core instance $m (instantiate $M (with "" (instance (export "look" (func $look)) (export "fail" (func $fail))))))
      ${LIFTS})`,
  },
];

/** How the pool runs its calls: the first plainly and put back when they take long, the second on stacks of their own. */
const MODES = ["plain", "stacks"] as const;

interface Counted {
  readonly pool: Pool;
  made(): number;
}

async function poolOf(component: CompiledComponent, mode: (typeof MODES)[number]): Promise<Counted> {
  let made = 0;
  const imports = (): InstanceImports<undefined> => {
    made++;
    return { imports: {}, restart: mode === "plain" ? () => undefined : undefined };
  };
  // The first source only tells how calls are to be run.
  return { pool: await component.pool({ imports }), made: () => made - 1 };
}

describe("what a transaction leaves behind", () => {
  for (const { name, wat, traps, recycled = true, expected } of SMUGGLERS) {
    for (const mode of MODES) {
      test(`${name} (${mode})`, async () => {
        const component = await compileWat(wat);
        const fresh = expected ?? (await component.instantiateSync().call("look"));
        const { pool, made } = await poolOf(component, mode);
        for (let i = 0; i < 3; i++) {
          const hidden = pool.call("hide");
          if (traps === true) await assert.rejects(hidden, { code: "engine/trap" });
          else await hidden;
          assert.equal(await pool.call("look"), fresh);
        }
        assert.equal(made() === 1, recycled, `${made()} instances were made`);
        assert.equal(pool.state.instances, pool.state.idle);
        pool.close();
      });
    }
  }
});
