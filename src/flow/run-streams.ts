// The streams of one run: who has which part of them, nodes that run once per element, what is given away. Closed with the run, whatever
// is left of them.

import { StarlaneError } from "../base/errors.ts";
import type { ValType } from "../wit/types.ts";
import { NO_ELEMENT } from "./access.ts";
import { noElement, stuckStream } from "./endings.ts";
import { errorRecord, failureOf, FlowError, type Failure } from "./failure.ts";
import type { Lifetime } from "./lifetime.ts";
import { DONE, NO_VALUE, PENDING, type Outcomes } from "./outcomes.ts";
import type { Plan, PlanArg, PlanNode } from "./plan.ts";
import { OUTPUT, type PlannedStream } from "./reading.ts";
import { ForeignStream } from "./streams/foreign.ts";
import { MapStream, type MapHost, type MapInput } from "./streams/map.ts";
import { Outlet, type OutletHost } from "./streams/outlet.ts";
import { Pace } from "./streams/pace.ts";
import { PartStream, type PartHost } from "./streams/part.ts";
import { FailedElement, ReadyStream, type Stream } from "./streams/stream.ts";
import { BACKLOG, Tee } from "./streams/tee.ts";

/** The run, as far as its streams need it. */
export interface StreamsHost {
  readonly plan: Plan;
  readonly outcomes: Outcomes;
  readonly life: Lifetime;
  /** A node that is mapped was gone through, or failed for good. */
  mapEnded(node: PlanNode): void;
  fellBack(node: number, failure: Failure | undefined): void;
}

/** The calls of one node that runs once per element. */
export type ElementCalls = Pick<MapHost, "call" | "hold" | "release">;

const EMPTY: readonly unknown[] = Object.freeze([]);

export class RunStreams {
  readonly pace = new Pace();
  private readonly host: StreamsHost;
  /** By id of the planned stream. */
  private readonly sources = new Map<number, Stream>();
  private readonly tees = new Map<number, Tee>();
  /** What has to be told when the run ends: sources that were begun, and what reads them. */
  private readonly open = new Set<Stream>();
  /** Failures of elements and streams of this run: when they come back from a reader, their paths are whole already. */
  private readonly carried = new WeakMap<FlowError, Failure>();

  constructor(host: StreamsHost) {
    this.host = host;
  }

  /** What `error` stands for where it came out of a stream of this run. */
  carriedBy(error: unknown): Failure | undefined {
    return error instanceof FlowError ? this.carried.get(error) : undefined;
  }

  /** The part of a stream that an argument takes; NO_VALUE where there is none, NO_ELEMENT. */
  take(arg: PlanArg, reader: string): Stream | typeof NO_VALUE | typeof NO_ELEMENT {
    const { outcomes, plan } = this.host;
    const { stream, fallback } = arg;
    if (stream === undefined) return NO_VALUE;
    const planned = stream.branch === undefined ? undefined : plan.streams[stream.branch.stream];
    if (planned === undefined || stream.branch === undefined) {
      const value = outcomes.take(arg);
      return value === NO_VALUE || value === NO_ELEMENT ? value : new ReadyStream([value]);
    }
    const source = this.sourceOf(planned);
    if (source === undefined) {
      if (fallback === undefined) return NO_VALUE;
      this.host.fellBack(arg.node, outcomes.failures.get(arg.node));
      return new ReadyStream([fallback.value]);
    }
    const whole = planned.readers.length > 1 ? this.branchOf(planned, source, stream.branch.branch) : source;
    const { get, failures } = stream.part;
    if (get === undefined && stream.part.fallback === undefined && failures === "pass") return whole;
    return new PartStream(whole, stream.part, this.partHost(arg, reader));
  }

  /** An argument or output of a stream that will not be read. */
  release({ stream }: PlanArg): void {
    if (stream?.branch === undefined) return;
    const planned = this.host.plan.streams[stream.branch.stream];
    const source = planned === undefined ? undefined : this.sourceOf(planned);
    if (planned === undefined || source === undefined) return;
    if (planned.readers.length > 1) this.branchOf(planned, source, stream.branch.branch).close();
    else source.close();
  }

  /** Reads what nobody else reads, and lets go of what nobody wants, among the streams of a node (-1: of the inputs). */
  settleUnread(node: number): void {
    for (const planned of this.host.plan.streams) {
      if (planned.node !== node || planned.readers.length > 0) continue;
      const source = this.sourceOf(planned);
      if (source === undefined) continue;
      if (planned.isMade) void this.drain(source, this.host.plan.nodes[node]?.caught === true);
      else source.close();
    }
  }

  /** A stream for a component: an iterable of chunks. */
  inlet(stream: Stream): Outlet {
    const { life } = this.host;
    this.open.add(stream);
    const host: OutletHost = {
      fail: (failure) => failure.error,
      stopped: () => life.stopReason,
      ended: () => {
        this.open.delete(stream);
        return undefined;
      },
    };
    return new Outlet(stream, host);
  }

  /** A stream that leaves the flow. */
  outlet(stream: Stream | typeof NO_VALUE): Outlet {
    const { life } = this.host;
    const source = stream === NO_VALUE ? new ReadyStream(EMPTY) : stream;
    this.open.add(source);
    life.give();
    const host: OutletHost = {
      fail: (failure) => {
        life.stop(failure.error);
        return failure.error;
      },
      stopped: () => life.stopReason,
      ended: () => {
        this.open.delete(source);
        return life.taken();
      },
    };
    return new Outlet(source, host);
  }

  /** A node that runs once per element of the streams among its inputs. */
  map(node: PlanNode, inputs: readonly MapInput[], calls: ElementCalls): Stream {
    const stream: Stream = new MapStream(inputs, node.mapped?.limit ?? 1, {
      ...calls,
      pace: this.pace,
      failureOf: (thrown, index) =>
        this.carriedBy(thrown) ?? this.carry(failureOf(`${node.path}[${index}]`, thrown, node.ownError)),
      ended: () => {
        this.open.delete(stream);
        this.host.mapEnded(node);
      },
    });
    this.open.add(stream);
    return stream;
  }

  /** Ends everything that is still open. */
  close(): void {
    // What nobody has begun to read is let go too.
    for (const planned of this.host.plan.streams) if (!this.sources.has(planned.id)) this.sourceOf(planned)?.close();
    const open = [...this.open];
    this.open.clear();
    for (const stream of open) stream.close();
  }

  private sourceOf(planned: PlannedStream): Stream | undefined {
    const known = this.sources.get(planned.id);
    if (known !== undefined) return known;
    const { outcomes, plan } = this.host;
    if (planned.node >= 0 && outcomes.states[planned.node] !== DONE) return undefined;
    const slotted = outcomes.values[planned.slot];
    const value = planned.get === undefined ? slotted : planned.get(slotted);
    // A node that makes its stream inside the run gives it as it is.
    const source = planned.isMade ? (value as Stream) : this.foreign(planned.element, value, plan.nodes[planned.node]);
    this.sources.set(planned.id, source);
    return source;
  }

  private foreign(element: ValType | undefined, value: unknown, node: PlanNode | undefined): Stream {
    const stream: Stream = new ForeignStream(element, value, {
      pace: this.pace,
      failureOf: (thrown) => this.brokenBy(thrown, node),
      ended: (ended) => void this.open.delete(ended),
    });
    this.open.add(stream);
    return stream;
  }

  /** What a stream from outside broke with. What came through an input was named by whoever gave it. */
  private brokenBy(thrown: unknown, node: PlanNode | undefined): Failure {
    const known = this.carriedBy(thrown);
    if (known !== undefined) return known;
    if (node !== undefined) return this.carry(failureOf(node.path, thrown, node.ownError));
    if (thrown instanceof FlowError) {
      return this.carry("payload" in thrown ? { error: thrown, own: { value: thrown.payload } } : { error: thrown });
    }
    return this.carry(failureOf(this.host.plan.operation, placed(thrown)));
  }

  private carry(failure: Failure): Failure {
    this.carried.set(failure.error, failure);
    return failure;
  }

  private branchOf(planned: PlannedStream, source: Stream, index: number): Stream {
    let tee = this.tees.get(planned.id);
    if (tee === undefined) {
      tee = new Tee(source, planned.readers.length, (ahead, behind) => this.stopIfStuck(planned, ahead, behind));
      this.tees.set(planned.id, tee);
    }
    return tee.branch(index) ?? source;
  }

  private partHost(arg: PlanArg, reader: string): PartHost {
    const node = this.host.plan.nodes[arg.node];
    return {
      missing: () => this.carry(failureOf(reader, noElement())),
      record: (failure) => errorRecord(failure, ownPath(failure, node), node?.ownError),
      fellBack: (failure) => {
        if (failure !== undefined) this.host.fellBack(arg.node, failure);
      },
    };
  }

  /** Reads to the end for nobody; an element that fails ends the run, unless a `!` takes its error. */
  private async drain(stream: Stream, caught: boolean): Promise<void> {
    const { life } = this.host;
    life.drain();
    this.open.add(stream);
    for (;;) {
      const step = await stream.pull();
      if (step === undefined) break;
      if (!(step instanceof FailedElement) || caught) continue;
      life.stop(step.failure.error);
      break;
    }
    this.open.delete(stream);
    stream.close();
    life.drained();
  }

  /** Whether the reader that is behind waits for the one that is ahead, which is told then. */
  private stopIfStuck(planned: PlannedStream, ahead: number, behind: number): boolean {
    const [first, last] = [planned.readers[ahead], planned.readers[behind]];
    if (first === undefined || last === undefined) return false;
    const isInStep = [...last.zips].some((zip) => first.zips.has(zip));
    const isBlocked = [...last.drivers].every((driver) => this.waitsFor(driver, first.drivers));
    if (!isInStep && !isBlocked) return false;
    const { plan, life } = this.host;
    life.stop(stuckStream(`${plan.operation}/${planned.label}`, first.label, last.label, BACKLOG));
    life.proceed();
    return true;
  }

  /** Whether `driver` cannot begin to read before one of `others` has read all. */
  private waitsFor(driver: number, others: ReadonlySet<number>): boolean {
    const { outcomes, plan, life } = this.host;
    const unsettled = [...others].filter((other) => other >= 0 && !outcomes.isSettled(other));
    if (driver === OUTPUT) return !life.answered && unsettled.length > 0;
    if (outcomes.states[driver] !== PENDING) return false;
    const seen = new Set(unsettled);
    const pending = [...unsettled];
    for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
      for (const { node: next } of plan.nodes[node]?.consumers ?? []) {
        if (next === driver) return true;
        if (!seen.has(next)) pending.push(next);
        seen.add(next);
      }
    }
    return false;
  }
}

/** What is wrong with an element of an input says in its message which one, because the path is that of the flow. */
function placed(thrown: unknown): unknown {
  if (!(thrown instanceof StarlaneError) || thrown.at === undefined) return thrown;
  const { code, message, at, cure, data } = thrown;
  return new StarlaneError(code, `${at}: ${message}`, { cause: thrown, cure, data });
}

/** The path by which an error is the node's own: its payload is of the node's type then. */
function ownPath({ error }: Failure, node: PlanNode | undefined): string {
  if (node === undefined) return "";
  return error.path === node.path || error.path.replace(/\[\d+\]$/, "") === node.path ? error.path : node.path;
}
