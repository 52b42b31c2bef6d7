// The contract of a capability: something a component may import from the host. It has three moments: it is *linked* once
// (which interfaces it serves), *configured* once per app (its grant, checked before anything runs), and *prepared* once per
// transaction (state that knows the transaction's limits and dies with it).

import type { Imports } from "../engine/engine.ts";

/** What a capability may know of the transaction it serves. */
export interface CapabilityTransaction {
  readonly seed: number;
  /** Milliseconds since 1970; the virtual clocks start here. */
  readonly timestampMs: number;
  /** Takes what the guest prints and logs; the bytes are the receiver's own. Without it they are dropped. */
  readonly output?: ((stream: OutputStreamName, bytes: Uint8Array) => void) | undefined;
  /** Takes what the guest logs (`wasi:logging`), in place of lines in `output`; bounded as those are. */
  readonly log?: ((record: LogRecord) => void) | undefined;
  /** Told of each request that leaves; what it answers goes with the request, and the guest does not see it. Absent: it has no trace. */
  readonly outgoing?: ((request: OutgoingRequest) => OutgoingSpan | undefined) | undefined;
  /** How many bytes of output are handed on before the rest is dropped; 1 MiB where it is left out. */
  readonly outputLimitBytes?: number | undefined;
  /** Told of what the component asked for and is not granted: for its author, never for the component. */
  readonly denied?: ((denial: Denial) => void) | undefined;
  /** Aborts when the transaction is cancelled or its time is over; whatever a capability waits for ends then. */
  readonly signal?: AbortSignal | undefined;
  /** The transaction that this call of a component is part of; absent where it stands alone, and ends with `Binding.finish`. */
  readonly whole?: WholeTransaction | undefined;
}

/** Something that a component asked for and is not granted. Whoever prints it bounds it, and escapes what is not to be printed. */
export interface Denial {
  /** What it asked for, as the component names it: `the bucket "links"`. */
  readonly target: string;
  /** The line under its name in `grants:` that would allow it; names in capitals are for its author to choose. */
  readonly grant: string;
}

/** A request that is sent to another server; the path is without its query. */
export interface OutgoingRequest {
  readonly method: string;
  readonly scheme: "http" | "https";
  readonly host: string;
  readonly port: number;
  readonly path: string;
}

/** A request as part of a trace: W3C trace context to send with it. */
export interface OutgoingSpan {
  readonly traceparent: string;
  readonly tracestate: string | undefined;
  /** The head of the answer is there, or there will be none: `error` is a word for why. */
  end(outcome: { readonly status?: number | undefined; readonly error?: string | undefined }): void;
}

/** What all calls of one transaction share, whichever components they call. */
export interface WholeTransaction {
  /** What a capability keeps from one call to the next, under a key of its own: an open SQL transaction. */
  readonly kept: Map<object, unknown>;
  /** Runs when all nodes have ended; the answer of the transaction waits for it, and the transaction fails where it does. */
  onEnd(run: (outcome: TransactionOutcome) => void | Promise<void>): void;
}

/** One message of a guest, as it said it: whoever prints it escapes what is not to be printed. */
export interface LogRecord {
  readonly level: LogLevel;
  /** What it is about, as the guest groups its messages; may be empty. */
  readonly context: string;
  readonly message: string;
}

export type LogLevel = "trace" | "debug" | "info" | "warn" | "error" | "critical";

/** `log` carries lines of `wasi:logging` and Starlane's own remarks, each ending in a line feed. */
export type OutputStreamName = "stdout" | "stderr" | "log";

/**
 * Link once: its name in grants, and the WIT packages it serves (`wasi:clocks`). `Grant` is what stands in the manifest under that
 * name, checked for shape by the manifest, with the resources it names already opened.
 */
export interface Capability<Grant = undefined> {
  readonly name: string;
  readonly packages: readonly string[];
  /** Configure per app. @throws StarlaneError `grant/…` where the grant cannot be used */
  configure(grant: Grant): ConfiguredCapability;
}

/** Makes the imports of one instance. Instances run one transaction at a time, so each has a binding of its own. */
export type ConfiguredCapability = () => Binding;

/**
 * What is linked into one instance, for as long as the instance lives. Instances are recycled: an instance is initialized once,
 * before the first `prepare`, and everything it holds then (handles of standard streams, of granted folders) is there again in
 * every transaction. So: before the first `prepare` only what is fixed for the app answers (environment, config, granted folders);
 * clocks stand at 0, random numbers are seeded with 0, the rest is denied. And an object that the guest got before the first
 * `prepare` must work in every transaction, on the state of that transaction.
 */
export interface Binding {
  /** By import name, as `instantiate` takes them. */
  readonly imports: Imports;
  /** Prepare per transaction: forgets the transaction before, entirely. Absent where there is no state. */
  readonly prepare?: ((transaction: CapabilityTransaction) => void) | undefined;
  /**
   * This call of the component has ended, or was abandoned: closes what it left open (files, sockets, requests). Called once for every
   * `prepare`; the answer of the call waits for it. What is to be kept or undone with all of the transaction waits for `WholeTransaction.onEnd`.
   */
  readonly finish?: ((outcome: TransactionOutcome) => void | Promise<void>) | undefined;
  /**
   * Where all that was done since `prepare` can be undone: does that, as if nothing had been prepared. What reaches the outside is then
   * marked with `cannotBeUndone`; what the guest prints is kept back by whoever links. A call whose bindings all have it, or nothing
   * to prepare, is first tried without a stack that can be suspended.
   */
  readonly restart?: (() => void) | undefined;
}

export type TransactionOutcome = "done" | "failed";
