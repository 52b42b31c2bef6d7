// The spans of the nodes of one run of a flow, made from what the run tells of them: one for each node that starts, `core::` nodes too,
// from there to its last attempt. What `core::log` says goes to the log from here.

import type { NodeEvent } from "../../flow/flow.ts";
import type { Plan } from "../../flow/plan.ts";
import type { Host } from "../transaction.ts";
import { type Span, spanFailure } from "./telemetry.ts";

/** What is to be known of a flow to watch its runs; made once. */
export class WatchedFlow {
  /** By path; nodes of flows inside are not among them: their runs are watched for themselves. */
  readonly nodes: ReadonlyMap<string, Plan["nodes"][number]>;
  readonly #logs: boolean;

  constructor(plan: Plan) {
    this.nodes = new Map(plan.nodes.map((node) => [node.path, node]));
    this.#logs = plan.nodes.some(({ target }) => target.component === "core" && target.operation === "log");
  }

  /** Undefined: nobody wants to know. `path`: where the flow stands in its transaction. */
  watch({ telemetry, span }: Host, path: string | undefined): FlowWatch | undefined {
    if (telemetry === undefined || (span === undefined && !(this.#logs && telemetry.logs))) return undefined;
    return new FlowWatch(this, telemetry, span, path);
  }
}

/** One run of a flow that is watched. */
export class FlowWatch {
  readonly #flow: WatchedFlow;
  readonly #telemetry: NonNullable<Host["telemetry"]>;
  readonly #parent: Span | undefined;
  readonly #path: string | undefined;
  readonly #spans = new Map<string, Span>();

  constructor(flow: WatchedFlow, telemetry: NonNullable<Host["telemetry"]>, parent: Span | undefined, path: string | undefined) {
    this.#flow = flow;
    this.#telemetry = telemetry;
    this.#parent = parent;
    this.#path = path;
  }

  /** What calls of a node are part of. */
  spanOf(path: string): Span | undefined {
    return this.#spans.get(path) ?? this.#parent;
  }

  observe(event: NodeEvent): void {
    const { kind, path, error } = event;
    const node = this.#flow.nodes.get(path);
    if (node === undefined) return;
    if (kind === "log") return this.#telemetry.said(event, this.#whole(path), this.spanOf(path));
    if (kind === "start" && this.#parent !== undefined) {
      const { component, operation } = node.target;
      const attributes = { "starlane.node": this.#whole(path), "starlane.component": component, "starlane.operation": operation };
      return void this.#spans.set(path, this.#parent.child(node.id, "internal", attributes));
    }
    const span = this.#spans.get(path);
    if (span === undefined) return;
    const failure = error === undefined ? undefined : spanFailure(error.error);
    if (kind === "retry" || kind === "fallback") return span.event(kind, { "error.type": failure?.type });
    // One that runs and is skipped was called off.
    if (kind === "skipped") span.set({ "starlane.skipped": true });
    span.end(failure);
  }

  #whole(path: string): string {
    return this.#path === undefined ? path : `${this.#path}/${path}`;
  }
}
