// One run of a plan with the state of every node: pending, running, done, failed, skipped. A node fires once, when all it needs has
// settled; a failure goes at once to whoever needs the value, until a `??` or `!` takes it or it leaves the flow, which ends the
// run. The run is over when every call it started has come back, or GRACE_MS after they were told to stop.

import { StarlaneError } from "../base/errors.ts";
import { Attempts } from "./attempts.ts";
import { cancelled, deadlinePassed, noElement, noValue } from "./endings.ts";
import { errorRecord, FlowError, failureOf, type Failure } from "./failure.ts";
import type { Invoke, NodeEvent, NodeFailure } from "./flow.ts";
import { NO_ELEMENT, ROUTED_ELSEWHERE } from "./access.ts";
import type { Plan, PlanArg, PlanNode, PlanOutput } from "./plan.ts";
import { Scope } from "./scope.ts";
import { valueOf } from "./values.ts";

/** How long a run waits for calls that do not answer to their abort, on the transaction's clock. */
const GRACE_MS = 1000;

const PENDING = 0;
const RUNNING = 1;
const DONE = 2;
const FAILED = 3;
const SKIPPED = 4;

/** What an argument is whose source was skipped. */
const NO_VALUE: unique symbol = Symbol("no value");

export class FlowRun {
  private readonly plan: Plan;
  private readonly values: unknown[];
  private readonly scope: Scope;
  private readonly invoke: Invoke;
  private readonly states: Uint8Array;
  private readonly waiting: Int32Array;
  private readonly failures = new Map<number, Failure>();
  /** Scopes of nodes that are cancelled alone or observed by path. */
  private readonly scopes = new Map<number, Scope>();
  /** Nodes that settled and whose consumers do not know it yet; nodes that can fire. */
  private readonly settled: number[] = [];
  private readonly ready: number[] = [];
  private unsettled: number;
  /** Calls, sleeps and waits that have not come back. */
  private inFlight = 0;
  private stopped: { readonly error: unknown } | undefined;
  private ended = false;
  private promised: { readonly resolve: (value: unknown) => void; readonly reject: (error: unknown) => void } | undefined;
  /** What was set up for a run that waits; undone at its end. */
  private readonly cleanups: (() => void)[] = [];
  private inGrace = false;

  constructor(plan: Plan, values: unknown[], scope: Scope, invoke: Invoke) {
    this.plan = plan;
    this.values = values;
    this.scope = scope;
    this.invoke = invoke;
    this.states = new Uint8Array(plan.nodes.length);
    this.waiting = plan.waits.slice();
    this.unsettled = plan.nodes.length;
  }

  start(): unknown {
    return this.resumeAt(0);
  }

  /** All nodes before `index` are done. */
  resumeAt(index: number): unknown {
    this.markDone(index);
    this.enqueueReady(index);
    return this.conclude();
  }

  /** All nodes before `index` are done, and `index` answered with a promise. */
  resumeWith(index: number, answer: Promise<unknown>): unknown {
    this.markDone(index);
    this.states[index] = RUNNING;
    this.await(this.node(index), answer);
    this.enqueueReady(index + 1);
    return this.conclude();
  }

  /** All nodes before `index` are done, and `index` threw. */
  resumeFailed(index: number, thrown: unknown): unknown {
    this.markDone(index);
    this.states[index] = RUNNING;
    this.fail(index, this.failureOf(this.node(index), thrown));
    this.enqueueReady(index + 1);
    return this.conclude();
  }

  private node(index: number): PlanNode {
    const node = this.plan.nodes[index];
    if (node === undefined) throw new StarlaneError("starlane/internal", `the plan has no node ${index}`);
    return node;
  }

  private markDone(count: number): void {
    this.unsettled -= count;
    for (let i = 0; i < count; i++) {
      this.states[i] = DONE;
      for (const { node } of this.node(i).consumers) this.countDown(node);
    }
  }

  private enqueueReady(from: number): void {
    for (let i = from; i < this.plan.nodes.length; i++) {
      const node = this.node(i);
      // A race with a constant or an input of the flow in it is over before anything starts.
      if (node.kind === "race" && node.args.some((arg) => arg.node < 0)) this.race(node);
      else if (this.waiting[i] === 0) this.ready.push(i);
    }
  }

  private countDown(index: number): number {
    const left = (this.waiting[index] ?? 0) - 1;
    this.waiting[index] = left;
    return left;
  }

  /** Runs what can run; the answer, or a promise of it where something is in flight. */
  private conclude(): unknown {
    this.drive();
    if (this.isOver) return this.end();
    return new Promise((resolve, reject) => {
      this.promised = { resolve, reject };
      this.watch();
    });
  }

  private drive(): void {
    let [s, r] = [0, 0];
    try {
      while (this.stopped === undefined) {
        const settled = this.settled[s];
        if (settled !== undefined) {
          s++;
          this.propagate(this.node(settled));
          continue;
        }
        const ready = this.ready[r++];
        if (ready === undefined) break;
        this.fire(this.node(ready));
      }
    } catch (error) {
      this.stop(failureOf(this.plan.operation, error).error);
    }
    this.settled.length = 0;
    this.ready.length = 0;
  }

  private get isOver(): boolean {
    return (this.stopped !== undefined || this.unsettled === 0) && this.inFlight === 0;
  }

  /** Something came back: goes on with what that made possible, and ends the run where it was the last. */
  private proceed(): void {
    if (this.ended) return;
    this.drive();
    this.endIfOver();
  }

  private endIfOver(): void {
    const { promised } = this;
    if (this.ended || promised === undefined) return;
    if (!this.isOver) {
      if (this.stopped !== undefined || this.unsettled === 0) this.startGrace();
      return;
    }
    try {
      promised.resolve(this.end());
    } catch (error) {
      promised.reject(error);
    }
  }

  /** The result, thrown or returned; nothing that comes later counts. */
  private end(): unknown {
    this.ended = true;
    for (const cleanup of this.cleanups) cleanup();
    this.scope.close();
    if (this.stopped !== undefined) throw this.stopped.error;
    try {
      return this.result();
    } catch (error) {
      throw error instanceof FlowError ? error : failureOf(this.plan.operation, error).error;
    }
  }

  // ---- Settling

  private settle(index: number, state: typeof DONE | typeof FAILED | typeof SKIPPED): void {
    this.states[index] = state;
    this.unsettled--;
    this.settled.push(index);
  }

  private done(index: number, value: unknown): void {
    this.values[this.plan.inputCount + index] = value;
    this.emit("done", this.node(index));
    this.settle(index, DONE);
  }

  private fail(index: number, failure: Failure): void {
    this.failures.set(index, failure);
    this.emit("failed", this.node(index), failure);
    this.settle(index, FAILED);
  }

  private skip(index: number, failure?: Failure): void {
    this.emit("skipped", this.node(index), failure);
    if (failure !== undefined) this.failures.set(index, failure);
    this.settle(index, failure === undefined ? SKIPPED : FAILED);
  }

  private failureOf(node: PlanNode, thrown: unknown): Failure {
    return failureOf(node.path, thrown, node.ownError);
  }

  /** Tells a settled node's consumers. */
  private propagate(node: PlanNode): void {
    const failure = this.states[node.index] === FAILED && !node.caught ? this.failures.get(node.index) : undefined;
    if (failure !== undefined && node.escapes) return this.stop(failure.error);
    for (const { node: index, needs } of node.consumers) {
      const left = this.countDown(index);
      if (this.states[index] !== PENDING) continue;
      const consumer = this.node(index);
      if (consumer.kind === "race") this.race(consumer);
      else if (failure !== undefined && needs) this.skip(index, failure);
      else if (left === 0) this.ready.push(index);
    }
  }

  /** Ends the run with `error`: what runs is told to stop, what waits never starts. */
  private stop(error: unknown): void {
    if (this.stopped !== undefined || this.ended) return;
    this.stopped = { error };
    for (const [index, state] of this.states.entries()) {
      if (state <= RUNNING) this.emit("skipped", this.node(index));
    }
    this.scope.abort(error);
  }

  // ---- Firing

  private fire(node: PlanNode): void {
    if (this.states[node.index] !== PENDING) return;
    const { deadlineMs, clock } = this.scope;
    if (this.scope.aborted) return this.stop(cancelled(this.plan.operation, this.scope.reason));
    if (deadlineMs !== undefined && clock.now() >= deadlineMs) return this.stop(deadlinePassed(this.plan.operation));
    if (node.kind === "merge") return this.merge(node);
    const args = this.gather(node);
    if (args === undefined) return;
    this.states[node.index] = RUNNING;
    this.emit("start", node);
    if (node.policy !== undefined) return this.fireByPolicy(node, node.policy, args);
    let answer: unknown;
    try {
      answer = this.call(node, args, this.scopeOf(node));
    } catch (error) {
      return this.fail(node.index, this.failureOf(node, error));
    }
    if (answer instanceof Promise) this.await(node, answer);
    else this.done(node.index, answer);
  }

  private call(node: PlanNode, args: readonly unknown[], scope: Scope): unknown {
    return node.call === undefined ? this.invoke(node.target, args, scope) : node.call(args, scope, node.target);
  }

  private await(node: PlanNode, answer: Promise<unknown>): void {
    this.inFlight++;
    answer.then(
      (value) => {
        this.inFlight--;
        if (this.isRunning(node)) this.done(node.index, value);
        this.proceed();
      },
      (error: unknown) => {
        this.inFlight--;
        if (this.isRunning(node)) this.fail(node.index, this.failureOf(node, error));
        this.proceed();
      },
    );
  }

  private isRunning(node: PlanNode): boolean {
    return !this.ended && this.stopped === undefined && this.states[node.index] === RUNNING;
  }

  private fireByPolicy(node: PlanNode, policy: NonNullable<PlanNode["policy"]>, args: readonly unknown[]): void {
    new Attempts(policy, node.id, this.scopeOf(node), {
      call: (scope) => this.call(node, args, scope),
      isWanted: () => this.isRunning(node),
      hold: () => void this.inFlight++,
      release: () => {
        this.inFlight--;
        this.proceed();
      },
      proceed: () => this.proceed(),
      retrying: (error) => this.emit("retry", node, this.failureOf(node, error)),
      done: (value) => this.done(node.index, value),
      failed: (error) => this.fail(node.index, this.failureOf(node, error)),
    }).start();
  }

  private scopeOf(node: PlanNode): Scope {
    const observe = this.scope.observe;
    if (!node.cancellable && observe === undefined) return this.scope;
    let scope = this.scopes.get(node.index);
    if (scope === undefined) {
      const inner =
        observe === undefined
          ? undefined
          : (event: NodeEvent): void => observe({ ...event, path: event.path === "" ? node.path : `${node.path}/${event.path}` });
      scope = new Scope(this.scope, inner);
      this.scopes.set(node.index, scope);
    }
    return scope;
  }

  // ---- Arguments

  /** The arguments of a node that is about to fire; undefined where one is missing, the node is settled then. */
  private gather(node: PlanNode): readonly unknown[] | undefined {
    const args: unknown[] = [];
    for (const arg of node.args) {
      const value = this.takeFor(node, arg);
      if (value === NO_VALUE) {
        this.skip(node.index);
        return undefined;
      }
      if (value === NO_ELEMENT) return undefined;
      args.push(value);
    }
    return args;
  }

  /** `take` for an argument of a node; a list that is too short fails the node. */
  private takeFor(node: PlanNode, arg: PlanArg): unknown {
    const value = this.take(arg);
    if (value === NO_ELEMENT) this.fail(node.index, failureOf(node.path, noElement()));
    return value;
  }

  /** The value of an argument whose source has settled, NO_VALUE, or NO_ELEMENT. */
  private take(arg: PlanArg): unknown {
    const value = this.sourceValue(arg);
    const { fallback } = arg;
    if (value !== NO_VALUE && value !== NO_ELEMENT) return value;
    if (fallback === undefined) return value;
    if (arg.node >= 0) this.emit("fallback", this.node(arg.node), this.failures.get(arg.node));
    return fallback.value;
  }

  private sourceValue(arg: PlanArg): unknown {
    if (arg.node < 0) return valueOf(arg, this.values);
    const state = this.states[arg.node];
    if (arg.error) {
      const node = this.node(arg.node);
      const failure = state === FAILED ? this.failures.get(arg.node) : undefined;
      if (failure === undefined) return NO_VALUE;
      const record = errorRecord(failure, node.path, node.ownError);
      return arg.get === undefined ? record : arg.get(record);
    }
    if (state !== DONE) return NO_VALUE;
    const value = valueOf(arg, this.values);
    return value === ROUTED_ELSEWHERE ? NO_VALUE : value;
  }

  // ---- Merge and race

  /** The first port, in order, that has a value. */
  private merge(node: PlanNode): void {
    for (const arg of node.args) {
      const value = this.takeFor(node, arg);
      if (value === NO_ELEMENT) return;
      if (value === NO_VALUE) continue;
      this.emit("start", node);
      return this.done(node.index, value);
    }
    this.skip(node.index);
  }

  /** Ends a race where a value is there, or nobody is left. */
  private race(node: PlanNode): void {
    if (this.states[node.index] !== PENDING) return;
    for (const [port, arg] of node.args.entries()) {
      if (arg.node >= 0 && (this.states[arg.node] ?? PENDING) < DONE) continue;
      const value = this.take(arg);
      if (value === NO_VALUE || value === NO_ELEMENT) continue;
      this.emit("start", node);
      this.done(node.index, value);
      return this.cancelRacers(node, port);
    }
    if ((this.waiting[node.index] ?? 0) > 0) return;
    const failed = node.args.find((arg) => arg.node >= 0 && this.states[arg.node] === FAILED && !this.node(arg.node).caught);
    this.skip(node.index, failed === undefined ? undefined : this.failures.get(failed.node));
  }

  private cancelRacers(race: PlanNode, won: number): void {
    for (const { node, ports } of race.racers) {
      const state = this.states[node] ?? DONE;
      if (ports.has(won) || state >= DONE) continue;
      this.skip(node);
      if (state === RUNNING)
        this.scopes.get(node)?.abort(cancelled(this.plan.operation, `${race.path} was won by another source`));
    }
  }

  // ---- The end

  private result(): unknown {
    const { result } = this.plan;
    if (result.kind === "none") return undefined;
    if (result.kind === "value") return this.output(result.port);
    const record: Record<string, unknown> = {};
    for (const port of result.ports) record[port.key] = this.output(port);
    return record;
  }

  private output(port: PlanOutput): unknown {
    const value = this.take(port.arg);
    const path = this.plan.operation;
    if (value === NO_ELEMENT) throw failureOf(path, noElement()).error;
    if (value !== NO_VALUE) return value;
    if (port.whenSkipped !== undefined) return port.whenSkipped.value;
    const { node } = port.arg;
    throw noValue(path, port.name, this.plan.nodes[node]?.id ?? "its source", this.failures.get(node));
  }

  /** For a run that waits: follows the transaction's signal and its deadline. */
  private watch(): void {
    this.cleanups.push(
      this.scope.onAbort(() => {
        this.stop(cancelled(this.plan.operation, this.scope.reason));
        this.endIfOver();
      }),
    );
    const { deadlineMs, clock } = this.scope;
    // A flow inside a flow has the same deadline: the outermost run keeps it.
    if (deadlineMs !== undefined && !this.scope.isInner) {
      this.after(deadlineMs - clock.now(), () => {
        this.stop(deadlinePassed(this.plan.operation));
        this.endIfOver();
      });
    }
    this.endIfOver();
  }

  private startGrace(): void {
    if (this.inGrace) return;
    this.inGrace = true;
    this.after(GRACE_MS, () => {
      this.inFlight = 0;
      this.endIfOver();
    });
  }

  /** Calls `then` after `ms`, unless the run ends before. */
  private after(ms: number, then: () => void): void {
    const timer = new AbortController();
    this.cleanups.push(() => timer.abort());
    this.scope.clock.sleep(Math.max(0, ms), timer.signal).then(
      () => {
        if (!this.ended) then();
      },
      () => {},
    );
  }

  private emit(kind: NodeEvent["kind"], node: PlanNode, error?: NodeFailure): void {
    const { observe } = this.scope;
    if (observe === undefined) return;
    try {
      observe({ kind, path: node.path, atMs: performance.now(), error });
    } catch {
      // Watching never changes what happens.
    }
  }
}
