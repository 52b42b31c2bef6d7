// The calls of one node under its policy: `concurrency` (a place in the gate for each call), `timeout` (each call on its own),
// `retry` (with pauses that double). Everything it waits for ends when its scope is aborted.

import { StarlaneError } from "../base/errors.ts";
import type { Policy } from "./plan.ts";
import { Scope } from "./scope.ts";

/** The longest pause between two attempts. */
const MAX_BACKOFF_MS = 24 * 60 * 60 * 1000;

/** The run that the calls are made for. */
interface AttemptHost {
  call(scope: Scope): unknown;
  /** Whether an answer still counts. */
  isWanted(): boolean;
  /** Something is in flight, until `release`. */
  hold(): void;
  release(): void;
  /** Goes on with what an answer made possible. */
  proceed(): void;
  retrying(error: unknown): void;
  done(value: unknown): void;
  failed(error: unknown): void;
}

export class Attempts {
  private readonly policy: Policy;
  private readonly id: string;
  private readonly scope: Scope;
  private readonly host: AttemptHost;
  private count = 0;

  constructor(policy: Policy, id: string, scope: Scope, host: AttemptHost) {
    this.policy = policy;
    this.id = id;
    this.scope = scope;
    this.host = host;
  }

  /** Makes the first call, or queues for it. */
  start(): void {
    const { gate } = this.policy;
    if (gate === undefined || gate.enter()) return this.attempt();
    this.host.hold();
    let waiting = true;
    const leave = (): void => {
      if (!waiting) return;
      waiting = false;
      stopWaiting();
      this.host.release();
    };
    const stopWaiting = gate.wait(() => {
      if (!waiting || !this.host.isWanted()) gate.leave();
      else this.attempt();
      forget();
      leave();
    });
    const forget = this.scope.onAbort(leave);
  }

  private attempt(): void {
    const { timeoutMs, gate } = this.policy;
    this.count++;
    const clock = this.scope.clock;
    const startMs = timeoutMs === undefined ? 0 : clock.now();
    const scope = timeoutMs === undefined ? this.scope : new Scope(this.scope, this.scope.observe);
    let answer: unknown;
    try {
      answer = this.host.call(scope);
    } catch (error) {
      gate?.leave();
      this.close(scope);
      return this.failed(error);
    }
    if (answer instanceof Promise) return this.follow(answer, scope);
    gate?.leave();
    this.close(scope);
    if (timeoutMs !== undefined && clock.now() - startMs > timeoutMs) return this.failed(this.tookTooLong(timeoutMs));
    this.host.done(answer);
  }

  /** A call that answers later, or never: the timeout then stands for its answer. */
  private follow(answer: Promise<unknown>, scope: Scope): void {
    const { timeoutMs, gate } = this.policy;
    let open = true;
    const close = (): boolean => {
      const counts = open && this.host.isWanted();
      open = false;
      return counts;
    };
    const stopTimer =
      timeoutMs === undefined
        ? undefined
        : this.startTimer(timeoutMs, () => {
            if (!close()) return;
            const error = this.tookTooLong(timeoutMs);
            scope.abort(error);
            this.failed(error);
            this.host.proceed();
          });
    const back = (settle: () => void): void => {
      stopTimer?.();
      gate?.leave();
      this.close(scope);
      if (close()) settle();
      this.host.release();
    };
    this.host.hold();
    answer.then(
      (value) => back(() => this.host.done(value)),
      (error: unknown) => back(() => this.failed(error)),
    );
  }

  /** Calls `onTime` after `ms`, unless it is stopped or the scope is aborted before. */
  private startTimer(ms: number, onTime: () => void): () => void {
    const timer = new AbortController();
    const forget = this.scope.onAbort(() => timer.abort());
    this.scope.clock.sleep(ms, timer.signal).then(
      () => {
        forget();
        if (!timer.signal.aborted) onTime();
      },
      () => {},
    );
    return () => {
      forget();
      timer.abort();
    };
  }

  private close(scope: Scope): void {
    if (scope !== this.scope) scope.close();
  }

  private failed(error: unknown): void {
    const { attempts, backoffMs } = this.policy;
    if (this.count >= attempts || this.scope.aborted) return this.host.failed(error);
    this.host.retrying(error);
    const pauseMs = Math.min(backoffMs * 2 ** (this.count - 1), MAX_BACKOFF_MS);
    if (pauseMs <= 0) return this.start();
    this.host.hold();
    this.scope.clock.sleep(pauseMs, this.scope.signal).then(
      () => {
        if (this.host.isWanted()) this.start();
        this.host.release();
      },
      () => this.host.release(),
    );
  }

  private tookTooLong(timeoutMs: number): StarlaneError {
    return new StarlaneError("flow/timeout", `\`${this.id}\` took longer than its timeout of ${timeoutMs} ms`, {
      cure: "Give the node a longer `timeout`, or handle it with `??` or `!`.",
    });
  }
}
