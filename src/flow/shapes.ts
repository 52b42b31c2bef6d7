// What a source offers and which port of a sink a connection ends at: "a port may be left out where there is one choice; between two
// sides with several ports an unnamed connection joins the ports of equal name".
//
// Where several rules could apply: ports that a connection names or `with` sets are taken; then, for one value, the only port left,
// the port of its name, the only one left that needs a value. A value made of ports (a record result) goes as a whole to a port that
// takes it; an operation with one output port gives that port's value.

import { listed, named } from "../manifest/mistakes.ts";
import { assignable } from "../wit/assignable.ts";
import type { ValType } from "../wit/types.ts";
import type { Draft, NodeDraft } from "./draft.ts";
import { givenBy, givenPorts } from "./mapping.ts";
import type { Range } from "./syntax.ts";

/** What a source offers. */
export interface Shape {
  /** The name of its one value, where it has one. */
  readonly name?: string | undefined;
  /** Its ports, where it has several or one by name. */
  readonly ports?: readonly Port[] | undefined;
  /** All of it as one value; undefined: it has none (the ways of a switch, the inputs of the operation), or its type is not known. */
  readonly whole?: ValType | undefined;
  /** The ports are what an operation gives, not parts of a value that a generic operation handed on. */
  readonly isPorts?: boolean | undefined;
  /** How the source is called in messages. */
  readonly label: string;
}

export interface Port {
  readonly name: string;
  readonly type: ValType | undefined;
}

/** A connection of one value (`field` undefined: the whole) to one port. */
export interface Join {
  readonly port: string;
  readonly field: string | undefined;
}

/** The ports of a sink, as far as they are still to be given a source. */
export interface SinkPorts {
  readonly label: string;
  readonly all: readonly SinkPort[];
  /** Not named by a connection, not set by `with`. */
  readonly left: readonly SinkPort[];
}

export interface SinkPort {
  readonly name: string;
  readonly type: ValType | undefined;
  readonly optional: boolean;
}

export function sinkPortsOf(label: string, all: readonly SinkPort[], isTaken: (name: string) => boolean): SinkPorts {
  return { label, all, left: all.filter(({ name }) => !isTaken(name)) };
}

export function portsOfNode(node: NodeDraft): SinkPorts {
  const all = node.signature?.params ?? [];
  return sinkPortsOf(`\`${node.id}\``, all, (name) => node.claimed.has(name) || node.constants.has(name));
}

/** To the port that the connection names. */
export function joinNamed(draft: Draft, shape: Shape, port: SinkPort, at: Range): Join | undefined {
  const field = fieldFor(shape, port);
  if (typeof field !== "symbol") return { port: port.name, field };
  const names = (shape.ports ?? []).map(({ name }) => name);
  draft.wrong(
    "flow/ambiguous-port",
    at,
    `${shape.label} has several ports: which one goes to \`${port.name}\`?`,
    `Name one of ${listed(names)}.`,
  );
  return undefined;
}

const NO_CHOICE: unique symbol = Symbol("no choice");

/** Which part of a source goes to one port: a field, undefined for the whole, NO_CHOICE where several could. */
function fieldFor(shape: Shape, port: SinkPort): string | symbol | undefined {
  const { ports, whole } = shape;
  if (ports === undefined) return undefined;
  const [only] = ports;
  const fits = (type: ValType | undefined): boolean =>
    type === undefined || port.type === undefined || assignable(type, port.type) !== undefined;
  const isOne = ports.length === 1 && shape.isPorts === true;
  if (isOne && only !== undefined && (fits(only.type) || whole === undefined || !fits(whole))) return only.name;
  if (whole !== undefined && fits(whole)) return undefined;
  const equal = ports.find(({ name }) => name === port.name);
  if (equal !== undefined && (whole === undefined || fits(equal.type))) return equal.name;
  return whole === undefined ? NO_CHOICE : undefined;
}

/** To a sink without a port: one join, or one for each pair of equal names. */
export function joinUnnamed(draft: Draft, shape: Shape, sink: SinkPorts, at: Range): readonly Join[] {
  const { left, label } = sink;
  const [first] = left;
  if (first === undefined) {
    if (sink.all.length === 0) draft.wrong("flow/unknown-port", at, `${label} takes no input`, "Start a new line with it.");
    else
      draft.wrong(
        "flow/duplicate-source",
        at,
        `every input of ${label} has a source already`,
        `Its inputs: ${listed(sink.all.map(({ name }) => name))}.`,
      );
    return [];
  }
  if (left.length === 1) {
    const join = joinNamed(draft, shape, first, at);
    return join === undefined ? [] : [join];
  }
  const { ports } = shape;
  if (ports === undefined || (ports.length === 1 && shape.isPorts === true)) return joinOne(draft, shape, sink, at);
  const equal = left.filter(({ name }) => ports.some((port) => port.name === name));
  if (equal.length > 0) return equal.map(({ name }) => ({ port: name, field: name }));
  const needed = onlyNeeded(left);
  if (needed !== undefined && shape.whole !== undefined) return [{ port: needed.name, field: undefined }];
  const [from, to] = [listed(ports.map(({ name }) => name)), listed(left.map(({ name }) => name))];
  draft.wrong(
    "flow/ambiguous-port",
    at,
    `${shape.label} (${from}) and ${label} (${to}) have no port of the same name`,
    "Write which port goes to which: one line for each.",
  );
  return [];
}

function joinOne(draft: Draft, shape: Shape, { left, label }: SinkPorts, at: Range): readonly Join[] {
  const field = shape.ports?.[0]?.name;
  const name = shape.name ?? field;
  const port = left.find((candidate) => candidate.name === name) ?? onlyNeeded(left);
  if (port !== undefined) return [{ port: port.name, field }];
  draft.wrong(
    "flow/ambiguous-port",
    at,
    `${label} has several inputs: to which one does this go?`,
    `Name one: ${left
      .map((candidate) => named(`${bare(label)}.${candidate.name}`))
      .slice(0, 8)
      .join(", ")}.`,
  );
  return [];
}

function bare(label: string): string {
  return label.replaceAll("`", "");
}

function onlyNeeded(left: readonly SinkPort[]): SinkPort | undefined {
  const needed = left.filter(({ optional }) => !optional);
  return needed.length === 1 ? needed[0] : undefined;
}

/** What a node offers as a source without a path. */
export function shapeOfNode(node: NodeDraft): Shape {
  const label = `\`${node.id}\``;
  const whole = givenBy(node);
  const ports = givenPorts(node);
  if (ports === undefined) return { label, whole };
  if (node.coreNode?.routes === true) return { label, ports };
  return { label, ports, whole, isPorts: node.core === undefined };
}
