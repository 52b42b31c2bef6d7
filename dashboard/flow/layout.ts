// Places the boxes of a flow in layers from left to right, by ELK, which is loaded when the first flow is shown. Bounds: MOST_NODES.

import type { ELK, ElkExtendedEdge, ElkNode } from "elkjs/lib/elk-api.js";
import type { Graph, GraphEdge } from "../../src/star/graph.ts";
import { shortened } from "../values/shortened.ts";
import { cardsOf, sourceOf, targetOf, type Card, type Measure } from "./cards.ts";

const MOST_NODES = 500;
const LONGEST_LABEL = 30;

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface PlacedCard extends Point {
  readonly card: Card;
}

export interface PlacedEdge {
  readonly edge: GraphEdge;
  readonly points: readonly Point[];
  readonly label?: (Point & { readonly text: string }) | undefined;
}

export interface PlacedFlow {
  readonly cards: readonly PlacedCard[];
  readonly edges: readonly PlacedEdge[];
  readonly width: number;
  readonly height: number;
}

/** Undefined where the flow is too large to be placed in a page. */
export async function placeFlow(graph: Graph, measure: Measure): Promise<PlacedFlow | undefined> {
  if (graph.nodes.length > MOST_NODES) return undefined;
  const cards = cardsOf(graph, measure);
  const elk = await loadElk();
  const { children = [], edges = [], width = 0, height = 0 } = await elk.layout(elkGraph(graph, cards, measure));
  return {
    cards: children.flatMap(({ x = 0, y = 0 }, i) => {
      const card = cards[i];
      return card === undefined ? [] : [{ card, x, y }];
    }),
    edges: edges.flatMap((placed, i) => {
      const edge = graph.edges[i];
      return edge === undefined ? [] : [{ edge, points: pointsOf(placed), label: labelOf(edge, placed) }];
    }),
    width,
    height,
  };
}

function elkGraph(graph: Graph, cards: readonly Card[], measure: Measure): ElkNode {
  const index = new Map(cards.map((card, i) => [card.node.id, i]));
  const end = (id: string, portOf: (card: Card) => string): string => {
    const i = index.get(id) ?? 0;
    const card = cards[i];
    return card === undefined ? String(i) : `${i} ${portOf(card)}`;
  };
  return {
    id: "flow",
    layoutOptions: {
      "elk.algorithm": "layered",
      "elk.direction": "RIGHT",
      "elk.edgeRouting": "ORTHOGONAL",
      "elk.layered.spacing.nodeNodeBetweenLayers": "36",
      "elk.layered.spacing.edgeNodeBetweenLayers": "14",
      "elk.spacing.nodeNode": "24",
      "elk.spacing.edgeNode": "16",
      "elk.layered.considerModelOrder.strategy": "NODES_AND_EDGES",
      "elk.layered.nodePlacement.strategy": "NETWORK_SIMPLEX",
      "elk.layered.edgeLabels.centerLabelPlacementStrategy": "TAIL_LAYER",
    },
    children: cards.map(({ width, height, ports }, i) => ({
      id: String(i),
      width,
      height,
      layoutOptions: { "elk.portConstraints": "FIXED_POS" },
      ports: ports.map(({ id, side, y }) => ({
        id: `${i} ${id}`,
        width: 0,
        height: 0,
        x: side === "left" ? 0 : width,
        y,
        layoutOptions: { "elk.port.side": side === "left" ? "WEST" : "EAST" },
      })),
    })),
    edges: graph.edges.map((edge, i) => ({
      id: `edge ${i}`,
      sources: [end(edge.from, ({ node }) => sourceOf(edge, node))],
      targets: [end(edge.to, ({ node }) => targetOf(edge, node))],
      labels:
        edge.label === undefined
          ? []
          : [{ text: edge.label, width: measure(shortened(edge.label, LONGEST_LABEL), "small") + 8, height: 16 }],
    })),
  };
}

function pointsOf({ sections = [] }: ElkExtendedEdge): readonly Point[] {
  return sections.flatMap(({ startPoint, bendPoints = [], endPoint }) => [startPoint, ...bendPoints, endPoint]);
}

function labelOf({ label }: GraphEdge, { labels: [place] = [] }: ElkExtendedEdge): PlacedEdge["label"] {
  if (label === undefined || place === undefined) return undefined;
  const { x = 0, y = 0, width = 0, height = 0 } = place;
  return { x: x + width / 2, y: y + height / 2, text: shortened(label, LONGEST_LABEL) };
}

/** A path along points with round corners. */
export function roundedPath(points: readonly Point[], radius = 8): string {
  const parts = points.map((point, i) => {
    const before = points[i - 1];
    const after = points[i + 1];
    if (before === undefined) return `M${point.x} ${point.y}`;
    if (after === undefined) return `L${point.x} ${point.y}`;
    const [a, b] = [towards(point, before, radius), towards(point, after, radius)];
    return `L${a.x} ${a.y}Q${point.x} ${point.y} ${b.x} ${b.y}`;
  });
  return parts.join("");
}

function towards(from: Point, to: Point, distance: number): Point {
  const length = Math.hypot(to.x - from.x, to.y - from.y);
  const part = length === 0 ? 0 : Math.min(distance, length / 2) / length;
  return { x: from.x + (to.x - from.x) * part, y: from.y + (to.y - from.y) * part };
}

let loading: Promise<ELK> | undefined;

function loadElk(): Promise<ELK> {
  loading ??= newElk();
  return loading;
}

/** Its declarations describe an ES module, but it is a CommonJS one whose exports are the class. */
async function newElk(): Promise<ELK> {
  const module: { readonly default: unknown } = await import("elkjs/lib/elk.bundled.js");
  if (typeof module.default !== "function") throw new Error("the layout library is not what it was");
  const elk: ELK = Reflect.construct(module.default, []);
  return elk;
}
