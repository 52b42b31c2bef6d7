import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { StarlaneError } from "../../base/errors.ts";
import { ComponentError } from "../../engine/engine.ts";
import { originOf, IoError } from "./error.ts";
import { Pollable, pollInterface, timerPollable } from "./poll.ts";
import { closeOutput, InputStream, OutputStream, type ByteSink } from "./streams.ts";

const U64_MAX = 2n ** 64n - 1n;

const stoppedWith = (code: string) => (error: unknown) => error instanceof StarlaneError && error.code === code;
const answered = (tag: string) => (error: unknown) =>
  error instanceof ComponentError && (error.payload as { tag: string }).tag === tag;

function bufferSink(capacity = Infinity): ByteSink & { readonly written: number[] } {
  const written: number[] = [];
  return { written, room: () => capacity - written.length, write: (bytes) => void written.push(...bytes) };
}

test("a stream of nothing is closed at once, for reading, skipping and blocking alike", () => {
  const stream = new InputStream();
  for (const read of [
    () => stream.read(0n),
    () => stream.blockingRead(5n),
    () => stream.skip(1n),
    () => stream.blockingSkip(U64_MAX),
  ]) {
    assert.throws(read, answered("closed"));
  }
  assert.equal(stream.subscribe().ready(), true);
});

test("reading gives every byte once, in order, whatever lengths are asked for", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.array(fc.bigInt(1n, 64n), { minLength: 1 }), (contents, lengths) => {
      const stream = new InputStream(contents);
      const read: number[] = [];
      for (let i = 0; read.length < contents.length; i++) read.push(...stream.read(lengths[i % lengths.length] ?? 1n));
      assert.deepEqual(Uint8Array.from(read), contents);
      assert.throws(() => stream.read(1n), answered("closed"));
    }),
  );
});

test("a read of 2^64-1 bytes gives at most one mebibyte and allocates no more", () => {
  const stream = new InputStream(new Uint8Array(3 << 20));
  assert.equal(stream.read(U64_MAX).length, 1 << 20);
  assert.equal(stream.skip(U64_MAX), BigInt(1 << 20));
});

test("what a guest does to bytes that it read does not change the stream's source", () => {
  const source = Uint8Array.of(1, 2, 3);
  new InputStream(source).read(2n).fill(9);
  assert.deepEqual(source, Uint8Array.of(1, 2, 3));
});

test("a write may be as long as check-write permitted, in one or several parts", () => {
  const sink = bufferSink(10);
  const stream = new OutputStream(sink);
  assert.equal(stream.checkWrite(), 10n);
  stream.write(Uint8Array.of(1, 2, 3));
  stream.write(Uint8Array.of(4));
  assert.deepEqual(sink.written, [1, 2, 3, 4]);
  assert.equal(stream.checkWrite(), 6n);
});

test("a write longer than check-write permitted, or without asking, stops the guest and writes nothing", () => {
  const sink = bufferSink(4);
  const stream = new OutputStream(sink);
  assert.throws(() => stream.write(Uint8Array.of(1)), stoppedWith("capability/misuse"));
  stream.checkWrite();
  assert.throws(() => stream.write(new Uint8Array(5)), stoppedWith("capability/misuse"));
  assert.throws(() => stream.writeZeroes(5n), stoppedWith("capability/misuse"));
  assert.throws(() => stream.writeZeroes(U64_MAX), stoppedWith("capability/limit"));
  assert.deepEqual(sink.written, []);
});

test("blocking writes take at most 4096 bytes, the bound of the interface", () => {
  const sink = bufferSink();
  const stream = new OutputStream(sink);
  assert.equal(stream.blockingWriteAndFlush(new Uint8Array(4096).fill(7)), undefined);
  assert.equal(stream.blockingWriteZeroesAndFlush(4096n), undefined);
  assert.equal(sink.written.length, 8192);
  assert.throws(() => stream.blockingWriteAndFlush(new Uint8Array(4097)), stoppedWith("capability/misuse"));
  assert.throws(() => stream.blockingWriteZeroesAndFlush(U64_MAX), stoppedWith("capability/misuse"));
});

test("a blocking write to a stream that is full for good stops the guest instead of hanging", () => {
  const stream = new OutputStream(bufferSink(3));
  assert.throws(() => stream.blockingWriteAndFlush(new Uint8Array(4)), stoppedWith("capability/never-ready"));
  assert.equal(stream.subscribe().ready(), false);
  assert.throws(() => stream.subscribe().block(), stoppedWith("capability/never-ready"));
  assert.throws(() => stream.blockingSplice(new InputStream(Uint8Array.of(1)), 1n), stoppedWith("capability/never-ready"));
});

test("a sink that failed answers last-operation-failed once, then closed", () => {
  const failure = new IoError("it broke", { http: { tag: "HTTP-protocol-error" } });
  const stream = new OutputStream({ room: () => 0, write: () => {}, failure: () => failure });
  assert.equal(stream.subscribe().ready(), true);
  assert.throws(() => stream.checkWrite(), answered("last-operation-failed"));
  assert.throws(() => stream.checkWrite(), answered("closed"));
  assert.equal(failure.toDebugString(), "it broke");
  assert.deepEqual(originOf(failure), { http: { tag: "HTTP-protocol-error" } });
});

test("a closed output stream answers closed to everything and is always ready", () => {
  const stream = new OutputStream(bufferSink());
  stream.checkWrite();
  closeOutput(stream);
  const source = new InputStream(Uint8Array.of(1));
  for (const use of [
    () => stream.checkWrite(),
    () => stream.write(Uint8Array.of(1)),
    () => stream.writeZeroes(1n),
    () => stream.blockingWriteAndFlush(Uint8Array.of(1)),
    () => stream.flush(),
    () => stream.blockingFlush(),
    () => stream.splice(source, 1n),
  ]) {
    assert.throws(use, answered("closed"));
  }
  assert.equal(stream.subscribe().ready(), true);
});

test("splice moves no more than was asked for, permitted and there", () => {
  const sink = bufferSink(4);
  const stream = new OutputStream(sink);
  const source = new InputStream(Uint8Array.of(1, 2, 3, 4, 5, 6));
  assert.equal(stream.splice(source, 3n), 3n);
  assert.equal(stream.blockingSplice(source, U64_MAX), 1n);
  assert.deepEqual(sink.written, [1, 2, 3, 4]);
  assert.equal(stream.splice(source, U64_MAX), 0n);
});

test("values of other types, which a hostile import can declare, stop the guest", () => {
  const stream = new OutputStream(bufferSink());
  const wrong: unknown = "text";
  assert.throws(() => stream.blockingWriteAndFlush(wrong as Uint8Array), stoppedWith("capability/misuse"));
  assert.throws(() => new InputStream(Uint8Array.of(1)).read(wrong as bigint), stoppedWith("capability/misuse"));
});

/** Polls where nothing is outside: the answer is there at once. */
function polled(pollables: readonly Pollable[]): number[] {
  const ready = pollInterface.poll(pollables);
  assert.ok(!(ready instanceof Promise));
  return [...ready];
}

function fakeClock(startNs = 0n) {
  return {
    nowNs: startNs,
    advanceTo(instantNs: bigint) {
      this.nowNs = instantNs;
    },
  };
}

test("polling moves the clock to the earliest timer and gives every index that is then ready", () => {
  const clock = fakeClock();
  const timers = [30n, 10n, 20n, 10n].map((at) => timerPollable(clock, at));
  assert.deepEqual(polled(timers), [1, 3]);
  assert.equal(clock.nowNs, 10n);
  assert.deepEqual(polled([timers[0], timers[2]].flatMap((timer) => timer ?? [])), [1]);
  assert.equal(clock.nowNs, 20n);
});

test("polling moves no clock where something is ready already", () => {
  const clock = fakeClock();
  assert.deepEqual(polled([timerPollable(clock, 5n), new Pollable()]), [1]);
  assert.equal(clock.nowNs, 0n);
});

test("waiting for nothing, or only for what never comes, stops the guest", () => {
  const never = new Pollable(() => ({ kind: "never", what: "a letter" }));
  assert.throws(() => pollInterface.poll([]), stoppedWith("capability/misuse"));
  assert.throws(() => never.block(), /waits for a letter, which will never be ready/);
  assert.throws(() => pollInterface.poll([never, never]), stoppedWith("capability/never-ready"));
  const clock = fakeClock();
  assert.deepEqual(polled([never, timerPollable(clock, 5n)]), [1]);
});
