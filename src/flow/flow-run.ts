// One run of a plan with the state of every node. A node fires once, when all it needs has settled; a failure goes at once to
// whoever needs the value, until a `??` or `!` takes it or it leaves the flow, which ends the run. A node that runs once per element has
// settled as soon as its streams are there: its calls are made as somebody reads what it gives.

import { StarlaneError } from "../base/errors.ts";
import { NO_ELEMENT } from "./access.ts";
import { cancelled, deadlinePassed, noElement, noValue } from "./endings.ts";
import { FlowError, failureOf, type Failure } from "./failure.ts";
import type { Invoke, NodeEvent, NodeFailure } from "./flow.ts";
import { Lifetime } from "./lifetime.ts";
import { DONE, FAILED, NO_VALUE, Outcomes, PENDING, RUNNING, SKIPPED, type Settled } from "./outcomes.ts";
import type { Plan, PlanArg, PlanNode, PlanOutput, Policy } from "./plan.ts";
import { NodeCalls } from "./node-calls.ts";
import { RunStreams } from "./run-streams.ts";
import type { Scope } from "./scope.ts";
import type { MapInput } from "./streams/map.ts";
import type { Stream } from "./streams/stream.ts";

export class FlowRun {
  private readonly plan: Plan;
  private readonly scope: Scope;
  private readonly life: Lifetime;
  private readonly outcomes: Outcomes;
  private readonly streams: RunStreams | undefined;
  private readonly waiting: Int32Array;
  private readonly calls: NodeCalls;
  /** Nodes that settled and whose consumers do not know it yet; nodes that can fire. */
  private readonly settled: number[] = [];
  private readonly ready: number[] = [];
  private unsettled: number;

  constructor(plan: Plan, values: unknown[], scope: Scope, invoke: Invoke) {
    this.plan = plan;
    this.scope = scope;
    this.waiting = plan.waits.slice();
    this.unsettled = plan.nodes.length;
    this.outcomes = new Outcomes(plan, values, (node, failure) => this.fellBack(node, failure));
    this.life = new Lifetime(plan.operation, scope, {
      isSettled: () => this.unsettled === 0,
      answersEarly: plan.givesStreams,
      stopped: () => this.tellStopped(),
      result: () => this.result(),
      over: () => this.streams?.close(),
    });
    this.calls = new NodeCalls(plan, scope, invoke, this.life, (node, error) =>
      this.emit("retry", node, this.failureOf(node, error)),
    );
    this.streams = plan.hasStreams ? this.makeStreams() : undefined;
  }

  private makeStreams(): RunStreams {
    return new RunStreams({
      plan: this.plan,
      outcomes: this.outcomes,
      life: this.life,
      mapEnded: (node) => this.mapEnded(node),
      fellBack: (node, failure) => this.fellBack(node, failure),
    });
  }

  start(): unknown {
    this.streams?.settleUnread(-1);
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
    this.outcomes.states[index] = RUNNING;
    this.await(this.node(index), answer);
    this.enqueueReady(index + 1);
    return this.conclude();
  }

  /** All nodes before `index` are done, and `index` threw. */
  resumeFailed(index: number, thrown: unknown): unknown {
    this.markDone(index);
    this.outcomes.states[index] = RUNNING;
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
      this.outcomes.states[i] = DONE;
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
    return this.life.answer();
  }

  private drive(): void {
    let [s, r] = [0, 0];
    try {
      while (this.life.stopReason === undefined) {
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
      this.life.stop(failureOf(this.plan.operation, error).error);
    }
    this.settled.length = 0;
    this.ready.length = 0;
  }

  /** Something came back: goes on with what that made possible, and ends the run where it was the last. */
  private proceed(): void {
    if (this.life.ended) return;
    this.drive();
    this.life.proceed();
  }

  // ---- Settling

  private settle(index: number, state: Settled): void {
    this.outcomes.states[index] = state;
    this.unsettled--;
    this.settled.push(index);
  }

  private done(index: number, value: unknown): void {
    const node = this.node(index);
    this.outcomes.done(index, value);
    if (node.mapped === undefined) this.emit("done", node);
    this.settle(index, DONE);
  }

  private fail(index: number, failure: Failure): void {
    this.outcomes.failures.set(index, failure);
    this.emit("failed", this.node(index), failure);
    this.settle(index, FAILED);
  }

  private skip(index: number, failure?: Failure): void {
    const node = this.node(index);
    this.emit("skipped", node, failure);
    if (failure !== undefined) this.outcomes.failures.set(index, failure);
    this.settle(index, failure === undefined ? SKIPPED : FAILED);
    this.release(node);
  }

  /** The streams that a node will not read. */
  private release(node: PlanNode): void {
    if (this.streams !== undefined) for (const arg of node.args) this.streams.release(arg);
  }

  private failureOf(node: PlanNode, thrown: unknown): Failure {
    return this.streams?.carriedBy(thrown) ?? failureOf(node.path, thrown, node.ownError);
  }

  private fellBack(node: number, failure: Failure | undefined): void {
    this.emit("fallback", this.node(node), failure);
  }

  /** A mapped node has gone through its streams. */
  private mapEnded(node: PlanNode): void {
    const { stopReason } = this.life;
    if (stopReason === undefined) this.emit("done", node);
    else if (stopReason.error instanceof FlowError && stopReason.error.path.startsWith(`${node.path}[`))
      this.emit("failed", node, { error: stopReason.error });
    else this.emit("skipped", node);
    this.calls.cancel(node.index, cancelled(this.plan.operation, `nobody reads what \`${node.path}\` gives`));
  }

  /** Tells a settled node's consumers. */
  private propagate(node: PlanNode): void {
    const { states, failures } = this.outcomes;
    const failure = states[node.index] === FAILED && !node.caught ? failures.get(node.index) : undefined;
    if (failure !== undefined && node.escapes) return this.life.stop(failure.error);
    for (const { node: index, needs } of node.consumers) {
      const left = this.countDown(index);
      const consumer = this.node(index);
      if (states[index] !== PENDING) {
        if (states[index] === FAILED || states[index] === SKIPPED) this.release(consumer);
        continue;
      }
      if (consumer.kind === "race") this.race(consumer);
      else if (failure !== undefined && needs && consumer.join === undefined) this.skip(index, failure);
      else if (left === 0) this.ready.push(index);
    }
    if (states[node.index] === DONE) this.streams?.settleUnread(node.index);
  }

  private tellStopped(): void {
    for (const [index, state] of this.outcomes.states.entries()) {
      if (state <= RUNNING) this.emit("skipped", this.node(index));
    }
    this.streams?.close();
  }

  // ---- Firing

  private fire(node: PlanNode): void {
    if (this.outcomes.states[node.index] !== PENDING) return;
    const { deadlineMs, clock } = this.scope;
    if (this.scope.aborted) return this.life.stop(cancelled(this.plan.operation, this.scope.reason));
    if (deadlineMs !== undefined && clock.now() >= deadlineMs) return this.life.stop(deadlinePassed(this.plan.operation));
    if (node.kind === "merge") return this.merge(node);
    if (node.join !== undefined) return this.join(node, node.join);
    const args = this.gather(node);
    if (args === undefined) return;
    this.outcomes.states[node.index] = RUNNING;
    this.emit("start", node);
    if (node.mapped !== undefined) return this.map(node, args);
    if (node.policy !== undefined) return this.fireByPolicy(node, node.policy, args);
    let answer: unknown;
    try {
      answer = this.calls.call(node, args);
    } catch (error) {
      return this.fail(node.index, this.failureOf(node, error));
    }
    if (answer instanceof Promise) this.await(node, answer);
    else this.done(node.index, answer);
  }

  private await(node: PlanNode, answer: Promise<unknown>): void {
    this.life.hold();
    answer.then(
      (value) => {
        this.life.letGo();
        if (this.isRunning(node)) this.done(node.index, value);
        this.proceed();
      },
      (error: unknown) => {
        this.life.letGo();
        if (this.isRunning(node)) this.fail(node.index, this.failureOf(node, error));
        this.proceed();
      },
    );
  }

  private isRunning(node: PlanNode): boolean {
    return !this.life.ended && this.life.stopReason === undefined && this.outcomes.states[node.index] === RUNNING;
  }

  private fireByPolicy(node: PlanNode, policy: Policy, args: readonly unknown[]): void {
    this.calls.attempt(node, policy, args, {
      isWanted: () => this.isRunning(node),
      proceed: () => this.proceed(),
      done: (value) => this.done(node.index, value),
      failed: (error) => this.fail(node.index, this.failureOf(node, error)),
    });
  }

  // ---- Streams

  private map(node: PlanNode, args: readonly unknown[]): void {
    const { streams } = this;
    if (streams === undefined) throw new StarlaneError("starlane/internal", "a plan without streams has a mapped node");
    const inputs = args.map((value, i): MapInput =>
      node.args[i]?.stream?.use === "each" ? { stream: value as Stream } : { value },
    );
    const stream = streams.map(node, inputs, {
      call: this.calls.ofElements(node),
      hold: () => this.life.hold(),
      release: () => this.life.release(),
    });
    this.done(node.index, stream);
  }

  /** One stream of those that are there. */
  private join(node: PlanNode, join: (streams: readonly Stream[]) => Stream): void {
    const taken = node.args.map((arg) => this.streams?.take(arg, node.path) ?? NO_VALUE);
    const there = taken.filter((stream) => stream !== NO_VALUE && stream !== NO_ELEMENT);
    if (there.length === 0) {
      const failed = node.args.find((arg) => arg.node >= 0 && this.outcomes.states[arg.node] === FAILED);
      return this.skip(node.index, failed === undefined ? undefined : this.outcomes.failures.get(failed.node));
    }
    this.emit("start", node);
    this.done(node.index, join(there));
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

  /** The value of an argument of a node, NO_VALUE, or NO_ELEMENT: a list that is too short fails the node. */
  private takeFor(node: PlanNode, arg: PlanArg): unknown {
    const value = arg.stream === undefined ? this.outcomes.take(arg) : this.takeStream(node, arg);
    if (value === NO_ELEMENT) this.fail(node.index, failureOf(node.path, noElement()));
    return value;
  }

  private takeStream(node: PlanNode, arg: PlanArg): unknown {
    const stream = this.streams?.take(arg, node.path) ?? NO_VALUE;
    const isInside = node.call !== undefined || arg.stream?.use === "each";
    return isInside || stream === NO_VALUE || stream === NO_ELEMENT ? stream : this.streams?.inlet(stream);
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
    const { states, failures } = this.outcomes;
    if (states[node.index] !== PENDING) return;
    for (const [port, arg] of node.args.entries()) {
      if (arg.node >= 0 && !this.outcomes.isSettled(arg.node)) continue;
      const value = this.outcomes.take(arg);
      if (value === NO_VALUE || value === NO_ELEMENT) continue;
      this.emit("start", node);
      this.done(node.index, value);
      return this.cancelRacers(node, port);
    }
    if ((this.waiting[node.index] ?? 0) > 0) return;
    const failed = node.args.find((arg) => arg.node >= 0 && states[arg.node] === FAILED && !this.node(arg.node).caught);
    this.skip(node.index, failed === undefined ? undefined : failures.get(failed.node));
  }

  private cancelRacers(race: PlanNode, won: number): void {
    for (const { node, ports } of race.racers) {
      const state = this.outcomes.states[node] ?? DONE;
      if (ports.has(won) || state >= DONE) continue;
      this.skip(node);
      if (state === RUNNING) this.calls.cancel(node, cancelled(this.plan.operation, `${race.path} was won by another source`));
    }
  }

  // ---- The end

  private result(): unknown {
    try {
      const { result } = this.plan;
      if (result.kind === "none") return undefined;
      if (result.kind === "value") return this.output(result.port);
      const record: Record<string, unknown> = {};
      for (const port of result.ports) record[port.key] = this.output(port);
      return record;
    } catch (error) {
      throw error instanceof FlowError ? error : failureOf(this.plan.operation, error).error;
    }
  }

  private output(port: PlanOutput): unknown {
    const path = this.plan.operation;
    const { arg } = port;
    const value = arg.stream === undefined ? this.outcomes.take(arg) : (this.streams?.take(arg, path) ?? NO_VALUE);
    if (value === NO_ELEMENT) throw failureOf(path, noElement()).error;
    if (arg.stream !== undefined && this.streams !== undefined) return this.streams.outlet(value as Stream | typeof NO_VALUE);
    if (value !== NO_VALUE) return value;
    if (port.whenSkipped !== undefined) return port.whenSkipped.value;
    throw noValue(path, port.name, this.plan.nodes[arg.node]?.id ?? "its source", this.outcomes.failures.get(arg.node));
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
