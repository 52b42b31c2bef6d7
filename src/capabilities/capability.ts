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
  /** How many bytes of output are handed on before the rest is dropped; 1 MiB where it is left out. */
  readonly outputLimitBytes?: number | undefined;
}

/** `log` carries lines of `wasi:logging` and Starlane's own remarks, each ending in a line feed. */
export type OutputStreamName = "stdout" | "stderr" | "log";

/** Link once: its name in grants, and the WIT packages it serves (`wasi:clocks`). */
export interface Capability<Grant = undefined> {
  readonly name: string;
  readonly packages: readonly string[];
  /** Configure per app. @throws StarlaneError where the grant cannot be used */
  configure(grant: Grant): ConfiguredCapability;
}

/** Makes the imports of one instance. Instances run one transaction at a time, so each has a binding of its own. */
export type ConfiguredCapability = () => Binding;

/** What is linked into one instance, for as long as the instance lives. */
export interface Binding {
  /** By import name, as `instantiate` takes them. */
  readonly imports: Imports;
  /** Prepare per transaction: forgets the transaction before, entirely. Absent where there is no state. */
  readonly prepare?: ((transaction: CapabilityTransaction) => void) | undefined;
}
