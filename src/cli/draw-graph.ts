// Draws a graph with box characters: layers from top to bottom, one bus a source between them. Lines that cross do not join:
// the vertical one passes in front. Error outputs leave through a `!` and are drawn dashed.

import { notesOf, type Graph, type GraphNode } from "../star/graph.ts";
import { centreOf, layoutGraph, type Link, type Placed } from "./layout-graph.ts";

export interface DrawOptions {
  /** Columns there are; a graph that needs more is drawn without the operations of its nodes, then told as a list. */
  readonly width: number;
  /** A last line for a node's box: its time. */
  readonly note?: ((node: string) => string | undefined) | undefined;
}

const MAX_LABEL = 40;
/** Larger graphs are a list: nobody could follow their lines, and placing them takes long. */
const MAX_NODES = 150;
const MAX_EDGES = 400;

/** The drawing, lines without trailing blanks. */
export function drawGraph(graph: Graph, options: DrawOptions): string {
  if (graph.nodes.length > MAX_NODES || graph.edges.length > MAX_EDGES) return listGraph(graph, options);
  return drawBoxes(graph, options, true) ?? drawBoxes(graph, options, false) ?? listGraph(graph, options);
}

/** Undefined where it is wider than it may be. */
function drawBoxes(graph: Graph, options: DrawOptions, hasDetails: boolean): string | undefined {
  const labels = new Map(graph.nodes.map((node) => [node.id, labelOf(node, options, hasDetails)]));
  const entries = Map.groupBy(graph.edges, (edge) => edge.to);
  const layers = layoutGraph(graph, (id) => {
    const text = Math.max(...(labels.get(id) ?? [""]).map(lengthOf));
    return Math.max(text + 4, (entries.get(id)?.length ?? 0) * 2 + 3);
  });
  const columns = Math.max(0, ...layers.flat().map((place) => place.left + place.width));
  if (columns > options.width) return undefined;
  const canvas = new Canvas();
  let row = 0;
  for (const [i, layer] of layers.entries()) {
    const height = Math.max(...layer.map((place) => (place.node === undefined ? 1 : (labels.get(place.node)?.length ?? 0) + 2)));
    for (const place of layer) drawPlace(canvas, place, row, height, labels);
    row += height;
    if (i < layers.length - 1) row = drawChannel(canvas, layer, row);
  }
  return canvas.toString();
}

function labelOf(node: GraphNode, options: DrawOptions, hasDetails: boolean): string[] {
  const lines = [node.title];
  if (hasDetails && node.detail !== undefined && node.detail !== node.title) lines.push(node.detail);
  if (node.kind === "input") lines.splice(0, lines.length, `<> ${node.outputs.map((p) => p.name).join(", ")}`.trimEnd());
  if (node.kind === "output") lines.splice(0, lines.length, `<> ${node.inputs.map((p) => p.name).join(", ")}`.trimEnd());
  lines.push(...notesOf(node));
  const note = options.note?.(node.id);
  if (note !== undefined) lines.push(note);
  return lines.map((line) =>
    lengthOf(line) > MAX_LABEL
      ? `${Array.from(line)
          .slice(0, MAX_LABEL - 1)
          .join("")}…`
      : line,
  );
}

/** In columns: a character that is two columns wide or none is rare in names, and only makes its box look uneven. */
function lengthOf(text: string): number {
  return Array.from(text).length;
}

function drawPlace(
  canvas: Canvas,
  place: Placed,
  top: number,
  height: number,
  labels: ReadonlyMap<string, readonly string[]>,
): void {
  if (place.node === undefined) {
    const dashed = place.below[0]?.kind === "error";
    for (let row = top; row < top + height; row++)
      canvas.line(netOf(place, dashed ? "error" : "value"), row, place.left, UP | DOWN, dashed);
    return;
  }
  const lines = labels.get(place.node) ?? [];
  const inner = place.width - 2;
  canvas.text(top, place.left, `┌${"─".repeat(inner)}┐`);
  lines.forEach((line, i) => canvas.text(top + 1 + i, place.left, `│ ${line}${" ".repeat(inner - 1 - lengthOf(line))}│`));
  const bottom = top + 1 + lines.length;
  canvas.text(bottom, place.left, `└${"─".repeat(inner)}┘`);
  for (const kind of ["value", "error"] as const) {
    if (!place.below.some((l) => l.kind === kind)) continue;
    const x = exitOf(place, kind);
    canvas.text(bottom, x, kind === "error" ? "!" : "┬");
    for (let row = bottom + 1; row < top + height; row++) canvas.line(netOf(place, kind), row, x, UP | DOWN, kind === "error");
  }
}

/** What leaves one place by one output between two layers. */
interface Net {
  readonly id: string;
  readonly exit: number;
  readonly entries: readonly number[];
  /** Those of `entries` that end at a box; the others only pass. */
  readonly heads: ReadonlySet<number>;
  readonly dashed: boolean;
}

function drawChannel(canvas: Canvas, layer: readonly Placed[], top: number): number {
  const nets = layer.flatMap((place) => netsOf(place));
  const tracks = assignTracks(nets);
  const height = Math.max(0, ...tracks.values()) + 1;
  for (const net of nets) {
    const track = tracks.get(net) ?? 0;
    const { id, exit, entries, dashed } = net;
    for (let row = top; row < top + track; row++) canvas.line(id, row, exit, UP | DOWN, dashed);
    canvas.line(id, top + track, exit, UP, dashed);
    for (const entry of entries) {
      canvas.line(id, top + track, entry, DOWN, dashed);
      for (let x = Math.min(exit, entry); x < Math.max(exit, entry); x++) {
        canvas.line(id, top + track, x, RIGHT, dashed);
        canvas.line(id, top + track, x + 1, LEFT, dashed);
      }
      for (let row = top + track + 1; row < top + height; row++) canvas.line(id, row, entry, UP | DOWN, dashed);
    }
  }
  for (const net of nets)
    for (const entry of net.entries) canvas.text(top + height, entry, net.heads.has(entry) ? "▾" : net.dashed ? "╎" : "│");
  return top + height + 1;
}

function netsOf(place: Placed): Net[] {
  return (["value", "error"] as const).flatMap((kind) => {
    const links = place.below.filter((l) => l.kind === kind);
    const entries = links.map((l) => entryOf(l));
    const heads = new Set(links.filter((l) => l.to.node !== undefined).map((l) => entryOf(l)));
    return links.length === 0
      ? []
      : [{ id: netOf(place, kind), exit: exitOf(place, kind), entries, heads, dashed: kind === "error" }];
  });
}

const netIds = new WeakMap<Placed, number>();
let netCount = 0;

function netOf(place: Placed, kind: "value" | "error"): string {
  const known = netIds.get(place) ?? ++netCount;
  netIds.set(place, known);
  return `${known} ${kind}`;
}

function exitOf(place: Placed, kind: "value" | "error"): number {
  const centre = centreOf(place);
  const both = place.node !== undefined && kind === "error" && place.below.some((l) => l.kind === "value");
  return both ? Math.min(centre + 3, place.left + place.width - 2) : centre;
}

/** Lines into one box arrive side by side, in the order they come from. */
function entryOf(link: Link): number {
  const { above } = link.to;
  if (link.to.node === undefined || above.length === 1) return centreOf(link.to);
  const order = above.toSorted((a, b) => exitOf(a.from, a.kind) - exitOf(b.from, b.kind));
  return centreOf(link.to) - (above.length - 1) + 2 * order.indexOf(link);
}

/** A row for each net's horizontal part: no two on one row overlap, and a line down does not run into another's line up. */
function assignTracks(nets: readonly Net[]): Map<Net, number> {
  const tracks = new Map<Net, number>();
  const placing = new Set<Net>();
  const place = (net: Net): number => {
    const known = tracks.get(net);
    if (known !== undefined) return known;
    placing.add(net);
    let lowest = 0;
    for (const other of nets) {
      // The other's line comes down where this one's goes on: it must have turned before.
      if (other !== net && !placing.has(other) && net.entries.includes(other.exit)) lowest = Math.max(lowest, place(other) + 1);
    }
    placing.delete(net);
    while (nets.some((other) => other !== net && tracks.get(other) === lowest && overlaps(net, other))) lowest++;
    tracks.set(net, lowest);
    return lowest;
  };
  for (const net of nets) place(net);
  return tracks;
}

function overlaps(a: Net, b: Net): boolean {
  const [aFrom, aTo] = [Math.min(a.exit, ...a.entries), Math.max(a.exit, ...a.entries)];
  const [bFrom, bTo] = [Math.min(b.exit, ...b.entries), Math.max(b.exit, ...b.entries)];
  return aFrom <= bTo + 1 && bFrom <= aTo + 1;
}

const UP = 1;
const DOWN = 2;
const LEFT = 4;
const RIGHT = 8;
const GLYPHS = " ││││┘┐┤│└┌├─┴┬┼"
  .split("")
  .map((glyph, mask) => (mask === (LEFT | RIGHT) || mask === LEFT || mask === RIGHT ? "─" : glyph));
const DASHED: Readonly<Record<string, string>> = { "│": "╎", "─": "╌" };

class Canvas {
  readonly #rows: string[][] = [];
  readonly #lines = new Map<string, { readonly net: string; mask: number; readonly dashed: boolean }[]>();

  text(row: number, column: number, text: string): void {
    const cells = this.#row(row);
    for (const [i, char] of Array.from(text).entries()) this.#put(cells, column + i, char);
  }

  /** Adds directions to a net's line in a cell. */
  line(net: string, row: number, column: number, mask: number, dashed: boolean): void {
    const key = `${row} ${column}`;
    const cell = this.#lines.get(key) ?? [];
    this.#lines.set(key, cell);
    const own = cell.find((l) => l.net === net);
    if (own === undefined) cell.push({ net, mask, dashed });
    else own.mask |= mask;
    this.#put(this.#row(row), column, glyphOf(cell));
  }

  #row(row: number): string[] {
    while (this.#rows.length <= row) this.#rows.push([]);
    return this.#rows[row] ?? [];
  }

  #put(cells: string[], column: number, char: string): void {
    while (cells.length < column) cells.push(" ");
    cells[column] = char;
  }

  toString(): string {
    return this.#rows.map((cells) => cells.join("").trimEnd()).join("\n");
  }
}

function glyphOf(cell: readonly { readonly mask: number; readonly dashed: boolean }[]): string {
  const upright = cell.find((l) => l.mask === (UP | DOWN));
  const shown = cell.length > 1 && upright !== undefined ? [upright] : cell;
  const glyph = GLYPHS[shown.reduce((mask, l) => mask | l.mask, 0)] ?? " ";
  return shown.every((l) => l.dashed) ? (DASHED[glyph] ?? glyph) : glyph;
}

/** The same as text, one node a line with what it takes. */
function listGraph(graph: Graph, options: DrawOptions): string {
  const into = Map.groupBy(graph.edges, (edge) => edge.to);
  const title = new Map(graph.nodes.map((node) => [node.id, node.title]));
  return graph.nodes
    .map((node) => {
      const from = [
        ...new Set((into.get(node.id) ?? []).map((e) => `${title.get(e.from) ?? e.from}${e.kind === "error" ? "!" : ""}`)),
      ];
      const note = options.note?.(node.id);
      const detail = node.detail === undefined || node.detail === node.title ? "" : ` (${node.detail})`;
      return `${node.title}${detail}${from.length === 0 ? "" : ` ← ${from.join(", ")}`}${note === undefined ? "" : `   ${note}`}`;
    })
    .join("\n");
}
