// `core::take`, `core::throttle`: how much of a stream, and how fast.

import { Pause } from "../streams/pause.ts";
import { FailedElement, type Step, type Stream } from "../streams/stream.ts";
import type { ValType } from "../../wit/types.ts";
import { sliceOf } from "./gathering.ts";
import type { CoreNode, CoreOperation, CoreUse } from "./operation.ts";
import { signatureOf, streamCall, streamInput } from "./types.ts";

const MOST_ELEMENTS = Number.MAX_SAFE_INTEGER;
const LONGEST_PERIOD_MS = 24 * 60 * 60 * 1000;

export const takeOperation: CoreOperation = {
  name: "take",
  description: "Gives the first elements of a stream, and lets go of the rest.",
  inputs: "`value`, a stream.",
  outputs: "A stream of at most so many elements.",
  settings: [{ name: "count", kind: "number", required: true, description: "how many." }],
  takes: "value",
  streams: true,
  check: (use) => checkTake(use),
};

export const throttleOperation: CoreOperation = {
  name: "throttle",
  description: "Slows a stream down: what comes faster waits, and whoever makes it.",
  inputs: "`value`, a stream.",
  outputs: "The same stream.",
  settings: [
    { name: "per", kind: "duration", required: true, description: "the period: `1s`; at most a day." },
    { name: "count", kind: "number", required: false, description: "how many elements go on in each period; 1 without it." },
  ],
  takes: "value",
  streams: true,
  check: (use) => checkThrottle(use),
};

function sameStream(element: ValType, make: Parameters<typeof streamCall>[0]): CoreNode {
  const type: ValType = { kind: "stream", element };
  return { signature: signatureOf([{ name: "value", type }], type), run: { kind: "call", call: streamCall(make) } };
}

function checkTake(use: CoreUse): CoreNode | undefined {
  const element = streamInput(use);
  const count = use.settings.count("count", MOST_ELEMENTS);
  if (element === undefined || count === undefined) return undefined;
  return sameStream(element, (stream) => new TakeStream(stream, count));
}

class TakeStream implements Stream {
  private readonly source: Stream;
  private left: number;

  constructor(source: Stream, count: number) {
    this.source = source;
    this.left = count;
  }

  async pull(): Promise<Step> {
    if (this.left === 0) return undefined;
    const step = await this.source.pull();
    if (this.left === 0) return undefined;
    if (step === undefined) return undefined;
    const taken = step instanceof FailedElement ? step : sliceOf(step, 0, this.left);
    this.left -= taken instanceof FailedElement ? 1 : taken.length;
    if (this.left === 0) this.source.close();
    return taken;
  }

  close(): void {
    this.left = 0;
    this.source.close();
  }
}

function checkThrottle(use: CoreUse): CoreNode | undefined {
  const element = streamInput(use);
  const perMs = use.settings.durationMs("per");
  const count = use.settings.count("count", MOST_ELEMENTS) ?? 1;
  if (element === undefined || perMs === undefined) return undefined;
  if (perMs > LONGEST_PERIOD_MS) return use.settings.wrong("per", "a period lasts a day at most", "Write a shorter one.");
  return sameStream(element, (stream, transaction) => new ThrottledStream(stream, count, perMs, new Pause(transaction)));
}

class ThrottledStream implements Stream {
  private readonly source: Stream;
  private readonly count: number;
  private readonly perMs: number;
  private readonly pause: Pause;
  private kept: Step;
  private sinceMs = 0;
  /** Elements that the current period still lets through. */
  private room: number;
  private isOver = false;

  constructor(source: Stream, count: number, perMs: number, pause: Pause) {
    this.source = source;
    this.count = count;
    this.perMs = perMs;
    this.pause = pause;
    this.room = count;
  }

  async pull(): Promise<Step> {
    const step = this.kept ?? (await this.source.pull());
    this.kept = undefined;
    if (step === undefined || this.isOver) return undefined;
    if (this.room === 0) {
      const leftMs = this.sinceMs + this.perMs - this.pause.now();
      if (leftMs > 0) await this.pause.wait(leftMs);
      if (this.isOver) return undefined;
      this.room = this.count;
    }
    if (this.room === this.count || this.pause.now() >= this.sinceMs + this.perMs) {
      this.room = this.count;
      this.sinceMs = this.pause.now();
    }
    if (step instanceof FailedElement) {
      this.room--;
      return step;
    }
    const given = sliceOf(step, 0, this.room);
    if (given.length < step.length) this.kept = sliceOf(step, given.length, step.length);
    this.room -= given.length;
    return given;
  }

  close(): void {
    this.isOver = true;
    this.kept = undefined;
    this.pause.end();
    this.source.close();
  }
}
