// `wasi:http` without a network: messages can be made and read; sending one answers `HTTP-request-denied`.

import type { Capability } from "../capability.ts";
import { inertHttpImports as imports } from "./interfaces.ts";

/** HTTP that reaches nobody: what a component gets without a grant. */
export const inertHttp: Capability = {
  name: "http",
  packages: ["wasi:http"],
  configure: () => () => ({ imports }),
};
