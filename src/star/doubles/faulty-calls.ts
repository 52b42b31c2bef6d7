// Calls of other components with the faults of a test.

import type { Binding, ConfiguredCapability } from "../../capabilities/capability.ts";
import type { ComponentFunction } from "../../engine/engine.ts";
import { mayWait } from "../../engine/may-wait.ts";
import type { Doubles } from "./doubles.ts";

/** The same where the test has no faults for calls. */
export function faultyCalls(
  calls: ConfiguredCapability | undefined,
  doubles: Doubles | undefined,
): ConfiguredCapability | undefined {
  if (calls === undefined || doubles?.hasCallFaults !== true) return calls;
  return () => {
    const binding = calls();
    return { ...binding, imports: faultyImports(binding, doubles) };
  };
}

function faultyImports({ imports }: Binding, doubles: Doubles): Record<string, unknown> {
  const faulty = (name: string, call: unknown): readonly [string, unknown] => {
    if (typeof call !== "function") return [name, call];
    const met: ComponentFunction = (...args) => doubles.call(() => Reflect.apply(call, undefined, args) as unknown);
    return [name, mayWait(met)];
  };
  return Object.fromEntries(
    Object.entries(imports).map(([name, members]) => [
      name,
      Object.fromEntries(Object.entries(members ?? {}).map(([member, call]) => faulty(member, call))),
    ]),
  );
}
