// The values of parameters and texts from outside, put in place of the references to them. All that is written is counted against one budget.

import type { Json } from "./manifest.ts";
import type { OutsideTexts } from "./outside.ts";
import { segmentsOf, type Segment } from "./references.ts";

/** What one substitution may write, in UTF-16 units of JSON. */
export const LARGEST_FILLING = 4 * 1024 * 1024;

/** Replaces references by values, within a budget. */
export class Filling {
  readonly #values: ReadonlyMap<string, Json>;
  readonly #outside: OutsideTexts;
  readonly #sizes = new Map<string, number>();
  #written = 0;

  constructor(values: ReadonlyMap<string, Json>, outside: OutsideTexts) {
    this.#values = values;
    this.#outside = outside;
  }

  get isTooLarge(): boolean {
    return this.#written > LARGEST_FILLING;
  }

  json(value: Json): Json {
    if (typeof value === "string") return this.value(value);
    if (value === null || typeof value !== "object") return value;
    if (Array.isArray(value)) return value.map((item: Json) => this.json(item));
    return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, this.json(part)]));
  }

  /** The value of a text: that of its reference where it is nothing else. */
  value(text: string): Json {
    if (!text.includes("${")) return text;
    const segments = segmentsOf(text);
    const [only] = segments;
    if (segments.length === 1 && only?.kind === "config") return this.valueOf(only.name) ?? text;
    return segments.map((segment) => this.piece(segment, text)).join("");
  }

  /** A text that stays one, whatever stands in it. */
  text(text: string): string {
    if (!text.includes("${")) return text;
    return segmentsOf(text)
      .map((segment) => this.piece(segment, text))
      .join("");
  }

  /** A segment of `text` as a part of a longer text. */
  piece(segment: Segment, text: string): string {
    if (segment.kind === "plain") return segment.text;
    const written = text.slice(segment.start, segment.end);
    if (segment.kind === "config") return this.textOf(segment.name, written);
    if (segment.kind === "other") return written;
    const found = this.#outside.textOf(segment);
    this.#written += found?.length ?? 0;
    return this.isTooLarge ? "" : (found ?? written);
  }

  /** The value of a parameter, charged to the budget; undefined where it has none. */
  valueOf(name: string): Json | undefined {
    const value = this.#values.get(name);
    if (value === undefined) return undefined;
    let size = this.#sizes.get(name);
    if (size === undefined) {
      size = JSON.stringify(value).length;
      this.#sizes.set(name, size);
    }
    this.#written += size;
    return this.isTooLarge ? null : value;
  }

  /** The same as a part of a longer text. */
  textOf(name: string, written: string): string {
    const value = this.valueOf(name);
    if (value === undefined) return written;
    return typeof value === "string" ? value : JSON.stringify(value);
  }
}
