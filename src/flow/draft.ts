// A flow while it is being checked: nodes and connections with what is known of them so far, and where mistakes go.

import type { Span } from "../base/diagnostics.ts";
import type { ErrorCode } from "../base/error-codes.ts";
import type { FlowText, InputPort, NodeDeclaration, OperationDeclaration, Setting } from "../manifest/manifest.ts";
import { Mistakes } from "../manifest/mistakes.ts";
import type { TypeScope } from "../wit/type-text.ts";
import type { ValType } from "../wit/types.ts";
import type { CoreNode, CoreOperation } from "./core/operation.ts";
import type { Settings } from "./core/settings.ts";
import type { Signature } from "./flow.ts";
import type { LiteralSyntax, NameSyntax, PathPart, Range } from "./syntax.ts";

/** What the components of an app offer, by their local names; `core` is not among them. */
export interface Operations {
  readonly components: Iterable<string>;
  /** Every operation of a component, as its table has it: `name` or `interface#name`; undefined: no such component. */
  operationsOf(component: string): Iterable<string> | undefined;
  /** The signature of one of those; also of a short name where that is enough. */
  signatureOf(component: string, operation: string): Signature | undefined;
}

export interface NodeDraft {
  readonly id: string;
  readonly component: string;
  /** As the component's table has it. */
  readonly operation: string;
  readonly declaration: NodeDeclaration | undefined;
  /** Where it is written first. */
  place: () => Span;
  /** Undefined where the operation is unknown, or generic and not typed yet. */
  signature: Signature | undefined;
  readonly core: CoreOperation | undefined;
  readonly settings: Settings | undefined;
  coreNode: CoreNode | undefined;
  /** Something is wrong with it that was reported: what follows from it is not. */
  broken: boolean;
  /** A name that is not there was most likely meant for it: what seems to be missing at it most likely is not. */
  meant: boolean;
  /** A line of the flow names it. */
  used: boolean;
  readonly incoming: Connection[];
  readonly outgoing: Connection[];
  readonly constants: ReadonlyMap<string, Setting>;
  /** Ports that a connection names. */
  readonly claimed: Set<string>;
  /** Its typed sources by port, in the order of the connections. */
  readonly ports: Map<string, Edge>;
  /** Which of its outputs unnamed connections take; undefined: the whole value. */
  readonly taken: Set<string | undefined>;
  /** It runs once per element of its streams. */
  mapped: boolean;
  /** The type of the stream that it then gives. */
  given: ValType | undefined;
  /** It may not run although the transaction succeeds. */
  skippable: boolean;
}

/** One `->`. */
export interface Connection {
  readonly source: SourceEnd;
  readonly fallback: LiteralSyntax | undefined;
  readonly sink: SinkEnd;
}

export type SourceEnd =
  | (Range & { readonly kind: "boundary"; readonly path: readonly PathPart[] })
  | (Range & { readonly kind: "node"; readonly node: NodeDraft; readonly path: readonly PathPart[] })
  | (Range & { readonly kind: "error"; readonly node: NodeDraft })
  | LiteralSyntax
  /** A node that does not exist; reported. */
  | (Range & { readonly kind: "unknown" });

export type SinkEnd =
  | (Range & { readonly kind: "boundary"; readonly port: NameSyntax | undefined })
  | (Range & { readonly kind: "node"; readonly node: NodeDraft; readonly port: NameSyntax | undefined })
  | (Range & { readonly kind: "drop" })
  | (Range & { readonly kind: "unknown" });

/** A connection that ends at one port, and what goes over it: the whole value of the source, or one port of it. */
export interface Edge {
  readonly connection: Connection;
  readonly port: string;
  readonly path: readonly PathPart[];
  /** Undefined for literals, and where it cannot be told (that was reported). */
  readonly type: ValType | undefined;
  /** `?? literal` for this port; of a connection that joins several ports the literal's field. */
  readonly fallback: LiteralSyntax | undefined;
}

/** An input port of the operation. */
export interface InputDraft {
  readonly name: string;
  readonly declared: InputPort | undefined;
  type: ValType | undefined;
  used: boolean;
  readonly place: () => Span;
}

/** `Mistakes` lists a hundred. */
const MOST_MISTAKES = 100;

/** What checking works on. */
export class Draft {
  readonly declaration: OperationDeclaration;
  readonly flow: FlowText;
  readonly operations: Operations;
  readonly types: TypeScope;
  readonly mistakes = new Mistakes();
  readonly nodes = new Map<string, NodeDraft>();
  readonly connections: Connection[] = [];
  readonly inputs = new Map<string, InputDraft>();
  /** Some line could not be read: what is missing may stand there. */
  readonly incomplete: boolean;

  constructor(declaration: OperationDeclaration, operations: Operations, types: TypeScope, incomplete: boolean) {
    this.declaration = declaration;
    this.flow = declaration.flow;
    this.operations = operations;
    this.types = types;
    this.incomplete = incomplete;
  }

  /** So many mistakes that no more are listed: looking on would only take time. */
  get isHopeless(): boolean {
    return this.mistakes.errorCount > MOST_MISTAKES;
  }

  wrong(code: ErrorCode, at: Range, message: string, cure: string): void {
    this.mistakes.error(code, this.flow.place(at.start, at.end), message, cure);
  }

  /** The text of a range, for cures. */
  text({ start, end }: Range): string {
    return this.flow.text.slice(start, Math.min(end, start + 60));
  }
}
