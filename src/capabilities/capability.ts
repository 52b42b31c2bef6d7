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
  /** How many bytes of output are handed on before the rest is dropped; 1 MiB where it is left out. */
  readonly outputLimitBytes?: number | undefined;
  /** Aborts when the transaction is cancelled or its time is over; whatever a capability waits for ends then. */
  readonly signal?: AbortSignal | undefined;
  /** The transaction that this call of a component is part of; absent where it stands alone, and ends with `Binding.finish`. */
  readonly whole?: WholeTransaction | undefined;
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
}

export type TransactionOutcome = "done" | "failed";
