// A node that runs once per element: takes one element of each of its streams at a time (the shortest ends it), beside inputs that stay
// the same, and gives the answers in the order of the elements. Up to `limit` calls are under way at a time; none begins before
// somebody wants an answer.

import type { Chunk } from "../../wit/streams.ts";
import type { Failure } from "../failure.ts";
import type { Pace } from "./pace.ts";
import { FailedElement, type Step, type Stream } from "./stream.ts";

/** How many calls that answer at once are made in one go. */
const RUN = 128;

export interface MapHost {
  readonly pace: Pace;
  /** The answer, or a promise of it; throws what the operation throws. */
  call(args: readonly unknown[]): unknown;
  failureOf(thrown: unknown, index: number): Failure;
  /** A call answers later. */
  hold(): void;
  release(): void;
  /** All elements are through, or nobody wants more. */
  ended(stream: Stream): void;
}

/** By the signature's params: a stream to go through, or what every call is given. */
export type MapInput = { readonly stream: Stream } | { readonly value: unknown };

/** A call that has not answered, or one behind it that has. */
interface Pending {
  step: readonly [unknown] | FailedElement | undefined;
}

export class MapStream implements Stream {
  private readonly cursors: readonly Cursor[];
  /** The cursor of each argument; undefined: it stays what it is in `args`. */
  private readonly sources: readonly (Cursor | undefined)[];
  private readonly args: readonly unknown[];
  private readonly host: MapHost;
  private readonly limit: number;
  private out: unknown[] = [];
  private readonly pending: Pending[] = [];
  private index = 0;
  private hasEnded = false;
  private isClosed = false;
  private isTold = false;
  private wake: (() => void) | undefined;

  constructor(inputs: readonly MapInput[], limit: number, host: MapHost) {
    this.host = host;
    this.limit = limit;
    const wake = (): void => this.notify();
    this.sources = inputs.map((input) => ("stream" in input ? new Cursor(input.stream, wake) : undefined));
    this.cursors = this.sources.filter((cursor) => cursor !== undefined);
    this.args = inputs.map((input) => ("stream" in input ? undefined : input.value));
  }

  async pull(): Promise<Step> {
    for (;;) {
      if (this.isClosed) return undefined;
      const step = this.next();
      if (step !== undefined) return step;
      const hasRoom = !this.hasEnded && this.pending.length < this.limit;
      if (hasRoom && this.hasElements()) {
        await this.host.pace.breath();
        if (!this.isClosed) this.run();
        continue;
      }
      if (this.hasEnded && this.pending.length === 0) {
        this.tellEnd();
        return undefined;
      }
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.out = [];
    this.pending.length = 0;
    this.finishInputs();
    this.tellEnd();
    this.notify();
  }

  private notify(): void {
    const { wake } = this;
    this.wake = undefined;
    wake?.();
  }

  private tellEnd(): void {
    if (this.isTold) return;
    this.isTold = true;
    this.host.ended(this);
  }

  private finishInputs(): void {
    this.hasEnded = true;
    for (const { stream } of this.cursors) stream.close();
  }

  /** What can be given now, in order. */
  private next(): Step {
    const { pending } = this;
    for (let first = pending[0]; first?.step !== undefined; first = pending[0]) {
      if (first.step instanceof FailedElement) {
        if (this.out.length > 0) break;
        pending.shift();
        return first.step;
      }
      this.out.push(first.step[0]);
      pending.shift();
    }
    if (this.out.length === 0) return undefined;
    const { out } = this;
    this.out = [];
    return out;
  }

  /** Whether every stream has an element; asks those that have none. */
  private hasElements(): boolean {
    let hasAll = true;
    for (const cursor of this.cursors) {
      if (cursor.hasElement) continue;
      hasAll = false;
      if (!cursor.hasEnded) cursor.fetch();
      else if (!this.hasEnded) {
        this.finishInputs();
        this.notify();
      }
    }
    return hasAll && !this.hasEnded;
  }

  /** Calls with one element of each after the other, as long as they answer at once or there is room for one that does not. */
  private run(): void {
    const { sources, cursors, host, pending, out, limit } = this;
    const count = Math.min(RUN, ...cursors.map((cursor) => cursor.left));
    for (let i = 0; i < count; i++) {
      const index = this.index++;
      const failed = cursors.find((cursor) => cursor.failed !== undefined)?.failed;
      const args: unknown[] = [];
      for (let a = 0; a < sources.length; a++) args.push(sources[a] === undefined ? this.args[a] : sources[a]?.take());
      if (failed !== undefined) {
        pending.push({ step: failed });
        return;
      }
      let answer: unknown;
      try {
        answer = host.call(args);
      } catch (error) {
        pending.push({ step: new FailedElement(host.failureOf(error, index)) });
        return;
      }
      if (answer instanceof Promise) this.follow(answer, index);
      else if (pending.length === 0) out.push(answer);
      else pending.push({ step: [answer] });
      if (pending.length >= limit) return;
    }
  }

  private follow(answer: Promise<unknown>, index: number): void {
    const entry: Pending = { step: undefined };
    this.pending.push(entry);
    const { host } = this;
    host.hold();
    answer.then(
      (value) => {
        entry.step = [value];
        this.notify();
        host.release();
      },
      (error: unknown) => {
        entry.step = new FailedElement(host.failureOf(error, index));
        this.notify();
        host.release();
      },
    );
  }
}

/** Where in a stream its reader stands. */
class Cursor {
  readonly stream: Stream;
  hasEnded = false;
  failed: FailedElement | undefined;
  private readonly arrived: () => void;
  private chunk: Chunk | undefined;
  private at = 0;
  private isFetching = false;

  constructor(stream: Stream, arrived: () => void) {
    this.stream = stream;
    this.arrived = arrived;
  }

  get left(): number {
    return this.failed === undefined ? (this.chunk?.length ?? 0) - this.at : 1;
  }

  get hasElement(): boolean {
    return this.left > 0;
  }

  take(): unknown {
    if (this.failed !== undefined) this.failed = undefined;
    else return this.chunk?.[this.at++];
    return undefined;
  }

  fetch(): void {
    if (this.isFetching) return;
    this.isFetching = true;
    void this.stream.pull().then((step) => {
      this.isFetching = false;
      this.at = 0;
      this.chunk = undefined;
      if (step === undefined) this.hasEnded = true;
      else if (step instanceof FailedElement) this.failed = step;
      else this.chunk = step;
      this.arrived();
    });
  }
}
