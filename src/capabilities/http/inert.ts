// `wasi:http` without a network: messages can be made and read; sending one answers `HTTP-request-denied`.

import type { Binding, Capability, CapabilityTransaction } from "../capability.ts";
import { deniedLine } from "./denied.ts";
import { inertHttpImports } from "./interfaces.ts";

/** HTTP that reaches nobody: what a component gets without a grant. */
export const inertHttp: Capability = {
  name: "http",
  packages: ["wasi:http"],
  configure: () => (): Binding => {
    let denied: CapabilityTransaction["denied"];
    return {
      imports: inertHttpImports((request) => denied?.(deniedLine(request))),
      prepare: (transaction) => {
        ({ denied } = transaction);
      },
    };
  },
};
