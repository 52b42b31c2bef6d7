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

  test("is the same SVG every time", async () => {
    assert.equal(await graphToSvg(FORK), await graphToSvg(FORK));
  });
});
