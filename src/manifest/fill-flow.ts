// Fills the references in the string literals of a flow; the filled text still knows where each of its characters stands in the manifest.

import type { Filling } from "./filling.ts";
import type { FlowText } from "./manifest.ts";
import { flowStrings, segmentsOf } from "./references.ts";

/** A part of the filled text and the part of the written text that it comes from; `isSame`: character by character. */
interface Piece {
  readonly start: number;
  readonly end: number;
  readonly from: number;
  readonly to: number;
  readonly isSame: boolean;
}

/** `"${config.n}"` becomes the JSON of the setting, `"Hello ${config.name}"` a string with its text in it. */
export function fillFlow(flow: FlowText, filling: Filling): FlowText {
  if (!flow.text.includes("${")) return flow;
  const builder = new PieceBuilder(flow.text);
  for (const { start, end } of flowStrings(flow.text)) fillString(flow.text, start, end, filling, builder);
  const { text, pieces } = builder.done();
  return { text, span: flow.span, place: (start, end) => placeThrough(pieces, flow, start, end) };
}

function fillString(text: string, start: number, end: number, filling: Filling, builder: PieceBuilder): void {
  const segments = segmentsOf(text, start, end);
  const [only] = segments;
  if (segments.length === 1 && only?.kind === "config") {
    const value = filling.valueOf(only.name);
    if (value !== undefined) builder.replace(start - 1, end + 1, JSON.stringify(value));
    return;
  }
  for (const segment of segments) {
    const written = text.slice(segment.start, segment.end);
    if (segment.kind === "plain") builder.replace(segment.start, segment.end, segment.text);
    if (segment.kind === "config")
      builder.replace(segment.start, segment.end, JSON.stringify(filling.textOf(segment.name, written)).slice(1, -1));
  }
}

class PieceBuilder {
  readonly #source: string;
  readonly #texts: string[] = [];
  readonly #pieces: Piece[] = [];
  #copied = 0;
  #length = 0;

  constructor(source: string) {
    this.#source = source;
  }

  replace(from: number, to: number, text: string): void {
    if (this.#source.slice(from, to) === text) return;
    this.#copyTo(from);
    this.#push(text, from, to, false);
    this.#copied = to;
  }

  done(): { readonly text: string; readonly pieces: readonly Piece[] } {
    this.#copyTo(this.#source.length);
    return { text: this.#texts.join(""), pieces: this.#pieces };
  }

  #copyTo(to: number): void {
    if (to > this.#copied) this.#push(this.#source.slice(this.#copied, to), this.#copied, to, true);
    this.#copied = to;
  }

  #push(text: string, from: number, to: number, isSame: boolean): void {
    this.#texts.push(text);
    this.#pieces.push({ start: this.#length, end: this.#length + text.length, from, to, isSame });
    this.#length += text.length;
  }
}

function placeThrough(pieces: readonly Piece[], flow: FlowText, start: number, end: number): ReturnType<FlowText["place"]> {
  const first = pieces.find((piece) => start < piece.end) ?? pieces.at(-1);
  const last = pieces.find((piece) => end <= piece.end) ?? pieces.at(-1);
  if (first === undefined || last === undefined) return flow.span;
  const from = first.isSame ? first.from + Math.max(0, start - first.start) : first.from;
  const to = last.isSame ? last.from + Math.max(0, end - last.start) : last.to;
  return flow.place(from, Math.max(from, to));
}
