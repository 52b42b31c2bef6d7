// Insertions into and replacements of a stretch of bytes, noted in the order of their places and applied in one go.

import { ByteWriter } from "./byte-writer.ts";

export class Patches {
  /** How many there are. The lists are longer: emptying them would give their memory away. */
  count = 0;
  /** Where each patch begins. */
  readonly places: number[] = [];
  /** Where the source goes on behind each patch, and which part of the text stands there instead. */
  readonly #resumes: number[] = [];
  readonly #from: number[] = [];
  readonly #to: number[] = [];
  readonly #text = new ByteWriter(1024);

  clear(): void {
    this.count = 0;
    this.#text.length = 0;
  }

  /** Notes a place that may be patched; until `fill` it changes nothing. Places must not go back. */
  note(place: number): number {
    const patch = this.count++;
    this.places[patch] = place;
    this.#resumes[patch] = place;
    this.#from[patch] = this.#to[patch] = 0;
    return patch;
  }

  /** What is written to the result until `close` stands in front of `resume` instead of what was there. */
  fill(patch: number, resume: number): ByteWriter {
    this.#resumes[patch] = resume;
    this.#from[patch] = this.#text.length;
    return this.#text;
  }

  close(patch: number): void {
    this.#to[patch] = this.#text.length;
  }

  /** Writes a patch and gives the place where the source goes on. */
  apply(patch: number, into: ByteWriter): number {
    into.copy(this.#text.bytes, this.#from[patch] ?? 0, this.#to[patch] ?? 0);
    return this.#resumes[patch] ?? 0;
  }
}
