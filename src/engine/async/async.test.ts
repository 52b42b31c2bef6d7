import assert from "node:assert/strict";
import { test } from "node:test";
import { StarlaneError } from "../../base/errors.ts";
import { instantiateWat } from "../../../test/wat.ts";
import { CHUNKED } from "../../wit/streams.ts";
import { ComponentError } from "../engine.ts";
import { mayWait } from "../may-wait.ts";
import type { HostStream } from "./host-streams.ts";

const LIBC = `(core module $Libc
    (memory (export "mem") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 32768)))
  (core instance $libc (instantiate $Libc))
  (alias core export $libc "mem" (core memory $mem))
  (alias core export $libc "realloc" (core func $realloc))`;

/** `sum` reads a stream to its end, blocking; `count` gives a stream back and writes into it, blocking, after it has answered. */
const STREAMS = `(component
  ${LIBC}
  (type $S (stream u8))
  (core func $new (canon stream.new $S))
  (core func $read (canon stream.read $S (memory $mem)))
  (core func $write (canon stream.write $S (memory $mem)))
  (core func $drop-readable (canon stream.drop-readable $S))
  (core func $drop-writable (canon stream.drop-writable $S))
  (core func $return (canon task.return (result $S)))
  (core module $M
    (import "" "mem" (memory 1))
    (import "" "new" (func $new (result i64)))
    (import "" "read" (func $read (param i32 i32 i32) (result i32)))
    (import "" "write" (func $write (param i32 i32 i32) (result i32)))
    (import "" "drop-readable" (func $drop-readable (param i32)))
    (import "" "drop-writable" (func $drop-writable (param i32)))
    (import "" "return" (func $return (param i32)))
    (func (export "sum") (param $s i32) (result i32)
      (local $r i32) (local $i i32) (local $total i32)
      (loop $more
        (local.set $r (call $read (local.get $s) (i32.const 1024) (i32.const 64)))
        (local.set $i (i32.const 0))
        (block $done
          (loop $add
            (br_if $done (i32.ge_u (local.get $i) (i32.shr_u (local.get $r) (i32.const 4))))
            (local.set $total (i32.add (local.get $total) (i32.load8_u offset=1024 (local.get $i))))
            (local.set $i (i32.add (local.get $i) (i32.const 1)))
            (br $add)))
        (br_if $more (i32.eqz (i32.and (local.get $r) (i32.const 0xf)))))
      (call $drop-readable (local.get $s))
      (local.get $total))
    (func (export "count") (param $n i32)
      (local $ends i64) (local $tx i32) (local $i i32)
      (local.set $ends (call $new))
      (local.set $tx (i32.wrap_i64 (i64.shr_u (local.get $ends) (i64.const 32))))
      (call $return (i32.wrap_i64 (local.get $ends)))
      (block $done
        (loop $more
          (br_if $done (i32.ge_u (local.get $i) (local.get $n)))
          (i32.store8 (i32.const 2048) (local.get $i))
          (br_if $done (i32.and (call $write (local.get $tx) (i32.const 2048) (i32.const 1)) (i32.const 1)))
          (local.set $i (i32.add (local.get $i) (i32.const 1)))
          (br $more)))
      (call $drop-writable (local.get $tx))))
  (core instance $m (instantiate $M (with "" (instance
    (export "mem" (memory $mem)) (export "new" (func $new)) (export "read" (func $read)) (export "write" (func $write))
    (export "drop-readable" (func $drop-readable)) (export "drop-writable" (func $drop-writable)) (export "return" (func $return))))))
  (func (export "sum") async (param "s" $S) (result u32) (canon lift (core func $m "sum")))
  (func (export "count") async (param "n" u32) (result $S) (canon lift (core func $m "count") async)))`;

async function* chunks(): AsyncGenerator<Uint8Array> {
  yield Uint8Array.of(1, 2, 3);
  await Promise.resolve();
  yield new Uint8Array(200).fill(1);
  yield Uint8Array.of(10);
}

test("a guest reads a stream of the host, chunk by chunk, to its end", async () => {
  const instance = await instantiateWat(STREAMS);
  assert.equal(await instance.call("sum", [chunks()]), 216);
  assert.equal(await instance.call("sum", [[]]), 0);
  assert.equal(await instance.call("sum", [[Uint8Array.of(5)]]), 5);
});

test("the host reads what a guest writes after it has answered, and nothing is written before it is asked for", async () => {
  const instance = await instantiateWat(STREAMS);
  const stream = (await instance.call("count", [5])) as HostStream;
  const seen: number[] = [];
  for await (const chunk of stream) seen.push(...(chunk as Uint8Array));
  assert.deepEqual(seen, [0, 1, 2, 3, 4]);
});

test("a stream that one call gave is given to the next", async () => {
  const instance = await instantiateWat(STREAMS);
  const other = await instantiateWat(STREAMS);
  const stream = await instance.call("count", [5]);
  assert.equal(await other.call("sum", [stream]), 10);
});

/** `same` hands its stream on. */
const LISTS = `(component
  (type $S (stream (list u8)))
  (core module $M (func (export "same") (param i32) (result i32) (local.get 0)))
  (core instance $m (instantiate $M))
  (func (export "same") (param "s" $S) (result $S) (canon lift (core func $m "same"))))`;

test("what is a list itself is one element, unless the stream is marked as one of chunks", async () => {
  const elementsOf = async (stream: unknown): Promise<unknown[]> => {
    const all: unknown[] = [];
    for await (const chunk of stream as AsyncIterable<unknown[]>) all.push(...chunk);
    return all;
  };
  const [first, second] = [await instantiateWat(LISTS), await instantiateWat(LISTS)];
  const lists = [Uint8Array.of(1, 2), Uint8Array.of(), Uint8Array.of(3)];
  assert.deepEqual(await elementsOf(await first.call("same", [lists])), lists);
  const chunked = { [CHUNKED]: true, [Symbol.iterator]: () => [lists, lists].values() };
  assert.deepEqual(await elementsOf(await first.call("same", [chunked])), [...lists, ...lists]);
  const given = await first.call("same", [lists]);
  assert.deepEqual(await elementsOf(await second.call("same", [given])), lists, "from one component to another");
});

test("a host that stops reading ends the writer", async () => {
  const instance = await instantiateWat(STREAMS);
  const stream = (await instance.call("count", [1000])) as HostStream;
  const first = await stream.read();
  assert.deepEqual([...(first as Uint8Array)], [0]);
  stream.drop();
  assert.equal(await stream.read(), undefined);
  assert.equal(await instance.call("sum", [[Uint8Array.of(1)]]), 1, "the instance goes on");
});

/** `twice` calls an async function of the host two times, blocking; `both` has two calls under way at once. */
const CALLS = `(component
  (import "get" (func $get async (param "n" u32) (result (result u32 (error string)))))
  ${LIBC}
  (core func $get-sync (canon lower (func $get) (memory $mem) (realloc $realloc)))
  (core func $get-async (canon lower (func $get) async (memory $mem) (realloc $realloc)))
  (core func $set-new (canon waitable-set.new))
  (core func $join (canon waitable.join))
  (core func $wait (canon waitable-set.wait (memory $mem)))
  (core func $subtask-drop (canon subtask.drop))
  (core module $M
    (import "" "mem" (memory 1))
    (import "" "get" (func $get (param i32 i32)))
    (import "" "get-async" (func $get-async (param i32 i32) (result i32)))
    (import "" "set-new" (func $set-new (result i32)))
    (import "" "join" (func $join (param i32 i32)))
    (import "" "wait" (func $wait (param i32 i32) (result i32)))
    (import "" "subtask-drop" (func $subtask-drop (param i32)))
    (func (export "twice") (param $n i32) (result i32)
      (call $get (local.get $n) (i32.const 16))
      (if (i32.load8_u (i32.const 16)) (then (return (i32.const 16))))
      (call $get (i32.load (i32.const 20)) (i32.const 16))
      (i32.const 16))
    (func (export "both") (param $n i32) (result i32)
      (local $set i32) (local $i i32) (local $state i32)
      (local.set $set (call $set-new))
      (loop $start
        (local.set $state (call $get-async (i32.add (local.get $n) (local.get $i)) (i32.add (i32.const 64) (i32.mul (local.get $i) (i32.const 16)))))
        (call $join (i32.shr_u (local.get $state) (i32.const 4)) (local.get $set))
        (br_if $start (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 2))))
      (loop $collect
        (drop (call $wait (local.get $set) (i32.const 32)))
        (call $join (i32.load (i32.const 32)) (i32.const 0))
        (call $subtask-drop (i32.load (i32.const 32)))
        (br_if $collect (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))
      (i32.add (i32.load (i32.const 68)) (i32.load (i32.const 84)))))
  (core instance $m (instantiate $M (with "" (instance
    (export "mem" (memory $mem)) (export "get" (func $get-sync)) (export "get-async" (func $get-async)) (export "set-new" (func $set-new))
    (export "join" (func $join)) (export "wait" (func $wait)) (export "subtask-drop" (func $subtask-drop))))))
  (func (export "twice") async (param "n" u32) (result (result u32 (error string)))
    (canon lift (core func $m "twice") (memory $mem) (realloc $realloc)))
  (func (export "both") async (param "n" u32) (result u32) (canon lift (core func $m "both"))))`;

test("a guest that waits for the host is suspended and goes on with the answer, or with its error", async () => {
  const get = async (n: number): Promise<number> => {
    await new Promise((resolve) => setImmediate(resolve));
    if (n > 100) throw Object.assign(new Error(), { payload: "too large" });
    return n * 2;
  };
  const instance = await instantiateWat(CALLS, { get });
  assert.equal(await instance.call("twice", [3]), 12);
  await assert.rejects(instance.call("twice", [60]), (error) => error instanceof ComponentError && error.payload === "too large");
  assert.equal(await instance.call("twice", [4]), 16);
});

test("two calls that a guest started are under way at once", async () => {
  const waiting: (() => void)[] = [];
  const get = async (n: number): Promise<number> => {
    await new Promise<void>((resolve) => {
      waiting.push(resolve);
      if (waiting.length === 2) for (const go of waiting.toReversed()) go();
    });
    return n;
  };
  const instance = await instantiateWat(CALLS, { get });
  assert.equal(await instance.call("both", [20]), 41);
});

test("what a host function throws fails the call with that very error, and the instance with it", async () => {
  const instance = await instantiateWat(CALLS, { get: () => Promise.reject(new TypeError("a mistake of the host")) });
  await assert.rejects(instance.call("twice", [1]), (error) => error instanceof TypeError);
  await assert.rejects(instance.call("twice", [1]), (error) => error instanceof StarlaneError && error.code === "engine/trap");
});

test("a wrong argument fails its own call only", async () => {
  const instance = await instantiateWat(CALLS, { get: (n: number) => Promise.resolve(n) });
  await assert.rejects(
    instance.call("twice", [-1]),
    (error) => error instanceof StarlaneError && error.code === "engine/bad-value",
  );
  assert.equal(await instance.call("twice", [7]), 7);
});

test("a call that is aborted rejects at once, and a guest that hears of it ends", async () => {
  let asked = 0;
  const get = (): Promise<number> => {
    asked++;
    return new Promise(() => undefined);
  };
  const instance = await instantiateWat(CALLS, { get });
  const controller = new AbortController();
  const call = instance.call("twice", [1], { signal: controller.signal });
  controller.abort(new Error("no longer wanted"));
  await assert.rejects(call, /no longer wanted/);
  assert.equal(asked, 1);
  await assert.rejects(instance.call("twice", [1], { signal: AbortSignal.abort(new Error("never wanted")) }), /never wanted/);
});

test("more arguments than parameters are refused", async () => {
  const instance = await instantiateWat(CALLS, { get: (n: number) => Promise.resolve(n) });
  await assert.rejects(
    instance.call("twice", [1, 2]),
    (error) => error instanceof StarlaneError && error.code === "engine/bad-value",
  );
});

const SYNC_IMPORT = `(component
  (import "acme:host/clock" (instance $clock
    (export "timer" (type $timer (sub resource)))
    (export "[constructor]timer" (func (param "ms" u32) (result (own $timer))))
    (export "[method]timer.wait" (func (param "self" (borrow $timer)) (result u32)))
    (export "nap" (func (param "ms" u32) (result u32)))))
  (alias export $clock "timer" (type $timer))
  (core func $new (canon lower (func $clock "[constructor]timer")))
  (core func $wait (canon lower (func $clock "[method]timer.wait")))
  (core func $nap (canon lower (func $clock "nap")))
  (core func $drop (canon resource.drop $timer))
  (core module $M
    (import "" "new" (func $new (param i32) (result i32)))
    (import "" "wait" (func $wait (param i32) (result i32)))
    (import "" "nap" (func $nap (param i32) (result i32)))
    (import "" "drop" (func $drop (param i32)))
    (func (export "twice") (param i32) (result i32) (local $t i32) (local $n i32)
      (local.set $t (call $new (local.get 0)))
      (local.set $n (call $wait (local.get $t)))
      (call $drop (local.get $t))
      (i32.add (local.get $n) (call $nap (local.get 0)))))
  (core instance $m (instantiate $M (with "" (instance
    (export "new" (func $new)) (export "wait" (func $wait)) (export "nap" (func $nap)) (export "drop" (func $drop))))))
  (func (export "twice") (param "ms" u32) (result u32) (canon lift (core func $m "twice"))))`;

test("a synchronous guest waits for a function of the host that answers later", async () => {
  class Timer {
    readonly #ms: number;
    constructor(ms: number) {
      this.#ms = ms;
    }
    wait(): Promise<number> {
      return new Promise((resolve) => setImmediate(resolve, this.#ms));
    }
  }
  mayWait(Timer.prototype.wait);
  const nap = mayWait((ms: number) => Promise.resolve(ms * 10));
  const instance = await instantiateWat(SYNC_IMPORT, { "acme:host/clock": { Timer, nap } });
  assert.equal(await instance.call("twice", [3]), 33);
  assert.deepEqual(await Promise.all([instance.call("twice", [1]), instance.call("twice", [2])]), [11, 22]);
});

test("a promise where none was announced is told to the host", async () => {
  class Timer {
    wait(): number {
      return 1;
    }
  }
  const instance = await instantiateWat(SYNC_IMPORT, { "acme:host/clock": { Timer, nap: () => Promise.resolve(1) } });
  await assert.rejects(
    instance.call("twice", [3]),
    (error) => error instanceof StarlaneError && /mayWait/.test(error.cure ?? ""),
  );
});
