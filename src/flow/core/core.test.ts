import assert from "node:assert/strict";
import { test } from "node:test";
import { virtualClock } from "../../base/clock.ts";
import type { Invoke, NodeEvent } from "../flow.ts";
import { flowBody, invokeSample, planBody, runBody, transaction } from "../sample.ts";
import { runFlow } from "../run.ts";
import { CORE_OPERATIONS } from "./core.ts";
import { loadExpressions } from "./expression.ts";

await loadExpressions();

async function resultOf(body: string, ...inputs: readonly unknown[]): Promise<unknown> {
  return (await runBody(body, inputs)).result;
}

const SWITCH = `input: { num: u32 }
nodes:
  size: { uses: "core::switch", with: { cases: { big: "value > 100", even: "value % 2 == 0" } } }
${flowBody("<>.num -> size", "size.big -> math::half[a] -> core::merge[m]", "size.even -> m", "size.otherwise -> core::delay[d] -> m", "m -> <>.num").replace("core::delay[d]", "d")}`.replace(
  "nodes:",
  'nodes:\n  d: { uses: "core::delay", with: { for: 5ms } }',
);

test("a switch by expressions takes the first case that holds, and merge joins the ways again", async () => {
  assert.deepEqual(await resultOf(SWITCH, 200), { num: 100 });
  assert.deepEqual(await resultOf(SWITCH, 8), { num: 8 });
  assert.deepEqual(await resultOf(SWITCH, 7), { num: 7 });
  const { events } = await runBody(SWITCH, [8]);
  assert.deepEqual(events, ["start size", "done size", "skipped a", "skipped d", "start m", "done m"]);
});

test("a switch without cases goes by the cases of a variant, with their payloads", async () => {
  const body = flowBody(
    "<>.num -> math::kind -> core::switch",
    "switch.even -> <>.even",
    "switch.odd -> <>.odd",
    "switch.zero -> <>.zero",
  );
  assert.deepEqual(await resultOf(body, 4), { even: 4, odd: undefined, zero: undefined });
  assert.deepEqual(await resultOf(body, 5), { even: undefined, odd: 5, zero: undefined });
  assert.deepEqual(await resultOf(body, 0), { even: undefined, odd: undefined, zero: { tag: "zero" } });
});

test("a switch goes by options, bools, enums and results", async () => {
  const option = `input: { v: "option<u32>" }\n${flowBody("<>.v -> core::switch", "switch.some -> math::half -> <>.half", "switch.none -> drop")}`;
  assert.deepEqual(await resultOf(option, 4), { half: 2 });
  assert.deepEqual(await resultOf(option, undefined), { half: undefined });
  const bool = `input: { v: bool }\n${flowBody("<>.v -> core::switch", "switch.true -> <>.a", "switch.false -> <>.b")}`;
  assert.deepEqual(await resultOf(bool, false), { a: undefined, b: false });
  const kind = `input: { v: "enum { red, green }" }\n${flowBody("<>.v -> core::switch", "switch.red -> <>.a", "switch.green -> <>.b")}`;
  assert.deepEqual(await resultOf(kind, "green"), { a: undefined, b: "green" });
  const result = `input: { v: "result<u32, string>" }\n${flowBody("<>.v -> core::switch", "switch.ok -> <>.a", "switch.error -> <>.b")}`;
  assert.deepEqual(await resultOf(result, { tag: "err", val: "no" }), { a: undefined, b: "no" });
});

test("merge takes the first in order where several arrive, widens, and is skipped where none arrives", async () => {
  const both = `input: { a: u8, b: u32 }\n${flowBody("<>.a -> core::merge", "<>.b -> merge", "merge -> <>.x")}`;
  assert.deepEqual(await resultOf(both, 1, 2), { x: 1 });
  assert.equal(planBody(both).signature.result?.kind, "record");
  const literal = `input: { v: "option<u32>" }\n${flowBody("<>.v -> core::switch", "switch.some -> core::merge", "7 -> merge", "switch.none -> drop", "merge -> <>.x")}`;
  assert.deepEqual(await resultOf(literal, 3), { x: 3 });
  assert.deepEqual(await resultOf(literal, undefined), { x: 7 });
});

test("merge fails where one of its ways failed", async () => {
  const body = flowBody("<>.s -> math::fail -> core::merge", "<>.s -> merge", "merge -> <>.x");
  await assert.rejects(runBody(body, ["a"]), { at: "test/fail" });
});

test("race takes the first value and cancels what only the others needed", async () => {
  const clock = virtualClock(0);
  const aborted: string[] = [];
  const invoke: Invoke = (target, args, inner) => {
    if (target.operation === "wait") inner.signal.addEventListener("abort", () => aborted.push(target.path));
    return invokeSample(target, args, inner);
  };
  const body = flowBody(
    "<>.s -> slow::wait[slow].s",
    "500 -> slow.ms",
    "slow -> text::upper -> core::race",
    '"fast" -> slow::wait[fast].s',
    "100 -> fast.ms",
    "fast -> race",
    "race -> <>.x",
  );
  const { result, events } = await runBody(body, ["s"], { clock }, invoke);
  assert.deepEqual(result, { x: "fast" });
  assert.equal(clock.now(), 100);
  assert.deepEqual(aborted, ["test/slow"]);
  assert.deepEqual(events, ["start slow", "start fast", "done fast", "start race", "done race", "skipped slow", "skipped upper"]);
});

test("race goes on where a racer fails, and fails where all do", async () => {
  const one = flowBody(
    "<>.s -> math::fail -> core::race",
    "<>.s -> slow::wait.s",
    "10 -> wait.ms",
    "wait -> race",
    "race -> <>.x",
  );
  assert.deepEqual(await resultOf(one, "a"), { x: "a" });
  const all = flowBody("<>.s -> math::fail -> core::race", "<>.s -> math::bug -> race", "race -> <>.x");
  await assert.rejects(runBody(all, ["a"]), { at: "test/fail" });
});

test("a node that others need too is not cancelled by a race", async () => {
  const body = flowBody(
    "<>.s -> slow::wait.s",
    "100 -> wait.ms",
    "wait -> core::race",
    '"now" -> race',
    "race -> <>.x",
    "wait -> <>.y",
  );
  assert.deepEqual(await resultOf(body, "s"), { x: "now", y: "s" });
});

test("in a race of synchronous nodes the first one written wins, and the others never run", async () => {
  const body = flowBody("<>.s -> text::trim -> core::race", "<>.s -> text::upper -> race", "race -> <>.x");
  const { result, events } = await runBody(body, [" a "]);
  assert.deepEqual(result, { x: "a" });
  assert.deepEqual(events, ["start trim", "done trim", "start race", "done race", "skipped upper"]);
});

test("pick takes a part of a value", async () => {
  const body = `nodes:\n  city: { uses: "core::pick", with: { path: address.city } }\n${flowBody("<>.id -> users::get -> city -> <>.city")}`;
  assert.deepEqual(await resultOf(body, 1), { city: "Bern" });
});

test("zip makes a tuple of its inputs in the order they are connected", async () => {
  const body = flowBody(
    "<>.s -> text::length -> core::zip.len",
    "<>.s -> zip.text",
    "zip -> <>.pair",
    "zip[1] -> text::upper -> <>.upper",
  );
  assert.deepEqual(await resultOf(body, "abc"), { pair: [3, "abc"], upper: "ABC" });
});

test("expr computes with the fields and lists of its inputs, and types its result", async () => {
  const body = `input: { order-list: "list<record { unit-price: u32, count: u8 }>", rate: f64 }
nodes:
  sum: { uses: "core::expr", with: { expr: "order_list.map(o, o.unit_price * o.count)" } }
  first: { uses: "core::expr", with: { expr: "{'total': double(sums[0]) * rate, 'label': 'n' + string(size(sums))}", type: "record { total: f64, label: string, note: option<string> }" } }
${flowBody("<>.order-list -> sum.order-list", "sum -> first.sums", "<>.rate -> first.rate", "first -> <>")}`;
  assert.deepEqual(await resultOf(body, [{ unitPrice: 5, count: 3 }], 1.5), { total: 22.5, label: "n1", note: undefined });
});

test("expr sees enums as texts, flags as lists, options as null, variants as tag and val, and gives them back", async () => {
  const types = {
    e: "enum { a, b }",
    f: "flags { x, y }",
    o: "option<u32>",
    v: "variant { one(u32), two }",
    m: "map<string, u32>",
    t: "tuple<u8, string>",
  };
  const input = Object.entries(types)
    .map(([name, type]) => `${name}: "${type}"`)
    .join(", ");
  const expr = "[e, f.size() > 0 ? f[0] : 'none', o == null ? 'none' : string(o), v.tag, string(m['k']), t[1]]";
  const body = `input: { ${input} }
nodes:
  all: { uses: "core::expr", with: { expr: "${expr}", type: "list<string>" } }
  same: { uses: "core::expr", with: { expr: v, type: "${types.v}" } }
${flowBody(...Object.keys(types).map((name) => `<>.${name} -> all.${name}`), "<>.v -> same.v", "all -> <>.all", "same -> <>.same")}`;
  const values = ["b", { x: true, y: false }, undefined, { tag: "one", val: 3 }, new Map([["k", 9]]), [1, "z"]];
  assert.deepEqual(await resultOf(body, ...values), { all: ["b", "x", "none", "one", "9", "z"], same: { tag: "one", val: 3 } });
});

test("an expression that cannot be computed, or gives a value out of range, fails its node", async () => {
  const body = `nodes:\n  over: { uses: "core::expr", with: { expr: "100 / num", type: u8 } }\ninput: { num: s32 }\n${flowBody("<>.num -> over", "over -> <>.x")}`;
  assert.deepEqual(await resultOf(body, 4), { x: 25 });
  await assert.rejects(runBody(body, [0]), { code: "flow/expression-failed", message: /division by zero/ });
  await assert.rejects(runBody(body, [-1]), { code: "flow/expression-failed", message: /no `u8`/ });
});

test("an expression over long lists inside each other is refused before it runs", async () => {
  const body = `input: { nums: "list<u32>" }\nnodes:\n  all: { uses: "core::expr", with: { expr: "nums.map(a, nums.map(b, a + b))" } }\n${flowBody("<>.nums -> all", "all -> <>.x")}`;
  await assert.rejects(runBody(body, [new Uint32Array(100_000)]), { code: "flow/expression-failed", message: /100000 elements/ });
});

test("assert hands its value on, or fails with its message", async () => {
  const body = `nodes:\n  ok: { uses: "core::assert", with: { that: "value.size() < 3", message: too long } }\n${flowBody("<>.s -> ok -> text::upper -> <>.x")}`;
  assert.deepEqual(await resultOf(body, "ab"), { x: "AB" });
  await assert.rejects(runBody(body, ["abc"]), { code: "flow/assertion-failed", message: "too long", at: "test/ok" });
});

test("log hands its value on, and tells the observer", () => {
  const events: NodeEvent[] = [];
  const body = `nodes:\n  note: { uses: "core::log", with: { message: user, level: debug } }\n${flowBody("<>.id -> users::get -> note")}`;
  runFlow(planBody(body), [1], transaction({ observe: (event) => events.push(event) }), invokeSample);
  const log = events.find(({ kind }) => kind === "log");
  assert.deepEqual([log?.path, log?.level, log?.message], ["test/note", "debug", "user"]);
  assert.deepEqual(log?.value, { name: "user 1", age: 40, address: { city: "Bern", zip: null } });
});

test("delay waits by the clock of the transaction", async () => {
  const clock = virtualClock(0);
  const body = `nodes:\n  wait: { uses: "core::delay", with: { for: 90s } }\n${flowBody("<>.s -> wait -> text::upper -> <>.x")}`;
  assert.deepEqual((await runBody(body, ["a"], { clock })).result, { x: "A" });
  assert.equal(clock.now(), 90_000);
});

test("every operation is described for people", () => {
  for (const { name, description, inputs, outputs, settings } of CORE_OPERATIONS.values()) {
    for (const text of [description, inputs, outputs, ...settings.map((setting) => setting.description)])
      assert.match(text, /[.]$/, name);
  }
});
