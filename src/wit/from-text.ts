// Values typed by people on a command line: `--count 3`, `--name Ada`, `--color red`, JSON for compound types.

import { assertNever } from "../base/errors.ts";
import { Walk, preview, valueError } from "./mistakes.ts";
import { describeJson } from "./describe-json.ts";
import { FLOAT_WORDS, readJson, type JsonOptions } from "./read-json.ts";
import { casesByName, isNestedOption, labelsOf } from "./shape.ts";
import type { ValType } from "./types.ts";

const DECIMAL = /^[+-]?\d+$/;
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const LONGEST_NUMBER = 1000;

/**
 * The JS value that a text means: a `string` is the text as it is, numbers and `true`/`false` are read, an enum or a case without
 * payload is its bare name, flags are names with commas, `list<u8>` is bare base64; everything else is JSON. An option is its
 * payload (`null`: none, where the payload is no text).
 * @throws StarlaneError `wit/bad-value`, `wit/no-json-form`
 */
export function fromText(type: ValType, text: string, options: JsonOptions = {}): unknown {
  const payload = type.kind === "option" && !isNestedOption(type.type) ? type.type : type;
  if (payload !== type && text.trim() === "null" && payload.kind !== "string" && payload.kind !== "char") return undefined;
  const json = bareJson(payload, text);
  const { value, mistakes } = readJson(payload, json === undefined ? parseJson(payload, text, options) : json, options);
  if (mistakes.length > 0) throw valueError(mistakes);
  return value;
}

/** The JSON of a text that is not JSON itself; undefined: it has to be JSON. */
// oxlint-disable-next-line complexity -- one case a kind
function bareJson(type: ValType, text: string): unknown {
  const word = text.trim();
  switch (type.kind) {
    case "string":
    case "char":
      return text;
    case "bool":
      return word === "true" ? true : word === "false" ? false : text;
    case "s8":
    case "u8":
    case "s16":
    case "u16":
    case "s32":
    case "u32":
      return DECIMAL.test(word) && word.length <= LONGEST_NUMBER ? Number(word) : text;
    case "s64":
    case "u64":
      return word.startsWith("+") ? word.slice(1) : word;
    case "f32":
    case "f64":
      return NUMBER.test(word) && word.length <= LONGEST_NUMBER ? Number(word) : (FLOAT_WORDS.get(word) ?? text);
    case "enum":
      return labelsOf(type).has(word) || !word.startsWith('"') ? word : undefined;
    case "flags":
      if (word.startsWith("[")) return undefined;
      return word === "" ? [] : word.split(",").map((label) => label.trim());
    case "variant":
    case "result":
      return casesByName(type).get(word) === undefined ? undefined : word;
    case "list":
      return type.element.kind !== "u8" || word.startsWith("[") || word.startsWith('"') ? undefined : word;
    case "record":
    case "tuple":
    case "option":
    case "map":
    case "own":
    case "borrow":
    case "stream":
    case "future":
    case "error-context":
      return undefined;
    default:
      return assertNever(type);
  }
}

function parseJson(type: ValType, text: string, options: JsonOptions): unknown {
  try {
    return JSON.parse(text);
  } catch {
    const walk = new Walk(options.path);
    walk.wrong(`expected JSON, got ${preview(text)}`, `Write ${describeJson(type)}.`);
    throw valueError(walk.mistakes);
  }
}
