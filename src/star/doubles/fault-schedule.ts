// Which call meets which fault: calls are counted for each fault, over everything that its capability serves in the test.

import type { Clock } from "../../base/clock.ts";
import type { Fault, FaultPlan } from "../../capabilities/resources/faults.ts";
import { rejected } from "../../capabilities/resources/resource.ts";
import type { FaultPlace, GivenFault } from "../../manifest/given.ts";

export class FaultSchedule {
  readonly #faults: readonly { readonly fault: GivenFault; calls: number }[];
  readonly #clock: Clock;

  constructor(faults: readonly GivenFault[], clock: Clock) {
    this.#faults = faults.map((fault) => ({ fault, calls: 0 }));
    this.#clock = clock;
  }

  has(place: FaultPlace): boolean {
    return this.#faults.some(({ fault }) => fault.capability === place);
  }

  /** What happens to the next call: the first fault that is on counts. */
  next(place: FaultPlace): GivenFault | undefined {
    let met: GivenFault | undefined;
    for (const counted of this.#faults) {
      const { fault } = counted;
      if (fault.capability !== place) continue;
      const before = counted.calls++;
      if (before >= fault.after && before < fault.after + (fault.times ?? Infinity)) met ??= fault;
    }
    return met;
  }

  /** Latency in virtual time, then the error, or the call itself. */
  async meet<T>(
    { latencyMs, error, disconnect }: GivenFault,
    work: () => T,
    failure: (text: string) => Error,
  ): Promise<Awaited<T>> {
    if (latencyMs !== undefined) await this.#clock.sleep(latencyMs);
    if (error !== undefined) throw failure(error);
    if (disconnect) throw failure("the connection was lost");
    return await work();
  }

  /** Undefined where the capability has no faults. */
  planOf(place: FaultPlace): FaultPlan | undefined {
    if (!this.has(place)) return undefined;
    return (method) => {
      if (method === "close") return undefined;
      const fault = this.next(place);
      return fault === undefined ? undefined : faultOf(fault);
    };
  }
}

function faultOf({ latencyMs, error, disconnect }: GivenFault): Fault {
  return { latencyMs, error: disconnect ? "disconnected" : error === undefined ? undefined : rejected(error) };
}
