// A small seeded source of randomness: the same seed gives the same choices on every machine.

export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** 32 random bits (splitmix32). */
  bits(): number {
    this.#state = (this.#state + 0x9e3779b9) | 0;
    let z = this.#state;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return (z ^ (z >>> 15)) >>> 0;
  }

  /** An integer from 0 up to, not including, `limit`. */
  below(limit: number): number {
    return limit <= 1 ? 0 : Math.floor((this.bits() / 2 ** 32) * limit);
  }

  /** True about `share` of the time. */
  chance(share: number): boolean {
    return this.bits() < share * 2 ** 32;
  }

  pick<T>(list: readonly T[]): T {
    if (list.length === 0) throw new RangeError("nothing to pick from");
    return list[this.below(list.length)] as T;
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.bits() & 0xff);
  }
}

/** The seed of one case of a run. */
export function caseSeed(seed: number, index: number): number {
  return new Random(Math.imul(seed | 0, 0x85ebca6b) ^ index).bits();
}
