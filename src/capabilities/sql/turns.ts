// A lock whose holders take turns in the order they came. Who stops waiting leaves the queue.

import { untilAborted } from "../resources/answering.ts";

export type Release = () => void;

export class Turns {
  readonly #queue: ((release: Release) => void)[] = [];
  #taken = false;

  /** The turn where it is free, else a promise of it, to be awaited by `wait`. */
  take(): Release | Promise<Release> {
    if (this.#taken) return new Promise((resolve) => this.#queue.push(resolve));
    this.#taken = true;
    return this.#once();
  }

  /** Where the wait is given up, the turn goes on to the next when it comes. */
  async wait(turn: Promise<Release>, signal: AbortSignal | undefined): Promise<Release> {
    try {
      return await untilAborted(turn, signal);
    } catch (error) {
      void turn.then((release) => release());
      throw error;
    }
  }

  #once(): Release {
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      const next = this.#queue.shift();
      if (next === undefined) this.#taken = false;
      else next(this.#once());
    };
  }
}
