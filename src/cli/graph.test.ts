import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Graph, GraphEdge, GraphNode, GraphNodeKind } from "../star/graph.ts";
import { drawGraph } from "./draw-graph.ts";
import { graphToDot } from "./graph-dot.ts";
import { graphToSvg } from "./graph-svg.ts";

function node(id: string, kind: GraphNodeKind, detail?: string): GraphNode {
  const port = { name: kind === "output" || kind === "input" ? id : "s" };
  return {
    id,
    kind,
    title: id,
    detail,
    inputs: kind === "input" ? [] : [port],
    outputs: kind === "output" ? [] : [port],
    notes: [],
  };
}

function edge(from: string, to: string, kind: "value" | "error" = "value"): GraphEdge {
  return { from, to, kind };
}

const FORK: Graph = {
  name: "fork",
  nodes: [
    node("csv", "input"),
    node("parse", "operation", "csv::parse"),
    node("clean", "operation"),
    node("bad", "core", "core::collect"),
    node("report", "output"),
  ],
  edges: [
    edge("csv", "parse"),
    edge("parse", "clean"),
    edge("parse", "bad", "error"),
    edge("clean", "report"),
    edge("bad", "report"),
    edge("parse", "report"),
  ],
};

describe("drawing a graph in a terminal", () => {
  test("puts nodes in layers, joins them with lines, and tells errors apart", () => {
    const drawing = drawGraph(FORK, { width: 80, note: (id) => (id === "parse" ? "1.5 ms" : undefined) });
    assert.equal(
      drawing,
      `
             ┌────────┐
             │ <> csv │
             └───┬────┘
                 │
                 ▾
           ┌────────────┐
           │ parse      │
           │ csv::parse │
           │ 1.5 ms     │
           └─────┬──!───┘
    ┌────────────┴──╎─────────┐
    │              ┌┘         │
    ▾              ▾          │
┌───────┐  ┌───────────────┐  │
│ clean │  │ bad           │  │
└───┬───┘  │ core::collect │  │
    │      └───────┬───────┘  │
    └──────────┐ ┌─┘          │
               │ │ ┌──────────┘
               ▾ ▾ ▾
           ┌───────────┐
           │ <> report │
           └───────────┘`.slice(1),
    );
  });

  test("leaves out operations where a graph is too wide with them", () => {
    const columns = (text: string): number => Math.max(...text.split("\n").map((line) => line.length));
    const whole = drawGraph(FORK, { width: 80 });
    const narrow = drawGraph(FORK, { width: columns(whole) - 1 });
    assert.match(whole, /core::collect/);
    assert.match(narrow, /┌─/);
    assert.doesNotMatch(narrow, /::/);
  });

  test("tells a graph that is too wide or too large as a list", () => {
    const list = drawGraph(FORK, { width: 20 });
    assert.match(list, /^parse \(csv::parse\) ← csv$/m);
    assert.match(list, /^bad \(core::collect\) ← parse!$/m);
    const chain = Array.from({ length: 1000 }, (_, i) => node(`n${i}`, "operation"));
    const large: Graph = { name: "large", nodes: chain, edges: chain.slice(1).map(({ id }, i) => edge(`n${i}`, id)) };
    assert.equal(drawGraph(large, { width: 80 }).split("\n").length, 1000);
  });

  test("draws no node and no edge at all", () => {
    assert.equal(drawGraph({ name: "none", nodes: [], edges: [] }, { width: 80 }), "");
  });
});

describe("a graph for other programs", () => {
  const odd: Graph = { name: 'a"b', nodes: [node('x"<&>', "literal", "\u0001]]>")], edges: [] };

  test("is DOT with every name quoted", () => {
    assert.match(graphToDot(odd), /^digraph "a\\"b" \{/);
    assert.match(graphToDot(odd), /"x\\"<&>" \[label=/);
    assert.match(graphToDot(FORK), /"parse" -> "bad" \[label="", style=dashed/);
  });

  test("is SVG with every text escaped", async () => {
    const svg = await graphToSvg(odd);
    assert.match(svg, /x&quot;&lt;&amp;&gt;/);
    assert.ok(!svg.includes("\u0001"));
  });

  test("joins a whole value to the row of the title, and shows only the parts that are taken beside it", async () => {
    const record: GraphNode = { ...node("all", "operation"), inputs: [], outputs: ["one", "two"].map((name) => ({ name })) };
    const edges = [edge("all", "end"), { ...edge("all", "end"), fromPort: "two" }];
    const svg = await graphToSvg({ name: "whole", nodes: [record, { ...node("end", "output"), inputs: [] }], edges });
    assert.match(svg, />two</);
    assert.doesNotMatch(svg, />one</);
    assert.deepEqual(
      Array.from(svg.matchAll(/<circle class="port" cx="\d+" cy="(\d+)"/g), ([, y]) => y),
      ["18", "39", "18"],
    );
    const starts = Array.from(svg.matchAll(/<path class="edge" d="M([\d.]+) ([\d.]+)/g), ([, x, y]) => [Number(x), Number(y)]);
    const [, left = 0, top = 0] = /translate\(([\d.]+) ([\d.]+)\)"><rect class="box operation"/.exec(svg)?.map(Number) ?? [];
    assert.deepEqual(
      starts.map(([x = 0, y = 0]) => [x > left, y - top]),
      [
        [true, 18],
        [true, 39],
      ],
    );
  });

  test("shows constants at their ports and labels whole", async () => {
    const set: GraphNode = { ...node("set", "operation"), inputs: [{ name: "key", constant: '"month"' }] };
    const graph: Graph = { name: "set", nodes: [set, node("end", "output")], edges: [{ ...edge("set", "end"), label: "?? 0" }] };
    const svg = await graphToSvg(graph);
    assert.match(svg, /<circle class="port set"[^>]*\/><text [^>]*>key: &quot;month&quot;<\/text>/);
    assert.match(svg, /<text class="label"[^>]*>\?\? 0<\/text>/);
    assert.match(drawGraph(graph, { width: 80 }), /│ key: "month" │/);
    assert.match(graphToDot(graph), /key: \\"month\\"[\s\S]*\[label="\?\? 0"\]/);
  });

  test("is the same SVG every time", async () => {
    assert.equal(await graphToSvg(FORK), await graphToSvg(FORK));
  });
});
