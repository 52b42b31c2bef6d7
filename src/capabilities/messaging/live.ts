// `starlane:messaging/live`: see `wit/starlane-messaging/live.wit`. What a listener has not read yet is kept for it, up to MOST_KEPT messages and
// MOST_KEPT_BYTES; who is further behind fails, and holds up nobody.

import type { Maybe } from "../../engine/async/maybe.ts";
import { mayWait } from "../../engine/may-wait.ts";
import { bytesOf } from "../guest.ts";
import { answering, type Session } from "../resources/answering.ts";
import { overLimit } from "../resources/resource.ts";
import type { MessageBroker } from "./messaging.ts";

const MOST_KEPT = 1000;
const MOST_KEPT_BYTES = 16 << 20;

interface LiveMessages {
  readonly imports: Readonly<Record<string, unknown>>;
  /** Nobody of the call listens any more. */
  finish(): void;
}

/** `brokerOf` throws what the guest is told where a topic is not granted. `waits`: some broker answers later. */
export function liveMessages(session: Session, brokerOf: (topic: string) => MessageBroker, waits: boolean): LiveMessages {
  const open = new Set<Ear>();
  const marked = <F extends (...args: never[]) => unknown>(f: F): F => (waits ? mayWait(f) : f);
  const other = (text: string): unknown => ({ tag: "other", val: text });
  const send = marked((topic: string, message: Uint8Array): Maybe<void> => {
    const broker = brokerOf(topic);
    return answering(session, () => broker.send(topic, bytesOf(message)), other);
  });
  const listen = marked((topic: string): Maybe<Ear> => {
    const broker = brokerOf(topic);
    const ear = new Ear((ended) => void open.delete(ended));
    open.add(ear);
    return answering(
      session,
      () => {
        const stop = broker.listen(topic, (data) => ear.hear(data));
        if (!(stop instanceof Promise)) return ear.until(stop);
        return stop.then((later) => ear.until(later));
      },
      other,
    );
  });
  return {
    imports: { "starlane:messaging/live@0.1.0": { __proto__: null, send, listen } },
    finish() {
      for (const ear of open) ear.close();
    },
  };
}

/** One listener: a stream of what it hears. */
class Ear implements AsyncIterable<Uint8Array>, AsyncIterator<Uint8Array, undefined> {
  readonly #ended: (ear: Ear) => void;
  #kept: Uint8Array[] = [];
  #bytes = 0;
  #stop: (() => void) | undefined;
  #wake: (() => void) | undefined;
  #failed: { readonly error: unknown } | undefined;
  #isOver = false;

  constructor(ended: (ear: Ear) => void) {
    this.#ended = ended;
  }

  /** `stop` ends the listening. */
  until(stop: () => void): this {
    this.#stop = stop;
    if (this.#isOver) stop();
    return this;
  }

  hear(data: Uint8Array): void {
    if (this.#isOver) return;
    this.#kept.push(data);
    this.#bytes += data.length;
    if (this.#kept.length > MOST_KEPT || this.#bytes > MOST_KEPT_BYTES) {
      this.#failed = { error: overLimit("messages wait for a listener that is too slow", MOST_KEPT) };
      this.close();
    }
    this.#notify();
  }

  close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#kept = [];
    this.#stop?.();
    this.#ended(this);
    this.#notify();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    while (this.#kept.length === 0 && !this.#isOver) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    if (this.#failed !== undefined) throw this.#failed.error;
    if (this.#isOver) return { done: true, value: undefined };
    const value = this.#kept.shift();
    if (value === undefined) return { done: true, value };
    this.#bytes -= value.length;
    return { done: false, value };
  }

  return(): Promise<IteratorResult<Uint8Array, undefined>> {
    this.close();
    return Promise.resolve({ done: true, value: undefined });
  }

  #notify(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}
