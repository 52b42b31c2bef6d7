// What every component gets without a grant: WASI 0.2 and 0.3 that compute and reach nothing. The same input, seed and timestamp
// give the same bytes on every run. One set of interfaces serves 0.2.0 to 0.2.12, because later versions only add; another 0.3.

import type { Imports } from "../engine/engine.ts";
import { withBoundedOutput } from "./bounded-output.ts";
import type { Binding, Capability, CapabilityTransaction } from "./capability.ts";
import { inertCli } from "./cli/inert.ts";
import { virtualClocks } from "./clocks/virtual.ts";
import { emptyConfig } from "./config/empty.ts";
import { inertFilesystem } from "./filesystem/inert.ts";
import { inertHttp } from "./http/inert.ts";
import { memoryIo } from "./io/memory.ts";
import { outputLogging } from "./logging/output.ts";
import { seededRandom } from "./random/seeded.ts";
import { inertSockets } from "./sockets/inert.ts";

export const INERT_CAPABILITIES: readonly Capability[] = [
  inertCli,
  virtualClocks,
  seededRandom,
  memoryIo,
  inertFilesystem,
  inertSockets,
  inertHttp,
  emptyConfig,
  outputLogging,
];

const configured = INERT_CAPABILITIES.map((capability) => capability.configure(undefined));
// What has nothing to prepare has no state, so all instances share it.
const stateless: Imports = Object.assign(
  {},
  ...configured.map((bind) => bind()).map((made) => (made.prepare ? {} : made.imports)),
);
const stateful = configured.filter((bind) => bind().prepare !== undefined);

/** The names of everything that is there without a grant. */
export const INERT_NAMES: ReadonlySet<string> = new Set(configured.flatMap((bind) => Object.keys(bind().imports)));

/**
 * Links the inert capabilities once, for an instance that serves one transaction after another: `imports` go into the instance,
 * `prepare` starts a transaction.
 */
export function linkInert(): Binding & { readonly prepare: (transaction: CapabilityTransaction) => void } {
  const bindings = stateful.map((bind) => bind());
  const imports: Record<string, unknown> = { ...stateless };
  for (const binding of bindings) Object.assign(imports, binding.imports);
  return {
    imports,
    prepare: (transaction) => {
      const bounded = withBoundedOutput(transaction);
      for (const binding of bindings) binding.prepare?.(bounded);
    },
  };
}

/** The inert imports of one transaction, for an instance of its own. */
export function inertImports(transaction: CapabilityTransaction): Imports {
  const { imports, prepare } = linkInert();
  prepare(transaction);
  return imports;
}
