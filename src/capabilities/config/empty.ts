// `wasi:config` without settings: every key is absent.

import type { Capability } from "../capability.ts";
import { guestInterface } from "../guest.ts";

const store = guestInterface({
  get: (_key: string): string | undefined => undefined,
  getAll: (): [string, string][] => [],
});

// Drafts have no compatible versions: each is named exactly. The first draft called the interface `runtime`.
const imports = {
  "wasi:config/store@0.2.0-rc.1": store,
  "wasi:config/store@0.2.0-draft": store,
  "wasi:config/runtime@0.2.0-draft": store,
};

/** No configuration: what a component gets without a grant. */
export const emptyConfig: Capability = {
  name: "config",
  packages: ["wasi:config"],
  configure: () => () => ({ imports }),
};
