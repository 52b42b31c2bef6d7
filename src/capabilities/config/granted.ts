// `wasi:config` with the settings that the manifest grants: fixed for the app, so they answer before the first transaction too.

import type { Capability } from "../capability.ts";
import { guestInterface } from "../guest.ts";

/** Settings by their keys; values of other kinds than text come as JSON. */
export type ConfigGrant = ReadonlyMap<string, string>;

/** The settings of one component. */
export const grantedConfig: Capability<ConfigGrant> = {
  name: "config",
  packages: ["wasi:config"],
  configure: (settings) => {
    const entries = [...settings];
    const store = guestInterface({
      get: (key: string): string | undefined => settings.get(key),
      getAll: (): [string, string][] => entries.map(([key, value]) => [key, value]),
    });
    const imports = {
      "wasi:config/store@0.2.0-rc.1": store,
      "wasi:config/store@0.2.0-draft": store,
      "wasi:config/runtime@0.2.0-draft": store,
    };
    return () => ({ imports });
  },
};
