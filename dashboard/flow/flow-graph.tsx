// The flow of an operation as a graph that can be moved, enlarged and read with the keyboard.

import { Background, ReactFlow, ReactFlowProvider, useReactFlow, type Edge, type Node, type NodeChange } from "@xyflow/react";
import { useEffect, useMemo, useRef, useState, type JSX } from "react";
import type { AppView } from "../../src/api/contract.ts";
import type { Graph } from "../../src/star/graph.ts";
import { Icon, type IconName } from "../frame/icons.tsx";
import { Section } from "../frame/parts.tsx";
import { sourceOf, targetOf } from "./cards.ts";
import { CardNode, LineEdge, type CardData, type LineData } from "./drawing.tsx";
import { FlowText } from "./flow-text.tsx";
import { placeFlow, type PlacedFlow } from "./layout.ts";
import { measureText } from "./measure.ts";
import { NodeDetails } from "./node-details.tsx";

const LOWEST = 150;
const HIGHEST = 560;
const MARGIN = 28;
/** Below this, texts cannot be read: it is better to see a part. */
const READABLE = 0.4;
const START = { x: MARGIN / 2, y: MARGIN, zoom: 0.75 };
const FIT = { padding: 0.04, maxZoom: 1 };

/** Nothing here can be moved or removed. */
const WORDS = {
  "node.a11yDescription.default": "Enter shows its ports and types.",
  "node.a11yDescription.keyboardDisabled": "Enter shows its ports and types.",
};

const NODE_TYPES = { card: CardNode };
const EDGE_TYPES = { line: LineEdge };

export function FlowGraph({ graph, app }: { readonly graph: Graph; readonly app: AppView }): JSX.Element {
  const placed = usePlaced(graph);
  const [selected, select] = useState<string>();
  const [isWide, setWide] = useState(false);
  const node = graph.nodes.find(({ id }) => id === selected);
  useEffect(() => {
    if (!isWide) return undefined;
    const listen = (event: KeyboardEvent): void => {
      if (event.key === "Escape") setWide(false);
    };
    window.addEventListener("keydown", listen);
    return () => window.removeEventListener("keydown", listen);
  }, [isWide]);
  const aside = (
    <>
      <Legend graph={graph} />
      <ViewButtons isWide={isWide} onWide={() => setWide(!isWide)} />
    </>
  );
  return (
    <ReactFlowProvider>
      <Section id="flow" title="Flow" className={isWide ? "flow wide" : "flow"} aside={aside}>
        {typeof placed === "string" ? (
          <p className="empty">{placed}</p>
        ) : (
          <Canvas placed={placed} selected={selected} onSelect={select} isWide={isWide} />
        )}
        {node !== undefined && <NodeDetails node={node} graph={graph} app={app} onClose={() => select(undefined)} />}
        <FlowText graph={graph} />
      </Section>
    </ReactFlowProvider>
  );
}

/** The flow with its places, or why there is nothing to see yet. */
function usePlaced(graph: Graph): PlacedFlow | string {
  const [placed, setPlaced] = useState<{ readonly of: string; readonly as: PlacedFlow | string }>();
  const text = useMemo(() => JSON.stringify(graph), [graph]);
  useEffect(() => {
    let isCurrent = true;
    const set = (as: PlacedFlow | string): void => {
      if (isCurrent) setPlaced({ of: text, as });
    };
    placeFlow(graph, measureText).then(
      (flow) => set(flow ?? "The flow is too large to be drawn."),
      (error: unknown) => set(`The flow could not be drawn: ${String(error)}`),
    );
    return () => {
      isCurrent = false;
    };
    // A state that comes anew is another object with, mostly, the same flow.
  }, [text]); // oxlint-disable-line react-hooks/exhaustive-deps
  return placed?.of === text ? placed.as : (placed?.as ?? "The flow is being drawn.");
}

function Canvas({
  placed,
  selected,
  onSelect,
  isWide,
}: {
  readonly placed: PlacedFlow;
  readonly selected: string | undefined;
  readonly onSelect: (id: string | undefined) => void;
  readonly isWide: boolean;
}): JSX.Element {
  const nodes = useMemo(() => nodesOf(placed, selected), [placed, selected]);
  const edges = useMemo(() => edgesOf(placed), [placed]);
  const [element, setElement] = useState<HTMLDivElement | null>(null);
  const width = useWidth(element);
  const scale = Math.min(1, width / (placed.width + 2 * MARGIN));
  const isPart = !isWide && scale < READABLE;
  const highest = Math.min(HIGHEST, window.innerHeight * 0.65);
  const height = Math.min(highest, Math.max(LOWEST, placed.height * (isPart ? START.zoom : scale) + 2 * MARGIN));
  const change = (changes: readonly NodeChange<Node<CardData>>[]): void => {
    for (const each of changes) {
      if (each.type !== "select") continue;
      if (each.selected) return onSelect(each.id);
      if (each.id === selected) onSelect(undefined);
    }
  };
  return (
    <div ref={setElement} className="canvas" style={isWide ? undefined : { height }}>
      {width > 0 && (
        <ReactFlow
          nodes={nodes}
          edges={edges}
          nodeTypes={NODE_TYPES}
          edgeTypes={EDGE_TYPES}
          onNodesChange={change}
          onPaneClick={() => onSelect(undefined)}
          nodesDraggable={false}
          nodesConnectable={false}
          edgesFocusable={false}
          deleteKeyCode={null}
          selectionKeyCode={null}
          multiSelectionKeyCode={null}
          minZoom={0.1}
          maxZoom={2}
          zoomOnScroll={isWide}
          preventScrolling={isWide}
          proOptions={{ hideAttribution: true }}
          ariaLabelConfig={WORDS}
          aria-label="Flow"
        >
          <Background gap={20} size={1} />
          <View isPart={isPart} of={`${width} ${height} ${String(isWide)}`} placed={placed} />
        </ReactFlow>
      )}
    </div>
  );
}

/** Fits the flow into its canvas whenever one of them changes. */
function View({ isPart, of, placed }: { readonly isPart: boolean; readonly of: string; readonly placed: PlacedFlow }): undefined {
  const flow = useReactFlow();
  useEffect(() => {
    // The size of the canvas is measured first.
    const frame = requestAnimationFrame(() => {
      void (isPart ? flow.setViewport(START) : flow.fitView(FIT));
    });
    return () => cancelAnimationFrame(frame);
  }, [flow, isPart, of, placed]);
  return undefined;
}

function ViewButtons({ isWide, onWide }: { readonly isWide: boolean; readonly onWide: () => void }): JSX.Element {
  const flow = useReactFlow();
  return (
    <div className="view-buttons">
      <ViewButton name="Enlarge" icon="plus" onClick={() => void flow.zoomIn()} />
      <ViewButton name="Reduce" icon="minus" onClick={() => void flow.zoomOut()} />
      <ViewButton name="Show the whole flow" icon="fit" onClick={() => void flow.fitView(FIT)} />
      <ViewButton name={isWide ? "Back into the page" : "Fill the window"} icon={isWide ? "shrink" : "expand"} onClick={onWide} />
    </div>
  );
}

function ViewButton({
  name,
  icon,
  onClick,
}: {
  readonly name: string;
  readonly icon: IconName;
  readonly onClick: () => void;
}): JSX.Element {
  return (
    <button type="button" className="quiet" aria-label={name} title={name} onClick={onClick}>
      <Icon name={icon} />
    </button>
  );
}

function useWidth(element: HTMLElement | null): number {
  const [width, setWidth] = useState(0);
  const frame = useRef(0);
  useEffect(() => {
    if (element === null) return undefined;
    const observer = new ResizeObserver(() => {
      cancelAnimationFrame(frame.current);
      frame.current = requestAnimationFrame(() => setWidth(element.clientWidth));
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, [element]);
  return width;
}

function nodesOf({ cards }: PlacedFlow, selected: string | undefined): Node<CardData>[] {
  return cards.map(({ card, x, y }) => ({
    id: card.node.id,
    type: "card",
    position: { x, y },
    width: card.width,
    height: card.height,
    selected: card.node.id === selected,
    data: { card },
    ariaLabel: [card.node.kind === "operation" ? "node" : card.node.kind, card.node.title, ...card.lines].join(", "),
  }));
}

function edgesOf({ cards, edges }: PlacedFlow): Edge<LineData>[] {
  const nodes = new Map(cards.map(({ card }) => [card.node.id, card.node]));
  return edges.flatMap((placed, i) => {
    const { edge } = placed;
    const [source, target] = [nodes.get(edge.from), nodes.get(edge.to)];
    if (source === undefined || target === undefined) return [];
    return [
      {
        id: `edge ${i}`,
        type: "line",
        source: source.id,
        target: target.id,
        sourceHandle: sourceOf(edge, source),
        targetHandle: targetOf(edge, target),
        data: { placed },
      },
    ];
  });
}

const KINDS = { input: "input and output", operation: "operation", core: "built in", literal: "constant" } as const;

function Legend({ graph }: { readonly graph: Graph }): JSX.Element {
  const kinds = new Set(graph.nodes.map(({ kind }) => (kind === "output" ? "input" : kind)));
  return (
    <p className="legend" aria-hidden="true">
      {Object.entries(KINDS).map(([kind, text]) =>
        [...kinds].some((each) => each === kind) ? (
          <span key={kind} className={`is-${kind}`}>
            {text}
          </span>
        ) : undefined,
      )}
      {graph.edges.some(({ kind }) => kind === "error") && <span className="is-error">error</span>}
    </p>
  );
}
