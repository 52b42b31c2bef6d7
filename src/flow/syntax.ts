// The syntax tree of a flow text: what was written, with UTF-16 offsets into that text; nothing is looked up yet.

import type { Json } from "../manifest/manifest.ts";

/** Offsets into the flow text, `end` exclusive. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/** `line := source { "->" step } "->" sink` */
export interface FlowLine extends Range {
  readonly source: SourceSyntax;
  /** The literal behind `??`. */
  readonly fallback?: LiteralSyntax | undefined;
  readonly steps: readonly StepSyntax[];
  readonly sink: SinkSyntax;
}

export type SourceSyntax =
  | (Range & { readonly kind: "boundary"; readonly path: readonly PathPart[] })
  | (Range & { readonly kind: "node"; readonly node: NodeSyntax; readonly path: readonly PathPart[] })
  | (Range & { readonly kind: "error"; readonly node: NodeSyntax })
  | LiteralSyntax;

export interface LiteralSyntax extends Range {
  readonly kind: "literal";
  readonly value: Json;
}

export interface StepSyntax extends Range {
  readonly kind: "node";
  readonly node: NodeSyntax;
  readonly port?: NameSyntax | undefined;
}

export type SinkSyntax =
  | (Range & { readonly kind: "boundary"; readonly port?: NameSyntax | undefined })
  | StepSyntax
  | (Range & { readonly kind: "drop" });

/** `id`, or `component::operation` with an optional `[id]`. */
export type NodeSyntax =
  | (Range & { readonly kind: "id"; readonly id: string })
  | (Range & {
      readonly kind: "use";
      readonly component: NameSyntax;
      /** `name` or `interface#name`. */
      readonly operation: NameSyntax;
      readonly id?: NameSyntax | undefined;
    });

export interface NameSyntax extends Range {
  readonly name: string;
}

export type PathPart = Range &
  ({ readonly kind: "name"; readonly name: string } | { readonly kind: "index"; readonly index: number });
