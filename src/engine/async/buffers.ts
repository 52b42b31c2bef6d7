// The two sides of a copy through a stream or future: a range of a guest's memory, or values of the host.
// Source: Canonical ABI, Buffer State.

import type { ValType } from "../../wit/types.ts";
import type { CodecMaker, Domain } from "../abi/codec.ts";
import type { AbiContext } from "../abi/context.ts";
import { type Elements, elementsOf } from "../abi/lists.ts";
import { checkRange } from "../abi/memory.ts";
import { trap } from "../trap.ts";

/** Canonical ABI, `Buffer.MAX_LENGTH`. */
export const MAX_BUFFER = 2 ** 28 - 1;

interface Buffer {
  /** Elements in all, elements moved, elements still to move. */
  readonly length: number;
  readonly progress: number;
  readonly remain: number;
  readonly domain: Domain;
}

export interface ReadableBuffer extends Buffer {
  read(count: number, domain: Domain): ArrayLike<unknown>;
}

export interface WritableBuffer extends Buffer {
  write(values: ArrayLike<unknown>, domain: Domain): void;
}

/** Moves values; from guest to guest they never become values of the host. */
export function transfer(from: ReadableBuffer, to: WritableBuffer, count: number): void {
  const domain = from.domain === "guest" && to.domain === "guest" ? "guest" : "host";
  to.write(from.read(count, domain), domain);
}

const elements = new WeakMap<CodecMaker, WeakMap<ValType, Elements>>();

function elementsFor(type: ValType, maker: CodecMaker): Elements {
  let byType = elements.get(maker);
  if (byType === undefined) elements.set(maker, (byType = new WeakMap()));
  let known = byType.get(type);
  if (known === undefined) byType.set(type, (known = elementsOf(type, maker)));
  return known;
}

/** A range of a guest's memory. */
export class GuestBuffer implements ReadableBuffer, WritableBuffer {
  readonly domain = "guest";
  readonly length: number;
  progress = 0;
  readonly #element: ValType | undefined;
  readonly #cx: AbiContext;
  #at: number;

  constructor(element: ValType | undefined, cx: AbiContext, at: number, length: number) {
    if (length > MAX_BUFFER) trap("stream read/write count too large");
    if (element !== undefined && length > 0) {
      const { size, align } = elementsFor(element, cx.codecs.guest);
      checkRange(cx.memory, at, length * size, align, "stream buffer");
    }
    this.#element = element;
    this.#cx = cx;
    this.#at = at;
    this.length = length;
  }

  get remain(): number {
    return this.length - this.progress;
  }

  read(count: number, domain: Domain): ArrayLike<unknown> {
    const values = this.#element === undefined ? new Array<undefined>(count) : this.#lift(this.#element, count, domain);
    this.progress += count;
    return values;
  }

  #lift(element: ValType, count: number, domain: Domain): ArrayLike<unknown> {
    const how = elementsFor(element, this.#cx.codecs[domain]);
    this.#cx.startLifting();
    const values = how.lift(this.#cx, this.#at, count) as ArrayLike<unknown>;
    this.#at += count * how.size;
    return values;
  }

  write(values: ArrayLike<unknown>, domain: Domain): void {
    if (this.#element !== undefined) {
      const how = elementsFor(this.#element, this.#cx.codecs[domain]);
      this.#cx.memory.mark(this.#at, values.length * how.size);
      how.lower(this.#cx, this.#at, values);
      this.#at += values.length * how.size;
    }
    this.progress += values.length;
  }
}

/** Values that the host gives: an array, or a typed array whose parts are taken without copying. */
export class HostSource implements ReadableBuffer {
  readonly domain = "host";
  readonly #values: ArrayLike<unknown>;
  progress = 0;

  constructor(values: ArrayLike<unknown>) {
    this.#values = values;
  }

  get length(): number {
    return this.#values.length;
  }

  get remain(): number {
    return this.length - this.progress;
  }

  read(count: number): ArrayLike<unknown> {
    const from = this.progress;
    this.progress += count;
    if (ArrayBuffer.isView(this.#values)) return (this.#values as unknown as Uint8Array).subarray(from, from + count);
    return Array.prototype.slice.call(this.#values, from, from + count) as unknown[];
  }
}

/** Takes what a guest writes, up to `length` elements. */
export class HostSink implements WritableBuffer {
  readonly domain = "host";
  readonly length: number;
  progress = 0;
  values: ArrayLike<unknown> | undefined;

  constructor(length: number) {
    this.length = length;
  }

  get remain(): number {
    return this.length - this.progress;
  }

  write(values: ArrayLike<unknown>): void {
    this.values = values;
    this.progress += values.length;
  }
}
