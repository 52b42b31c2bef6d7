// Components built for WASI 0.3, on what every component gets without a grant.

import assert from "node:assert/strict";
import { test } from "node:test";
import { compileWat } from "../../test/wat.ts";
import { missingImports } from "./catalog.ts";
import { linkInert } from "./inert.ts";

/** Sleeps an hour, then prints `hi` through a stream, and answers with the time and what became of the printing. */
const GUEST = `(component
  (type $byte-stream (stream u8))
  (import "wasi:clocks/monotonic-clock@0.3.0" (instance $clock
    (export "now" (func (result u64)))
    (export "wait-for" (func async (param "how-long" u64)))))
  (import "wasi:cli/types@0.3.0" (instance $types
    (type $e (enum "io" "illegal-byte-sequence" "pipe"))
    (export "error-code" (type (eq $e)))))
  (alias export $types "error-code" (type $error-code))
  (import "wasi:cli/stdout@0.3.0" (instance $stdout
    (alias outer 1 $error-code (type $outer))
    (export "error-code" (type $error (eq $outer)))
    (export "write-via-stream" (func (param "data" (stream u8)) (result (future (result (error $error))))))))
  (core module $libc
    (memory (export "mem") 1)
    (data (i32.const 256) "hi")
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 32768)))
  (core instance $libc (instantiate $libc))
  (alias core export $libc "mem" (core memory $mem))
  (alias core export $libc "realloc" (core func $realloc))
  (type $end (future (result (error $error-code))))
  (core func $wait (canon lower (func $clock "wait-for")))
  (core func $now (canon lower (func $clock "now")))
  (core func $print (canon lower (func $stdout "write-via-stream")))
  (core func $new (canon stream.new $byte-stream))
  (core func $write (canon stream.write $byte-stream (memory $mem)))
  (core func $drop-writable (canon stream.drop-writable $byte-stream))
  (core func $read-end (canon future.read $end (memory $mem)))
  (core func $drop-end (canon future.drop-readable $end))
  (core func $return (canon task.return (result u64)))
  (core module $main
    (import "" "mem" (memory 1))
    (import "" "wait" (func $wait (param i64)))
    (import "" "now" (func $now (result i64)))
    (import "" "print" (func $print (param i32) (result i32)))
    (import "" "new" (func $new (result i64)))
    (import "" "write" (func $write (param i32 i32 i32) (result i32)))
    (import "" "drop-writable" (func $drop-writable (param i32)))
    (import "" "read-end" (func $read-end (param i32 i32) (result i32)))
    (import "" "drop-end" (func $drop-end (param i32)))
    (import "" "return" (func $return (param i64)))
    (func (export "report")
      (local $ends i64) (local $writable i32) (local $end i32)
      (call $wait (i64.const 3600000000000))
      (local.set $ends (call $new))
      (local.set $writable (i32.wrap_i64 (i64.shr_u (local.get $ends) (i64.const 32))))
      (local.set $end (call $print (i32.wrap_i64 (local.get $ends))))
      (drop (call $write (local.get $writable) (i32.const 256) (i32.const 2)))
      (call $drop-writable (local.get $writable))
      (drop (call $read-end (local.get $end) (i32.const 512)))
      (call $drop-end (local.get $end))
      (if (i32.load8_u (i32.const 512)) (then (unreachable)))
      (call $return (call $now))))
  (core instance $m (instantiate $main (with "" (instance
    (export "mem" (memory $mem)) (export "wait" (func $wait)) (export "now" (func $now)) (export "print" (func $print))
    (export "new" (func $new)) (export "write" (func $write)) (export "drop-writable" (func $drop-writable))
    (export "read-end" (func $read-end)) (export "drop-end" (func $drop-end)) (export "return" (func $return))))))
  (func (export "report") async (result u64) (canon lift (core func $m "report") async)))`;

test("a component built for WASI 0.3 sleeps in virtual time and prints through a stream, without a grant", async () => {
  const component = await compileWat(GUEST);
  assert.deepEqual(missingImports(component.type.imports), []);
  const printed: string[] = [];
  const { imports, prepare } = linkInert();
  const instance = await component.instantiate(imports);
  for (const timestampMs of [0, 1_790_000_000_000]) {
    prepare({ seed: 1, timestampMs, output: (stream, bytes) => void printed.push(stream, new TextDecoder().decode(bytes)) });
    assert.equal(await instance.call("report"), BigInt(timestampMs) * 1_000_000n + 3_600_000_000_000n);
  }
  assert.deepEqual(printed, ["stdout", "hi", "stdout", "hi"]);
});
