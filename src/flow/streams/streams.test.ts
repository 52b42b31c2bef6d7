import assert from "node:assert/strict";
import { test } from "node:test";
import { realClock } from "../../base/clock.ts";
import { CHUNKED } from "../../wit/streams.ts";
import { loadExpressions } from "../core/expression.ts";
import { FlowError } from "../failure.ts";
import type { Invoke, Transaction } from "../flow.ts";
import { runFlow } from "../run.ts";
import { checkBody, flowBody, invokeSample, OwnError, planBody, runBody } from "../sample.ts";

await loadExpressions();

type Items = AsyncIterable<ArrayLike<unknown>>;

async function elements(stream: unknown): Promise<unknown[]> {
  const all: unknown[] = [];
  for await (const chunk of stream as Items) all.push(...Array.from(chunk));
  return all;
}

/** Runs a flow, and reads every stream that it gives, all at once. */
async function outputs(
  body: string,
  inputs: readonly unknown[] = [],
  settings: Partial<Transaction> = {},
  invoke: Invoke = invokeSample,
): Promise<Record<string, unknown>> {
  const { result } = await runBody(body, inputs, settings, invoke);
  return await gathered(result);
}

async function gathered(result: unknown): Promise<Record<string, unknown>> {
  const entries = Object.entries(result as Record<string, unknown>).map(async ([name, value]): Promise<[string, unknown]> => [
    name,
    isStream(value) ? await elements(value) : value,
  ]);
  return Object.fromEntries(await Promise.all(entries));
}

function isStream(value: unknown): boolean {
  return typeof value === "object" && value !== null && CHUNKED in value;
}

function chunks(...all: readonly (readonly unknown[])[]): Items {
  return {
    [CHUNKED]: true,
    async *[Symbol.asyncIterator]() {
      for (const chunk of all) {
        yield chunk;
        await Promise.resolve();
      }
    },
  } as Items;
}

/** An endless stream that counts what was asked of it, and whether it was let go. */
function endless(chunk = 1) {
  const state = { asked: 0, returned: false };
  const iterable = {
    [CHUNKED]: true,
    [Symbol.asyncIterator]: () => ({
      next: () => {
        const from = state.asked++ * chunk;
        return Promise.resolve({ done: false, value: Array.from({ length: chunk }, (_, i) => from + i) });
      },
      return: () => {
        state.returned = true;
        return Promise.resolve({ done: true, value: undefined });
      },
    }),
  };
  return { state, iterable };
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

const NUMBERS = "input: { numbers: stream<u32> }\n";

test("an operation that takes a value runs once per element of a stream, in order", async () => {
  const body = NUMBERS + flowBody("<>.numbers -> math::half -> <>.halves");
  assert.deepEqual(await outputs(body, [chunks([2, 4], [], [6])]), { halves: [1, 2, 3] });
  assert.deepEqual(await outputs(body, [chunks()]), { halves: [] });
  assert.deepEqual(await outputs(body, [Uint32Array.of(8, 10)]), { halves: [4, 5] });
});

test("a stream of a component goes through, and to a component that takes a stream", async () => {
  assert.deepEqual(await outputs(flowBody("lines::all -> text::upper -> <>.lines")), { lines: ["ONE", "TWO", "THREE"] });
  const sum = flowBody("<>.n -> numbers::count.n", "count -> numbers::sum -> <>.sum");
  assert.deepEqual(await outputs(sum, [10]), { sum: 45 });
});

test("streams beside each other are taken in step, the shortest ends it, and other inputs stay the same", async () => {
  const body = `input: { a: stream<string>, b: stream<string>, separator: string }\n${flowBody(
    "<>.a -> text::join.a",
    "<>.b -> join.b",
    "<>.separator -> join.separator",
    "join -> <>.joined",
  )}`;
  const { state, iterable } = endless();
  assert.deepEqual(await outputs(body, [chunks(["a"], ["b", "c"]), chunks(["x", "y"], ["z"]), "-"]), {
    joined: ["a-x", "b-y", "c-z"],
  });
  assert.deepEqual(await outputs(body, [chunks(["a", "b"]), iterable, "+"]), { joined: ["a+0", "b+1"] });
  assert(state.returned, "the longer one is let go");
});

test("a value is a stream of one element where one is taken", async () => {
  assert.deepEqual(await outputs(flowBody("<>.n -> text::length -> numbers::sum -> <>.sum"), ["abc"]), { sum: 3 });
  assert.deepEqual(await outputs(`output: { all: stream<u32> }\n${flowBody("7 -> <>.all")}`), { all: [7] });
});

test("a path behind a stream leads into each of its elements", async () => {
  const body = flowBody("users::each -> core::log", "log.name -> text::upper -> <>.names", "log.age -> <>.ages");
  assert.deepEqual(await outputs(body), { names: ["ADA", "BOB"], ages: [36, 40] });
  const split = `input: { lines: stream<string> }\n${flowBody("<>.lines -> text::split", "split.first -> <>.first", "split.rest -> <>.rest")}`;
  assert.deepEqual(await outputs(split, [chunks(["a b", "c d"])]), { first: ["a", "c"], rest: ["b", "d"] });
});

test("every reader of a stream sees all of it", async () => {
  const lines = ["<>.numbers -> numbers::sum", "<>.numbers -> core::collect -> <>.list", "sum -> <>.sum"];
  const { result } = await runBody(NUMBERS + flowBody(...lines), [chunks([1, 2], [3])]);
  assert.deepEqual(result, { list: Uint32Array.of(1, 2, 3), sum: 6 });
  const body = NUMBERS + flowBody("<>.numbers -> <>.same", ...lines);
  assert.deepEqual(await outputs(body, [chunks([1, 2], [3])]), { same: [1, 2, 3], list: Uint32Array.of(1, 2, 3), sum: 6 });
});

test("nothing is asked for before somebody wants it, and little more than that", async () => {
  const { state, iterable } = endless();
  const nodes = 'nodes: { more: { uses: "core::expr", with: { expr: "n + 1" } } }\n';
  const { result } = await runBody(NUMBERS + nodes + flowBody("<>.numbers -> more.n", "more -> <>.all"), [iterable]);
  assert.equal(state.asked, 0);
  const iterator = (result as { all: Items }).all[Symbol.asyncIterator]();
  assert.deepEqual(await iterator.next(), { done: false, value: [1n] });
  assert(state.asked <= 2, `asked ${state.asked} times`);
  await iterator.return?.();
  assert(state.returned);
});

test("a slow reader slows the other readers of the same stream, and what makes it", async () => {
  const { state, iterable } = endless(1000);
  const body = NUMBERS + flowBody("<>.numbers -> <>.a", "<>.numbers -> <>.b");
  const { result } = await runBody(body, [iterable]);
  const { a, b } = result as { a: Items; b: Items };
  const [fast, slow] = [a[Symbol.asyncIterator](), b[Symbol.asyncIterator]()];
  let taken = 0;
  const read = async (): Promise<void> => {
    while ((await fast.next()).done !== true) taken++;
  };
  void read().catch(() => undefined);
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(taken, 10, "10 000 elements ahead");
  assert.equal(state.asked, 10);
  for (let i = 0; i < 5; i++) await slow.next();
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(taken, 15);
  await slow.return?.();
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert(taken > 15, "who leaves holds nobody up");
  await fast.return?.();
  assert(state.returned);
});

test("up to `concurrency` elements are under way at a time, and their answers keep their order", async () => {
  let [running, most] = [0, 0];
  const body = `input: { all: stream<string> }\nnodes: { wait: { uses: "slow::wait", with: { ms: 1 }, concurrency: 3 } }\n${flowBody("<>.all -> wait.s", "wait -> <>.out")}`;
  const invoke: Invoke = async (_target, [s]) => {
    most = Math.max(most, ++running);
    await realClock.sleep(s === "a" ? 15 : 2);
    running--;
    return s;
  };
  assert.deepEqual(await outputs(body, [chunks(["a", "b", "c", "d"], ["e"])], {}, invoke), { out: ["a", "b", "c", "d", "e"] });
  assert.equal(most, 3);
  assert.deepEqual(await outputs(body.replace(", concurrency: 3", ""), [chunks(["a", "b"])], {}, invoke), { out: ["a", "b"] });
});

test("an element that fails ends the stream with its error, which names the node and the index", async () => {
  const body = NUMBERS + flowBody("<>.numbers -> math::half -> <>.halves");
  const { result } = await runBody(body, [chunks([2, 4, 5, 6])]);
  const iterator = (result as { halves: Items }).halves[Symbol.asyncIterator]();
  assert.deepEqual(await iterator.next(), { done: false, value: [1, 2] });
  const error = await failureOf(iterator.next());
  assert.equal(error.path, "test/half[2]");
  assert.equal(error.code, "flow/node-failed");
  assert.deepEqual(error.payload, { tag: "odd", val: 5 });
  assert.deepEqual(await iterator.next(), { done: true, value: undefined });
});

test("`??` stands for the elements that failed, also further up", async () => {
  const body = NUMBERS + flowBody("<>.numbers -> math::half", "half ?? 0 -> <>.halves");
  assert.deepEqual(await outputs(body, [chunks([2, 3, 4])]), { halves: [1, 0, 2] });
  const far = NUMBERS + flowBody("<>.numbers -> math::half -> math::half[quarter]", "quarter ?? 9 -> <>.quarters");
  assert.deepEqual(await outputs(far, [chunks([4, 3, 2, 8])]), { quarters: [1, 9, 9, 2] });
});

test("`!` gives the errors of the elements that failed, the value the others", async () => {
  const nodes = 'nodes: { why: { uses: "core::pick", with: { path: "node" } } }\n';
  const body = NUMBERS + nodes + flowBody("<>.numbers -> math::half", "half -> <>.halves", "half! -> why -> <>.why");
  assert.deepEqual(await outputs(body, [chunks([2, 3, 4, 5])]), { halves: [1, 2], why: ["test/half[1]", "test/half[3]"] });
});

test("errors that are dropped hold nobody up", async () => {
  const body = NUMBERS + flowBody("<>.numbers -> math::half -> drop", "half! -> drop", "<>.numbers -> <>.all");
  assert.deepEqual(await outputs(body, [chunks([2, 3, 4])]), { all: [2, 3, 4] });
});

test("a retry is for each element", async () => {
  const tries = new Map<unknown, number>();
  const invoke: Invoke = (_target, [s]) => {
    const count = (tries.get(s) ?? 0) + 1;
    tries.set(s, count);
    if (s === "b" && count < 3) throw new OwnError("not yet");
    return s;
  };
  const body = `input: { all: stream<string> }\nnodes: { up: { uses: "text::upper", retry: { attempts: 3, backoff: 1ms } } }\n${flowBody("<>.all -> up -> <>.out")}`;
  assert.deepEqual(await outputs(body, [chunks(["a", "b", "c"])], {}, invoke), { out: ["a", "b", "c"] });
  assert.deepEqual(
    [...tries],
    [
      ["a", 1],
      ["b", 3],
      ["c", 1],
    ],
  );
});

test("a timeout is for each element too", async () => {
  const body = `input: { all: stream<u32> }\nnodes: { wait: { uses: "slow::wait", timeout: 50ms } }\n${flowBody('"x" -> wait.s', "<>.all -> wait.ms", 'wait ?? "late" -> <>.out')}`;
  assert.deepEqual(await outputs(body, [chunks([1, 60, 2])]), { out: ["x", "late", "x"] });
});

test("a failure elsewhere ends the streams that are being read", async () => {
  const { state, iterable } = endless();
  const body = NUMBERS + flowBody("<>.numbers -> <>.all", '"x" -> math::fail -> drop');
  const failing = failureOf(outputs(body, [iterable]));
  assert.equal((await failing).path, "test/fail");
  assert(state.returned);
});

test("the failure of one output ends the others", async () => {
  const { state, iterable } = endless();
  const body = `input: { numbers: stream<u32>, others: stream<u32> }\n${flowBody("<>.numbers -> <>.all", "<>.others -> math::half -> <>.halves")}`;
  const { result } = await runBody(body, [iterable, chunks([1])]);
  const { all, halves } = result as { all: Items; halves: Items };
  const reading = failureOf(elements(all));
  assert.equal((await failureOf(elements(halves))).path, "test/half[0]");
  assert.equal((await reading).path, "test/half[0]");
  assert(state.returned);
});

test("an abort and the deadline reach streams that are being read", async () => {
  const abort = new AbortController();
  const { state, iterable } = endless();
  const reading = failureOf(outputs(NUMBERS + flowBody("<>.numbers -> <>.all"), [iterable], { signal: abort.signal }));
  setTimeout(() => abort.abort(new Error("enough")), 10);
  assert.equal((await reading).code, "flow/cancelled");
  assert(state.returned);
  const late = endless();
  const clock = realClock;
  const body = NUMBERS + flowBody("<>.numbers -> core::log -> <>.all");
  const error = await failureOf(outputs(body, [late.iterable], { clock, deadlineMs: clock.now() + 20 }));
  assert.equal(error.code, "flow/deadline");
  assert(late.state.returned);
});

test("an abort reaches a stream whose next element never comes", async () => {
  const abort = new AbortController();
  let returned = false;
  const silent = { [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}), return: () => void (returned = true) }) };
  const reading = failureOf(outputs(NUMBERS + flowBody("<>.numbers -> core::log -> <>.all"), [silent], { signal: abort.signal }));
  setTimeout(() => abort.abort(), 5);
  assert.equal((await reading).code, "flow/cancelled");
  assert(returned);
});

test("a flow without stream outputs answers when its streams have been gone through", async () => {
  const seen: unknown[] = [];
  const invoke: Invoke = async (_target, [name, age]) => {
    await Promise.resolve();
    seen.push([name, age]);
  };
  const body = `input: { names: stream<string> }\n${flowBody("<>.names -> users::save.name", "40 -> save.age")}`;
  const { result, events } = await runBody(body, [chunks(["a", "b"])], {}, invoke);
  assert.deepEqual(
    [result, seen],
    [
      undefined,
      [
        ["a", 40],
        ["b", 40],
      ],
    ],
  );
  assert.deepEqual(events, ["start save", "done save"]);
  const error = await failureOf(runBody(body, [chunks(["a"])], {}, () => assert.fail("no")));
  assert.equal(error.path, "test/save[0]");
});

test("the last stream ends when what nobody reads has been gone through too, and fails where that does", async () => {
  const seen: unknown[] = [];
  const invoke: Invoke = async (target, args, around) => {
    if (target.operation !== "save") return invokeSample(target, args, around);
    await realClock.sleep(3);
    if (args[0] === "bad") throw new OwnError("no");
    seen.push(args[0]);
  };
  const body = `input: { names: stream<string> }\n${flowBody("<>.names -> users::save.name", "40 -> save.age", "<>.names -> <>.names")}`;
  assert.deepEqual(await outputs(body, [chunks(["a", "b", "c"])], {}, invoke), { names: ["a", "b", "c"] });
  assert.deepEqual(seen, ["a", "b", "c"]);
  assert.equal((await failureOf(outputs(body, [chunks(["a", "bad"])], {}, invoke))).path, "test/save[1]");
});

test("who leaves a stream early stops what works for it alone, and the rest goes on", async () => {
  const { state, iterable } = endless();
  const seen: unknown[] = [];
  const invoke: Invoke = (target, args, around) => {
    if (target.operation !== "save") return invokeSample(target, args, around);
    seen.push(args[0]);
    return undefined;
  };
  const body = `input: { names: stream<string>, others: stream<u32> }\n${flowBody("<>.names -> users::save.name", "40 -> save.age", "<>.others -> <>.others")}`;
  const { result } = await runBody(body, [chunks(["a", "b"]), iterable], {}, invoke);
  const iterator = (result as { others: Items }).others[Symbol.asyncIterator]();
  await iterator.next();
  await iterator.return?.();
  assert(state.returned);
  assert.deepEqual(seen, ["a", "b"]);
});

test("a stream that breaks fails who reads it, and `??` stands for the rest", async () => {
  const broken = async function* (): AsyncGenerator<Uint32Array> {
    yield Uint32Array.of(2, 4);
    await Promise.resolve();
    throw new Error("the wire was cut");
  };
  const error = await failureOf(outputs(NUMBERS + flowBody("<>.numbers -> math::half -> <>.halves"), [broken()]));
  assert.deepEqual([error.message, error.path], ["the wire was cut", "test"]);
  const invoke: Invoke = (target, args, around) =>
    target.component === "lines" ? brokenLines() : invokeSample(target, args, around);
  const brokenLines = async function* (): AsyncGenerator<string> {
    yield "a";
    await Promise.resolve();
    throw new OwnError("cut");
  };
  assert.equal((await failureOf(outputs(flowBody("lines::all -> <>.lines"), [], {}, invoke))).path, "test/all");
  assert.deepEqual(await outputs(flowBody('lines::all ?? "the end" -> <>.lines'), [], {}, invoke), { lines: ["a", "the end"] });
});

test("a component that reads a stream with a failed element fails by that, under the path of the element's node", async () => {
  const body = NUMBERS + flowBody("<>.numbers -> math::half -> numbers::sum", "sum -> <>.sum");
  assert.equal((await failureOf(outputs(body, [chunks([2, 3])]))).path, "test/half[1]");
  const caught = NUMBERS + flowBody("<>.numbers -> math::half -> numbers::sum", "sum ?? 7 -> <>.sum");
  assert.deepEqual(await outputs(caught, [chunks([2, 3])]), { sum: 7 });
});

test("a flow inside a flow hands streams on, and its failures have the whole path once", async () => {
  const inner = planBody(NUMBERS + flowBody("<>.numbers -> math::half -> <>.halves"));
  const outer = NUMBERS + flowBody("<>.numbers -> math::half[a] -> numbers::sum -> <>.out");
  const nested: Invoke = (target, args, around) => {
    if (target.operation !== "sum") return invokeSample(target, args, around);
    const result = runFlow(inner, args, around, invokeSample) as { halves: Items };
    return elements(result.halves).then((all) => all.length);
  };
  assert.deepEqual(await outputs(outer, [chunks([4, 8])], {}, nested), { out: 2 });
  assert.equal((await failureOf(outputs(outer, [chunks([4, 3])], {}, nested))).path, "test/a[1]");
  assert.equal((await failureOf(outputs(outer, [chunks([4, 2])], {}, nested))).path, "test/sum/test/half[1]");
});

test("a switch parts a stream into streams, and merge joins streams as they come", async () => {
  const body = `${NUMBERS}nodes: { size: { uses: "core::switch", with: { cases: { big: "value >= 10" } } } }\n${flowBody("<>.numbers -> size", "size.big -> core::merge[m]", "size.otherwise -> math::half -> m", "m -> <>.all")}`;
  const { all } = await outputs(body, [chunks([10, 4, 11], [6])]);
  assert.deepEqual(
    (all as number[]).toSorted((a, b) => a - b),
    [2, 3, 10, 11],
  );
});

test("two streams that are taken in step, one of which cannot go on without the other, are told apart from slow readers", async () => {
  const body = `${NUMBERS}nodes: { big: { uses: "core::batch", with: { size: 50000 } } }\n${flowBody("<>.numbers -> big -> core::zip.a", "<>.numbers -> zip.b", "zip -> <>.pairs")}`;
  const { iterable, state } = endless(100);
  const error = await failureOf(outputs(body, [iterable]));
  assert.equal(error.code, "flow/stuck-stream");
  assert.match(error.message, /`big.value` is 10000 elements ahead of `zip.b`/);
  assert(state.returned);
});

test("a stream that is gathered before its other reader can begin is kept up to a bound", async () => {
  const body = `${NUMBERS}${flowBody("<>.numbers -> numbers::sum -> core::zip.a", "<>.numbers -> zip.b", "zip -> <>.pairs")}`;
  assert.deepEqual(await outputs(body, [chunks([1, 2], [3])]), {
    pairs: [
      [6, 1],
      [6, 2],
      [6, 3],
    ],
  });
  const error = await failureOf(outputs(body, [endless(100).iterable]));
  assert.equal(error.code, "flow/stuck-stream");
});

test("an output that is read only after the answer does not wait for ever for a list of the same stream", async () => {
  const body = `${NUMBERS}${flowBody("<>.numbers -> core::collect -> <>.list", "<>.numbers -> <>.same")}`;
  const error = await failureOf(outputs(body, [endless(100).iterable]));
  assert.equal(error.code, "flow/stuck-stream");
});

test("a reader that is skipped holds nobody up", async () => {
  const body = `input: { numbers: stream<u32>, word: string }\n${flowBody("<>.word -> math::fail -> text::length", "<>.numbers -> core::zip.a", "length -> zip.b", "zip ?? [0, 0] -> <>.pairs", "<>.numbers -> <>.all")}`;
  const many = Array.from({ length: 300 }, () => Array.from({ length: 100 }, (_, i) => i));
  const { all, pairs } = await outputs(body, [chunks(...many), "x"]);
  assert.equal((all as unknown[]).length, 30_000);
  assert.deepEqual(pairs, [[0, 0]]);
});

test("what a stream gives when it is done is one failure or one end, whoever is told", async () => {
  const { result, events } = await runBody(NUMBERS + flowBody("<>.numbers -> math::half -> <>.halves"), [chunks([2, 3])]);
  await failureOf(elements((result as { halves: Items }).halves));
  assert.deepEqual(events, ["start half", "failed half"]);
  const done = await runBody(NUMBERS + flowBody("<>.numbers -> math::half -> <>.halves"), [chunks([2])]);
  await elements((done.result as { halves: Items }).halves);
  assert.deepEqual(done.events, ["start half", "done half"]);
});

test("a synchronous stream without end lets others have the thread", async () => {
  const sync = {
    [CHUNKED]: true,
    *[Symbol.iterator]() {
      for (;;) yield [1, 2, 3];
    },
  };
  const clock = realClock;
  const body = `input: { numbers: stream<u32> }\n${flowBody("<>.numbers -> numbers::sum -> <>.sum")}`;
  assert.equal((await failureOf(outputs(body, [sync], { clock, deadlineMs: clock.now() + 20 }))).code, "flow/deadline");
});

test("a million elements go through without being kept", async () => {
  const { result } = await runBody(NUMBERS + flowBody("<>.numbers -> core::log -> <>.all"), [
    {
      [CHUNKED]: true,
      *[Symbol.iterator]() {
        for (let i = 0; i < 1000; i++) yield new Uint32Array(1000).fill(i);
      },
    },
  ]);
  let count = 0;
  for await (const chunk of (result as { all: Items }).all) count += chunk.length;
  assert.equal(count, 1_000_000);
});

test("streams are typed: futures, streams inside values and streams at plain outputs are refused", () => {
  const told = (body: string): string =>
    checkBody(body)
      .diagnostics.map(({ message }) => message)
      .join("\n");
  assert.match(told(flowBody("<>.n -> numbers::later -> <>.x")), /works on futures/);
  assert.match(told(flowBody("<>.n -> numbers::nested -> <>.x")), /has streams inside other values/);
  assert.match(
    told(`output: { x: string }\n${flowBody("lines::all -> <>.x")}`),
    /`all` gives `stream<string>`, but `<>.x` takes `string`/,
  );
  assert.match(told(flowBody("<>.s -> text::words -> numbers::sum -> <>.x")), /`words` gives `list<string>`/);
  assert.equal(planBody(flowBody("lines::all -> <>")).signature.result?.kind, "stream");
});

test("a record of streams is an output port for each", async () => {
  const body = flowBody("<>.n -> numbers::both -> <>");
  assert.deepEqual(await outputs(body, [3]), { up: [0, 1, 2], words: ["a", "b"], n: 3 });
  assert.deepEqual(await outputs(flowBody("<>.n -> numbers::both", "both.words -> <>.words", "both -> drop"), [3]), {
    words: ["a", "b"],
  });
});
