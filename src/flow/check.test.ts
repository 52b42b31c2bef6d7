import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { renderDiagnostic } from "../base/diagnostics.ts";
import type { OperationDeclaration } from "../manifest/manifest.ts";
import { printType } from "../wit/type-text.ts";
import type { ValType } from "../wit/types.ts";
import { checkFlow, usesExpressions, type CheckResult } from "./check.ts";
import type { CheckedFlow } from "./checked.ts";
import { loadExpressions } from "./core/expression.ts";
import { planFlow } from "./plan.ts";
import { checkBody, flowBody, operationsOf } from "./sample.ts";

await loadExpressions();

function checked(body: string): CheckedFlow {
  const { flow, diagnostics } = checkBody(body);
  assert(flow !== undefined, diagnostics.map(renderDiagnostic).join("\n"));
  return flow;
}

/** `(a: string, b?: u32) -> record { … }` */
function signatureText(body: string): string {
  const { params, result } = checked(body).signature;
  const shown = params.map(({ name, type, optional }) => `${name}${optional ? "?" : ""}: ${printType(type)}`).join(", ");
  return `(${shown}) -> ${result === undefined ? "nothing" : printType(result)}`;
}

function declarationOf(text: string): OperationDeclaration {
  const source = { file: "flow", text };
  const span = { source, start: 0, end: text.length };
  return { name: "test", nodes: [], flow: { text, span, place: (start, end) => ({ source, start, end }) }, span };
}

function checkText(text: string): CheckResult {
  return checkFlow(declarationOf(text), operationsOf());
}

function codesOf({ diagnostics }: CheckResult): readonly string[] {
  return diagnostics.map(({ code }) => code);
}

test("input ports have the types of what they feed, outputs those of what feeds them", () => {
  assert.equal(
    signatureText(
      flowBody(
        "<>.name -> greeter::greet.name",
        "<>.lang -> greet.lang",
        "greet.greeting -> <>.text",
        "<>.id -> users::get",
        "get.age -> <>.age",
        "get -> drop",
      ),
    ),
    "(name: string, lang?: option<string>, id: u32) -> record { text: string, age: u8 }",
  );
});

test("an input that feeds several ports has the type that fits all of them", () => {
  assert.equal(
    signatureText(flowBody("<>.s -> greeter::greet.lang", '"x" -> greet.name', "<>.s -> text::trim -> <>.y", "greet -> drop")),
    "(s: string) -> record { y: string }",
  );
});

test("an input type is found through operations that hand their value on", () => {
  const body = `nodes:\n  wait: { uses: "core::delay", with: { for: 1s } }\n${flowBody("<>.s -> core::log -> wait -> text::length -> <>")}`;
  assert.equal(signatureText(body), "(s: string) -> u32");
});

test("declared types, defaults and rules make the signature", () => {
  const body = `input: { s: { type: string, default: x }, o: "option<u32>", t: { trim: true }, d: { default: 3 } }\noutput: { x: "option<string>" }\n${flowBody(
    "<>.s -> text::trim -> <>.x",
    "<>.o -> drop",
    "<>.t -> core::log",
    "<>.d -> core::log[two]",
  )}`;
  assert.equal(signatureText(body), "(s?: string, o?: option<u32>, t: string, d?: s32) -> record { x: option<string> }");
});

test("one bare `<>` gives the value itself, several give its ports beside the others", () => {
  assert.equal(signatureText(flowBody("<>.s -> text::split -> <>")), "(s: string) -> record { first: string, rest: string }");
  assert.equal(signatureText(flowBody("<>.s -> text::trim -> <>")), "(s: string) -> string");
  assert.equal(
    signatureText(flowBody("<>.s -> text::split -> <>", "<>.s -> text::trim -> <>.x")),
    "(s: string) -> record { first: string, rest: string, x: string }",
  );
  assert.equal(signatureText(flowBody("<>.k -> store::save.key", '"v" -> save.value')), "(k: string) -> nothing");
});

test("a bare `<>` without declared ports gives a node what it still needs", () => {
  assert.equal(
    signatureText(flowBody("<> -> text::join", '"-" -> join.separator', "join -> <>")),
    "(a: string, b: string) -> string",
  );
});

test("an output that may be skipped is an option where its type is inferred", () => {
  assert.equal(
    signatureText(flowBody("<>.num -> math::half", "half -> <>.half", "half! -> <>.problem")),
    "(num: u32) -> record { half: option<u32>, problem: option<record { code: string, message: string, node: string, payload: option<variant { odd(u32), other }> }> }",
  );
  assert.equal(
    signatureText(flowBody("<>.num -> math::half", "half ?? 0 -> <>.half", "half! -> drop")),
    "(num: u32) -> record { half: u32 }",
  );
});

test("the only port left, the port of equal name, or the only one needed is meant where none is named", () => {
  const argsOf = (body: string): readonly (string | undefined)[] => {
    const node = checked(body).nodes.find(({ id }) => id === "join");
    return node?.signature.params.map(({ name }, i) => (node.args[i] === undefined ? undefined : name)) ?? [];
  };
  assert.deepEqual(argsOf(flowBody("<>.b -> text::join", "<>.a -> join", "join -> <>")), ["a", "b", undefined]);
  assert.deepEqual(argsOf(flowBody("<>.x -> text::join.a", "<>.y -> join", "join -> <>")), ["a", "b", undefined]);
});

test("a record goes as a whole where it fits, and by equal names between several ports", () => {
  assert.equal(signatureText(flowBody("<>.id -> users::get -> users::show -> <>")), "(id: u32) -> string");
  assert.equal(signatureText(flowBody("<>.id -> users::get -> users::save", "get.address -> drop")), "(id: u32) -> nothing");
});

test("operations are found by short names where these say enough", () => {
  const { nodes } = checked(
    flowBody("both::stop -> drop", "<>.a -> both::one#run[one] -> drop", "<>.a -> both::acme:a/two#run[two] -> drop"),
  );
  assert.deepEqual(
    nodes.map(({ operation }) => operation),
    ["acme:a/two@1.0.0#stop", "acme:a/one@1.0.0#run", "acme:a/two@1.0.0#run"],
  );
});

test("a node written with the same id and operation twice is one node", () => {
  assert.equal(checked(flowBody("<>.a -> text::join[j].a", "<>.b -> text::join[j].b", "j -> <>")).nodes.length, 1);
});

test("nodes are in an order in which they can run, otherwise as written", () => {
  const { nodes } = checked(
    flowBody(
      "c -> text::upper[d] -> <>.x",
      "<>.s -> text::trim[a] -> text::trim[b] -> text::trim[c]",
      "<>.s -> text::trim[e] -> <>.y",
    ),
  );
  assert.deepEqual(
    nodes.map(({ id }) => id),
    ["a", "b", "c", "d", "e"],
  );
});

test("mistakes of names, types and settings are found together, and what follows from them is not reported", () => {
  assert.deepEqual(
    codesOf(checkText("<>.s -> txt::trim[other] -> <>.x\n<>.t -> text::trim.q\n<>.u -> text::length -> text::upper -> <>.y")),
    ["flow/unknown-component", "flow/unknown-port", "flow/type-mismatch"],
  );
  assert.deepEqual(codesOf(checkText("<>.s => text::trim -> <>.x\ntrim -> text::upper -> <>.y")), ["flow/syntax"]);
});

test("whether a flow needs the expression library is told by its text", () => {
  assert.equal(usesExpressions(declarationOf("<>.a -> core::log")), false);
  assert.equal(usesExpressions(declarationOf("<>.a -> core::switch[x]")), true);
});

test("a chain of ten thousand nodes is checked and planned; one more is too many", () => {
  const chainOf = (count: number): string =>
    `<>.s -> ${Array.from({ length: count }, (_, i) => `text::trim[n${i}]`).join(" -> ")} -> <>`;
  const { flow } = checkText(chainOf(10_000));
  assert(flow !== undefined);
  assert.equal(planFlow(flow).nodes.length, 10_000);
  assert(codesOf(checkText(chainOf(10_001))).includes("flow/too-large"));
});

test("thousands of mistakes are found in bounded time, a hundred are listed", () => {
  const lines = (line: (i: number) => string): string => Array.from({ length: 20_000 }, (_, i) => line(i)).join("\n");
  for (const text of [
    lines((i) => `x${i} -> y${i}`),
    lines((i) => `<>.a${i} -> text::trm[t${i}]`),
    lines(() => "<>.a -> text::trim -> drop"),
    lines((i) => `<>.a${i} -> core::merge`),
    lines((i) => `<>.s -> <>.x${i}`),
  ]) {
    const { diagnostics, flow } = checkText(text);
    assert.equal(flow, undefined);
    assert(diagnostics.length > 0 && diagnostics.length <= 101);
  }
});

const names = fc.constantFrom(
  "text::trim",
  "text::join",
  "users::get",
  "users::save",
  "core::merge",
  "core::switch",
  "core::zip",
  "core::race",
  "core::log",
  "core::expr",
  "math::half",
  "trim",
  "join",
  "get",
  "merge",
  "switch",
  "zip",
  "half",
  "text::trim[t]",
  "t",
);
const source = fc.oneof(
  fc.constantFrom(
    "<>",
    "<>.a",
    "<>.b.c",
    '"x"',
    "3",
    "{}",
    "half!",
    "merge!",
    "get.name",
    "get.address.city",
    "zip[0]",
    "switch.x",
  ),
  names,
);
const sink = fc.oneof(fc.constantFrom("<>", "<>.x", "<>.y", "drop", "join.a", "join.b", "t.s", "merge.m"), names);
const line = fc
  .tuple(source, fc.constantFrom("", "", "", ' ?? "x"', " ?? 1"), fc.array(names, { maxLength: 3 }), sink)
  .map(([from, fallback, steps, to]) => [from + fallback, ...steps, to].join(" -> "));

test("no flow crashes the checker: it is checked and can be planned, or has mistakes with places and cures", () => {
  fc.assert(
    fc.property(fc.array(line, { minLength: 1, maxLength: 8 }), (lines) => {
      const text = lines.join("\n");
      const { flow, diagnostics } = checkText(text);
      if (flow !== undefined) planFlow(flow);
      else
        assert(
          diagnostics.some(({ severity }) => severity === "error"),
          text,
        );
      for (const { span, cure } of diagnostics)
        assert(span.start <= span.end && span.end <= text.length && cure !== undefined, text);
    }),
    { numRuns: 3000 },
  );
});

test("the type of an error output has the payload only where the operation has a typed error", () => {
  const problem = (operation: string): ValType | undefined => {
    const { result } = checked(flowBody(`<>.v -> ${operation}[op] -> drop`, "op! -> <>")).signature;
    return result?.kind === "option" ? result.type : undefined;
  };
  const [typed, untyped] = [problem("math::fail"), problem("text::trim")];
  assert(typed?.kind === "record" && untyped?.kind === "record");
  assert.deepEqual([typed.fields.at(-1)?.name, untyped.fields.at(-1)?.name], ["payload", "node"]);
});
