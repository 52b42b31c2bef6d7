// What one connection takes of a stream: a part of each element, in another type, the elements that went one way of a switch, those that
// did not fail, or only the errors of those that did.

import { NO_ELEMENT, ROUTED_ELSEWHERE, type Accessor } from "../access.ts";
import type { Failure } from "../failure.ts";
import { FailedElement, type Step, type Stream } from "./stream.ts";

export interface Part {
  /** From an element to what goes over the connection. */
  readonly get: Accessor | undefined;
  /** What stands for an element that failed or is not there. */
  readonly fallback: { readonly value: unknown } | undefined;
  /** Where there is no `??`: a failure goes on, is left out because `!` takes it, or is all that goes on. */
  readonly failures: "pass" | "skip" | "only";
}

/** Told of what happens to elements on the way. */
export interface PartHost {
  /** Of an element that a path finds nothing in. */
  missing(): Failure;
  /** As data, for `!`. */
  record(failure: Failure): unknown;
  fellBack(failure: Failure | undefined): void;
}

export class PartStream implements Stream {
  private readonly source: Stream;
  private readonly part: Part;
  private readonly host: PartHost;
  /** What comes after the step that was given last. */
  private readonly later: Step[] = [];

  constructor(source: Stream, part: Part, host: PartHost) {
    this.source = source;
    this.part = part;
    this.host = host;
  }

  async pull(): Promise<Step> {
    for (;;) {
      const kept = this.later.shift();
      if (kept !== undefined) return kept;
      const step = await this.source.pull();
      if (step === undefined) return undefined;
      const taken = step instanceof FailedElement ? this.failed(step) : this.elements(step);
      if (taken !== undefined) return taken;
    }
  }

  close(): void {
    this.later.length = 0;
    this.source.close();
  }

  private failed(step: FailedElement): Step {
    const { fallback, failures, get } = this.part;
    if (fallback !== undefined) {
      this.host.fellBack(step.failure);
      return [fallback.value];
    }
    if (failures === "pass") return step;
    if (failures === "skip") return undefined;
    const record = this.host.record(step.failure);
    return [get === undefined ? record : get(record)];
  }

  private elements(chunk: ArrayLike<unknown>): Step {
    const { get, fallback, failures } = this.part;
    if (failures === "only") return undefined;
    if (get === undefined) return chunk;
    let out: unknown[] = [];
    for (let i = 0; i < chunk.length; i++) {
      const value = get(chunk[i]);
      if (value !== ROUTED_ELSEWHERE && value !== NO_ELEMENT) out.push(value);
      else if (fallback !== undefined) {
        this.host.fellBack(undefined);
        out.push(fallback.value);
      } else if (value === NO_ELEMENT) {
        if (out.length > 0) this.later.push(out);
        this.later.push(new FailedElement(this.host.missing()));
        out = [];
      }
    }
    if (this.later.length === 0) return out.length > 0 ? out : undefined;
    if (out.length > 0) this.later.push(out);
    return this.later.shift();
  }
}
