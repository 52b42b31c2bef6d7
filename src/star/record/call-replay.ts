// One call of a component, answered from its record. Calls of the host have to come in the recorded order with the recorded arguments;
// what came later is handed over when it is its turn.

import type { StarlaneError } from "../../base/errors.ts";
import type { CapabilityTransaction } from "../../capabilities/capability.ts";
import type { Json } from "../../wit/json.ts";
import type { FuncType, ValType } from "../../wit/types.ts";
import { callText, type Difference, sameJson, valueText } from "./difference.ts";
import type { Arrival, RecordEvent, RecordedAnswer, RecordedCall, RecordedFailure } from "./record.ts";
import { failure, incomplete } from "./recorded-failure.ts";
import type { Replay } from "./replay.ts";
import { GuestStream, HostStream } from "./replayed-streams.ts";
import { asJson, bytesOf, chunkType, decode, encode, Numbering, replaceStreams } from "./values.ts";

/** Something that came later and can be handed over now. */
export interface Delivery extends Arrival {
  readonly deliver: () => void;
}

interface Pending extends PromiseWithResolvers<unknown> {
  readonly type: FuncType;
}

/** What ends a call although its component would go on. */
const FROM_OUTSIDE = new Set<string>([
  "flow/deadline",
  "flow/timeout",
  "flow/cancelled",
  "engine/deadline",
  "engine/cancelled",
  "engine/out-of-fuel",
]);

export class CallReplay {
  readonly numbers: Numbering;
  output: CapabilityTransaction["output"];
  readonly #replay: Replay;
  readonly #call: RecordedCall;
  #cursor = 0;
  #made = 0;
  readonly #pending = new Map<number, Pending>();
  readonly #hostStreams = new Map<string, { readonly stream: HostStream; readonly element: ValType | undefined }>();
  readonly #guestStreams = new Map<string, GuestStream>();
  #openFutures = 0;
  readonly #futures = new Map<string, PromiseWithResolvers<unknown> & { readonly element: ValType | undefined }>();

  constructor(replay: Replay, call: RecordedCall) {
    this.#replay = replay;
    this.#call = call;
    this.numbers = new Numbering();
  }

  /** A call that goes on with what was made while the component was initialized. */
  static after(before: CallReplay, call: CallReplay): CallReplay {
    call.numbers.continue(before.numbers);
    return call;
  }

  /** An argument of the call itself. */
  handed(type: ValType, json: Json): unknown {
    return this.#decode(type, json);
  }

  get arrivals(): number[] {
    return this.#call.events.flatMap((event) => ("at" in event ? [event.at] : []));
  }

  /** Whether the component waits for something that only the record can give. */
  get isWaiting(): boolean {
    const asked = (): boolean => [...this.#hostStreams.values()].some(({ stream }) => stream.isAsked);
    return this.#pending.size > 0 || this.#openFutures > 0 || asked();
  }

  get stoppedBy(): StarlaneError | undefined {
    const stopped = this.#call.events.find((event) => "stopped" in event);
    return stopped === undefined ? undefined : failure(stopped.stopped);
  }

  /** @throws as the host did, or StarlaneError `replay/differs`, `replay/incomplete` */
  call(name: string, type: FuncType, given: readonly unknown[]): unknown {
    if (this.#replay.difference !== undefined) throw this.#replay.differs(this.#replay.difference);
    const args = type.params.map((param, i) => asJson(encode(param.type, given[i], this.numbers)));
    this.#made++;
    const event = this.#nextCall(callText(name, args));
    if (event.call !== name || !sameJson(event.args, args)) {
      throw this.#replay.differs(this.#place(callText(event.call, event.args), callText(name, args)));
    }
    type.params.forEach((param, i) => this.#watch(param.type, given[i]));
    this.#cursor++;
    this.#flush();
    if (!("later" in event)) return this.#answer(type, event);
    const pending = { ...Promise.withResolvers<unknown>(), type };
    this.#pending.set(event.later, pending);
    this.#replay.schedule();
    return pending.promise;
  }

  /** Passes what came before the next call, as the component no longer waits for it. */
  #nextCall(actual: string): Extract<RecordEvent, { call: string }> {
    for (;;) {
      const event = this.#call.events[this.#cursor];
      if (event === undefined) {
        if (this.#replay.record.incomplete === true) throw incomplete();
        throw this.#replay.differs(this.#place(undefined, actual));
      }
      if ("call" in event) return event;
      if ("stopped" in event) {
        if (FROM_OUTSIDE.has(event.stopped.code)) throw failure(event.stopped);
        throw this.#replay.differs(this.#place(`stopped: ${event.stopped.message}`, actual));
      }
      this.#take(event);
    }
  }

  #place(recorded: string | undefined, actual: string | undefined): Difference {
    const { node, component, count } = this.#call;
    return { node, component, count, position: this.#made, recorded, actual };
  }

  /** What the record has next, beside what the component does. */
  whatIsNext(actual: string): Difference {
    const event = this.#call.events[this.#cursor];
    this.#made++;
    return this.#place(event !== undefined && "call" in event ? callText(event.call, event.args) : undefined, actual);
  }

  /** What can be handed over now, where it is the next event. */
  delivery(): Delivery | undefined {
    this.#flush();
    const event = this.#call.events[this.#cursor];
    if (event === undefined || !("at" in event)) return undefined;
    if ("answer" in event && !this.#pending.has(event.answer)) return undefined;
    if ("got" in event && this.#guestStreams.get(event.got)?.isRead !== true) return undefined;
    if ("stopped" in event && this.#pending.size === 0) return undefined;
    return { at: event.at, ms: event.ms, deliver: () => this.#take(event) };
  }

  // oxlint-disable-next-line complexity -- one case an event
  #take(event: RecordEvent): void {
    this.#cursor++;
    if ("at" in event) {
      this.#replay.moved(event.ms);
      this.#replay.passed(event.at);
    }
    if ("answer" in event) this.#answerLater(event.answer, event);
    else if ("chunk" in event) this.#chunk(event.chunk, event.value);
    else if ("end" in event)
      this.#hostStreams.get(event.end)?.stream.end(event.failed === undefined ? undefined : failure(event.failed));
    else if ("future" in event) this.#settle(event.future, event);
    else if ("ask" in event) this.#guestStreams.get(event.ask)?.read(() => this.#replay.schedule());
    else if ("got" in event)
      this.#guestStreams.get(event.got)?.expect(event.value, (recorded, actual) => this.#otherChunk(recorded, actual));
    else if ("stop" in event) this.#guestStreams.get(event.stop)?.stop();
    else if ("print" in event) this.output?.(event.print, bytesOf(event.text) ?? new Uint8Array());
    else if ("stopped" in event) this.#stop(failure(event.stopped));
    this.#flush();
  }

  /** What was printed is printed as soon as everything before it has happened. */
  #flush(): void {
    for (
      let event = this.#call.events[this.#cursor];
      event !== undefined && "print" in event;
      event = this.#call.events[this.#cursor]
    ) {
      this.#cursor++;
      this.output?.(event.print, bytesOf(event.text) ?? new Uint8Array());
    }
  }

  #answerLater(number: number, answer: RecordedAnswer): void {
    const pending = this.#pending.get(number);
    this.#pending.delete(number);
    if (pending === undefined) return;
    try {
      pending.resolve(this.#answer(pending.type, answer));
    } catch (error) {
      pending.reject(error);
    }
  }

  #answer({ result }: FuncType, answer: RecordedAnswer): unknown {
    if ("failed" in answer) throw failure(answer.failed);
    if ("ok" in answer) {
      const type = result?.kind === "result" ? result.ok : result;
      return type === undefined ? undefined : this.#decode(type, answer.ok);
    }
    const type = result?.kind === "result" ? result.error : undefined;
    // oxlint-disable-next-line only-throw-error -- how a function of the host answers with the error of its result
    throw { payload: type === undefined ? undefined : this.#decode(type, answer.error) };
  }

  #decode(type: ValType, json: Json): unknown {
    return decode(type, json, (of, id) => this.numbers.objectOf(id, () => this.#object(of, id)));
  }

  #object(type: ValType, id: string): object {
    if (type.kind === "stream") {
      const stream = new HostStream();
      this.#hostStreams.set(id, { stream, element: type.element });
      return stream;
    }
    if (type.kind === "future") {
      const future = { ...Promise.withResolvers<unknown>(), element: type.element };
      this.#futures.set(id, future);
      this.#openFutures++;
      // Nobody may ever look at it.
      future.promise.catch(() => undefined);
      return future.promise;
    }
    return {};
  }

  #chunk(id: string, value: Json): void {
    const known = this.#hostStreams.get(id);
    if (known === undefined) return;
    known.stream.give(known.element === undefined ? undefined : this.#decode(chunkType(known.element), value));
  }

  #settle(id: string, event: { readonly ok: Json } | { readonly failed: RecordedFailure }): void {
    const future = this.#futures.get(id);
    if (future === undefined) return;
    this.#openFutures--;
    if ("failed" in event) future.reject(failure(event.failed));
    else future.resolve(future.element === undefined ? undefined : this.#decode(future.element, event.ok));
  }

  /** Streams that the component gives away are read as the host read them. */
  #watch(type: ValType, value: unknown): void {
    replaceStreams(type, value, (stream, object) => {
      if (stream.kind === "stream") {
        const { element } = stream;
        const asText = (chunk: unknown): Json =>
          element === undefined ? null : asJson(encode({ kind: "list", element }, chunk, this.numbers));
        this.#guestStreams.set(this.numbers.idOf(object), new GuestStream(object, asText));
      }
      return object;
    });
  }

  #otherChunk(recorded: Json | undefined, actual: Json | undefined): void {
    const text = (value: Json | undefined): string =>
      value === undefined ? "the end of a stream" : `gave a stream ${valueText(value)}`;
    this.#stop(this.#replay.differs(this.#place(text(recorded), text(actual))));
  }

  #stop(error: unknown): void {
    for (const { reject } of this.#pending.values()) reject(error);
    this.#pending.clear();
  }

  finish(outcome: "done" | "failed"): void {
    this.#flush();
    const left = this.#call.events.slice(this.#cursor).find((event) => "call" in event);
    if (outcome === "done" && left !== undefined && "call" in left && this.#replay.difference === undefined) {
      this.#made++;
      this.#replay.differs(this.#place(callText(left.call, left.args), undefined));
    }
    this.#replay.ended(this);
  }
}
