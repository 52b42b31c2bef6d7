// A resource that fails on purpose: the same contract, with latency and errors put before its methods. For tests of what an app
// does when its storage is slow, full or gone.

import { unavailable } from "./resource.ts";

/** What happens to one call. */
export interface Fault {
  /** Waited before the call, by the `sleep` that is given. */
  readonly latencyMs?: number | undefined;
  /** Thrown in place of the call; `"disconnected"` is what a lost connection looks like. */
  readonly error?: Error | "disconnected" | undefined;
}

/** Which fault a call meets: by its method, and how many calls of that method came before. Undefined for none. */
export type FaultPlan = (method: string, callsBefore: number) => Fault | undefined;

/** `resource` with faults: any object whose methods may answer with a promise. Its `immediate` becomes false where latency is met. */
export function withFaults<T extends object>(resource: T, plan: FaultPlan, sleep: (ms: number) => Promise<void>): T {
  const calls = new Map<string, number>();
  return new Proxy(resource, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (name === "immediate") return false;
      if (typeof value !== "function" || typeof name !== "string") return value;
      return (...args: unknown[]): unknown => {
        const before = calls.get(name) ?? 0;
        calls.set(name, before + 1);
        const fault = plan(name, before);
        const call = (): unknown => Reflect.apply(value, target, args);
        return fault === undefined ? call() : meet(fault, call, sleep);
      };
    },
  });
}

async function meet({ latencyMs, error }: Fault, call: () => unknown, sleep: (ms: number) => Promise<void>): Promise<unknown> {
  if (latencyMs !== undefined) await sleep(latencyMs);
  if (error === "disconnected") throw unavailable("the resource", new Error("disconnected by a fault"));
  if (error !== undefined) throw error;
  return await call();
}
