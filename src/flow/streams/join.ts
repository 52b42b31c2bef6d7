// Several streams as one: `MergedStreams` gives what comes, as it comes; `RacedStreams` lets the one that has an element first stand for
// all.

import { FailedElement, type Step, type Stream } from "./stream.ts";

/** Keeps a pull under way with every source, and gives their steps in the order in which they arrive. */
class Arrivals {
  private readonly open = new Set<Stream>();
  private readonly idle = new Set<Stream>();
  private readonly arrived: { readonly stream: Stream; readonly step: Step }[] = [];
  private wake: (() => void) | undefined;

  constructor(streams: readonly Stream[]) {
    for (const stream of streams) {
      this.open.add(stream);
      this.idle.add(stream);
    }
  }

  /** Undefined where all have ended. */
  async next(): Promise<{ readonly stream: Stream; readonly step: Step } | undefined> {
    for (;;) {
      const first = this.arrived.shift();
      if (first !== undefined) {
        if (first.step === undefined) this.open.delete(first.stream);
        else this.idle.add(first.stream);
        return first;
      }
      if (this.open.size === 0) return undefined;
      for (const stream of this.idle) this.ask(stream);
      this.idle.clear();
      if (this.arrived.length > 0) continue;
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
  }

  /** Closes all but `kept`. */
  close(kept?: Stream): void {
    for (const stream of this.open) if (stream !== kept) stream.close();
    this.open.clear();
    this.wake?.();
  }

  private ask(stream: Stream): void {
    void stream.pull().then((step) => {
      this.arrived.push({ stream, step });
      this.wake?.();
    });
  }
}

export class MergedStreams implements Stream {
  private readonly arrivals: Arrivals;
  private isClosed = false;

  constructor(streams: readonly Stream[]) {
    this.arrivals = new Arrivals(streams);
  }

  async pull(): Promise<Step> {
    for (;;) {
      const arrival = this.isClosed ? undefined : await this.arrivals.next();
      if (arrival === undefined || this.isClosed) return undefined;
      if (arrival.step !== undefined) return arrival.step;
    }
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.arrivals.close();
  }
}

export class RacedStreams implements Stream {
  private readonly arrivals: Arrivals;
  private winner: Stream | undefined;
  private isClosed = false;

  constructor(streams: readonly Stream[]) {
    this.arrivals = new Arrivals(streams);
  }

  async pull(): Promise<Step> {
    if (this.isClosed) return undefined;
    if (this.winner !== undefined) return await this.winner.pull();
    let failed: FailedElement | undefined;
    for (;;) {
      const arrival = await this.arrivals.next();
      if (this.isClosed) return undefined;
      if (arrival === undefined) {
        this.isClosed = true;
        return failed;
      }
      const { stream, step } = arrival;
      if (step instanceof FailedElement) {
        failed ??= step;
        stream.close();
      } else if (step !== undefined) {
        this.winner = stream;
        this.arrivals.close(stream);
        return step;
      }
    }
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.winner?.close();
    this.arrivals.close();
  }
}
