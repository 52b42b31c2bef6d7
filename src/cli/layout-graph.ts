// Places a graph in layers for a terminal: longest-path layers, virtual nodes where an edge passes a layer, fewer crossings by
// barycentres, columns by pulling nodes towards their neighbours. Deterministic; work is bounded by the number of edges times layers.

import type { Graph } from "../star/graph.ts";

/** A node or a point that an edge passes; `left` and `width` in columns. */
export interface Placed {
  readonly node: string | undefined;
  readonly width: number;
  layer: number;
  left: number;
  readonly above: Link[];
  readonly below: Link[];
}

/** A piece of an edge between two neighbouring layers. */
export interface Link {
  readonly from: Placed;
  readonly to: Placed;
  readonly kind: "value" | "error";
}

const GAP = 2;
const SWEEPS = 8;

/** Layers from top to bottom, each from left to right. `widthOf` is the width of a node's box in columns. */
export function layoutGraph(graph: Graph, widthOf: (node: string) => number): Placed[][] {
  const layerOf = layersOf(graph);
  const placed = new Map<string, Placed>();
  for (const node of graph.nodes) {
    placed.set(node.id, {
      node: node.id,
      width: widthOf(node.id),
      layer: layerOf.get(node.id) ?? 0,
      left: 0,
      above: [],
      below: [],
    });
  }
  const layers: Placed[][] = Array.from({ length: Math.max(0, ...layerOf.values()) + 1 }, () => []);
  for (const place of placed.values()) layers[place.layer]?.push(place);
  joinLayers(graph, placed, layers);
  orderLayers(layers);
  placeColumns(layers);
  return layers.filter((layer) => layer.length > 0);
}

/** The length of the longest way to a node; literals stand right above the node they feed, the output below everything. */
function layersOf(graph: Graph): Map<string, number> {
  const layer = new Map<string, number>(graph.nodes.map((n) => [n.id, 0]));
  const inDegree = new Map<string, number>(graph.nodes.map((n) => [n.id, 0]));
  for (const edge of graph.edges) inDegree.set(edge.to, (inDegree.get(edge.to) ?? 0) + 1);
  const ready = graph.nodes.filter((n) => inDegree.get(n.id) === 0).map((n) => n.id);
  const outgoing = Map.groupBy(graph.edges, (edge) => edge.from);
  for (let i = 0; i < ready.length; i++) {
    const id = ready[i] ?? "";
    for (const edge of outgoing.get(id) ?? []) {
      layer.set(edge.to, Math.max(layer.get(edge.to) ?? 0, (layer.get(id) ?? 0) + 1));
      const left = (inDegree.get(edge.to) ?? 0) - 1;
      inDegree.set(edge.to, left);
      if (left === 0) ready.push(edge.to);
    }
  }
  const last = Math.max(0, ...layer.values());
  for (const node of graph.nodes) {
    const targets = (outgoing.get(node.id) ?? []).map((edge) => layer.get(edge.to) ?? 0);
    if (node.kind === "literal" && targets.length > 0) layer.set(node.id, Math.max(0, Math.min(...targets) - 1));
    if (node.kind === "output") layer.set(node.id, Math.max(last, layer.get(node.id) ?? 0));
  }
  return layer;
}

/** Links each edge from layer to layer; edges of one source to one target are one line. */
function joinLayers(graph: Graph, placed: ReadonlyMap<string, Placed>, layers: Placed[][]): void {
  const passing = new Map<string, Placed>();
  const joined = new Set<string>();
  for (const edge of graph.edges) {
    const from = placed.get(edge.from);
    const to = placed.get(edge.to);
    const name = `${edge.kind} ${edge.from} ${edge.to}`;
    if (from === undefined || to === undefined || to.layer <= from.layer || joined.has(name)) continue;
    joined.add(name);
    let at = from;
    for (let layer = from.layer + 1; layer < to.layer; layer++) {
      // What leaves one source passes a layer once, however many nodes it goes to.
      const key = `${edge.kind} ${edge.from} ${layer}`;
      let point = passing.get(key);
      if (point === undefined) {
        point = { node: undefined, width: 1, layer, left: 0, above: [], below: [] };
        passing.set(key, point);
        layers[layer]?.push(point);
        link(at, point, edge.kind);
      }
      at = point;
    }
    link(at, to, edge.kind);
  }
}

function link(from: Placed, to: Placed, kind: "value" | "error"): void {
  const made: Link = { from, to, kind };
  from.below.push(made);
  to.above.push(made);
}

function orderLayers(layers: Placed[][]): void {
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    const down = sweep % 2 === 0;
    for (const layer of down ? layers : layers.toReversed()) {
      const neighbours = down ? layers[(layer[0]?.layer ?? 0) - 1] : layers[(layer[0]?.layer ?? 0) + 1];
      const position = new Map((neighbours ?? []).map((place, i) => [place, i]));
      const weight = new Map(
        layer.map((place, i) => [
          place,
          barycentre(down ? place.above.map((l) => l.from) : place.below.map((l) => l.to), position) ?? i,
        ]),
      );
      layer.sort((a, b) => (weight.get(a) ?? 0) - (weight.get(b) ?? 0));
    }
  }
}

function barycentre(neighbours: readonly Placed[], position: ReadonlyMap<Placed, number>): number | undefined {
  if (neighbours.length === 0) return undefined;
  return neighbours.reduce((sum, n) => sum + (position.get(n) ?? 0), 0) / neighbours.length;
}

function placeColumns(layers: Placed[][]): void {
  for (const layer of layers) pack(layer, () => 0);
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    const down = sweep % 2 === 0;
    for (const layer of down ? layers : layers.toReversed()) {
      pack(layer, (place) => {
        const centres = (down ? place.above.map((l) => l.from) : place.below.map((l) => l.to)).map(centreOf);
        return centres.length === 0
          ? place.left
          : Math.round(centres.reduce((a, b) => a + b, 0) / centres.length - (place.width - 1) / 2);
      });
    }
  }
  const leftmost = Math.min(...layers.flat().map((place) => place.left));
  for (const place of layers.flat()) place.left -= leftmost;
}

/** Gives each place the column it wants where there is room, in order: groups that collide share their mean. */
function pack(layer: readonly Placed[], wanted: (place: Placed) => number): void {
  interface Block {
    start: number;
    readonly places: Placed[];
    readonly offsets: number[];
    width: number;
  }
  const blocks: Block[] = [];
  for (const place of layer) {
    let block: Block = { start: wanted(place), places: [place], offsets: [0], width: place.width };
    for (let last = blocks.at(-1); last !== undefined && last.start + last.width + GAP > block.start; last = blocks.at(-1)) {
      blocks.pop();
      const shift = last.width + GAP;
      const total = last.places.length + block.places.length;
      const start = Math.round((last.start * last.places.length + (block.start - shift) * block.places.length) / total);
      block = {
        start,
        places: [...last.places, ...block.places],
        offsets: [...last.offsets, ...block.offsets.map((o) => o + shift)],
        width: shift + block.width,
      };
    }
    blocks.push(block);
  }
  for (const block of blocks) block.places.forEach((place, i) => (place.left = block.start + (block.offsets[i] ?? 0)));
}

/** The column where lines leave a place. */
export function centreOf(place: Placed): number {
  return place.left + Math.floor((place.width - 1) / 2);
}
