// What is wrong with a value, and where: every mistake of a value at once, up to a bound.

import { StarlaneError } from "../base/errors.ts";

/** `path` starts at `$`: `$.items[3].name`. */
export interface ValueMistake {
  readonly path: string;
  readonly message: string;
  /** What to do about it: one sentence, in the imperative. */
  readonly cure?: string | undefined;
}

const MOST_MISTAKES = 50;
const DEEPEST = 256;
const PLAIN_KEY = /^[A-Za-z_][\w-]*$/;

/** Walks down a value: where it is, and what was wrong on the way. */
export class Walk {
  readonly mistakes: ValueMistake[] = [];
  readonly #root: string;
  readonly #path: (string | number)[] = [];

  constructor(root = "$") {
    this.#root = root;
  }

  /** No more mistakes are kept. */
  get full(): boolean {
    return this.mistakes.length >= MOST_MISTAKES;
  }

  /** Does `step` one key further down. */
  at<T>(key: string | number, step: () => T): T {
    this.enter(key);
    const result = step();
    this.leave();
    return result;
  }

  /** The same without a closure, for long lists; every `enter` has its `leave`. */
  enter(key: string | number): void {
    if (this.#path.length >= DEEPEST) {
      throw new StarlaneError("wit/type-too-big", `the type is nested deeper than ${DEEPEST} levels`, { at: this.path });
    }
    this.#path.push(key);
  }

  leave(): void {
    this.#path.pop();
  }

  wrong(message: string, cure?: string): undefined {
    if (!this.full) this.mistakes.push({ path: this.path, message, cure });
    return undefined;
  }

  get path(): string {
    return this.#root + this.#path.map(step).join("");
  }
}

function step(key: string | number): string {
  if (typeof key === "number") return `[${key}]`;
  return PLAIN_KEY.test(key) ? `.${key}` : `[${JSON.stringify(key.length > 60 ? `${key.slice(0, 60)}…` : key)}]`;
}

/** All mistakes as one error; `data.mistakes` has them as data. */
export function valueError(mistakes: readonly ValueMistake[]): StarlaneError {
  const [first] = mistakes;
  if (first === undefined) throw new StarlaneError("starlane/internal", "an error about a value without a mistake");
  const lines = mistakes.map(({ path, message, cure }) => `${path}: ${message}${cure === undefined ? "" : ` (${cure})`}`);
  const message = mistakes.length === 1 ? first.message : `${mistakes.length} mistakes:\n  ${lines.join("\n  ")}`;
  return new StarlaneError("wit/bad-value", message, {
    at: first.path,
    cure: mistakes.length === 1 ? first.cure : undefined,
    data: { mistakes },
  });
}

/** A value in a few words, bounded however large it is. */
export function preview(value: unknown): string {
  switch (typeof value) {
    case "string":
      return value.length > 40 ? `${JSON.stringify(value.slice(0, 40))}… (${value.length} characters)` : JSON.stringify(value);
    case "number":
      return Object.is(value, -0) ? "-0" : String(value);
    case "bigint":
      return value === BigInt.asIntN(80, value) ? `${value}n` : "a huge bigint";
    case "boolean":
      return String(value);
    case "undefined":
      return "nothing";
    case "function":
      return "a function";
    case "symbol":
      return "a symbol";
    case "object":
      return previewObject(value);
    default:
      return "an unknown thing";
  }
}

function previewObject(value: object | null): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : `a list of ${value.length}`;
  if (ArrayBuffer.isView(value)) return "a typed array";
  if (value instanceof Map) return "a Map";
  const keys = Object.keys(value);
  const shown = keys.slice(0, 3).map((key) => (key.length > 20 ? `${key.slice(0, 20)}…` : key));
  if (keys.length === 0) return "an empty object";
  return `an object with ${shown.join(", ")}${keys.length > 3 ? ", …" : ""}`;
}
