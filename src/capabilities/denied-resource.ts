// Resources that no guest can hold, because the functions that would make one are denied: their interfaces must still be complete.

import { StarlaneError } from "../base/errors.ts";
import { camelCase } from "../wit/types.ts";
import { madeByHost } from "./guest.ts";
import { WASI_0_2 } from "./wasi-0.2.ts";

export type DeniedResource = abstract new () => object;

/** A class with every method of a resource; a call of one is a mistake of the host, since there is nothing to call it on. */
export function deniedResource(interfaceName: string, resource: string): DeniedResource {
  const denied = class {};
  const prefix = `[method]${resource}.`;
  for (const [member, parameterCount] of Object.entries(WASI_0_2[interfaceName] ?? {})) {
    if (!member.startsWith(prefix)) continue;
    const method = (): never => {
      throw new StarlaneError(
        "starlane/internal",
        `${interfaceName}#${member} was called, but no ${resource} was ever given out`,
      );
    };
    Object.defineProperty(method, "length", { value: parameterCount });
    Object.defineProperty(denied.prototype, camelCase(member.slice(prefix.length)), { value: method });
  }
  return madeByHost(denied);
}
