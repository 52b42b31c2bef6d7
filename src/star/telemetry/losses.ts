// What of a signal does not arrive: the collector cannot be reached, or more comes than can be sent. It is said once when it begins, once when
// it is over, and at the end how much was lost in all.

import type { Log } from "../../base/log.ts";

interface ExportResult {
  /** 0: it arrived. */
  readonly code: number;
  readonly error?: Error | undefined;
}

export class Losses {
  readonly #what: string;
  readonly #endpoint: string;
  /** Not the one that exports: what is said of lost records would be lost too. */
  readonly #log: Log | undefined;
  readonly #mostWaiting: number;
  #lost = 0;
  #sinceTold = 0;
  #isFailing = false;
  #isFull = false;
  #waiting = 0;
  #sending = 0;

  /** `what`: `spans`; `mostWaiting`: more are dropped before they are exported. */
  constructor(what: string, endpoint: string, log: Log | undefined, mostWaiting = Infinity) {
    this.#what = what;
    this.#endpoint = endpoint;
    this.#log = log;
    this.#mostWaiting = mostWaiting;
  }

  get lost(): number {
    return this.#lost;
  }

  /** One more waits to be exported. */
  add(): void {
    if (this.#waiting < this.#mostWaiting) {
      this.#waiting++;
      return;
    }
    this.#lose(1);
    if (this.#isFull || this.#isFailing) return;
    this.#isFull = true;
    this.#warn(`more ${this.#what} come than can be sent to ${this.#endpoint}: some are dropped`);
  }

  /** `count` are being sent; hears how that ends. */
  heard<Result extends ExportResult>(count: number, done: (result: Result) => void): (result: Result) => void {
    this.#waiting = Math.max(0, this.#waiting - count);
    this.#sending += count;
    return (result) => {
      this.#sending -= count;
      if (result.code === 0) this.#arrived();
      else this.#failed(count, result.error);
      done(result);
    };
  }

  #failed(count: number, error: Error | undefined): void {
    this.#lose(count);
    if (this.#isFailing) return;
    this.#isFailing = true;
    const why = error === undefined || error.message === "" ? "no answer" : error.message;
    this.#warn(`${this.#what} cannot be sent to ${this.#endpoint}: ${why}`);
  }

  #arrived(): void {
    if (!this.#isFailing) return;
    this.#isFailing = false;
    this.#log?.({
      level: "info",
      message: `${this.#what} arrive again at ${this.#endpoint}, after ${this.#sinceTold} were lost`,
    });
    this.#sinceTold = 0;
  }

  #lose(count: number): void {
    this.#lost += count;
    this.#sinceTold += count;
  }

  /** Nothing more is sent; what waits or is being sent is lost too where that is not over in time. */
  end(isInTime: boolean): void {
    if (!isInTime) this.#lose(this.#waiting + this.#sending);
    if (this.#lost > 0) this.#warn(`${this.#lost} ${this.#what} were lost in all`);
  }

  #warn(message: string): void {
    this.#log?.({ level: "warn", message });
  }
}
