import assert from "node:assert/strict";
import { test } from "node:test";
import { realClock, virtualClock, type Clock } from "../../base/clock.ts";
import { CHUNKED } from "../../wit/streams.ts";
import { FlowError } from "../failure.ts";
import { flowBody, runBody } from "../sample.ts";
import { loadExpressions } from "./expression.ts";

await loadExpressions();

type Items = AsyncIterable<ArrayLike<unknown>>;

/** The chunks of the output `out`. */
async function chunksOf(body: string, inputs: readonly unknown[], clock: Clock = virtualClock(0)): Promise<unknown[][]> {
  const { result } = await runBody(body, inputs, { clock });
  const all: unknown[][] = [];
  for await (const chunk of (result as { out: Items }).out) all.push(Array.from(chunk));
  return all;
}

async function elementsOf(body: string, ...inputs: readonly unknown[]): Promise<unknown[]> {
  return (await chunksOf(body, inputs)).flat();
}

function stream(...chunks: readonly (readonly unknown[])[]): unknown {
  return { [CHUNKED]: true, [Symbol.iterator]: () => chunks[Symbol.iterator]() };
}

/** Elements that come at times, in milliseconds. */
function timed(clock: Clock, ...times: readonly number[]): unknown {
  async function* make(): AsyncGenerator<readonly number[]> {
    for (const at of times) {
      if (at > clock.now()) await clock.sleep(at - clock.now());
      yield [at];
    }
  }
  return Object.assign(make(), { [CHUNKED]: true });
}

function node(uses: string, settings: string): string {
  return `input: { numbers: stream<u32> }\nnodes: { it: { uses: "core::${uses}", with: { ${settings} } } }\n${flowBody("<>.numbers -> it -> <>.out")}`;
}

async function failureOf(run: Promise<unknown>): Promise<FlowError> {
  try {
    await run;
  } catch (error) {
    assert(error instanceof FlowError, String(error));
    return error;
  }
  assert.fail("it did not fail");
}

test("collect makes a list of a stream, numbers as a typed array, up to its limit", async () => {
  const body = `input: { numbers: stream<u32> }\n${flowBody("<>.numbers -> core::collect -> <>.out")}`;
  assert.deepEqual((await runBody(body, [stream([1, 2], [3])])).result, { out: Uint32Array.of(1, 2, 3) });
  assert.deepEqual((await runBody(body, [stream()])).result, { out: new Uint32Array() });
  const big = `input: { numbers: stream<s64>, words: stream<string> }\n${flowBody("<>.numbers -> core::collect -> <>.out", "<>.words -> core::collect[words] -> <>.words")}`;
  assert.deepEqual((await runBody(big, [stream([1n]), stream(["a"], ["b"])])).result, {
    out: BigInt64Array.of(1n),
    words: ["a", "b"],
  });
  const error = await failureOf(runBody(node("collect", "limit: 2"), [stream([1, 2], [3])]));
  assert.deepEqual([error.code, error.path], ["flow/too-many-elements", "test/it"]);
});

test("spread makes a stream of a list, or of the lists of a stream", async () => {
  assert.deepEqual(
    await elementsOf(`input: { words: list<string> }\n${flowBody("<>.words -> core::spread -> <>.out")}`, ["a", "b"]),
    ["a", "b"],
  );
  assert.deepEqual(
    await elementsOf(`input: { bytes: list<u8> }\n${flowBody("<>.bytes -> core::spread -> <>.out")}`, Uint8Array.of(1, 2)),
    [1, 2],
  );
  const words = `input: { lines: stream<string> }\n${flowBody("<>.lines -> text::words -> core::spread -> <>.out")}`;
  assert.deepEqual(await elementsOf(words, stream(["a b", "c"], ["d"])), ["a", "b", "c", "d"]);
});

test("batch gathers so many elements, whatever the chunks; the last list may be shorter", async () => {
  const body = node("batch", "size: 3");
  assert.deepEqual(await elementsOf(body, stream([1, 2], [3, 4, 5, 6, 7], [8])), [
    Uint32Array.of(1, 2, 3),
    Uint32Array.of(4, 5, 6),
    Uint32Array.of(7, 8),
  ]);
  assert.deepEqual(await elementsOf(body, stream()), []);
});

test("batch gives what there is when its time is over", async () => {
  const clock = virtualClock(0);
  const body = node("batch", "size: 3, within: 100ms");
  const chunks = await chunksOf(body, [timed(clock, 0, 10, 20, 30, 200, 400, 450)], clock);
  assert.deepEqual(chunks.flat(), [Uint32Array.of(0, 10, 20), Uint32Array.of(30), Uint32Array.of(200), Uint32Array.of(400, 450)]);
});

test("take gives the first elements, and lets go of the rest", async () => {
  let returned = false;
  const endless = {
    [CHUNKED]: true,
    [Symbol.iterator]: () => ({
      next: () => ({ done: false, value: [1, 2, 3] }),
      return: () => ({ done: (returned = true), value: undefined }),
    }),
  };
  assert.deepEqual(await elementsOf(node("take", "count: 4"), endless), [1, 2, 3, 1]);
  assert(returned);
  assert.deepEqual(await elementsOf(node("take", "count: 4"), stream([1])), [1]);
});

test("throttle lets so many elements through in each period, in order, and loses none", async () => {
  const clock = virtualClock(0);
  const { result } = await runBody(node("throttle", "per: 1s, count: 2"), [stream([1, 2, 3, 4, 5])], { clock });
  const seen: [number, unknown[]][] = [];
  for await (const chunk of (result as { out: Items }).out) seen.push([clock.now(), Array.from(chunk)]);
  assert.deepEqual(seen, [
    [0, [1, 2]],
    [1000, [3, 4]],
    [2000, [5]],
  ]);
  const slow = virtualClock(0);
  assert.deepEqual((await chunksOf(node("throttle", "per: 1s"), [timed(slow, 0, 1500, 1600)], slow)).flat(), [0, 1500, 1600]);
  assert.equal(slow.now(), 2500);
});

test("a stream that is abandoned while it is throttled ends at once", async () => {
  const { result } = await runBody(node("throttle", "per: 1h"), [stream([1, 2])], { clock: realClock });
  const iterator = (result as { out: Items }).out[Symbol.asyncIterator]();
  await iterator.next();
  const second = iterator.next();
  await iterator.return?.();
  assert.deepEqual(await second, { done: true, value: undefined });
});

test("merge gives what comes, as it comes; a way that was skipped is none of it", async () => {
  const clock = virtualClock(0);
  const body = `input: { a: stream<u32>, b: stream<u32> }\n${flowBody("<>.a -> core::merge", "<>.b -> merge", "7 -> merge", "merge -> <>.out")}`;
  assert.deepEqual((await chunksOf(body, [timed(clock, 10, 30), timed(clock, 20, 40)], clock)).flat(), [7, 10, 20, 30, 40]);
  const parted = `input: { flag: bool, other: stream<string> }
nodes: { word: { uses: "core::expr", with: { expr: "string(flag)" } } }
${flowBody("<>.flag -> core::switch", "switch.true -> word.flag", "switch.false -> drop", "word -> core::merge[all]", "<>.other -> all", "all -> <>.out")}`;
  assert.deepEqual(new Set(await elementsOf(parted, true, stream(["x"]))), new Set(["true", "x"]));
  assert.deepEqual(await elementsOf(parted, false, stream(["x"])), ["x"]);
});

test("race gives the stream that has an element first, and lets go of the others", async () => {
  const clock = virtualClock(0);
  let returned = false;
  const late = {
    [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}), return: () => void (returned = true) }),
  };
  const body = `input: { a: stream<u32>, b: stream<u32> }\n${flowBody("<>.a -> core::race", "<>.b -> race", "race -> <>.out")}`;
  assert.deepEqual((await chunksOf(body, [late, timed(clock, 10, 30)], clock)).flat(), [10, 30]);
  assert(returned);
  assert.deepEqual(await elementsOf(body, stream(), stream([1])), [1]);
  assert.deepEqual(await elementsOf(body, stream(), stream()), []);
});

test("what takes a value runs once per element: log, assert, delay, pick, switch, zip and expressions", async () => {
  const clock = virtualClock(0);
  const body = `input: { numbers: stream<u32>, factor: u32 }
nodes:
  late: { uses: "core::delay", with: { for: 100ms }, concurrency: 2 }
  small: { uses: "core::assert", with: { that: "value < 10" } }
  times: { uses: "core::expr", with: { expr: "number * factor", type: u32 } }
${flowBody("<>.numbers -> late -> small -> core::log", "log -> times.number", "<>.factor -> times.factor", "times -> core::zip.product", "log -> zip.number", "zip -> <>.out")}`;
  const pairs = (await chunksOf(body, [stream([1, 2, 3]), 10], clock)).flat();
  assert.deepEqual(pairs, [
    [10, 1],
    [20, 2],
    [30, 3],
  ]);
  assert.equal(clock.now(), 200, "two wait at a time");
  const error = await failureOf(chunksOf(body, [stream([1, 12]), 10]));
  assert.deepEqual([error.code, error.path], ["flow/assertion-failed", "test/small[1]"]);
});
