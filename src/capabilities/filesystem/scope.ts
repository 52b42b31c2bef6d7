// What the instance of a component has open, for one transaction: counted, bounded, and closed at its end. Also how many operations
// of it run at once.

import { StarlaneError } from "../../base/errors.ts";
import type { Maybe } from "../../engine/async/maybe.ts";
import type { CapabilityTransaction } from "../capability.ts";
import { Changes } from "../io/changes.ts";
import { run, type Steps } from "../steps.ts";
import { FileError, type OpenDirectory, type OpenFile } from "./filesystem.ts";

const MOST_OPEN = 1024;
/** Each may hold as many directories open as its path is deep. */
const MOST_RUNNING = 8;

/** A file or directory that several have a hold of: it is closed when the last one lets go. */
export class Shared<Node extends OpenFile | OpenDirectory> {
  readonly node: Node;
  readonly #onClose: (() => void) | undefined;
  #holders = 1;

  /** Without `onClose`, it is somebody else's and never closed. */
  constructor(node: Node, onClose: (() => void) | undefined) {
    this.node = node;
    this.#onClose = onClose;
  }

  hold(): this {
    this.#holders++;
    return this;
  }

  release(): void {
    if (--this.#holders === 0) void this.close();
  }

  async close(): Promise<void> {
    this.#holders = -Infinity;
    if (this.#onClose === undefined) return;
    this.#onClose();
    await this.node.close();
  }
}

export class Scope {
  /** Rises with each change of a file by this instance: what was read ahead before that is old. */
  generation = 0;
  /** Fails when the transaction is cancelled. */
  changes = new Changes();
  /** Told of what a grant does not allow. */
  denied: CapabilityTransaction["denied"];
  readonly #open = new Set<Shared<OpenFile | OpenDirectory>>();
  readonly #writing = new Set<() => Promise<void>>();
  #running = 0;
  #transaction = 0;
  #isRunning = false;
  #aborted: AbortSignal | undefined;
  #stopListening = (): void => undefined;

  start({ signal, denied }: Pick<CapabilityTransaction, "signal" | "denied">): void {
    this.denied = denied;
    this.#transaction++;
    this.#isRunning = true;
    this.#aborted = signal;
    this.changes = new Changes();
    this.#stopListening = this.changes.failOn(signal);
  }

  /** Waits for what is being written, unless the transaction was cancelled, and closes everything. */
  async finish(): Promise<void> {
    this.#isRunning = false;
    await Promise.allSettled([...this.#writing].map((drained) => drained()));
    this.#writing.clear();
    this.#stopListening();
    await Promise.allSettled([...this.#open].map((shared) => shared.close()));
  }

  /** @throws FileError `quota` where too much is open */
  checkRoom(): void {
    if (this.#open.size >= MOST_OPEN) throw new FileError("quota");
  }

  share<Node extends OpenFile | OpenDirectory>(node: Node): Shared<Node> {
    const shared: Shared<Node> = new Shared(node, () => void this.#open.delete(shared));
    this.#open.add(shared);
    return shared;
  }

  /** Until it is taken back, the end of the transaction waits for `drained`. */
  addWriter(drained: () => Promise<void>): () => void {
    this.#writing.add(drained);
    return () => this.#writing.delete(drained);
  }

  /**
   * Runs steps for the guest. What ends later than its transaction stops the guest that waited for it.
   * @throws FileError `not-permitted` outside of a transaction
   */
  run<T>(steps: () => Steps<T>): Maybe<T> {
    if (!this.#isRunning) throw new FileError("not-permitted");
    if (this.#running >= MOST_RUNNING) return this.#runLater(steps);
    const result = run(steps());
    return result instanceof Promise ? this.#counted(result) : result;
  }

  async #runLater<T>(steps: () => Steps<T>): Promise<T> {
    await this.changes.until(() => this.#running < MOST_RUNNING);
    return this.run(steps);
  }

  async #counted<T>(result: Promise<T>): Promise<T> {
    const { changes } = this;
    const transaction = this.#transaction;
    this.#running++;
    try {
      return await result;
    } finally {
      this.#running--;
      changes.notify();
      this.#checkStillRunning(transaction);
    }
  }

  #checkStillRunning(transaction: number): void {
    if (this.#aborted?.aborted === true) throw this.#aborted.reason;
    if (this.#isRunning && this.#transaction === transaction) return;
    throw new StarlaneError("flow/cancelled", "the transaction ended before a file operation of it did");
  }
}
