// What an operation of `core::` is: generic, so its ports and types follow from its settings and from what is connected to it. Each
// one says which inputs it takes, and makes a signature of its own for every node that uses it.

import type { OperationTarget, Signature, Transaction } from "../flow.ts";
import type { TypeScope } from "../../wit/type-text.ts";
import type { ValType } from "../../wit/types.ts";
import type { Stream } from "../streams/stream.ts";
import type { Settings } from "./settings.ts";

export interface CoreOperation {
  readonly name: string;
  /** One sentence, for `inspect` and the reference. */
  readonly description: string;
  /** What its ports are and how their types follow, in words. */
  readonly inputs: string;
  readonly outputs: string;
  readonly settings: readonly CoreSetting[];
  /**
   * `value`: one port of that name. `open`: as many as are connected, named by the connection or numbered from 1.
   * `variables`: those that its expression names.
   */
  readonly takes: "value" | "open" | "variables";
  /** Its output is only what came in, and may be left unconnected. */
  readonly mayEnd?: boolean | undefined;
  /** It works on streams themselves; others run once per element of those that they get. */
  readonly streams?: boolean | undefined;
  /** It has expressions: `loadExpressions` must have been called. */
  readonly computes?: boolean | undefined;
  /** The names of its ports, for `variables`; undefined where the settings are wrong (they were reported). */
  readonly ports?: ((settings: Settings) => readonly string[] | undefined) | undefined;
  /** Types one use of it; undefined where something is wrong, which was reported. */
  readonly check: (use: CoreUse) => CoreNode | undefined;
}

interface CoreSetting {
  readonly name: string;
  /** The kind of JSON that it takes, in words. */
  readonly kind: string;
  readonly required: boolean;
  readonly description: string;
}

/** One node that uses a `core::` operation, its sources typed. */
export interface CoreUse {
  readonly settings: Settings;
  readonly inputs: readonly CoreInput[];
  /** Types that type expressions may name. */
  readonly types: TypeScope;
  /** Reports a mistake of the node as a whole. */
  readonly wrong: (
    code: "flow/type-mismatch" | "flow/unknown-type" | "flow/unconnected-input",
    message: string,
    cure: string,
  ) => void;
}

export interface CoreInput {
  readonly name: string;
  readonly type: ValType;
  /** It comes from a literal: its type is only a guess, and yields to others. */
  readonly literal: boolean;
}

export interface CoreNode {
  readonly signature: Signature;
  readonly run: CoreRun;
  /** Only one of its outputs gives a value each time: the fields of `signature.result` are ways, not parts of one value. */
  readonly routes?: boolean | undefined;
}

/**
 * `merge` takes the first port that has a value, `race` the one that has it first; the run itself does both. `join` makes one stream of those
 * that are there.
 */
export type CoreRun =
  | { readonly kind: "call"; readonly call: CoreCall }
  | { readonly kind: "merge" }
  | { readonly kind: "race" }
  | { readonly kind: "join"; readonly join: (streams: readonly Stream[]) => Stream };

/** Like `Invoke`: the answer, or a promise of it. Of ports that are streams it gets a `Stream`, and may answer with one. */
export type CoreCall = (args: readonly unknown[], transaction: Transaction, target: OperationTarget) => unknown;

/** What a switch answers with: the value, and the one output that it takes. */
export class Routed {
  readonly port: string;
  readonly value: unknown;

  constructor(port: string, value: unknown) {
    this.port = port;
    this.value = value;
  }
}
