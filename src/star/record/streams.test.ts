// Streams, futures and functions that answer later, in both directions, through a component: recorded, and answered from the record.

import assert from "node:assert/strict";
import { test } from "node:test";
import { compileWat } from "../../../test/wat.ts";
import { virtualClock } from "../../base/clock.ts";
import { StarlaneError } from "../../base/errors.ts";
import type { CapabilityTransaction } from "../../capabilities/capability.ts";
import type { InstanceImports } from "../../engine/engine.ts";
import type { GuestTransaction } from "../calls.ts";
import { TransactionUsage } from "../call-guest.ts";
import { differenceError } from "./difference.ts";
import { recordMask } from "./masked-record.ts";
import { LARGEST_RECORD_BYTES, type RecordEvent, type TransactionRecord } from "./record.ts";
import { recordedInstances } from "./recorded-instance.ts";
import { Recording } from "./recording.ts";
import { replayedInstances } from "./replayed-instance.ts";
import { Replay } from "./replay.ts";

/**
 * Reads all of `source`, waits by `later`, sends what it read through `sink` twice, and answers with what the future of `source` and
 * that of `sink` gave, and how many bytes it read.
 */
const GUEST = `(component
  (type $bytes (stream u8))
  (type $number (future u32))
  (import "acme:outside/pipes" (instance $pipes
    (export "source" (func (result (tuple (stream u8) (future u32)))))
    (export "sink" (func (param "data" (stream u8)) (result (future u32))))
    (export "later" (func async (param "ms" u32) (result u32)))))
  (core module $libc
    (memory (export "mem") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 32768)))
  (core instance $libc (instantiate $libc))
  (alias core export $libc "mem" (core memory $mem))
  (alias core export $libc "realloc" (core func $realloc))
  (core func $source (canon lower (func $pipes "source") (memory $mem)))
  (core func $sink (canon lower (func $pipes "sink")))
  (core func $later (canon lower (func $pipes "later")))
  (core func $new (canon stream.new $bytes))
  (core func $read (canon stream.read $bytes (memory $mem)))
  (core func $write (canon stream.write $bytes (memory $mem)))
  (core func $drop-readable (canon stream.drop-readable $bytes))
  (core func $drop-writable (canon stream.drop-writable $bytes))
  (core func $read-number (canon future.read $number (memory $mem)))
  (core func $drop-number (canon future.drop-readable $number))
  (core func $return (canon task.return (result u32)))
  (core module $main
    (import "" "mem" (memory 1))
    (import "" "source" (func $source (param i32)))
    (import "" "sink" (func $sink (param i32) (result i32)))
    (import "" "later" (func $later (param i32) (result i32)))
    (import "" "new" (func $new (result i64)))
    (import "" "read" (func $read (param i32 i32 i32) (result i32)))
    (import "" "write" (func $write (param i32 i32 i32) (result i32)))
    (import "" "drop-readable" (func $drop-readable (param i32)))
    (import "" "drop-writable" (func $drop-writable (param i32)))
    (import "" "read-number" (func $read-number (param i32 i32) (result i32)))
    (import "" "drop-number" (func $drop-number (param i32)))
    (import "" "return" (func $return (param i32)))
    (func $number (param $future i32) (result i32)
      (drop (call $read-number (local.get $future) (i32.const 64)))
      (call $drop-number (local.get $future))
      (i32.load (i32.const 64)))
    (func (export "run") (param $wait i32)
      (local $sum i32) (local $length i32) (local $got i32) (local $in i32) (local $sent i32) (local $ends i64) (local $out i32) (local $told i32)
      (call $source (i32.const 0))
      (local.set $in (i32.load (i32.const 0)))
      (local.set $sent (i32.load (i32.const 4)))
      (block $end (loop $more
        (local.set $got (call $read (local.get $in) (i32.add (i32.const 1024) (local.get $length)) (i32.const 64)))
        (local.set $length (i32.add (local.get $length) (i32.shr_u (local.get $got) (i32.const 4))))
        (br_if $more (i32.eqz (i32.and (local.get $got) (i32.const 15))))))
      (call $drop-readable (local.get $in))
      (local.set $sum (i32.add (call $number (local.get $sent)) (local.get $length)))
      (local.set $sum (i32.add (local.get $sum) (call $later (local.get $wait))))
      (local.set $ends (call $new))
      (local.set $out (i32.wrap_i64 (i64.shr_u (local.get $ends) (i64.const 32))))
      (local.set $told (call $sink (i32.wrap_i64 (local.get $ends))))
      (drop (call $write (local.get $out) (i32.const 1024) (local.get $length)))
      (drop (call $write (local.get $out) (i32.const 1024) (local.get $length)))
      (call $drop-writable (local.get $out))
      (call $return (i32.add (local.get $sum) (call $number (local.get $told))))))
  (core instance $m (instantiate $main (with "" (instance
    (export "mem" (memory $mem)) (export "source" (func $source)) (export "sink" (func $sink)) (export "later" (func $later))
    (export "new" (func $new)) (export "read" (func $read)) (export "write" (func $write))
    (export "drop-readable" (func $drop-readable)) (export "drop-writable" (func $drop-writable))
    (export "read-number" (func $read-number)) (export "drop-number" (func $drop-number)) (export "return" (func $return))))))
  (func (export "run") async (param "wait" u32) (result u32) (canon lift (core func $m "run") async)))`;

const component = await compileWat(GUEST);

interface Heard {
  text: string;
}

/** The real thing: chunks that come with pauses, and a sink that counts. */
function outside(chunks: readonly string[], heard: Heard): () => InstanceImports<CapabilityTransaction> {
  const pipes = {
    source() {
      async function* bytes(): AsyncGenerator<Uint8Array> {
        for (const chunk of chunks) {
          await new Promise((resolve) => void setTimeout(resolve, 2));
          yield new TextEncoder().encode(chunk);
        }
      }
      return [bytes(), new Promise((resolve) => void setTimeout(() => resolve(1000), 20))];
    },
    sink: (data: AsyncIterable<Uint8Array>) =>
      (async () => {
        for await (const chunk of data) heard.text += new TextDecoder().decode(chunk);
        return 10_000;
      })(),
    later: (ms: number) => new Promise((resolve) => void setTimeout(() => resolve(ms * 100_000), ms)),
  };
  return () => ({ imports: { "acme:outside/pipes": pipes } });
}

function transaction(which: { readonly recording?: Recording; readonly replay?: Replay }): GuestTransaction {
  const { signal } = new AbortController();
  const clock = virtualClock(0);
  const whole = { kept: new Map(), onEnd: () => undefined };
  const common = { seed: 1, timestampMs: 0, signal };
  return {
    ...common,
    scope: { ...common, id: "t", clock },
    host: {
      calls: new Map(),
      usage: new TransactionUsage(),
      fuel: undefined,
      output: undefined,
      outputLimitBytes: undefined,
      callLimitMs: undefined,
      whole,
      isReal: true,
      recording: which.recording,
      replay: which.replay,
    },
    path: "run/node",
    count: 0,
    whole,
  };
}

/** `used`: bytes of the record that are full already. */
async function recorded(
  chunks: readonly string[],
  heard: Heard = { text: "" },
  wait = 5,
  used = 0,
): Promise<{ answer: unknown; record: TransactionRecord }> {
  const recording = new Recording();
  recording.takes(used);
  const pool = await component.pool<GuestTransaction>({ imports: recordedInstances("pipes", outside(chunks, heard), undefined) });
  const answer = await pool.call("run", [wait], { transaction: transaction({ recording }) });
  const mask = recordMask([]);
  const events = (drafts: Parameters<typeof mask.events>[0]): readonly RecordEvent[] =>
    JSON.parse(JSON.stringify(mask.events(drafts)));
  return {
    answer,
    record: {
      starlane: "record-v1",
      target: "",
      operation: "run",
      files: [],
      input: {},
      seed: 1,
      timestampMs: 0,
      environment: {},
      initial: {},
      calls: recording.calls.map((call) => ({ ...call, events: events(call.events) })),
      sleeps: [],
      outcome: { result: null },
      incomplete: recording.incomplete,
    },
  };
}

async function replayed(record: TransactionRecord, wait = 5): Promise<unknown> {
  const replay = new Replay(record, 100);
  const imports = replayedInstances("pipes", record, component.type.imports, undefined);
  const pool = await component.pool<GuestTransaction>({ imports });
  const answer = await pool.call("run", [wait], { transaction: transaction({ replay }), signal: replay.signal });
  replay.end();
  if (replay.difference !== undefined) throw differenceError(replay.difference);
  return answer;
}

test("streams and futures of both sides are recorded with their chunks and their order, and come back the same", async () => {
  const heard = { text: "" };
  const { answer, record } = await recorded(["ab", "", "cde"], heard);
  assert.equal(heard.text, "abcdeabcde");
  assert.equal(answer, 1000 + 5 + 500_000 + 10_000);
  const events = record.calls[0]?.events ?? [];
  const of = (key: string): unknown[] => events.flatMap((event) => (key in event ? [Reflect.get(event, key)] : []));
  assert.deepEqual(of("call"), ["acme:outside/pipes#source", "acme:outside/pipes#later", "acme:outside/pipes#sink"]);
  assert.deepEqual(events.flatMap((event) => ("chunk" in event ? [JSON.stringify(event.value)] : [])).join(" "), '"ab" "" "cde"');
  assert.deepEqual(
    events.flatMap((event) => ("got" in event && event.value !== undefined ? [JSON.stringify(event.value)] : [])).join(" "),
    '"abcde" "abcde"',
  );
  const arrivals = events.flatMap((event) => ("at" in event ? [event.at] : []));
  assert.deepEqual(
    arrivals,
    arrivals.toSorted((a, b) => a - b),
  );
  assert.equal(await replayed(record), answer);
  // And again: a record is not used up.
  assert.equal(await replayed(record), answer);
});

test("a component that computes for long while something is open is not taken for one that waits in vain", async () => {
  const { answer, record } = await recorded(["ab", "cde"]);
  let turns = 0;
  // As much of the thread as a guest takes that computes turn by turn; the replay gives up after 100 ms of idleness.
  const compute = (): void => {
    const until = performance.now() + 20;
    while (performance.now() < until);
    if (++turns < 40) setImmediate(compute);
  };
  compute();
  assert.equal(await replayed(record), answer);
  const [call] = record.calls;
  const missing = call?.events.filter((event) => !("answer" in event)) ?? [];
  const broken = { ...record, calls: call === undefined ? [] : [{ ...call, events: missing }] };
  turns = 0;
  const startedAt = performance.now();
  compute();
  await assert.rejects(() => replayed(broken), { code: "replay/differs" });
  assert.ok(turns >= 40, `it gave up after ${turns} turns, ${performance.now() - startedAt} ms`);
});

test("a component that asks for something else is stopped there", async () => {
  const { record } = await recorded(["ab"]);
  await assert.rejects(
    () => replayed(record, 6),
    (error) => {
      assert.ok(error instanceof StarlaneError);
      assert.equal(error.code, "replay/differs");
      assert.equal(
        error.message,
        "the run differs from the record at the node run/node, call 2 of what it imports:\n  recorded: acme:outside/pipes#later(5)\n  now:      acme:outside/pipes#later(6)",
      );
      return true;
    },
  );
});

test("what a component sends through a stream is compared too", async () => {
  const { record } = await recorded(["ab"]);
  const changed: TransactionRecord = JSON.parse(
    JSON.stringify(record).replaceAll('"value":"ab"', '"value":"xy"').replace('"value":"xy"', '"value":"ab"'),
  );
  assert.notDeepEqual(changed, record);
  await assert.rejects(() => replayed(changed), {
    code: "replay/differs",
    message: /recorded: gave a stream "xy"\n {2}now: {6}gave a stream "ab"/,
  });
});

test("a run that waits for what the record does not have ends", async () => {
  const { record } = await recorded(["ab"]);
  const cut = {
    ...record,
    calls: record.calls.map((call) => ({ ...call, events: call.events.filter((event) => !("future" in event)) })),
  };
  await assert.rejects(() => replayed(cut), {
    code: "replay/differs",
    message: /waits for something that the record does not have/,
  });
});

test("a record that could not hold everything says so, and so does its replay", async () => {
  for (const room of [0, 100, 200, 300, 400, 500]) {
    const { answer, record } = await recorded(["ab", "cde"], undefined, 5, LARGEST_RECORD_BYTES - room);
    assert.equal(answer, 1000 + 5 + 500_000 + 10_000, "the transaction itself does not notice");
    assert.equal(record.incomplete, true);
    await assert.rejects(() => replayed(record), { code: "replay/incomplete" });
  }
});
