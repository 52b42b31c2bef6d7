// What an instance without grants is given.

import type { CapabilityTransaction } from "../capabilities/capability.ts";
import { linkInert } from "../capabilities/inert.ts";
import type { InstanceImports } from "../engine/engine.ts";
import { HeldOutput } from "./held-output.ts";

export function inertInstance(): InstanceImports<CapabilityTransaction> {
  const { imports, prepare } = linkInert();
  const output = new HeldOutput();
  return {
    imports,
    prepare: (transaction) => prepare(output.of(transaction)),
    restart: () => output.drop(),
    finish: () => output.flush(),
  };
}
