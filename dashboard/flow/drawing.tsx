// How a box and a line of a flow look.

import { Handle, Position, type Edge, type EdgeProps, type Node, type NodeProps } from "@xyflow/react";
import type { JSX } from "react";
import { shortened } from "../values/shortened.ts";
import type { Card, CardPort } from "./cards.ts";
import { roundedPath, type PlacedEdge } from "./layout.ts";

export interface CardData extends Record<string, unknown> {
  readonly card: Card;
}

export interface LineData extends Record<string, unknown> {
  readonly placed: PlacedEdge;
}

export function CardNode({ data: { card } }: NodeProps<Node<CardData>>): JSX.Element {
  const { node, lines, ports } = card;
  return (
    <div className={`box is-${node.kind}`}>
      <p className="box-title">{shortened(node.title, 36)}</p>
      {lines.map((line, i) => (
        <p key={i} className="box-line">
          {line}
        </p>
      ))}
      {ports.map((port) => (
        <PortView key={port.id} port={port} />
      ))}
    </div>
  );
}

function PortView({ port }: { readonly port: CardPort }): JSX.Element {
  const { id, side, text, look, y } = port;
  return (
    <>
      <Handle
        id={id}
        type={side === "left" ? "target" : "source"}
        position={side === "left" ? Position.Left : Position.Right}
        className={look}
        style={{ top: y }}
        isConnectable={false}
      />
      {text !== "" && (
        <span className={`port-text ${side} ${look}`} style={{ top: y }}>
          {text}
        </span>
      )}
    </>
  );
}

export function LineEdge({ data }: EdgeProps<Edge<LineData>>): JSX.Element | undefined {
  if (data === undefined) return undefined;
  const { edge, points, label } = data.placed;
  const end = points.at(-1);
  return (
    <g className={`line ${edge.kind}`}>
      <path className="way" d={roundedPath(points)} />
      {end !== undefined && <path className="head" d={`M${end.x - 4} ${end.y}l-8 -4.500v9z`} />}
      {label !== undefined && (
        <text x={label.x} y={label.y} textAnchor="middle" dominantBaseline="central">
          {label.text}
        </text>
      )}
    </g>
  );
}
