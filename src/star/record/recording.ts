// Writes down what comes from outside in one transaction: the answers of every function of the host that its components with grants
// call, and the order of those that come later. Bounded: LARGEST_RECORD_BYTES in all; then it only passes on.

import type { Clock } from "../../base/clock.ts";
import type { OutputStreamName } from "../../capabilities/capability.ts";
import type { ComponentFunction, Intercept } from "../../engine/engine.ts";
import type { Field, FuncType } from "../../wit/types.ts";
import type { Arrival, RecordedFailure } from "./record.ts";
import { LARGEST_RECORD_BYTES } from "./record.ts";
import { failureData } from "./recorded-failure.ts";
import { RecordedStreams, type Tape } from "./recorded-streams.ts";
import { StreamedValue } from "./streamed-value.ts";
import {
  type DraftEvent,
  type Encoded,
  encode,
  holdsResources,
  holdsStreams,
  Numbering,
  replaceStreams,
  sizeOf,
} from "./values.ts";

export interface DraftCall {
  readonly node: string;
  readonly count: number;
  readonly component: string;
  readonly events: readonly DraftEvent[];
}

/** What stays the same for all calls of an instance. */
export interface Initialized {
  readonly component: string;
  readonly events: readonly DraftEvent[];
}

/** What the recordings of all transactions that run hold together. */
export class RecordBudget {
  leftBytes: number;

  constructor(leftBytes: number) {
    this.leftBytes = leftBytes;
  }
}

/** One transaction that is recorded. */
export class Recording {
  readonly calls: DraftCall[] = [];
  /** Its arguments, where they hold resources. */
  handed: readonly Encoded[] | undefined;
  /** Its arguments that hold streams, by port. */
  readonly streamed = new Map<string, StreamedValue>();
  readonly initial = new Map<string, readonly DraftEvent[]>();
  readonly sleeps: DraftEvent[] = [];
  readonly #startedMs = performance.now();
  conclusion: RecordedFailure | undefined;
  incomplete = false;
  #arrivals = 0;
  #sleeps = 0;
  #bytes = 0;
  #open = 0;
  #onClosed: (() => void) | undefined;
  #args: { readonly params: readonly Field[]; readonly args: readonly unknown[] } | undefined;
  #first: CallRecorder | undefined;
  readonly #limitBytes: number;
  readonly #budget: RecordBudget | undefined;

  constructor(limitBytes = LARGEST_RECORD_BYTES, budget?: RecordBudget) {
    this.#limitBytes = limitBytes;
    this.#budget = budget;
  }

  /** Its arguments, with their streams watched; resources are named as the first call of a component names them. */
  handOver(params: readonly Field[], args: readonly unknown[]): readonly unknown[] {
    if (params.some(({ type }) => holdsResources(type))) this.#args = { params, args };
    if (this.#args !== undefined || !params.some(({ type }) => holdsStreams(type))) return args;
    return params.map(({ name, type }, i) => {
      if (args[i] === undefined || !holdsStreams(type)) return args[i];
      const streamed = new StreamedValue(type, args[i], (bytes) => this.takes(bytes));
      this.streamed.set(name, streamed);
      return streamed.value;
    });
  }

  /** When the calls that began have ended: some go on after the answer of the transaction. */
  closed(): Promise<void> {
    return this.#open === 0 ? Promise.resolve() : new Promise((resolve) => (this.#onClosed = resolve));
  }

  /** It was kept, or is not to be. */
  release(): void {
    this.incomplete = true;
    if (this.#budget !== undefined) this.#budget.leftBytes += this.#bytes;
    this.#bytes = 0;
  }

  /** What the command printed that this transaction is. */
  print(stream: OutputStreamName, bytes: Uint8Array): void {
    this.#first?.print(stream, bytes);
  }

  ended(): void {
    if (--this.#open === 0) this.#onClosed?.();
  }

  /** The operation answered, but what it did could not be concluded. */
  inconclusive(error: unknown): void {
    this.conclusion = failureData(error);
  }

  /** One call of a component begins. */
  begin(call: DraftCall, initialized: Initialized, recorder: CallRecorder): void {
    this.#open++;
    this.#first ??= recorder;
    if (this.#args !== undefined && call.node === "") {
      const { params, args } = this.#args;
      this.handed = params.map(({ type }, i) => encode(type, args[i], recorder.numbers));
      this.#args = undefined;
    }
    if (!this.initial.has(initialized.component)) {
      this.initial.set(initialized.component, initialized.events);
      for (const event of initialized.events) this.takes(sizeOf(event));
    }
    if (this.takes(call.node.length + 64)) this.calls.push(call);
  }

  /** Whether there is room for so many bytes more; after the first that do not fit, for none. */
  takes(bytes: number): boolean {
    if (this.incomplete) return false;
    if (this.#bytes + bytes > this.#limitBytes || (this.#budget !== undefined && this.#budget.leftBytes < bytes))
      this.incomplete = true;
    else {
      this.#bytes += bytes;
      if (this.#budget !== undefined) this.#budget.leftBytes -= bytes;
    }
    return !this.incomplete;
  }

  arrival(): { readonly at: number; readonly ms: number } & Arrival {
    return { at: this.#arrivals++, ms: Math.round(performance.now() - this.#startedMs) };
  }

  /** The same clock; which of its sleepers woke, and when, is written down. */
  clock(clock: Clock): Clock {
    return {
      now: () => clock.now(),
      sleep: (ms, signal) => {
        const sleep = this.#sleeps++;
        return clock.sleep(ms, signal).then(() => {
          if (this.takes(48)) this.sleeps.push({ sleep, ...this.arrival() });
        });
      },
    };
  }
}

/** What one call of a component sees. */
export class CallRecorder implements Tape {
  readonly events: DraftEvent[] = [];
  readonly numbers: Numbering;
  readonly #recording: Recording | undefined;
  readonly #streams = new RecordedStreams(this);
  #room: number;
  #isOver = false;
  #hasEnded = false;
  #later = 0;

  /** Without a recording: the initialization of an instance, of which `room` bytes are kept. */
  constructor(recording: Recording | undefined, before: Numbering | undefined, room = Infinity) {
    this.#recording = recording;
    this.numbers = new Numbering(before);
    this.#room = room;
  }

  add(event: DraftEvent): void {
    if (this.#isOver) return;
    const bytes = sizeOf(event);
    this.#room -= bytes;
    if (this.#room >= 0 && this.#recording?.takes(bytes) !== false) this.events.push(event);
  }

  /** Room for an event whose rest is known later: what happens meanwhile comes behind it. */
  #begin(head: DraftEvent): (rest: DraftEvent) => void {
    const event: { [key: string]: Encoded } = { ...head };
    this.add(event);
    return (rest) => {
      const { events } = this;
      const at = events.lastIndexOf(event);
      if (at < 0) return;
      const bytes = sizeOf(rest);
      this.#room -= bytes;
      if (this.#room >= 0 && this.#recording?.takes(bytes) !== false) Object.assign(event, rest);
      else events.length = at;
    };
  }

  /** The same for something that came later than it was asked for. */
  arrived(event: DraftEvent): void {
    if (!this.#isOver) this.add({ ...event, ...(this.#recording?.arrival() ?? { at: 0, ms: 0 }) });
  }

  print(stream: OutputStreamName, bytes: Uint8Array): void {
    this.add({ print: stream, text: bytes.slice() });
  }

  /** The component came to no answer of its own. */
  stopped(error: unknown): void {
    this.#isOver = false;
    this.arrived({ stopped: failureData(error) });
    this.#isOver = true;
  }

  end(): void {
    if (!this.#hasEnded) this.#recording?.ended();
    this.#hasEnded = true;
    this.#isOver = true;
  }

  call(name: string, type: FuncType, host: ComponentFunction, args: readonly unknown[]): unknown {
    if (this.#isOver) return host(...args);
    const given = type.params.map((param, i) => replaceStreams(param.type, args[i], this.#streams.ofGuest));
    const head = { call: name, args: type.params.map((param, i) => encode(param.type, given[i], this.numbers)) };
    const end = this.#begin(head);
    let answer: unknown;
    try {
      answer = host(...given);
    } catch (error) {
      end(this.#failed(type, error));
      throw error;
    }
    if (!(answer instanceof Promise) || type.result?.kind === "future") {
      const { value, written } = this.#answered(type, answer);
      end(written);
      return value;
    }
    const later = this.#later++;
    end({ later });
    return answer.then(
      (result: unknown) => {
        const { value, written } = this.#answered(type, result);
        this.arrived({ answer: later, ...written });
        return value;
      },
      (error: unknown) => {
        this.arrived({ answer: later, ...this.#failed(type, error) });
        throw error;
      },
    );
  }

  #answered({ result }: FuncType, answer: unknown): { readonly value: unknown; readonly written: DraftEvent } {
    const type = result?.kind === "result" ? result.ok : result;
    if (type === undefined) return { value: answer, written: { ok: null } };
    const value = replaceStreams(type, answer, this.#streams.ofHost);
    return { value, written: { ok: encode(type, value, this.numbers) } };
  }

  /** The error of a result, or why the component is stopped. */
  #failed({ result }: FuncType, error: unknown): DraftEvent {
    const own = result?.kind === "result" ? payloadOf(error) : undefined;
    if (own === undefined) return { failed: failureData(error) };
    const type = result?.kind === "result" ? result.error : undefined;
    return { error: type === undefined ? null : encode(type, own.payload, this.numbers) };
  }
}

/** As the engine reads what a function of the host throws. */
function payloadOf(error: unknown): { readonly payload: unknown } | undefined {
  if (typeof error === "object" && error !== null && Object.hasOwn(error, "payload")) {
    return { payload: Reflect.get(error, "payload") };
  }
  return error instanceof Error ? undefined : { payload: error };
}

/** Of one instance's initialization. */
const MOST_INITIAL_BYTES = 1024 * 1024;

/** Stands between one instance and its host. */
export class InstanceRecorder {
  readonly #component: string;
  readonly #passed: ReadonlySet<string>;
  readonly #initial = new CallRecorder(undefined, undefined, MOST_INITIAL_BYTES);
  #call: CallRecorder | undefined = this.#initial;

  /** `passed`: interfaces that other components answer, which come not from outside. */
  constructor(component: string, passed: ReadonlySet<string>) {
    this.#component = component;
    this.#passed = passed;
  }

  readonly intercept: Intercept = (name, type, host) => {
    if (this.#passed.has(name.replace(/#[^#]*$/, ""))) return host;
    return (...args) => (this.#call === undefined ? host(...args) : this.#call.call(name, type, host, args));
  };

  /** Undefined: this transaction is not recorded. */
  begin(recording: Recording | undefined, node: string, count: number): CallRecorder | undefined {
    this.#initial.end();
    this.#call = recording === undefined ? undefined : new CallRecorder(recording, this.#initial.numbers);
    if (this.#call !== undefined) {
      const { events } = this.#call;
      recording?.begin(
        { node, count, component: this.#component, events },
        { component: this.#component, events: this.#initial.events },
        this.#call,
      );
    }
    return this.#call;
  }

  end(): void {
    this.#call?.end();
    this.#call = undefined;
  }
}
