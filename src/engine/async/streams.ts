// Streams and futures: what joins a writer and a reader, of guests and of the host.
// Source: Canonical ABI, Buffer State, Stream State, Future State.

import { equalTypes } from "../../wit/equal-types.ts";
import type { ValType } from "../../wit/types.ts";
import type { ComponentInstance } from "../instance.ts";
import { trap } from "../trap.ts";
import type { ReadableBuffer, WritableBuffer } from "./buffers.ts";
import { transfer } from "./buffers.ts";
import type { Store } from "./store.ts";
import { Waitable } from "./waitable.ts";

export const CopyResult = { completed: 0, dropped: 1, cancelled: 2 } as const;
export type CopyResultCode = (typeof CopyResult)[keyof typeof CopyResult];

/** `onCopy` tells of values moved while the buffer stays usable; `reclaim` takes the buffer out of use. */
export type OnCopy = (reclaim: () => void) => void;
export type OnCopyDone = (result: CopyResultCode) => void;

interface Pending {
  /** The instance whose buffer it is; undefined for the host. */
  readonly instance: ComponentInstance | undefined;
  readonly buffer: ReadableBuffer | WritableBuffer;
  readonly onCopy: OnCopy;
  readonly onCopyDone: OnCopyDone;
}

/** Numbers and nothing may stay inside one instance; other values may not, for now (Canonical ABI, `none_or_number_type`). */
const PLAIN = new Set<ValType["kind"] | undefined>([
  undefined,
  "u8",
  "u16",
  "u32",
  "u64",
  "s8",
  "s16",
  "s32",
  "s64",
  "f32",
  "f64",
]);

abstract class Channel {
  readonly element: ValType | undefined;
  dropped = false;
  /** Told when one side drops its end. */
  onDrop: (() => void) | undefined;
  protected pending: Pending | undefined;

  constructor(element: ValType | undefined) {
    this.element = element;
  }

  /** Ends a copy under way. */
  cancel(): void {
    this.settle(CopyResult.cancelled);
  }

  drop(): void {
    if (this.dropped) return;
    this.dropped = true;
    if (this.pending !== undefined) this.settle(CopyResult.dropped);
    this.onDrop?.();
  }

  protected settle(result: CopyResultCode): void {
    const { pending } = this;
    this.pending = undefined;
    pending?.onCopyDone(result);
  }

  protected checkSides(instance: ComponentInstance | undefined, pending: Pending): void {
    if (instance !== undefined && instance === pending.instance && !PLAIN.has(this.element?.kind)) {
      trap("cannot read from and write to intra-component stream or future with non-numeric payload");
    }
  }

  abstract read(instance: ComponentInstance | undefined, buffer: WritableBuffer, onCopy: OnCopy, onCopyDone: OnCopyDone): void;
  abstract write(instance: ComponentInstance | undefined, buffer: ReadableBuffer, onCopy: OnCopy, onCopyDone: OnCopyDone): void;
}

export class StreamChannel extends Channel {
  override read(instance: ComponentInstance | undefined, buffer: WritableBuffer, onCopy: OnCopy, onCopyDone: OnCopyDone): void {
    const { pending } = this;
    if (this.dropped) return onCopyDone(CopyResult.dropped);
    if (pending === undefined) {
      this.pending = { instance, buffer, onCopy, onCopyDone };
      return;
    }
    this.checkSides(instance, pending);
    if (pending.buffer.remain > 0) {
      if (buffer.remain > 0) this.#move(pending, pending.buffer as ReadableBuffer, buffer);
      return onCopyDone(CopyResult.completed);
    }
    this.settle(CopyResult.completed);
    this.pending = { instance, buffer, onCopy, onCopyDone };
  }

  override write(instance: ComponentInstance | undefined, buffer: ReadableBuffer, onCopy: OnCopy, onCopyDone: OnCopyDone): void {
    const { pending } = this;
    if (this.dropped) return onCopyDone(CopyResult.dropped);
    if (pending === undefined) {
      this.pending = { instance, buffer, onCopy, onCopyDone };
      return;
    }
    this.checkSides(instance, pending);
    if (pending.buffer.remain > 0) {
      if (buffer.remain > 0) this.#move(pending, buffer, pending.buffer as WritableBuffer);
      return onCopyDone(CopyResult.completed);
    }
    if (buffer.length === 0 && pending.buffer.length === 0) return onCopyDone(CopyResult.completed);
    this.settle(CopyResult.completed);
    this.pending = { instance, buffer, onCopy, onCopyDone };
  }

  #move(pending: Pending, from: ReadableBuffer, to: WritableBuffer): void {
    transfer(from, to, Math.min(from.remain, to.remain));
    pending.onCopy(() => {
      if (this.pending === pending) this.pending = undefined;
    });
  }
}

export class FutureChannel extends Channel {
  override read(instance: ComponentInstance | undefined, buffer: WritableBuffer, onCopy: OnCopy, onCopyDone: OnCopyDone): void {
    const { pending } = this;
    if (pending === undefined) {
      this.pending = { instance, buffer, onCopy, onCopyDone };
      return;
    }
    this.checkSides(instance, pending);
    transfer(pending.buffer as ReadableBuffer, buffer, 1);
    this.settle(CopyResult.completed);
    onCopyDone(CopyResult.completed);
  }

  override write(instance: ComponentInstance | undefined, buffer: ReadableBuffer, onCopy: OnCopy, onCopyDone: OnCopyDone): void {
    const { pending } = this;
    if (this.dropped) return onCopyDone(CopyResult.dropped);
    if (pending === undefined) {
      this.pending = { instance, buffer, onCopy, onCopyDone };
      return;
    }
    this.checkSides(instance, pending);
    transfer(buffer, pending.buffer as WritableBuffer, 1);
    this.settle(CopyResult.completed);
    onCopyDone(CopyResult.completed);
  }
}

/** Whether two streams or futures carry the same. */
export function sameElement(a: ValType | undefined, b: ValType | undefined): boolean {
  if (a === b) return true;
  if (a === undefined || b === undefined) return false;
  if (equals.get(a)?.has(b) === true) return true;
  if (!equalTypes(a, b)) return false;
  let known = equals.get(a);
  if (known === undefined) equals.set(a, (known = new WeakSet()));
  known.add(b);
  return true;
}

/** Types that were found to be equal: to compare large ones takes longer than a call. */
const equals = new WeakMap<ValType, WeakSet<ValType>>();

/** One end of a stream or future in the table of an instance. */
export class CopyEnd extends Waitable {
  readonly channel: StreamChannel | FutureChannel;
  readonly side: "readable" | "writable";
  state: "idle" | "copying" | "cancelling" | "done" = "idle";
  /** Some values were moved and the buffer has room for more. */
  partial = false;

  constructor(store: Store, channel: StreamChannel | FutureChannel, side: "readable" | "writable") {
    super(store);
    this.channel = channel;
    this.side = side;
  }

  get isFuture(): boolean {
    return this.channel instanceof FutureChannel;
  }

  get copying(): boolean {
    return this.state === "copying" || this.state === "cancelling";
  }

  drop(): void {
    if (this.isFuture && this.side === "writable" && this.state !== "done")
      trap("cannot drop future write end without first writing a value");
    if (this.copying) trap("cannot drop busy stream or future");
    this.channel.drop();
    this.dropWaitable();
  }
}
