// A growing buffer that a WebAssembly binary is written into.

/** Shorter stretches are copied faster byte by byte than through a view. */
const SHORT_COPY = 48;

export class ByteWriter {
  bytes: Uint8Array;
  length = 0;

  constructor(capacity = 256) {
    this.bytes = new Uint8Array(capacity);
  }

  /** What was written, without a copy: valid until the next write. */
  get written(): Uint8Array {
    return this.bytes.subarray(0, this.length);
  }

  reserve(size: number): void {
    const needed = this.length + size;
    if (needed <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.bytes.length * 2));
    grown.set(this.written);
    this.bytes = grown;
  }

  byte(value: number): this {
    if (this.length === this.bytes.length) this.reserve(1);
    this.bytes[this.length++] = value;
    return this;
  }

  /** An unsigned LEB128 of a safe integer. */
  unsigned(value: number): this {
    let rest = value;
    while (rest >= 0x80) {
      this.byte((rest % 0x80) | 0x80);
      rest = Math.floor(rest / 0x80);
    }
    return this.byte(rest);
  }

  /** A signed LEB128 of a safe integer. */
  signed(value: number): this {
    let rest = value;
    while (rest < -0x40 || rest >= 0x40) {
      this.byte((((rest % 0x80) + 0x80) % 0x80) | 0x80);
      rest = Math.floor(rest / 0x80);
    }
    return this.byte(rest & 0x7f);
  }

  /** Bytes `from` to `to` of `source`. */
  copy(source: Uint8Array, from: number, to: number): this {
    const size = to - from;
    this.reserve(size);
    const { bytes, length } = this;
    if (size < SHORT_COPY) for (let i = 0; i < size; i++) bytes[length + i] = source[from + i] ?? 0;
    else bytes.set(source.subarray(from, to), length);
    this.length += size;
    return this;
  }

  append(source: Uint8Array): this {
    return this.copy(source, 0, source.length);
  }

  name(text: string): this {
    const encoded = new TextEncoder().encode(text);
    return this.unsigned(encoded.length).append(encoded);
  }
}
