// The graph of a flow as one self-contained SVG: readable in light and dark, no fonts or scripts from elsewhere. Placed by ELK,
// which is loaded only here.

import type { ELK, ElkExtendedEdge, ElkNode } from "elkjs/lib/elk-api.js";
import { StarlaneError } from "../base/errors.ts";
import type { Graph, GraphEdge, GraphNode } from "../star/graph.ts";

const TITLE_CHAR = 8.5;
const SMALL_CHAR = 6.7;
const LABEL_CHAR = 6.1;
const LABEL_HEIGHT = 14;
const LONGEST_PORT = 40;
const ROW = 18;
const PAD = 14;
const MARGIN = 20;

const STYLE = `
  .page { fill: #ffffff } .box { fill: #f6f8fb; stroke: #9aa7b8 } .box.input, .box.output { fill: #e5f1ff; stroke: #5b94d6 }
  .box.core { fill: #fdf5e3; stroke: #c9a04a } .box.literal { fill: #f0f0f2; stroke: #b5b5bd; stroke-dasharray: 4 3 }
  .title { font-weight: 600; font-size: 14px; fill: #17202c } .small { font-size: 11px; fill: #556273 }
  .edge { fill: none; stroke: #5a6b80; stroke-width: 1.5 } .edge.error { stroke: #c8453b; stroke-dasharray: 5 4 }
  .head { fill: #5a6b80 } .head.error { fill: #c8453b } .port { fill: #ffffff; stroke: #5a6b80 } .port.error { stroke: #c8453b }
  .port.set { fill: #5a6b80 }
  .label { font-size: 10px; fill: #6b7787; paint-order: stroke; stroke: #ffffff; stroke-width: 4px }
  text { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace }
  @media (prefers-color-scheme: dark) {
    .page { fill: #0f1620 } .box { fill: #1a2431; stroke: #4a5b70 } .box.input, .box.output { fill: #14304f; stroke: #4d86c6 }
    .box.core { fill: #352b14; stroke: #a5833a } .box.literal { fill: #22262d; stroke: #5d646e }
    .title { fill: #e8eef6 } .small { fill: #a3b1c2 } .edge { stroke: #8fa3bb } .edge.error { stroke: #f0776d } .head { fill: #8fa3bb }
    .head.error { fill: #f0776d } .port { fill: #0f1620; stroke: #8fa3bb } .port.error { stroke: #f0776d } .port.set { fill: #8fa3bb }
    .label { fill: #93a1b3; stroke: #0f1620 }
  }`;

/** SVG text. @throws StarlaneError `starlane/internal` where the layout library fails */
export async function graphToSvg(graph: Graph): Promise<string> {
  const cards = new Map(graph.nodes.map((node) => [node.id, cardOf(node, graph)]));
  const placed = await layout(graph, cards);
  const width = Math.ceil((placed.width ?? 0) + 2 * MARGIN);
  const height = Math.ceil((placed.height ?? 0) + 2 * MARGIN);
  const boxes = (placed.children ?? []).map((child) => {
    const card = cards.get(child.id);
    return card === undefined ? "" : drawCard(card, (child.x ?? 0) + MARGIN, (child.y ?? 0) + MARGIN);
  });
  const edges = (placed.edges ?? []).map((edge, i) => drawEdge(graph.edges[i], edge));
  const labels = (placed.edges ?? []).map((edge, i) => drawLabel(graph.edges[i], edge));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escape(`flow ${graph.name}`)}">`,
    `<style>${STYLE}</style>`,
    `<rect class="page" width="${width}" height="${height}" rx="8"/>`,
    ...edges,
    ...labels.filter((label) => label !== ""),
    ...boxes,
    "</svg>",
    "",
  ].join("\n");
}

interface Port {
  readonly id: string;
  readonly text: string;
  readonly side: Side;
  readonly look: "" | " error" | " set";
  readonly y: number;
}

type Side = "left" | "right";

interface Card {
  readonly node: GraphNode;
  readonly lines: readonly string[];
  readonly width: number;
  readonly height: number;
  readonly ports: readonly Port[];
}

/** What stands beside a port. */
interface Row {
  readonly id: string;
  readonly text: string;
  readonly look: Port["look"];
}

function cardOf(node: GraphNode, graph: Graph): Card {
  const detail = node.detail === undefined || node.detail === node.title ? [] : [node.detail];
  const lines = [...detail, ...node.notes].map((line) => shorten(line, 44));
  const into = graph.edges.filter((edge) => edge.to === node.id).map((edge) => targetOf(edge, node));
  const from = graph.edges.filter((edge) => edge.from === node.id).map((edge) => sourceOf(edge, node));
  const left = node.inputs.map(({ name, constant }): Row => {
    const isSet = constant !== undefined;
    return { id: portId(node.id, "in", name), text: isSet ? `${name}: ${constant}` : name, look: isSet ? " set" : "" };
  });
  const outputs = node.outputs.map(({ name }): Row => ({ id: portId(node.id, "out", name), text: name, look: "" }));
  const [wholeIn, wholeOut, failure] = [portId(node.id, "in"), portId(node.id, "out"), portId(node.id, "error")];
  // Where the whole value is taken no part of it is left over: only those that are taken by themselves are shown.
  const right = from.includes(wholeOut) ? outputs.filter(({ id }) => from.includes(id)) : outputs;
  if (from.includes(failure)) right.push({ id: failure, text: "!", look: " error" });
  const top = 12 + ROW * (1 + lines.length);
  const rows = Math.max(left.length, right.length);
  const place = (side: Side, port: Row, i: number): Port => ({ ...port, side, y: top + ROW * i + ROW / 2 });
  const whole = (side: Side, id: string): Port => ({ id, text: "", look: "", side, y: ROW });
  const portText = longest(left) + longest(right) + 4;
  const width = Math.max(
    shorten(node.title, 40).length * TITLE_CHAR + 2 * PAD,
    Math.max(0, ...lines.map((l) => l.length)) * SMALL_CHAR + 2 * PAD,
    rows === 0 ? 0 : portText * SMALL_CHAR + 2 * PAD,
    72,
  );
  return {
    node,
    lines,
    width: Math.ceil(width),
    height: top + ROW * rows + (rows === 0 ? 0 : 8),
    ports: [
      ...(into.includes(wholeIn) ? [whole("left", wholeIn)] : []),
      ...left.map((row, i) => place("left", row, i)),
      ...(from.includes(wholeOut) ? [whole("right", wholeOut)] : []),
      ...right.map((row, i) => place("right", row, i)),
    ],
  };
}

function longest(rows: readonly Row[]): number {
  return Math.max(0, ...rows.map(({ text }) => Math.min(text.length, LONGEST_PORT)));
}

/** `name` undefined: the whole input or output, which joins the card beside its title. */
function portId(node: string, side: "in" | "out" | "error", name?: string): string {
  return JSON.stringify(name === undefined ? [node, side] : [node, side, name]);
}

function sourceOf({ kind, fromPort = "" }: GraphEdge, { id, outputs }: GraphNode): string {
  if (kind === "error") return portId(id, "error");
  return portId(id, "out", outputs.some(({ name }) => name === fromPort) ? fromPort : undefined);
}

function targetOf({ toPort = "" }: GraphEdge, { id, inputs }: GraphNode): string {
  return portId(id, "in", inputs.some(({ name }) => name === toPort) ? toPort : undefined);
}

async function layout(graph: Graph, cards: ReadonlyMap<string, Card>): Promise<ElkNode> {
  const elk = await loadElk();
  const end = (id: string, portOf: (node: GraphNode) => string): string => {
    const card = cards.get(id);
    return card === undefined ? id : portOf(card.node);
  };
  const input: ElkNode = {
    id: "flow",
    layoutOptions: {
      "elk.algorithm": "layered",
      "elk.direction": "RIGHT",
      "elk.edgeRouting": "ORTHOGONAL",
      "elk.layered.spacing.nodeNodeBetweenLayers": "56",
      "elk.layered.spacing.edgeNodeBetweenLayers": "18",
      "elk.spacing.nodeNode": "30",
      "elk.spacing.edgeNode": "16",
      "elk.layered.considerModelOrder.strategy": "NODES_AND_EDGES",
      "elk.layered.nodePlacement.strategy": "NETWORK_SIMPLEX",
      "elk.layered.edgeLabels.centerLabelPlacementStrategy": "TAIL_LAYER",
    },
    children: [...cards.values()].map((card) => ({
      id: card.node.id,
      width: card.width,
      height: card.height,
      layoutOptions: { "elk.portConstraints": "FIXED_POS" },
      ports: card.ports.map((port) => ({
        id: port.id,
        width: 0,
        height: 0,
        x: port.side === "left" ? 0 : card.width,
        y: port.y,
        layoutOptions: { "elk.port.side": port.side === "left" ? "WEST" : "EAST" },
      })),
    })),
    edges: graph.edges.map((edge, i) => ({
      id: `edge ${i}`,
      sources: [end(edge.from, (node) => sourceOf(edge, node))],
      targets: [end(edge.to, (node) => targetOf(edge, node))],
      labels:
        edge.label === undefined
          ? []
          : [{ text: edge.label, width: labelText(edge.label).length * LABEL_CHAR + 8, height: LABEL_HEIGHT }],
    })),
  };
  try {
    return await elk.layout(input);
  } catch (error) {
    throw new StarlaneError("starlane/internal", "the graph could not be placed", { cause: error });
  }
}

/** Its declarations describe an ES module, but it is a CommonJS one whose exports are the class. */
async function loadElk(): Promise<ELK> {
  const module: { readonly default: unknown } = await import("elkjs/lib/elk.bundled.js");
  if (typeof module.default !== "function") throw new StarlaneError("starlane/internal", "the layout library is not what it was");
  const elk: ELK = Reflect.construct(module.default, []);
  return elk;
}

function drawCard(card: Card, x: number, y: number): string {
  const { node, width, height } = card;
  const out = [
    `<g transform="translate(${round(x)} ${round(y)})">`,
    `<rect class="box ${node.kind}" width="${width}" height="${height}" rx="7"/>`,
    `<text class="title" x="${PAD}" y="${ROW + 4}">${escape(shorten(node.title, 40))}</text>`,
    ...card.lines.map((line, i) => `<text class="small" x="${PAD}" y="${ROW * (i + 2) + 3}">${escape(line)}</text>`),
  ];
  for (const port of card.ports) {
    const at = port.side === "left" ? `x="${PAD}"` : `x="${width - PAD}" text-anchor="end"`;
    out.push(`<circle class="port${port.look}" cx="${port.side === "left" ? 0 : width}" cy="${port.y}" r="3.5"/>`);
    if (port.text !== "")
      out.push(`<text class="small" ${at} y="${port.y + 4}">${escape(shorten(port.text, LONGEST_PORT))}</text>`);
  }
  return [...out, "</g>"].join("");
}

interface Point {
  readonly x: number;
  readonly y: number;
}

function drawEdge(edge: GraphEdge | undefined, { sections = [] }: ElkExtendedEdge): string {
  const kind = edge?.kind === "error" ? " error" : "";
  return sections
    .map((section) => {
      const points = [section.startPoint, ...(section.bendPoints ?? []), section.endPoint].map((p) => ({
        x: p.x + MARGIN,
        y: p.y + MARGIN,
      }));
      const end = points.at(-1) ?? { x: 0, y: 0 };
      const head = `<path class="head${kind}" d="M${round(end.x - 4)} ${round(end.y)}l-8 -4.5v9z"/>`;
      return `<path class="edge${kind}" d="${roundedPath(points)}"/>${head}`;
    })
    .join("");
}

/** Beside its edge, where the layout has made room for it. */
function drawLabel(edge: GraphEdge | undefined, { labels = [] }: ElkExtendedEdge): string {
  const [label] = labels;
  if (edge?.label === undefined || label === undefined) return "";
  const x = (label.x ?? 0) + (label.width ?? 0) / 2 + MARGIN;
  const y = (label.y ?? 0) + LABEL_HEIGHT / 2 + 3.5 + MARGIN;
  return `<text class="label" text-anchor="middle" x="${round(x)}" y="${round(y)}">${escape(labelText(edge.label))}</text>`;
}

function labelText(label: string): string {
  return shorten(label, 30);
}

/** A path along points with round corners. */
function roundedPath(points: readonly Point[]): string {
  const radius = 7;
  const parts: string[] = [];
  points.forEach((point, i) => {
    const before = points[i - 1];
    const after = points[i + 1];
    if (before === undefined) return void parts.push(`M${round(point.x)} ${round(point.y)}`);
    if (after === undefined) return void parts.push(`L${round(point.x)} ${round(point.y)}`);
    const a = towards(point, before, radius);
    const b = towards(point, after, radius);
    parts.push(`L${round(a.x)} ${round(a.y)}Q${round(point.x)} ${round(point.y)} ${round(b.x)} ${round(b.y)}`);
  });
  return parts.join("");
}

function towards(from: Point, to: Point, distance: number): Point {
  const length = Math.hypot(to.x - from.x, to.y - from.y);
  const part = length === 0 ? 0 : Math.min(distance, length / 2) / length;
  return { x: from.x + (to.x - from.x) * part, y: from.y + (to.y - from.y) * part };
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function shorten(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length - 1)}…` : text;
}

function escape(text: string): string {
  const named: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
  // oxlint-disable-next-line no-control-regex -- characters that XML does not have
  const clean = text.toWellFormed().replace(/[\u0000-\u001f\ufffe\uffff]/g, " ");
  return clean.replace(/[&<>"]/g, (c) => named[c] ?? c);
}
