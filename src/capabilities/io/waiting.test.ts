import assert from "node:assert/strict";
import { test } from "node:test";
import { ComponentError } from "../../engine/engine.ts";
import { isMarked } from "../../engine/may-wait.ts";
import { Changes, firstOf } from "./changes.ts";
import { IterableSource, WriterSink } from "./host-bytes.ts";
import { changingPollable, msUntil, pollInterface, timerPollable, waitingPollInterface } from "./poll.ts";
import { InputStream, OutputStream, streamsInterface, waitingStreamsInterface } from "./streams.ts";
import { waitingIo } from "./waiting.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (read: Uint8Array): string => new TextDecoder().decode(read);

const answered = (tag: string) => (error: unknown) =>
  error instanceof ComponentError && (error.payload as { tag: string }).tag === tag;

/** Chunks that are given when the test says so. */
function valve() {
  const asked: PromiseWithResolvers<IteratorResult<Uint8Array>>[] = [];
  let isReturned = false;
  const source: AsyncIterable<Uint8Array> = {
    [Symbol.asyncIterator]: () => ({
      next: () => {
        const next = Promise.withResolvers<IteratorResult<Uint8Array>>();
        asked.push(next);
        return next.promise;
      },
      return: () => {
        isReturned = true;
        return Promise.resolve({ done: true, value: undefined });
      },
    }),
  };
  return {
    source,
    asked,
    isReturned: () => isReturned,
    give: (chunk: string) => asked.at(-1)?.resolve({ done: false, value: bytes(chunk) }),
    end: () => asked.at(-1)?.resolve({ done: true, value: undefined }),
    fail: () => asked.at(-1)?.reject(new Error("/home/somebody is no good")),
  };
}

/** Gives way until everything that could go on has. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("a blocking read waits for bytes, a plain read does not, and nothing is asked for before the guest asks", async () => {
  const { source, asked, give, end } = valve();
  const stream = new InputStream(new IterableSource(source));
  assert.equal(asked.length, 0);
  assert.equal(stream.read(5n).length, 0);
  const waiting = stream.blockingRead(3n);
  assert.ok(waiting instanceof Promise);
  assert.equal(asked.length, 1);
  give("hello");
  assert.equal(text(await waiting), "hel");
  assert.equal(text(stream.read(9n)), "lo");
  assert.equal(asked.length, 1, "one chunk is enough until it is used up");
  const last = stream.blockingRead(1n);
  end();
  await assert.rejects(async () => last, answered("closed"));
  assert.throws(() => stream.read(1n), answered("closed"));
});

test("an input that fails says so once, without a word of the host, then it is closed", async () => {
  const { source, fail } = valve();
  const stream = new InputStream(new IterableSource(source));
  const waiting = stream.blockingSkip(1n);
  fail();
  await assert.rejects(
    async () => waiting,
    (error: ComponentError) => {
      const payload = error.payload as { tag: string; val: { toDebugString(): string } };
      return payload.tag === "last-operation-failed" && payload.val.toDebugString() === "the input failed";
    },
  );
  assert.throws(() => stream.read(1n), answered("closed"));
});

test("a stream that the guest drops ends what gives the bytes", async () => {
  const { source, isReturned } = valve();
  const stream = new InputStream(new IterableSource(source));
  stream.subscribe().ready();
  stream[Symbol.dispose]();
  await settle();
  assert.equal(isReturned(), true);
});

test("empty chunks are no bytes: a blocking read waits on", async () => {
  const { source, asked, give } = valve();
  const stream = new InputStream(new IterableSource(source));
  const waiting = stream.blockingRead(5n);
  give("");
  await settle();
  assert.equal(asked.length, 2);
  give("x");
  assert.equal(text(await waiting), "x");
});

test("an output that is full lets a blocking write wait, and takes no more than it has room for", async () => {
  const taken: string[] = [];
  const gates: (() => void)[] = [];
  const write = (part: Uint8Array): Promise<void> => {
    taken.push(text(part));
    return new Promise((resolve) => gates.push(resolve));
  };
  const stream = new OutputStream(new WriterSink(write, 4));
  assert.equal(stream.checkWrite(), 4n);
  stream.write(bytes("abcd"));
  assert.equal(stream.checkWrite(), 0n);
  assert.equal(stream.subscribe().ready(), false);
  const waiting = stream.blockingWriteAndFlush(bytes("efghij"));
  for (let i = 0; i < 3; i++) {
    await settle();
    gates[i]?.();
  }
  await waiting;
  assert.deepEqual(taken, ["abcd", "efgh", "ij"]);
  assert.equal(stream.checkWrite(), 4n);
});

test("until a flush is done nothing more may be written, and its end makes the stream ready", async () => {
  const gate = Promise.withResolvers<void>();
  const stream = new OutputStream(new WriterSink(() => gate.promise, 100));
  stream.checkWrite();
  stream.write(bytes("x"));
  assert.equal(stream.checkWrite(), 99n);
  stream.flush();
  assert.equal(stream.checkWrite(), 0n);
  const ready = stream.subscribe();
  assert.equal(ready.ready(), false);
  gate.resolve();
  await ready.block();
  assert.equal(stream.checkWrite(), 100n);
});

test("an output that fails says so at the next use, then it is closed", async () => {
  const stream = new OutputStream(new WriterSink(() => Promise.reject(new Error("gone"))));
  const waiting = stream.blockingWriteAndFlush(bytes("x"));
  await assert.rejects(async () => waiting, answered("last-operation-failed"));
  assert.throws(() => stream.checkWrite(), answered("closed"));
  assert.equal(stream.subscribe().ready(), true);
});

test("an output that takes everything at once never makes anybody wait", () => {
  const stream = new OutputStream(new WriterSink(() => undefined));
  assert.equal(stream.blockingWriteAndFlush(new Uint8Array(4096)), undefined);
  assert.equal(stream.blockingFlush(), undefined);
});

test("a blocking splice waits for both sides", async () => {
  const { source, give } = valve();
  const written: string[] = [];
  const output = new OutputStream(new WriterSink((part) => void written.push(text(part))));
  const waiting = output.blockingSplice(new InputStream(new IterableSource(source)), 100n);
  assert.ok(waiting instanceof Promise);
  give("spliced");
  assert.equal(await waiting, 7n);
  assert.deepEqual(written, ["spliced"]);
});

test("polling many waits for the first, and leaves nothing behind with the others", async () => {
  const all = Array.from({ length: 3 }, () => ({ changes: new Changes(), isReady: false }));
  const pollables = all.map((one) => changingPollable(() => one.isReady, one.changes));
  const waiting = pollInterface.poll(pollables);
  const second = all[1];
  assert.ok(waiting instanceof Promise && second !== undefined);
  second.changes.notify();
  second.isReady = true;
  second.changes.notify();
  assert.deepEqual([...(await waiting)], [1]);
  const told: unknown[] = [];
  all[0]?.changes.listen((failure) => told.push(failure));
  all[0]?.changes.notify();
  assert.deepEqual(told, [undefined], "only who listens now is told");
});

test("a virtual timer that is polled with something outside takes its real time, and moves the clock when it wins", async () => {
  const clock = {
    nowNs: 0n,
    advanceTo(instantNs: bigint) {
      this.nowNs = instantNs;
    },
  };
  const changes = new Changes();
  let isReady = false;
  const outside = changingPollable(() => isReady, changes);
  assert.deepEqual([...(await pollInterface.poll([outside, timerPollable(clock, 2_000_000n)]))], [1]);
  assert.equal(clock.nowNs, 2_000_000n);
  const waiting = pollInterface.poll([outside, timerPollable(clock, 3_600_000_000_000n)]);
  isReady = true;
  changes.notify();
  assert.deepEqual([...(await waiting)], [0]);
  assert.equal(clock.nowNs, 2_000_000n, "what is outside came first: the clock stands still");
});

test("who waits when the transaction is cancelled fails with its reason, at once and ever after", async () => {
  const shared = new Changes();
  const changes = new Changes(shared);
  const abort = new AbortController();
  changes.failOn(abort.signal);
  const waiting = (async () => changingPollable(() => false, changes).block())();
  abort.abort(new Error("cancelled"));
  await assert.rejects(waiting, /cancelled/);
  await assert.rejects(async () => changes.until(() => false), /cancelled/);
  const other = (async () => shared.until(() => abort.signal.aborted))();
  shared.notify();
  await other;
});

test("what is shared between transactions wakes those who wait in each of them", async () => {
  const shared = new Changes();
  let isReady = false;
  const waiting = [new Changes(shared), new Changes(shared)].map(async (changes) => changes.until(() => isReady));
  isReady = true;
  shared.notify();
  await Promise.all(waiting);
});

test("of what failed before, nothing waits", async () => {
  const failed = new Changes();
  failed.fail(new Error("over"));
  await assert.rejects(firstOf([new Changes(), failed, new Changes()]), /over/);
});

test("durations become whole milliseconds, never too few, never more than a timer takes", () => {
  assert.deepEqual([-5n, 0n, 1n, 1_000_000n, 1_000_001n, 2n ** 64n].map(msUntil), [0, 0, 1, 1, 2, 2 ** 31 - 1]);
});

test("calls that may wait are marked in the waiting form only, and both forms take the same objects", () => {
  const blocking = { ...waitingStreamsInterface, ...waitingPollInterface };
  const marked = Object.values(blocking).flatMap((made) =>
    Object.entries(Object.getOwnPropertyDescriptors(Object(Reflect.get(made, "prototype"))))
      .filter(([, { value }]) => isMarked(value))
      .map(([name]) => name),
  );
  assert.deepEqual(marked.toSorted(), [
    "block",
    "blockingFlush",
    "blockingRead",
    "blockingSkip",
    "blockingSplice",
    "blockingWriteAndFlush",
    "blockingWriteZeroesAndFlush",
  ]);
  assert.equal(isMarked(waitingPollInterface.poll), true);
  assert.equal(isMarked(pollInterface.poll), false);
  const stream = new InputStream();
  assert.ok(stream instanceof streamsInterface.InputStream);
  assert.ok(stream instanceof waitingStreamsInterface.InputStream);
  assert.ok(!(new OutputStream(new WriterSink(() => undefined)) instanceof waitingStreamsInterface.InputStream));
  assert.deepEqual(Object.keys(waitingIo), ["wasi:io/error@0.2.0", "wasi:io/poll@0.2.0", "wasi:io/streams@0.2.0"]);
});
