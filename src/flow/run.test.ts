import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { test } from "node:test";
import { virtualClock } from "../base/clock.ts";
import { StarlaneError } from "../base/errors.ts";
import { loadExpressions } from "./core/expression.ts";
import { FlowError } from "./failure.ts";
import type { Invoke, NodeEvent } from "./flow.ts";
import { runFlow } from "./run.ts";
import { flowBody, invokeSample, OwnError, planBody, runBody, transaction } from "./sample.ts";

await loadExpressions();

async function failureOf(run: Promise<unknown>): Promise<FlowError> {
  try {
    await run;
  } catch (error) {
    assert(error instanceof FlowError, `a FlowError, not ${String(error)}`);
    return error;
  }
  throw new Error("it did not fail");
}

const GREET = flowBody("<>.name -> text::trim -> greeter::greet.name", "<>.lang -> greet.lang", "greet.greeting -> <>.greeting");

test("a flow of synchronous operations answers without a promise", () => {
  const result = runFlow(planBody(GREET), [" Ada ", "de"], transaction(), invokeSample);
  assert.deepEqual(result, { greeting: "Hallo, Ada!" });
});

test("an optional port without a value is none, and a default stands for a missing input", async () => {
  assert.deepEqual((await runBody(GREET, ["Ada"])).result, { greeting: "Hello, Ada!" });
  const body = `input: { name: { type: string, default: you } }\n${flowBody("<>.name -> greeter::greet.name -> <>")}`;
  assert.deepEqual((await runBody(body)).result, { greeting: "Hello, you!" });
});

test("constants, literals, paths and conversions reach the operations", async () => {
  const body = `nodes:\n  twice: { uses: "text::repeat", with: { "n": 2 } }\n${flowBody(
    "<>.id -> users::get",
    "get.address.city -> twice.s",
    "twice -> text::join.a",
    '" of " -> join.separator',
    "get.name -> join.b",
    "join -> <>.text",
    "get.age -> math::add.a",
    "1 -> add.b",
    "add -> <>.older",
  )}`;
  assert.deepEqual((await runBody(body, [7])).result, { text: "BernBern of user 7", older: 41n });
});

test("records are joined by equal names, and narrowed to the fields that are needed", async () => {
  const body = flowBody(
    "<>.name -> users::make.name",
    "<>.age -> make.age",
    "make -> users::show -> <>.shown",
    "make -> users::save",
  );
  assert.deepEqual((await runBody(body, ["Ada", 36])).result, { shown: '{"name":"Ada","age":36}' });
});

test("a bare `<>` gives the value itself", async () => {
  assert.equal((await runBody(flowBody("<>.s -> text::upper -> <>"), ["x"])).result, "X");
  assert.equal((await runBody(flowBody("<> -> text::upper -> <>"), ["x"])).result, "X");
});

test("an element of a list is taken, and a list that is too short fails or falls back", async () => {
  const body = flowBody("<>.s -> text::words", "words[1] -> text::upper -> <>.second");
  assert.deepEqual((await runBody(body, ["a b"])).result, { second: "B" });
  const error = await failureOf(runBody(body, ["a"]));
  assert.equal(error.code, "flow/no-such-element");
  assert.equal(error.at, "test/upper");
  const handled = flowBody("<>.s -> text::words", 'words[1] ?? "none" -> text::upper -> <>.second');
  assert.deepEqual((await runBody(handled, ["a"])).result, { second: "NONE" });
});

test("`??` stands for a node that failed, and for one whose sources failed", async () => {
  const body = flowBody("<>.s -> math::fail -> text::upper", 'upper ?? "fallback" -> <>.x');
  const { result, events } = await runBody(body, ["no"]);
  assert.deepEqual(result, { x: "fallback" });
  assert.deepEqual(events, ["start fail", "failed fail", "skipped upper", "fallback upper"]);
});

test("a failure that nothing handles fails the transaction, with path, cause and payload", async () => {
  const error = await failureOf(runBody(flowBody("<>.n -> math::half -> <>.half".replace(".n ", ".num ")), [3]));
  assert.equal(error.code, "flow/node-failed");
  assert.equal(error.at, "test/half");
  assert.equal(error.message, 'the operation answered with an error: {"odd":3}');
  assert.deepEqual(error.payload, { tag: "odd", val: 3 });
  assert(error.cause instanceof OwnError);
});

test("an error that is not the operation's own has no payload and keeps its code", async () => {
  const bug = await failureOf(runBody(flowBody("<>.s -> math::bug -> <>.x"), ["a"]));
  assert.equal("payload" in bug, false);
  assert.deepEqual([bug.code, bug.message], ["flow/node-failed", "cannot read it"]);
  const trap: Invoke = () => {
    throw new StarlaneError("engine/trap", "unreachable executed");
  };
  const trapped = await failureOf(runBody(flowBody("<>.s -> text::trim -> <>.x"), ["a"], {}, trap));
  assert.deepEqual([trapped.code, trapped.at, trapped.exit], ["engine/trap", "test/trim", 1]);
});

test("a connected `!` takes the error as data, and what needed the value is skipped", async () => {
  const body = flowBody(
    "<>.num -> math::half",
    "half -> text::repeat[r].n",
    '"ab" -> r.s',
    "r -> <>.text",
    "half! -> <>.problem",
  ).replace("half -> text", "half -> core::expr[small].v\n  small -> text");
  const narrowed = `nodes:\n  small: { uses: "core::expr", with: { expr: v, type: u8 } }\n${body.replace("core::expr[small]", "small")}`;
  assert.deepEqual((await runBody(narrowed, [4])).result, { text: "abab", problem: undefined });
  const failed = await runBody(narrowed, [3]);
  assert.deepEqual(failed.result, {
    text: undefined,
    problem: {
      code: "flow/node-failed",
      message: 'the operation answered with an error: {"odd":3}',
      node: "test/half",
      payload: { tag: "odd", val: 3 },
    },
  });
  assert.deepEqual(failed.events, ["start half", "failed half", "skipped small", "skipped r"]);
});

test("`!` also takes a failure of what the node needed, with the path of where it happened", async () => {
  const body = flowBody("<>.s -> math::fail -> text::upper -> <>.x", "upper! -> <>.problem");
  const { result } = await runBody(body, ["no"]);
  assert.deepEqual(result, {
    x: undefined,
    problem: { code: "flow/node-failed", message: 'the operation answered with an error: "no"', node: "test/fail" },
  });
});

test("a declared output that is no option and gets no value fails the transaction", async () => {
  const body = `output: { half: u32 }\n${flowBody("<>.num -> math::half -> <>.half", "half! -> drop")}`;
  assert.deepEqual((await runBody(body, [4])).result, { half: 2 });
  const error = await failureOf(runBody(body, [3]));
  assert.equal(error.code, "flow/no-value");
  assert.match(error.message, /output port `half` got no value: `half` failed/);
});

test("a failure that ends in `drop` fails the transaction, unless a `??` stands before it", async () => {
  const error = await failureOf(runBody(flowBody("<>.s -> math::fail -> drop"), ["a"]));
  assert.equal(error.at, "test/fail");
  const { result } = await runBody(flowBody("<>.s -> math::fail", "fail ?? null -> drop"), ["a"]);
  assert.equal(result, undefined);
});

// ---- asynchronous

test("independent nodes wait at the same time", async () => {
  const clock = virtualClock(0);
  const body = flowBody(
    "<>.s -> slow::wait[a].s",
    "300 -> a.ms",
    "<>.s -> slow::wait[b].s",
    "200 -> b.ms",
    "a -> text::join.a",
    "b -> join.b",
    "join -> <>.x",
  );
  const { result, events } = await runBody(body, ["s"], { clock });
  assert.deepEqual(result, { x: "ss" });
  assert.equal(clock.now(), 300);
  assert.deepEqual(events, ["start a", "start b", "done b", "done a", "start join", "done join"]);
});

test("a failure cancels running siblings, and the flow ends when they have ended", async () => {
  const ended: string[] = [];
  const invoke: Invoke = async ({ path }, [, ms], { clock, signal }) => {
    if (path === "test/bad") {
      await clock.sleep(100, signal);
      throw new OwnError("late");
    }
    try {
      await clock.sleep(Number(ms), signal);
    } finally {
      await Promise.resolve();
      ended.push(`${path} ${signal.aborted}`);
    }
    return "done";
  };
  const clock = virtualClock(0);
  const body = flowBody(
    "<>.s -> slow::wait[good].s",
    "5000 -> good.ms",
    "<>.s -> slow::wait[bad].s",
    "1 -> bad.ms",
    "good -> text::join.a",
    "bad -> join.b",
    "join -> <>.x",
  );
  const error = await failureOf(runBody(body, ["s"], { clock }, invoke));
  assert.equal(error.at, "test/bad");
  assert.deepEqual(ended, ["test/good true"]);
  assert.equal(clock.now(), 100);
});

test("a call that does not answer to its abort is left behind after a while", async () => {
  const clock = virtualClock(0);
  const body = flowBody(
    "<>.s -> slow::never[stuck] -> <>.x",
    "<>.s -> slow::wait.s",
    "10 -> wait.ms",
    "wait -> math::fail -> <>.y",
  );
  const error = await failureOf(runBody(body, ["s"], { clock }));
  assert.equal(error.at, "test/fail");
  assert.equal(clock.now(), 1010);
});

test("the signal of the transaction reaches every node and ends the flow", async () => {
  const controller = new AbortController();
  const seen: unknown[] = [];
  const invoke: Invoke = (_target, _args, { signal }) =>
    new Promise((_resolve, reject) => {
      signal.addEventListener("abort", () => {
        seen.push(signal.reason);
        reject(signal.reason);
      });
      controller.abort(new Error("enough"));
    });
  const error = await failureOf(runBody(flowBody("<>.s -> text::trim -> <>.x"), ["s"], { signal: controller.signal }, invoke));
  assert.equal(error.code, "flow/cancelled");
  assert.equal(seen.length, 1);
  const already = await failureOf(runBody(flowBody("<>.s -> text::trim -> <>.x"), ["s"], { signal: AbortSignal.abort("no") }));
  assert.deepEqual([already.code, already.cause], ["flow/cancelled", "no"]);
});

test("the deadline ends a flow that waits, and one that computes", async () => {
  const waits = await failureOf(
    runBody(flowBody("<>.s -> slow::wait.s", "500 -> wait.ms", "wait -> <>.x"), ["s"], { deadlineMs: 100 }),
  );
  assert.deepEqual([waits.code, waits.exit], ["flow/deadline", 3]);
  let now = 0;
  const clock = { ...virtualClock(0), now: () => now };
  const slow: Invoke = (target, args, inner) => {
    now += 60;
    return invokeSample(target, args, inner);
  };
  const computes = flowBody("<>.s -> text::trim -> text::upper -> text::trim[last] -> <>.x");
  const error = await failureOf(runBody(computes, ["s"], { deadlineMs: 100, clock }, slow));
  assert.equal(error.code, "flow/deadline");
  const plain = planBody(computes);
  now = 0;
  assert.throws(() => runFlow(plan(plain), ["s"], transaction({ deadlineMs: 100, clock }), slow), { code: "flow/deadline" });
});

function plan<T>(value: T): T {
  return value;
}

test("a flow leaves nothing behind on the signal of its transaction", async () => {
  const { signal } = new AbortController();
  const retried = `nodes:\n  work: { uses: "slow::wait", with: { ms: 100 }, timeout: 50ms, retry: { attempts: 2, backoff: 10ms }, concurrency: 1 }\n${flowBody("<>.s -> work.s", 'work ?? "late" -> <>.x')}`;
  assert.deepEqual((await runBody(retried, ["s"], { signal, deadlineMs: 10_000 })).result, { x: "late" });
  await assert.rejects(
    runBody(flowBody("<>.s -> slow::wait.s", "5 -> wait.ms", "wait -> math::fail -> <>.x"), ["s"], { signal }),
  );
  assert.equal(getEventListeners(signal, "abort").length, 0);
});

// ---- timeout, retry, concurrency

function policy(settings: string): string {
  return `nodes:\n  work: { uses: "slow::wait", with: { ms: 100 }, ${settings} }\n${flowBody("<>.s -> work.s", "work -> <>.x")}`;
}

test("a timeout ends the attempt and aborts only its own signal", async () => {
  const clock = virtualClock(0);
  const error = await failureOf(runBody(policy("timeout: 50ms"), ["s"], { clock }));
  assert.deepEqual([error.code, error.at, clock.now()], ["flow/timeout", "test/work", 50]);
  const { result } = await runBody(policy("timeout: 200ms"), ["s"]);
  assert.deepEqual(result, { x: "s" });
  const handled = `nodes:\n  work: { uses: "slow::wait", with: { ms: 100 }, timeout: 50ms }\n${flowBody("<>.s -> work.s", 'work ?? "late" -> slow::wait[next].s', "100 -> next.ms", "next -> <>.x")}`;
  assert.deepEqual((await runBody(handled, ["s"])).result, { x: "late" });
});

test("a synchronous call that took too long fails afterwards", async () => {
  let now = 0;
  const clock = { ...virtualClock(0), now: () => now };
  const slow: Invoke = () => {
    now += 60;
    return "s";
  };
  const body = `nodes:\n  work: { uses: "text::trim", timeout: 50ms }\n${flowBody("<>.s -> work -> <>.x")}`;
  assert.equal((await failureOf(runBody(body, ["s"], { clock }, slow))).code, "flow/timeout");
});

test("retry makes the call again, with pauses that double, until the attempts are used up", async () => {
  const clock = virtualClock(0);
  const calls: number[] = [];
  const flaky =
    (failures: number): Invoke =>
    (_target, [s]) => {
      calls.push(clock.now());
      if (calls.length <= failures) throw new OwnError("again");
      return s;
    };
  const body = `nodes:\n  work: { uses: "text::trim", retry: { attempts: 4, backoff: 100ms } }\n${flowBody("<>.s -> work -> <>.x")}`;
  const { result, events } = await runBody(body, ["s"], { clock }, flaky(3));
  assert.deepEqual(result, { x: "s" });
  assert.deepEqual(calls, [0, 100, 300, 700]);
  assert.deepEqual(events, ["start work", "retry work", "retry work", "retry work", "done work"]);
  calls.length = 0;
  const error = await failureOf(runBody(body, ["s"], { clock: virtualClock(0) }, flaky(9)));
  assert.deepEqual([error.payload, calls.length], ["again", 4]);
});

test("a timeout counts for each attempt", async () => {
  const clock = virtualClock(0);
  let calls = 0;
  const invoke: Invoke = async (_target, [s], inner) => {
    await inner.clock.sleep(calls++ < 2 ? 1000 : 10, inner.signal);
    return s;
  };
  const { result } = await runBody(policy("timeout: 50ms, retry: { attempts: 3, backoff: 1ms }"), ["s"], { clock }, invoke);
  assert.deepEqual(result, { x: "s" });
  assert.deepEqual([calls, clock.now()], [3, 50 + 1 + 50 + 2 + 10]);
});

test("concurrency bounds the calls in flight over all transactions of a plan, first come first served", async () => {
  const clock = virtualClock(0);
  const limited = planBody(policy("concurrency: 2"));
  let active = 0;
  let most = 0;
  const order: unknown[] = [];
  const invoke: Invoke = async (_target, [s, ms], inner) => {
    most = Math.max(most, ++active);
    order.push(s);
    await inner.clock.sleep(Number(ms), inner.signal);
    active--;
    return s;
  };
  const runs = ["a", "b", "c", "d", "e"].map((s) => runFlow(limited, [s], transaction({ clock }), invoke));
  assert.deepEqual(
    await Promise.all(runs),
    ["a", "b", "c", "d", "e"].map((x) => ({ x })),
  );
  assert.equal(most, 2);
  assert.deepEqual(order, ["a", "b", "c", "d", "e"]);
  assert.equal(clock.now(), 300);
});

test("a transaction that is cancelled while it waits for a place leaves it to the others", async () => {
  const clock = virtualClock(0);
  const limited = planBody(policy("concurrency: 1"));
  const controller = new AbortController();
  const first = runFlow(limited, ["a"], transaction({ clock }), invokeSample);
  const second = runFlow(limited, ["b"], transaction({ clock, signal: controller.signal }), invokeSample);
  const third = runFlow(limited, ["c"], transaction({ clock }), invokeSample);
  controller.abort();
  await assert.rejects(Promise.resolve(second), { code: "flow/cancelled" });
  assert.deepEqual([await first, await third], [{ x: "a" }, { x: "c" }]);
  assert.equal(clock.now(), 200);
});

// ---- flows in flows

const INNER = planBody(flowBody("<>.s -> math::fail -> text::upper -> <>.x"));

test("a failure inside a flow inside a flow has the whole path, and its payload", async () => {
  const nested: Invoke = (_target, args, inner) => runFlow(INNER, args, inner, invokeSample);
  const error = await failureOf(runBody(flowBody("<>.s -> text::trim[inside] -> <>.y"), ["no"], {}, nested));
  assert.equal(error.at, "test/inside/test/fail");
  assert.equal(error.payload, "no");
  assert(error.cause instanceof OwnError);
});

test("events of an inner flow have the path through the outer one", async () => {
  const paths: string[] = [];
  const observe = ({ kind, path }: NodeEvent): void => void paths.push(`${kind} ${path}`);
  const inner = planBody(flowBody("<>.s -> text::upper -> <>"));
  const nested: Invoke = (target, args, scope) =>
    target.path === "test/inside" ? runFlow(inner, args, scope, invokeSample) : invokeSample(target, args, scope);
  const outer = planBody(flowBody("<>.s -> text::trim[inside] -> <>"));
  assert.equal(runFlow(outer, ["a"], transaction({ observe }), nested), "A");
  assert.deepEqual(paths, [
    "start test/inside",
    "start test/inside/test/upper",
    "done test/inside/test/upper",
    "done test/inside",
  ]);
});

test("aborting the outer transaction ends a flow inside a flow", async () => {
  const controller = new AbortController();
  const inner = planBody(flowBody("<>.s -> slow::wait.s", "1000 -> wait.ms", "wait -> <>"));
  const clock = virtualClock(0);
  const nested: Invoke = (_target, args, scope) => runFlow(inner, args, scope, invokeSample);
  const outer = runFlow(
    planBody(flowBody("<>.s -> text::trim -> <>")),
    ["a"],
    transaction({ clock, signal: controller.signal }),
    nested,
  );
  controller.abort();
  await assert.rejects(Promise.resolve(outer), { code: "flow/cancelled", at: "test" });
  assert.equal(clock.now(), 0);
});

test("an observer that throws changes nothing", () => {
  const observe = (): void => {
    throw new Error("observer");
  };
  assert.deepEqual(runFlow(planBody(GREET), ["Ada"], transaction({ observe }), invokeSample), { greeting: "Hello, Ada!" });
});

test("an object with a method `then` is a value, not a promise", () => {
  const thenable = { greeting: "x", then: () => {} };
  const result = runFlow(planBody(flowBody("<>.name -> greeter::greet.name -> <>")), ["a"], transaction(), () => thenable);
  assert.equal(result, thenable);
});
