// What has become of every node of a run: its state, its value or its failure; and what an argument is, given all that.

import { NO_ELEMENT, ROUTED_ELSEWHERE } from "./access.ts";
import { errorRecord, type Failure } from "./failure.ts";
import type { Plan, PlanArg } from "./plan.ts";
import { valueOf } from "./values.ts";

export const PENDING = 0;
export const RUNNING = 1;
export const DONE = 2;
export const FAILED = 3;
export const SKIPPED = 4;

export type Settled = typeof DONE | typeof FAILED | typeof SKIPPED;

/** What an argument is whose source was skipped. */
export const NO_VALUE: unique symbol = Symbol("no value");

export class Outcomes {
  readonly states: Uint8Array;
  readonly failures = new Map<number, Failure>();
  readonly values: unknown[];
  private readonly plan: Plan;
  private readonly fellBack: (node: number, failure: Failure | undefined) => void;

  /** `values`: by slot, as far as they are known. `fellBack`: told where a `??` stands for the value of a node. */
  constructor(plan: Plan, values: unknown[], fellBack: (node: number, failure: Failure | undefined) => void) {
    this.plan = plan;
    this.values = values;
    this.fellBack = fellBack;
    this.states = new Uint8Array(plan.nodes.length);
  }

  isSettled(index: number): boolean {
    return (this.states[index] ?? PENDING) >= DONE;
  }

  done(index: number, value: unknown): void {
    this.values[this.plan.inputCount + index] = value;
    this.states[index] = DONE;
  }

  /** The value of an argument whose source has settled, NO_VALUE, or NO_ELEMENT. */
  take(arg: PlanArg): unknown {
    const value = this.sourceValue(arg);
    const { fallback } = arg;
    if ((value !== NO_VALUE && value !== NO_ELEMENT) || fallback === undefined) return value;
    if (arg.node >= 0) this.fellBack(arg.node, this.failures.get(arg.node));
    return fallback.value;
  }

  /** The same without `??`. */
  sourceValue(arg: PlanArg): unknown {
    if (arg.node < 0) return valueOf(arg, this.values);
    const state = this.states[arg.node];
    if (arg.error && arg.stream === undefined) return this.errorOf(arg);
    if (state !== DONE) return NO_VALUE;
    const value = valueOf(arg, this.values);
    return value === ROUTED_ELSEWHERE ? NO_VALUE : value;
  }

  private errorOf(arg: PlanArg): unknown {
    const node = this.plan.nodes[arg.node];
    const failure = this.states[arg.node] === FAILED ? this.failures.get(arg.node) : undefined;
    if (failure === undefined || node === undefined) return NO_VALUE;
    const record = errorRecord(failure, node.path, node.ownError);
    return arg.get === undefined ? record : arg.get(record);
  }
}
