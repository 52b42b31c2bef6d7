import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { FlowText } from "../manifest/manifest.ts";
import { MAX_LINES, MAX_TEXT, parseFlow, parsePathText } from "./parse.ts";
import type { FlowLine, PathPart } from "./syntax.ts";

function flowText(text: string): FlowText {
  const source = { file: "flow", text };
  return { text, span: { source, start: 0, end: text.length }, place: (start, end) => ({ source, start, end }) };
}

function parseOne(text: string): FlowLine {
  const { lines, diagnostics } = parseFlow(flowText(text));
  assert.deepEqual(diagnostics, []);
  const [line] = lines;
  assert(line !== undefined && lines.length === 1);
  return line;
}

/** A line without offsets. */
function shape(text: string): unknown {
  return JSON.parse(
    JSON.stringify(parseOne(text), (key, value: unknown) => (key === "start" || key === "end" ? undefined : value)),
  );
}

test("a line has a source, steps and a sink", () => {
  assert.deepEqual(shape("<>.name -> text::trim.s -> hi.name"), {
    source: { kind: "boundary", path: [{ kind: "name", name: "name" }] },
    steps: [
      { kind: "node", node: { kind: "use", component: { name: "text" }, operation: { name: "trim" } }, port: { name: "s" } },
    ],
    sink: { kind: "node", node: { kind: "id", id: "hi" }, port: { name: "name" } },
  });
});

test("an id stands in brackets behind the operation, an index behind it", () => {
  const line = parseOne("csv::parse[rows].table[0].name -> drop");
  assert(line.source.kind === "node" && line.source.node.kind === "use");
  assert.equal(line.source.node.id?.name, "rows");
  assert.deepEqual(
    line.source.path.map((part: PathPart) => (part.kind === "name" ? part.name : part.index)),
    ["table", 0, "name"],
  );
});

test("an operation may be named with its interface", () => {
  for (const name of ["case#upper", "acme:text/case#upper", "acme:text/case@1.0.0-rc.1#upper"]) {
    const { source } = parseOne(`text::${name}[up].x -> <>.y # comment`);
    assert(source.kind === "node" && source.node.kind === "use");
    assert.equal(source.node.operation.name, name);
    assert.equal(source.node.id?.name, "up");
  }
});

test("literals are JSON, also over several lines", () => {
  const values: [string, unknown][] = [
    ['"a; # \\u0041 -> b"', "a; # A -> b"],
    ["-1.5e3", -1500],
    ["true", true],
    ["null", null],
    ['{ "a": [1, {"b": []}],\n "c": {} }', { a: [1, { b: [] }], c: {} }],
  ];
  for (const [text, value] of values) {
    const { source } = parseOne(`${text} -> x.y`);
    assert(source.kind === "literal");
    assert.deepEqual(source.value, value);
  }
});

test("`??` and `!` belong to the source", () => {
  assert.deepEqual(shape('hi.greeting ?? "Hello" -> <>.greeting'), {
    source: { kind: "node", node: { kind: "id", id: "hi" }, path: [{ kind: "name", name: "greeting" }] },
    fallback: { kind: "literal", value: "Hello" },
    steps: [],
    sink: { kind: "boundary", port: { name: "greeting" } },
  });
  assert.deepEqual(shape("hi! -> drop"), {
    source: { kind: "error", node: { kind: "id", id: "hi" } },
    steps: [],
    sink: { kind: "drop" },
  });
});

test("lines end at line breaks and semicolons, comments run to the line break", () => {
  const { lines, diagnostics } = parseFlow(
    flowText("a::b -> drop; c::d -> drop # e -> f; g\r\n\n  # only a comment\n;;h::i -> drop"),
  );
  assert.deepEqual(diagnostics, []);
  assert.equal(lines.length, 3);
});

test("arrows need no spaces, and a `-` inside a name is no arrow", () => {
  const { sink, source } = parseOne("a-b->c-d");
  assert(sink.kind === "node" && sink.node.kind === "id" && source.kind === "node" && source.node.kind === "id");
  assert.deepEqual([source.node.id, sink.node.id], ["a-b", "c-d"]);
});

test("offsets are those of the text", () => {
  const text = "  <>.name -> text::trim.s -> hi.name";
  const line = parseOne(text);
  const at = ({ start, end }: { readonly start: number; readonly end: number }): string => text.slice(start, end);
  assert.deepEqual(
    [at(line), at(line.source), line.steps.map(at), at(line.sink)],
    [text.trim(), "<>.name", ["text::trim.s"], "hi.name"],
  );
});

test("after a mistake the next line is read", () => {
  const { lines, diagnostics } = parseFlow(flowText('a::b => drop\nc::d -> drop; e::f -> "x; y" ; g::h -> drop\ni::j'));
  assert.equal(lines.length, 2);
  assert.equal(diagnostics.length, 3);
});

test("texts that are too large are refused before they are read", () => {
  const [tooLong] = parseFlow(flowText("x".repeat(MAX_TEXT + 1))).diagnostics;
  assert.equal(tooLong?.code, "flow/too-large");
  const many = parseFlow(flowText("a::b->drop\n".repeat(MAX_LINES + 1)));
  assert.equal(many.diagnostics[0]?.code, "flow/too-large");
});

test("a megabyte of anything is read in bounded time", () => {
  const size = MAX_TEXT;
  for (const piece of [
    "[",
    '{"a":',
    '"',
    "-",
    "a-",
    "->",
    "<>",
    ".a",
    "[0]",
    "a::b[",
    "#",
    "\\",
    "??",
    "a::",
    "a:b/",
    "\n",
    "; ",
    "a -> ",
    "é",
  ]) {
    const { diagnostics } = parseFlow(flowText(piece.repeat(Math.floor(size / piece.length))));
    assert(diagnostics.length <= 101);
  }
});

const pieces = fc.constantFrom(
  "<>",
  ".",
  "a",
  "b-c",
  "::",
  "->",
  "[",
  "]",
  "0",
  "1",
  "!",
  "??",
  '"x"',
  '"',
  "{",
  "}",
  ",",
  ":",
  " ",
  "\n",
  ";",
  "#",
  "drop",
  "null",
  "-",
  "\\",
  "é",
  "\u{1f600}",
  "\ud800",
  "core",
  "é",
);

test("no text crashes the parser, and every mistake has its place in the text", () => {
  const texts = fc.oneof(
    fc.array(pieces, { maxLength: 40 }).map((list) => list.join("")),
    fc.string({ unit: "binary", maxLength: 200 }),
  );
  fc.assert(
    fc.property(texts, (text) => {
      for (const { span, message, cure } of parseFlow(flowText(text)).diagnostics) {
        assert(
          span.start >= 0 && span.start <= span.end && span.end <= text.length,
          `${span.start} ${span.end} of ${text.length}`,
        );
        assert(message.length > 0 && message.length < 400 && cure !== undefined);
      }
    }),
    { numRuns: 2000 },
  );
});

test("a path may be written for itself", () => {
  assert.deepEqual(
    parsePathText("customer.name[0]")?.map((part) => (part.kind === "name" ? part.name : part.index)),
    ["customer", "name", 0],
  );
  for (const wrong of ["", "a..b", "a b", "a.", "[x]", "a!", "a".repeat(10_000)])
    assert.equal(parsePathText(wrong)?.length ?? 0, 0, wrong.slice(0, 10));
});
