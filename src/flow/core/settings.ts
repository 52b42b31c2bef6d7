// The settings (`with:`) of a node that uses a `core::` operation, read with their places; each mistake is reported once.

import type { Span } from "../../base/diagnostics.ts";
import type { Json, Setting } from "../../manifest/manifest.ts";
import { listed, meant, named, written, type Mistakes } from "../../manifest/mistakes.ts";
import { parseDuration } from "../../manifest/quantity.ts";
import type { CoreOperation } from "./operation.ts";

export class Settings {
  private readonly given: ReadonlyMap<string, Setting>;
  private readonly mistakes: Mistakes;
  /** The node, for what is missing. */
  private readonly place: () => Span;
  private readonly subject: string;

  constructor(operation: CoreOperation, settings: readonly Setting[], place: () => Span, mistakes: Mistakes) {
    this.given = new Map(settings.map((setting) => [setting.name, setting]));
    this.mistakes = mistakes;
    this.place = place;
    this.subject = `core::${operation.name}`;
    const known = operation.settings.map(({ name }) => name);
    for (const { name, span } of settings) {
      if (known.includes(name)) continue;
      const guess = meant(name, known);
      const cure = guess === undefined ? `Its settings: ${listed(known)}.` : `Did you mean ${named(guess)}?`;
      mistakes.error("flow/bad-setting", span, `\`${this.subject}\` has no setting ${named(name)}`, cure);
    }
    for (const { name, required, description } of operation.settings) {
      if (!required || this.given.has(name)) continue;
      const cure = `Declare the node under \`nodes\` and give it \`with: { ${name}: … }\`: ${description}`;
      mistakes.error("flow/bad-setting", place(), `\`${this.subject}\` needs the setting \`${name}\``, cure);
    }
  }

  has(name: string): boolean {
    return this.given.has(name);
  }

  json(name: string): Json | undefined {
    return this.given.get(name)?.value;
  }

  text(name: string): string | undefined {
    const value = this.json(name);
    if (value === undefined || typeof value === "string") return value;
    return this.wrong(name, `\`${name}\` is a text, not ${written(value)}`, "Put it in quotes.");
  }

  oneOf<T extends string>(name: string, allowed: readonly T[]): T | undefined {
    const text = this.text(name);
    const found = allowed.find((item) => item === text);
    if (text === undefined || found !== undefined) return found;
    return this.wrong(name, `${named(text)} is no ${name}`, `Write one of ${listed(allowed)}.`);
  }

  /** Milliseconds. */
  durationMs(name: string): number | undefined {
    const value = this.json(name);
    if (value === undefined) return undefined;
    if (typeof value !== "string" && typeof value !== "number")
      return this.wrong(name, `${written(value)} is no duration`, "Write a number with a unit: `500ms`, `2s`.");
    const quantity = parseDuration(value);
    return "value" in quantity ? quantity.value : this.wrong(name, quantity.message, quantity.cure);
  }

  /** A whole number from 1 to `most`. */
  count(name: string, most: number): number | undefined {
    const value = this.json(name);
    if (value === undefined) return undefined;
    if (typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= most) return value;
    return this.wrong(name, `\`${name}\` is a whole number from 1 to ${most}, not ${written(value)}`, `Write \`${name}: 10\`.`);
  }

  /** An object of texts, in the order in which they were written. */
  texts(name: string): readonly (readonly [string, string])[] | undefined {
    const value = this.json(name);
    if (value === undefined) return undefined;
    const entries: [string, string][] = [];
    if (typeof value !== "object" || value === null || Array.isArray(value))
      return this.wrong(
        name,
        `\`${name}\` is a mapping of names to texts, not ${written(value)}`,
        `Write \`${name}: { name: "text" }\`.`,
      );
    for (const [key, text] of Object.entries(value)) {
      if (typeof text !== "string")
        return this.wrong(name, `\`${name}.${key}\` is a text, not ${written(text)}`, "Put it in quotes.");
      entries.push([key, text]);
    }
    return entries;
  }

  /** Reports a mistake in the value of a setting. */
  wrong(name: string, message: string, cure: string): undefined {
    const place = this.given.get(name)?.valueSpan ?? this.place();
    this.mistakes.error("flow/bad-setting", place, message, cure);
    return undefined;
  }
}
