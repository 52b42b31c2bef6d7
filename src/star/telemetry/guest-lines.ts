// What guests print in one transaction, as lines for the log. Bounded: the length of a line, and how many there are.

import type { OutputStreamName } from "../../capabilities/capability.ts";

/** In UTF-16 units; what is longer goes on in the next record. */
const LONGEST_LINE = 8192;
const MOST_LINES = 10_000;

/** How many records the guests of a transaction may write. */
export class LineAllowance {
  #left = MOST_LINES;

  /** Whether there is one more; `tell` is called once, for the first that is left out. */
  takes(tell: (message: string) => void): boolean {
    if (this.#left < 0) return false;
    this.#left--;
    if (this.#left >= 0) return true;
    tell(`the log of this transaction stopped after ${MOST_LINES} lines`);
    return false;
  }
}

/** Cuts what one call prints into lines. */
export class GuestLines {
  readonly #write: (stream: OutputStreamName, line: string) => void;
  readonly #begun = new Map<OutputStreamName, { readonly decoder: TextDecoder; text: string }>();

  constructor(write: (stream: OutputStreamName, line: string) => void) {
    this.#write = write;
  }

  print(stream: OutputStreamName, bytes: Uint8Array): void {
    let begun = this.#begun.get(stream);
    if (begun === undefined) this.#begun.set(stream, (begun = { decoder: new TextDecoder(), text: "" }));
    const lines = (begun.text + begun.decoder.decode(bytes, { stream: true })).split("\n");
    begun.text = this.#cut(stream, lines.pop() ?? "");
    for (const line of lines) this.#whole(stream, line);
  }

  /** What is left of a line without an end. */
  end(): void {
    for (const [stream, { decoder, text }] of this.#begun) this.#whole(stream, text + decoder.decode());
    this.#begun.clear();
  }

  #whole(stream: OutputStreamName, line: string): void {
    const rest = this.#cut(stream, line.replace(/\r$/, ""));
    if (rest !== "") this.#write(stream, rest);
  }

  #cut(stream: OutputStreamName, text: string): string {
    let rest = text;
    for (; rest.length > LONGEST_LINE; rest = rest.slice(LONGEST_LINE)) this.#write(stream, rest.slice(0, LONGEST_LINE));
    return rest;
  }
}
