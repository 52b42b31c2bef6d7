// A flow after checking: every name resolved, every port typed, every connection proven. Plain frozen data, complete: planning
// and drawing read nothing else.

import type { Conversion } from "../wit/assignable.ts";
import type { ValType } from "../wit/types.ts";
import type { CoreRun } from "./core/operation.ts";
import type { Signature } from "./flow.ts";

export interface CheckedFlow {
  /** The name of the operation. */
  readonly operation: string;
  /** The flow as an operation: what who uses it sees. */
  readonly signature: Signature;
  readonly inputs: readonly CheckedInput[];
  /** In the order they run: sources before what they feed, otherwise as written. */
  readonly nodes: readonly CheckedNode[];
  readonly result: CheckedResult;
  /** Sources that end in `drop`, but streams: those that nobody reads are known without. */
  readonly drops: readonly CheckedSource[];
}

export interface CheckedInput {
  readonly name: string;
  readonly type: ValType;
  /** The value where none is given, as a JS value of the type. */
  readonly default?: { readonly value: unknown } | undefined;
}

/** `record`: one port a field; `value`: the one bare value; `none`: the flow gives nothing. */
export type CheckedResult =
  | { readonly kind: "none" }
  | { readonly kind: "value"; readonly type: ValType; readonly source: CheckedSource }
  | { readonly kind: "record"; readonly ports: readonly CheckedOutput[] };

export interface CheckedOutput {
  readonly name: string;
  readonly type: ValType;
  readonly source: CheckedSource;
}

export interface CheckedNode {
  readonly id: string;
  readonly component: string;
  /** As the component's operation table has it. */
  readonly operation: string;
  readonly signature: Signature;
  /** What runs a `core::` operation; undefined: the flow's `invoke` does. */
  readonly core?: CoreRun | undefined;
  /** By the signature's params; undefined where nothing is connected and none is needed. */
  readonly args: readonly (CheckedSource | undefined)[];
  readonly timeoutMs?: number | undefined;
  readonly retry?: { readonly attempts: number; readonly backoffMs: number } | undefined;
  readonly concurrency?: number | undefined;
  /** It runs once per element of the streams among its sources, and gives a stream. */
  readonly mapped: boolean;
  /** Its error output is connected: a failure of it is data. */
  readonly caught: boolean;
}

/** Where a value comes from and what is done to it on the way. */
export interface CheckedSource {
  readonly from:
    | { readonly kind: "input"; readonly index: number }
    | { readonly kind: "node"; readonly index: number }
    /** The error output of a node. */
    | { readonly kind: "error"; readonly index: number }
    /** Of the type that it feeds. */
    | { readonly kind: "constant"; readonly value: unknown };
  readonly path: readonly Access[];
  /** The type behind the path, before the conversion. */
  readonly type: ValType;
  /** Of each element where `stream` is there. */
  readonly conversion?: Conversion | undefined;
  /** The value of `??`, of the type that the source feeds; of a stream, of its elements. */
  readonly fallback?: { readonly value: unknown } | undefined;
  readonly stream?: StreamUse | undefined;
}

/** How a source and a port are joined where one of them is a stream. */
export interface StreamUse {
  /** `each`: the node runs once per element; `whole`: the stream itself; `one`: the value becomes a stream of one element. */
  readonly use: "each" | "whole" | "one";
  /** Of the stream that the source gives. */
  readonly element: ValType | undefined;
}

/** One step on the way to a value. `elements`: what follows is done to each element of a stream. */
export type Access = ValueAccess | { readonly kind: "elements" };

/** One step into a value. `field`: a key of a record; `item`: always there; `element`: of a list, may be missing; `route`: a case of a switch. */
export type ValueAccess =
  | { readonly kind: "field"; readonly name: string; readonly key: string }
  | { readonly kind: "item"; readonly index: number }
  | { readonly kind: "element"; readonly index: number }
  | { readonly kind: "route"; readonly port: string };
