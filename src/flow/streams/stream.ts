// A stream inside a run: pulled chunk by chunk, by one reader, which has at most one pull under way. Nothing is made before somebody
// pulls, so back-pressure is the rule and not a mechanism. An element that failed has its place in the stream: who needs it hands the
// failure on, `??` puts a literal there, and where it leaves the flow the flow fails.

import type { Chunk } from "../../wit/streams.ts";
import type { Failure } from "../failure.ts";

export interface Stream {
  /** Never rejects; resolves soon after `close`, with the end. */
  pull(): Promise<Step>;
  /** The reader needs no more: whatever works for this stream alone stops. */
  close(): void;
}

/** Elements (never none), one element that failed, or the end. After the end come only ends. */
export type Step = Chunk | FailedElement | undefined;

export class FailedElement {
  readonly failure: Failure;

  constructor(failure: Failure) {
    this.failure = failure;
  }
}

/** Elements that are there already. */
export class ReadyStream implements Stream {
  private step: Step;

  constructor(elements: Chunk) {
    this.step = elements.length > 0 ? elements : undefined;
  }

  pull(): Promise<Step> {
    const { step } = this;
    this.step = undefined;
    return Promise.resolve(step);
  }

  close(): void {
    this.step = undefined;
  }
}
