// Recursive descent over the tokens of WIT type text. Mistakes are collected; after one, reading goes on where it can.

import { nearest } from "../base/diagnostics.ts";
import { assertNever } from "../base/errors.ts";
import { isLabel, kebabCase, labelKey } from "./labels.ts";
import { isTooBig, LARGEST_TYPE } from "./type-size.ts";
import { tokenize, type Token, type TypeProblem } from "./type-tokens.ts";
import type { Case, Field, PrimitiveKind, ValType } from "./types.ts";

const LONGEST_TEXT = 1_000_000;
const MOST_PROBLEMS = 50;
const MOST_FLAGS = 32;
const LONGEST_FIXED_LIST = 0xffff_ffff;

const PRIMITIVES: ReadonlyMap<string, ValType> = new Map(
  (
    [
      "bool",
      "s8",
      "u8",
      "s16",
      "u16",
      "s32",
      "u32",
      "s64",
      "u64",
      "f32",
      "f64",
      "char",
      "string",
      "error-context",
    ] satisfies PrimitiveKind[]
  ).map((kind) => [kind, { kind }]),
);

const CONSTRUCTORS = ["list", "option", "tuple", "result", "map", "stream", "future", "record", "variant", "enum", "flags"];

/** What people write who know other languages. */
const FOREIGN: ReadonlyMap<string, string> = new Map(
  Object.entries({
    int: "s32", integer: "s64", long: "s64", i8: "s8", i16: "s16", i32: "s32", i64: "s64", uint: "u32", byte: "u8", size: "u64", usize: "u64",
    float: "f64", double: "f64", number: "f64", float32: "f32", float64: "f64", boolean: "bool", str: "string", text: "string", varchar: "string",
    bytes: "list<u8>", buffer: "list<u8>", blob: "list<u8>", array: "list<…>", vec: "list<…>", set: "list<…>", object: "record { … }", struct: "record { … }",
    dict: "map<string, …>", hashmap: "map<string, …>", optional: "option<…>", maybe: "option<…>", nullable: "option<…>", union: "variant { … }", date: "string", datetime: "string",
  }),
); // prettier-ignore

/** Map keys that WIT allows. */
const KEY_KINDS: ReadonlySet<string> = new Set([
  "bool",
  "s8",
  "u8",
  "s16",
  "u16",
  "s32",
  "u32",
  "s64",
  "u64",
  "char",
  "string",
] satisfies PrimitiveKind[]);

/** Stands in for a type that could not be read, so that reading can go on; its mistake is reported. */
export const UNKNOWN: ValType = { kind: "string" };

/** The type of a name; undefined: there is none. `token` is where the name stands. */
type Lookup = (name: string, token: Token) => ValType | undefined;

/** Reads types at a place in the tokens. Undefined means: given up here, the problem is reported. */
export class TypeReader {
  readonly problems: TypeProblem[];
  readonly #tokens: readonly Token[];
  readonly #lookup: Lookup;
  readonly #names: readonly string[];
  #at: number;
  #depth = 0;

  constructor(tokens: readonly Token[], at: number, problems: TypeProblem[], lookup: Lookup, names: readonly string[]) {
    this.#tokens = tokens;
    this.#at = at;
    this.problems = problems;
    this.#lookup = lookup;
    this.#names = names;
  }

  get token(): Token {
    return this.#tokens[this.#at] ?? END;
  }

  problem({ start, end }: { readonly start: number; readonly end: number }, message: string, cure?: string): undefined {
    if (this.problems.length < MOST_PROBLEMS) this.problems.push({ start, end, message, cure });
    return undefined;
  }

  next(): Token {
    const token = this.token;
    if (token.kind !== "end") this.#at++;
    return token;
  }

  /** Takes the mark when it is next. */
  take(mark: string): boolean {
    if (this.token.kind !== "mark" || this.token.text !== mark) return false;
    this.#at++;
    return true;
  }

  expect(mark: string, why: string): true | undefined {
    return this.take(mark) ? true : this.problem(this.token, `expected \`${mark}\` ${why}, found ${describe(this.token)}`);
  }

  expectEnd(): void {
    if (this.token.kind !== "end") this.problem(this.token, `unexpected ${describe(this.token)} after the type`);
  }

  checkSize(type: ValType, start: number, end: number): boolean {
    if (!isTooBig(type)) return true;
    const { depth, parts } = LARGEST_TYPE;
    this.problem(
      { start, end },
      `the type is too big: at most ${parts} parts and ${depth} levels`,
      "Split it, or use a list or map.",
    );
    return false;
  }

  type(): ValType | undefined {
    if (this.#depth >= LARGEST_TYPE.depth) {
      return this.problem(this.token, `the type is nested deeper than ${LARGEST_TYPE.depth} levels`);
    }
    this.#depth++;
    const type = this.#type();
    this.#depth--;
    return type;
  }

  #type(): ValType | undefined {
    const token = this.token;
    if (token.kind !== "word" || token.text === "_") return this.problem(token, `expected a type, found ${describe(token)}`);
    this.next();
    if (token.escaped) return this.#named(token);
    return PRIMITIVES.get(token.text) ?? this.#constructed(token);
  }

  #constructed(token: Token): ValType | undefined {
    switch (token.text) {
      case "list":
        return this.#list(token);
      case "option":
        return this.#angles(token, 1, ([type]) => type && { kind: "option", type });
      case "tuple":
        return this.#angles(token, Infinity, (types) => ({ kind: "tuple", types }));
      case "map":
        return this.#map(token);
      case "result":
        return this.#result(token);
      case "stream":
      case "future": {
        const { text: kind } = token;
        if (!this.#opens()) return { kind };
        return this.#angles(token, 1, ([element]) => ({ kind, element }));
      }
      case "record":
      case "variant":
      case "enum":
      case "flags":
        return this.body(token, token.text);
      case "own":
      case "borrow":
        return this.problem(token, "a handle cannot be written here", "Use the data itself; resources stay inside components.");
      default:
        return this.#named(token);
    }
  }

  #named(token: Token): ValType | undefined {
    const found = this.#lookup(token.text, token);
    if (found !== undefined) return found;
    const foreign = FOREIGN.get(token.text.toLowerCase());
    const guess =
      foreign ??
      nearest(token.text, [...this.#names, ...PRIMITIVES.keys(), ...CONSTRUCTORS]) ??
      nearest(token.text.toLowerCase(), this.#names);
    this.problem(
      token,
      `there is no type ${quote(token.text)}`,
      guess === undefined
        ? "Use a WIT type (string, u32, list<…>, …) or declare it under `types:`."
        : `Did you mean \`${guess}\`?`,
    );
    if (this.#opens()) return this.#skipAngles();
    return UNKNOWN;
  }

  /** After an unknown generic type: reads its arguments for their own mistakes. */
  #skipAngles(): ValType | undefined {
    return this.#angles(this.token, Infinity, () => UNKNOWN);
  }

  #opens(): boolean {
    return this.token.kind === "mark" && this.token.text === "<";
  }

  /** `<T, …>` with up to `most` types; a trailing comma is allowed. */
  #angles(token: Token, most: number, build: (types: readonly ValType[]) => ValType | undefined): ValType | undefined {
    if (this.expect("<", `after \`${token.text}\``) === undefined) return undefined;
    const types: ValType[] = [];
    do {
      if (types.length > 0 && this.take(">")) return build(types);
      if (types.length >= most)
        return this.problem(this.token, `\`${token.text}\` takes ${most === 1 ? "one type" : `${most} types`}`);
      const type = this.type();
      if (type === undefined) return undefined;
      types.push(type);
    } while (this.take(","));
    return this.#close(token) && build(types);
  }

  #close(token: Token): true | undefined {
    return this.expect(">", `to close \`${token.text}<\``);
  }

  #list(token: Token): ValType | undefined {
    if (this.expect("<", "after `list`: a list has the type of its elements") === undefined) return undefined;
    const element = this.type();
    if (element === undefined) return undefined;
    if (!this.take(",")) return this.#close(token) && { kind: "list", element };
    const size = this.next();
    const length = Number(size.text);
    if (size.kind !== "number" || length < 1 || length > LONGEST_FIXED_LIST) {
      return this.problem(size, `expected the fixed length of the list, a whole number from 1, found ${describe(size)}`);
    }
    return this.#close(token) && { kind: "list", element, length };
  }

  #map(token: Token): ValType | undefined {
    if (this.expect("<", "after `map`") === undefined) return undefined;
    const keyToken = this.token;
    const key = this.type();
    if (key === undefined || this.expect(",", "between the key and the value of a map") === undefined) return undefined;
    if (key !== UNKNOWN && !KEY_KINDS.has(key.kind)) {
      this.problem(keyToken, "the keys of a map are integers, bool, char or string", "Use a list of tuples for other keys.");
    }
    const value = this.type();
    return value && this.#close(token) && { kind: "map", key, value };
  }

  #result(token: Token): ValType | undefined {
    if (!this.take("<")) return { kind: "result" };
    const isEmpty = this.token.kind === "word" && this.token.text === "_" && !this.token.escaped;
    if (isEmpty) this.next();
    const ok = isEmpty ? undefined : this.type();
    if (!isEmpty && ok === undefined) return undefined;
    if (!isEmpty && !this.take(",")) return this.#close(token) && { kind: "result", ok };
    if (isEmpty && this.expect(",", "after `_`: a result without a value is `result<_, E>` or `result`") === undefined)
      return undefined;
    const error = this.type();
    return error && this.#close(token) && { kind: "result", ok, error };
  }

  /** `{ … }` of a record, variant, enum or flags; `name` is the one it is declared with. */
  body(token: Token, kind: "record" | "variant" | "enum" | "flags", name?: string): ValType | undefined {
    const named = name === undefined ? {} : { name };
    switch (kind) {
      case "record": {
        const fields = this.#braces<Field>(token, kind, (label) => {
          if (this.expect(":", `and a type after the field ${quote(label)}`) === undefined) return undefined;
          const type = this.type();
          return type && { name: label, type };
        });
        return fields && { kind, fields, ...named };
      }
      case "variant": {
        const cases = this.#braces<Case>(token, kind, (label) => {
          if (!this.take("(")) return { name: label };
          const type = this.type();
          return type && this.expect(")", `after the payload of ${quote(label)}`) && { name: label, type };
        });
        return cases && { kind, cases, ...named };
      }
      case "enum":
      case "flags": {
        const labels = this.#braces<string>(token, kind, (label) => label);
        if (kind === "flags" && labels !== undefined && labels.length > MOST_FLAGS) {
          this.problem(
            token,
            `flags have at most ${MOST_FLAGS} names, these are ${labels.length}`,
            "Split them into two fields.",
          );
        }
        return labels && { kind, labels, ...named };
      }
      default:
        return assertNever(kind);
    }
  }

  #braces<T>(token: Token, kind: string, item: (label: string) => T | undefined): T[] | undefined {
    if (this.expect("{", `after \`${kind}\``) === undefined) return undefined;
    const seen = new Set<string>();
    const items: T[] = [];
    while (!this.take("}")) {
      const label = this.#label(kind, seen);
      const read = label === undefined ? undefined : item(label);
      if (read === undefined) return undefined;
      items.push(read);
      if (this.take(",")) continue;
      if (this.token.kind === "mark" && this.token.text === "}") continue;
      return this.problem(this.token, `expected \`,\` or \`}\` in the ${kind}, found ${describe(this.token)}`);
    }
    if (items.length === 0) this.problem(token, `the ${kind} is empty`, "Give it at least one name.");
    return items;
  }

  #label(kind: string, seen: Set<string>): string | undefined {
    const token = this.next();
    if (token.kind !== "word") return this.problem(token, `expected a name or \`}\` in the ${kind}, found ${describe(token)}`);
    this.checkLabel(token);
    const key = labelKey(token.text);
    if (seen.has(key))
      this.problem(token, `${quote(token.text)} is there twice`, "Give each its own name (upper and lower case are the same).");
    seen.add(key);
    return token.text;
  }

  checkLabel(token: Token): boolean {
    if (isLabel(token.text)) return true;
    const kebab = kebabCase(token.text);
    this.problem(
      token,
      `${quote(token.text)} is no WIT name: names are words of letters and digits joined with \`-\``,
      kebab === undefined ? undefined : `Write \`${kebab}\`.`,
    );
    return false;
  }
}

export const END: Token = { kind: "end", text: "", escaped: false, start: 0, end: 0 };

/** The tokens of a text of bounded length. */
export function tokenizeBounded(text: string): { readonly tokens: readonly Token[]; readonly problems: TypeProblem[] } {
  if (text.length > LONGEST_TEXT) {
    const message = `the text has ${text.length} characters, at most ${LONGEST_TEXT} are read`;
    return { tokens: [END], problems: [{ start: 0, end: text.length, message }] };
  }
  const { tokens, problems } = tokenize(text);
  return { tokens, problems: [...problems] };
}

export function quote(name: string): string {
  return `\`${name.length > 60 ? `${name.slice(0, 60)}…` : name}\``;
}

export function describe(token: Token): string {
  return token.kind === "end" ? "the end" : quote(token.text);
}
