// How long a run goes on: until every call it started has come back and every stream it gave has ended, or GRACE_MS after they were told
// to stop. Follows the transaction's signal and its deadline while it waits.

import { cancelled, deadlinePassed } from "./endings.ts";
import type { Scope } from "./scope.ts";

/** How long a run waits for calls that do not answer to their abort, on the transaction's clock. */
const GRACE_MS = 1000;

/** The run whose lifetime it is. */
interface Living {
  /** Nothing of it can start any more, and what it gives is known. */
  isSettled(): boolean;
  /** Its answer can be given although streams go on. */
  readonly answersEarly: boolean;
  /** It was told to stop. */
  stopped(error: unknown): void;
  /** The result; throws why there is none. */
  result(): unknown;
  /** It is over. */
  over(): void;
}

export class Lifetime {
  private readonly run: Living;
  private readonly scope: Scope;
  private readonly operation: string;
  /** Calls, sleeps and waits that have not come back. */
  private inFlight = 0;
  /** Streams that are read to their end for nobody, and those that were given away. */
  private drains = 0;
  private outlets = 0;
  private halt: { readonly error: unknown } | undefined;
  private isOver = false;
  private hasAnswered = false;
  private promised: PromiseWithResolvers<unknown> | undefined;
  private ending: PromiseWithResolvers<void> | undefined;
  /** What was set up for a run that waits; undone at its end. */
  private readonly cleanups: (() => void)[] = [];
  private isWatched = false;
  private inGrace = false;

  constructor(operation: string, scope: Scope, run: Living) {
    this.operation = operation;
    this.scope = scope;
    this.run = run;
  }

  get ended(): boolean {
    return this.isOver;
  }

  get answered(): boolean {
    return this.hasAnswered;
  }

  get stopReason(): { readonly error: unknown } | undefined {
    return this.halt;
  }

  hold(): void {
    this.inFlight++;
  }

  /** What was held came back; the run may be over by that. */
  release(): void {
    this.inFlight--;
    this.proceed();
  }

  /** As `release`, where more is to be done before the end is looked at. */
  letGo(): void {
    this.inFlight--;
  }

  drain(): void {
    this.drains++;
  }

  drained(): void {
    this.drains--;
    this.proceed();
  }

  give(): void {
    this.outlets++;
  }

  /** A stream that was given away is not read any more; of the last one, the promise is that of the end of the run. */
  taken(): Promise<void> | undefined {
    this.outlets--;
    if (this.isOver) return this.halt === undefined ? undefined : Promise.reject(this.halt.error);
    if (this.outlets > 0 && this.halt === undefined) return undefined;
    this.ending ??= Promise.withResolvers();
    const { promise } = this.ending;
    this.proceed();
    return promise;
  }

  /** Ends the run with `error`: what runs is told to stop, what waits never starts. */
  stop(error: unknown): void {
    if (this.halt !== undefined || this.isOver) return;
    this.halt = { error };
    this.run.stopped(error);
    this.scope.abort(error);
  }

  /** The answer of the run, or a promise of it. */
  answer(): unknown {
    if (this.canAnswer) return this.giveAnswer();
    this.promised = Promise.withResolvers();
    this.watch();
    this.proceed();
    return this.promised.promise;
  }

  /** Looks whether it is time to answer, or to end. */
  proceed(): void {
    if (this.isOver) return;
    if (this.hasAnswered) {
      if (this.isIdle && (this.outlets === 0 || this.halt !== undefined)) this.end();
      else if (this.halt !== undefined || this.outlets === 0) this.startGrace();
      return;
    }
    const { promised } = this;
    if (promised === undefined) return;
    if (!this.canAnswer) {
      if (this.halt !== undefined || (this.run.isSettled() && this.drains === 0)) this.startGrace();
      return;
    }
    try {
      promised.resolve(this.giveAnswer());
    } catch (error) {
      promised.reject(error);
    }
  }

  private get isIdle(): boolean {
    return this.inFlight === 0 && (this.drains === 0 || this.halt !== undefined);
  }

  private get canAnswer(): boolean {
    if (this.halt !== undefined) return this.inFlight === 0;
    return this.run.isSettled() && (this.run.answersEarly || this.isIdle);
  }

  private giveAnswer(): unknown {
    this.hasAnswered = true;
    try {
      if (this.halt !== undefined) throw this.halt.error;
      const result = this.run.result();
      if (this.outlets > 0) this.watch();
      return result;
    } finally {
      if (this.outlets === 0) {
        if (this.isIdle) this.end();
        else this.watch();
      }
    }
  }

  /** Nothing that comes later counts. */
  private end(): void {
    this.isOver = true;
    for (const cleanup of this.cleanups) cleanup();
    this.run.over();
    this.scope.close();
    const { ending, halt } = this;
    if (ending === undefined) return;
    ending.promise.catch(() => undefined);
    if (halt === undefined) ending.resolve();
    else ending.reject(halt.error);
  }

  /** For a run that waits: follows the transaction's signal and its deadline. */
  private watch(): void {
    if (this.isWatched) return;
    this.isWatched = true;
    this.cleanups.push(
      this.scope.onAbort(() => {
        this.stop(cancelled(this.operation, this.scope.reason));
        this.proceed();
      }),
    );
    const { deadlineMs, clock } = this.scope;
    // A flow inside a flow has the same deadline: the outermost run keeps it.
    if (deadlineMs === undefined || this.scope.isInner) return;
    this.after(deadlineMs - clock.now(), () => {
      this.stop(deadlinePassed(this.operation));
      this.proceed();
    });
  }

  /** Calls that should have come back by now are given up after a while. */
  private startGrace(): void {
    if (this.inGrace || this.inFlight === 0) return;
    if (this.halt === undefined && this.drains > 0) return;
    this.inGrace = true;
    this.after(GRACE_MS, () => {
      this.inFlight = 0;
      this.proceed();
    });
  }

  /** Calls `then` after `ms`, unless the run ends before. */
  private after(ms: number, then: () => void): void {
    const timer = new AbortController();
    this.cleanups.push(() => timer.abort());
    this.scope.clock.sleep(Math.max(0, ms), timer.signal).then(
      () => {
        if (!this.isOver) then();
      },
      () => {},
    );
  }
}
