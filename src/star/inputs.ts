// From texts and JSON to the arguments of an operation: one value a port, every mistake at once. A text wins over the JSON.

import { nearest } from "../base/diagnostics.ts";
import { StarlaneError } from "../base/errors.ts";
import type { Signature, SignatureParam } from "../flow/flow.ts";
import { fromText } from "../wit/from-text.ts";
import { readJson } from "../wit/read-json.ts";
import { valueError } from "../wit/mistakes.ts";
import { CHUNKED } from "../wit/streams.ts";
import type { ValType } from "../wit/types.ts";
import { elementsFrom } from "./lines-input.ts";
import { throwMistakes } from "./mistakes.ts";

/** A value typed by a person for a port; the text is undefined where none was written. */
export interface PortText {
  readonly name: string;
  readonly text: string | undefined;
  /** What the text names, in place of the text: the bytes of a file, or why there are none. */
  readonly content?: PortContent | StarlaneError;
  /** What a stream is read from, in place of the text. */
  readonly source?: PortSource;
}

/** Bytes that come in pieces, read when somebody wants them. */
export interface PortSource {
  readonly bytes: AsyncIterable<Uint8Array>;
  /** What people call it: the file, standard input. */
  readonly from: string;
  /** Nobody wants more. */
  readonly close: () => void;
}

export interface PortContent {
  readonly bytes: Uint8Array;
  /** What people call it: the file, standard input. */
  readonly from: string;
}

/**
 * The arguments by the signature's params; undefined where a port may be left out and was.
 * @throws StarlaneError `cli/unknown-port`, `cli/missing-input`, `wit/bad-value`: all of them together
 */
export function argumentsFrom(signature: Signature, flags: readonly PortText[], input: unknown, operation: string): unknown[] {
  const mistakes: StarlaneError[] = [];
  const values = new Map<string, unknown>();
  const meant = new Set<string>();
  const unknown = (name: string): void => {
    // Any letter is near any other.
    const open = signature.params.map((p) => p.name).filter((p) => !values.has(p) && p.length > 1);
    const guess = nearest(name, open);
    if (guess !== undefined) meant.add(guess);
    mistakes.push(unknownPort(name, guess, signature, operation));
  };
  const take = (param: SignatureParam, read: () => unknown): void => {
    // Whatever is wrong with it, it is not missing.
    values.set(param.name, undefined);
    try {
      values.set(param.name, read());
    } catch (error) {
      if (!(error instanceof StarlaneError)) throw error;
      mistakes.push(error);
    }
  };
  const given = Map.groupBy(flags, (flag) => flag.name);
  for (const param of signature.params) {
    const texts = given.get(param.name);
    if (texts !== undefined) take(param, () => valueOfFlags(param, texts));
  }
  for (const [name, json] of entriesOf(input, signature, mistakes)) {
    const param = signature.params.find((p) => p.name === name);
    if (param === undefined) unknown(name);
    else if (!values.has(name)) take(param, () => valueOfJson(param, json));
  }
  for (const name of given.keys()) if (!signature.params.some((p) => p.name === name)) unknown(name);
  for (const param of signature.params) {
    if (!values.has(param.name) && !param.optional && !meant.has(param.name)) mistakes.push(missing(param, operation));
  }
  throwMistakes(mistakes);
  return signature.params.map((param) => values.get(param.name));
}

function valueOfFlags(param: SignatureParam, flags: readonly PortText[]): unknown {
  const stream = streamIn(param.type);
  if (stream !== undefined) return streamOfFlags(param, stream, flags);
  const options = { path: `--${param.name}` };
  const type = param.type.kind === "option" ? param.type.type : param.type;
  const [first, ...others] = flags.map((flag): string | PortContent => {
    if (flag.content instanceof StarlaneError) throw flag.content;
    if (flag.content !== undefined) return flag.content;
    if (flag.text !== undefined) return flag.text;
    if (type.kind === "bool") return "true";
    throw new StarlaneError("cli/usage", `--${param.name} needs a value: --${param.name} VALUE`);
  });
  if (first === undefined) return undefined;
  if (
    isListOfWords(type) &&
    (others.length > 0 || isFileOfBytes(type.element, first) || !textOf(first).trimStart().startsWith("["))
  ) {
    return [first, ...others].map((value, i) => valueOfWord(type.element, value, `--${param.name}[${i}]`));
  }
  if (others.length > 0)
    throw new StarlaneError("cli/usage", `--${param.name} is given ${flags.length} times, but takes one value`);
  return valueOfWord(param.type, first, options.path);
}

function streamIn(type: ValType): Extract<ValType, { kind: "stream" }> | undefined {
  const inside = type.kind === "option" ? type.type : type;
  return inside.kind === "stream" ? inside : undefined;
}

/** Elements that are there already are written as those of a list. */
function streamOfFlags(
  param: SignatureParam,
  { element }: Extract<ValType, { kind: "stream" }>,
  flags: readonly PortText[],
): unknown {
  const source = flags.find((flag) => flag.source !== undefined)?.source;
  if (source === undefined) {
    const list: ValType = { kind: "list", element: element ?? UNIT };
    return readyStream(valueOfFlags({ ...param, type: list }, flags));
  }
  if (flags.length > 1)
    throw new StarlaneError("cli/usage", `--${param.name} is given ${flags.length} times, and one of them is ${source.from}`);
  return elementsFrom(element, source, param.name);
}

/** Stands for the elements of a stream without values. */
const UNIT: ValType = { kind: "tuple", types: [] };

/** A list as a stream. */
function readyStream(list: unknown): unknown {
  const chunks = [list];
  return { [CHUNKED]: true, [Symbol.iterator]: () => chunks[Symbol.iterator]() };
}

function valueOfWord(type: ValType, value: string | PortContent, path: string): unknown {
  return isFileOfBytes(type, value) ? value.bytes : fromText(type, textOf(value), { path });
}

function isFileOfBytes(type: ValType, value: string | PortContent): value is PortContent {
  return typeof value !== "string" && isBytes(type.kind === "option" ? type.type : type);
}

function isBytes(type: ValType): boolean {
  return type.kind === "list" && type.element.kind === "u8";
}

/** The text of a word, or of what it names. @throws StarlaneError `cli/bad-input` */
function textOf(value: string | PortContent): string {
  return typeof value === "string" ? value : decodeText(value);
}

/** Without a byte order mark. @throws StarlaneError `cli/bad-input` where it is no UTF-8 */
export function decodeText({ bytes, from }: PortContent): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    throw new StarlaneError("cli/bad-input", `${from} is not UTF-8 text`, { cause: error });
  }
}

/** A list that is written as a flag given several times. */
function isListOfWords(type: ValType): type is Extract<ValType, { kind: "list" }> {
  return type.kind === "list" && !isBytes(type);
}

/** A stream is a list. */
function valueOfJson(param: SignatureParam, json: unknown): unknown {
  const stream = streamIn(param.type);
  if (stream !== undefined && json !== undefined) {
    const list: ValType = { kind: "list", element: stream.element ?? UNIT };
    return readyStream(valueOfJson({ ...param, type: list }, json));
  }
  const { value, mistakes } = readJson(param.type, json, { path: param.name });
  if (mistakes.length > 0) throw valueError(mistakes);
  return value;
}

function entriesOf(input: unknown, signature: Signature, mistakes: StarlaneError[]): readonly (readonly [string, unknown])[] {
  if (input === undefined) return [];
  if (typeof input === "object" && input !== null && !Array.isArray(input)) return Object.entries(input);
  const [only, ...others] = signature.params;
  if (only !== undefined && others.every((param) => param.optional)) return [[only.name, input]];
  const ports = signature.params.map((p) => JSON.stringify(p.name)).join(", ");
  mistakes.push(
    new StarlaneError("cli/usage", "--input must be a JSON object with a value for each port", {
      cure: `the ports are: ${ports}`,
    }),
  );
  return [];
}

function unknownPort(name: string, guess: string | undefined, signature: Signature, operation: string): StarlaneError {
  const ports = signature.params.map((p) => `--${p.name}`).join(", ");
  const there = ports === "" ? `${operation} takes no input` : `the ports of ${operation} are: ${ports}`;
  return new StarlaneError("cli/unknown-port", `${operation} has no port ${JSON.stringify(name)}`, {
    cure: guess === undefined ? there : `did you mean --${guess}? ${there}`,
  });
}

function missing(param: SignatureParam, operation: string): StarlaneError {
  return new StarlaneError("cli/missing-input", `${operation} needs a value for its port ${JSON.stringify(param.name)}`, {
    cure: streamIn(param.type) === undefined ? `add --${param.name} VALUE` : `add --${param.name} @FILE, or pipe it in`,
  });
}
