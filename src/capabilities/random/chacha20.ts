// The ChaCha20 key stream (RFC 8439, section 2.3): random bytes that are the same for the same key and nonce everywhere.

const CONSTANTS = [0x61707865, 0x3320646e, 0x79622d32, 0x6b206574] as const;
const BLOCK_BYTES = 64;
const BLOCK_WORDS = 16;

/** One block: 64 bytes for a 256-bit key, a block counter and a 96-bit nonce, all as little-endian words. */
export function chacha20Block(key: Uint32Array, counter: number, nonce: Uint32Array): Uint8Array {
  const state = new Uint32Array(BLOCK_WORDS);
  state.set(CONSTANTS, 0);
  state.set(key.subarray(0, 8), 4);
  state[12] = counter;
  state.set(nonce.subarray(0, 3), 13);
  const block = new Uint8Array(BLOCK_BYTES);
  writeBlock(state, block);
  return block;
}

/** An endless stream of key stream bytes; 2^96 blocks long, because the counter runs on into the nonce. */
export class ChaCha20Stream {
  readonly #state = new Uint32Array(BLOCK_WORDS);
  readonly #block = new Uint8Array(BLOCK_BYTES);
  #used = BLOCK_BYTES;

  /** `key` is 8 words; `domain` separates streams of one key. */
  constructor(key: Uint32Array, domain: number) {
    this.#state.set(CONSTANTS, 0);
    this.#state.set(key.subarray(0, 8), 4);
    this.#state[15] = domain;
  }

  bytes(length: number): Uint8Array {
    const out = new Uint8Array(length);
    let filled = 0;
    while (filled < length) {
      if (this.#used === BLOCK_BYTES) this.#nextBlock();
      const part = this.#block.subarray(this.#used, this.#used + (length - filled));
      out.set(part, filled);
      filled += part.length;
      this.#used += part.length;
    }
    return out;
  }

  /** The next eight bytes, little-endian. */
  u64(): bigint {
    const bytes = this.bytes(8);
    return new DataView(bytes.buffer).getBigUint64(0, true);
  }

  #nextBlock(): void {
    writeBlock(this.#state, this.#block);
    this.#used = 0;
    for (let word = 12; word < 15; word++) {
      const next = ((this.#state[word] ?? 0) + 1) >>> 0;
      this.#state[word] = next;
      if (next !== 0) return;
    }
  }
}

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}

function writeBlock(state: Uint32Array, out: Uint8Array): void {
  const x = Int32Array.from(state);
  const quarter = (a: number, b: number, c: number, d: number): void => {
    let [va, vb, vc, vd] = [x[a] ?? 0, x[b] ?? 0, x[c] ?? 0, x[d] ?? 0];
    va = (va + vb) | 0;
    vd = rotate(vd ^ va, 16); // prettier-ignore
    vc = (vc + vd) | 0;
    vb = rotate(vb ^ vc, 12); // prettier-ignore
    va = (va + vb) | 0;
    vd = rotate(vd ^ va, 8); // prettier-ignore
    vc = (vc + vd) | 0;
    vb = rotate(vb ^ vc, 7); // prettier-ignore
    x[a] = va;
    x[b] = vb;
    x[c] = vc;
    x[d] = vd;
  };
  for (let doubleRound = 0; doubleRound < 10; doubleRound++) {
    quarter(0, 4, 8, 12);
    quarter(1, 5, 9, 13);
    quarter(2, 6, 10, 14);
    quarter(3, 7, 11, 15);
    quarter(0, 5, 10, 15);
    quarter(1, 6, 11, 12);
    quarter(2, 7, 8, 13);
    quarter(3, 4, 9, 14);
  }
  const view = new DataView(out.buffer, out.byteOffset);
  for (let i = 0; i < BLOCK_WORDS; i++) view.setUint32(i * 4, ((x[i] ?? 0) + (state[i] ?? 0)) >>> 0, true);
}
