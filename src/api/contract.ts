// What a Starlane process tells about the apps it carries, and lets a person do with them: the interface between `api/server.ts` and the
// dashboard, over HTTP on a listener of its own. Plain data; every answer is JSON. Errors are an `ApiError` with a fitting status.
//
//   GET  /api/v1/state     State
//   GET  /api/v1/events    Server-Sent Events: `state` (State, once at the start and at each change), `transaction` (TransactionView: the
//                          latest ones at the start, oldest first, then each as it ends; of many at once some are left out)
//   POST /api/v1/invoke    InvokeRequest -> InvokeAnswer
//
// Only pages of the listener itself may ask: requests with another `Host` or `Origin` are answered with 403.

import type { Graph } from "../star/graph.ts";
import type { JsonSchema } from "../wit/json-schema.ts";

export interface State {
  /** Counts the versions that were served, from 1; the one that answers requests now. 0: none yet. */
  readonly version: number;
  /** `broken`: the last change could not be served, so the version before still answers. */
  readonly status: "starting" | "building" | "ready" | "broken";
  /** What people open: `http://127.0.0.1:8080`. */
  readonly addresses: readonly string[];
  readonly apps: readonly AppView[];
  /** Of the last change; empty when `ready`, but for warnings. */
  readonly problems: readonly Problem[];
}

export interface AppView {
  readonly name: string;
  readonly version?: string | undefined;
  readonly description?: string | undefined;
  /** As people know it. */
  readonly file: string;
  readonly operations: readonly OperationView[];
  readonly components: readonly ComponentView[];
  /** What starts transactions, a line each: `GET /users/{id} -> users::find`. */
  readonly triggers: readonly string[];
}

export interface ComponentView {
  readonly name: string;
  readonly kind: "wasm" | "app";
  readonly file: string;
  readonly sizeBytes?: number | undefined;
  /** The lines of the manifest that it is granted, as text. */
  readonly grants: readonly string[];
  readonly operations: readonly OperationView[];
}

export interface OperationView {
  /** As `invoke` takes it. */
  readonly name: string;
  readonly description?: string | undefined;
  readonly ports: readonly PortView[];
  /** WIT text. */
  readonly result?: string | undefined;
  /** Of a flow. */
  readonly graph?: Graph | undefined;
}

export interface PortView {
  readonly name: string;
  /** WIT text. */
  readonly type: string;
  /** Of a stream, that of the list of its elements: so they are given, and so a result is told. Empty: JSON has no form for the type. */
  readonly schema: JsonSchema;
  readonly isRequired: boolean;
  readonly default?: unknown;
  /** A value to begin with. */
  readonly sample: unknown;
}

/** A mistake, or why something could not be built. */
export interface Problem {
  readonly severity: "error" | "warning";
  readonly code: string;
  readonly message: string;
  /** `file:line:column`, or where else. */
  readonly at?: string | undefined;
  /** The lines around it, with a caret; or what a tool printed. */
  readonly frame?: string | undefined;
  readonly cure?: string | undefined;
}

export interface InvokeRequest {
  readonly app: string;
  /** Of a component of the app; without it, an operation of the app itself. */
  readonly component?: string | undefined;
  readonly operation: string;
  /** JSON by port. */
  readonly input: Readonly<Record<string, unknown>>;
}

export interface InvokeAnswer {
  readonly transaction: TransactionView;
  /** JSON; absent where it failed. */
  readonly result?: unknown;
  readonly error?: ApiError | undefined;
}

export interface TransactionView {
  readonly id: string;
  readonly app: string;
  /** `text::upper` where a component's own was tried. */
  readonly operation: string;
  /** `GET /users/{id}`, `schedule nightly`, `page`. */
  readonly trigger: string;
  /** Milliseconds since 1970. */
  readonly startedMs: number;
  readonly durationMs: number;
  readonly outcome: "ok" | "failed";
  readonly error?: ApiError | undefined;
  /** What its guests printed and logged; cut to 64 KB. */
  readonly output: string;
}

export interface ApiError {
  readonly code: string;
  readonly message: string;
  readonly at?: string | undefined;
  readonly cure?: string | undefined;
  /** The operation's own error value, as JSON. */
  readonly payload?: unknown;
  /** Of the values of ports. */
  readonly mistakes?: readonly InputMistake[] | undefined;
}

export interface InputMistake {
  /** The port, with the way to the wrong part: `order.items[3].name`. */
  readonly path: string;
  readonly message: string;
  readonly cure?: string | undefined;
}
