// The boxes of a flow with their sizes and where their ports lie, before anything is placed.

import { shortened } from "../values/shortened.ts";
import type { Graph, GraphEdge, GraphNode } from "../../src/star/graph.ts";

export const ROW = 20;
const TOP = 34;
const LINE = 17;
const PAD = 17;
const LONGEST_LINE = 44;
const LONGEST_PORT = 36;
const NARROWEST = 96;

export interface CardPort {
  readonly id: string;
  readonly side: "left" | "right";
  readonly text: string;
  readonly look: "plain" | "constant" | "error";
  readonly y: number;
}

export interface Card {
  readonly node: GraphNode;
  /** Below the title: the operation it uses, settings. */
  readonly lines: readonly string[];
  readonly ports: readonly CardPort[];
  readonly width: number;
  readonly height: number;
}

/** The width of a text on a card. */
export type Measure = (text: string, font: "title" | "small") => number;

export function cardsOf(graph: Graph, measure: Measure): readonly Card[] {
  return graph.nodes.map((node) => cardOf(node, graph.edges, measure));
}

function cardOf(node: GraphNode, edges: readonly GraphEdge[], measure: Measure): Card {
  const detail = node.detail === undefined || node.detail === node.title ? [] : [node.detail];
  const lines = [...detail, ...node.notes].map((line) => shortened(line, LONGEST_LINE));
  const title = shortened(node.title, LONGEST_PORT);
  const top = TOP + LINE * lines.length;
  const left = inputRows(node);
  const right = outputRows(node, edges);
  const place =
    (side: CardPort["side"]) =>
    ({ id, text, look }: PortRow, i: number): CardPort => ({ id, text, look, side, y: top + ROW * i + ROW / 2 });
  const whole = (side: CardPort["side"], id: string): CardPort => ({ id, text: "", look: "plain", side, y: TOP / 2 });
  const wholeIn = edges.some((edge) => edge.to === node.id && targetOf(edge, node) === portId("in"));
  const wholeOut = edges.some((edge) => edge.from === node.id && sourceOf(edge, node) === portId("out"));
  const rows = Math.max(left.length, right.length);
  const widest = (texts: readonly string[]): number => Math.max(0, ...texts.map((text) => measure(text, "small")));
  const sides = widest(left.map(({ text }) => text)) + widest(right.map(({ text }) => text)) + (right.length > 0 ? 28 : 0);
  return {
    node,
    lines,
    ports: [
      ...(wholeIn ? [whole("left", portId("in"))] : []),
      ...left.map(place("left")),
      ...(wholeOut ? [whole("right", portId("out"))] : []),
      ...right.map(place("right")),
    ],
    width: Math.ceil(Math.max(NARROWEST, measure(title, "title") + 2 * PAD, widest(lines) + 2 * PAD, sides + 2 * PAD)),
    height: top + ROW * rows + (rows > 0 ? 8 : 0),
  };
}

type PortRow = Pick<CardPort, "id" | "text" | "look">;

function inputRows({ inputs }: GraphNode): readonly PortRow[] {
  return inputs.map(({ name, constant }) => {
    const text = constant === undefined ? name : `${name}: ${constant}`;
    return { id: portId("in", name), text: shortened(text, LONGEST_PORT), look: constant === undefined ? "plain" : "constant" };
  });
}

/** Where the whole value is taken, no part of it is left over: only the parts that are taken by themselves are shown. */
function outputRows(node: GraphNode, edges: readonly GraphEdge[]): readonly PortRow[] {
  const taken = new Set(edges.filter((edge) => edge.from === node.id).map((edge) => sourceOf(edge, node)));
  const rows = node.outputs
    .map(({ name }): PortRow => ({ id: portId("out", name), text: shortened(name, LONGEST_PORT), look: "plain" }))
    .filter(({ id, text }) => text !== "" && (!taken.has(portId("out")) || taken.has(id)));
  return taken.has(portId("error")) ? [...rows, { id: portId("error"), text: "error", look: "error" }] : rows;
}

/** `name` undefined: the whole input or output, which joins the card beside its title. */
function portId(side: "in" | "out" | "error", name?: string): string {
  return name === undefined ? side : `${side} ${name}`;
}

export function sourceOf({ kind, fromPort = "" }: GraphEdge, { outputs }: GraphNode): string {
  if (kind === "error") return portId("error");
  return portId("out", outputs.some(({ name }) => name !== "" && name === fromPort) ? fromPort : undefined);
}

export function targetOf({ toPort = "" }: GraphEdge, { inputs }: GraphNode): string {
  return portId("in", inputs.some(({ name }) => name === toPort) ? toPort : undefined);
}
