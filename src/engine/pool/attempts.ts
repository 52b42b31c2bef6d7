// Which functions are worth an attempt: one that has to be begun again costs what it did until then. After each failure in a row, twice as
// many calls are begun on stacks right away.

const MOST_FAILURES = 10;

interface Tried {
  failures: number;
  /** Calls that are still to be begun on stacks. */
  left: number;
}

export class Attempts {
  /** Of those that failed at some time. */
  readonly #tried = new Map<string, Tried>();

  isWorthOne(name: string): boolean {
    if (this.#tried.size === 0) return true;
    const tried = this.#tried.get(name);
    if (tried === undefined || tried.left === 0) return true;
    tried.left--;
    return false;
  }

  failed(name: string): void {
    const tried = this.#tried.get(name) ?? { failures: 0, left: 0 };
    tried.failures = Math.min(tried.failures + 1, MOST_FAILURES);
    tried.left = 2 ** tried.failures;
    this.#tried.set(name, tried);
  }

  succeeded(name: string): void {
    if (this.#tried.size > 0) this.#tried.delete(name);
  }
}
