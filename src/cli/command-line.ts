// Reads the words of a command line against the table of a command's options. Where a command takes ports (`invoke`), every
// other flag is a port: which ports there are is known only after the target is loaded, so no option library fits.

import { nearest } from "../base/diagnostics.ts";
import { StarlaneError } from "../base/errors.ts";
import type { PortText } from "../star/inputs.ts";
import { throwMistakes } from "../star/mistakes.ts";

export interface OptionSpec {
  readonly name: string;
  readonly short?: string;
  /** What its value is called in help; undefined: it takes none. */
  readonly value?: string;
  /** It may be given several times: its values are in `lists`. */
  readonly repeats?: boolean;
  readonly summary: string;
}

export interface LineSpec {
  readonly options: readonly OptionSpec[];
  /** How many words that are no options there may be. */
  readonly maxPositionals: number;
  /** Flags that are no options are ports. */
  readonly takesPorts?: boolean;
  /** All words behind the first that is no option belong to what is run. */
  readonly takesRest?: boolean;
}

export interface CommandLine {
  readonly positionals: readonly string[];
  readonly options: ReadonlyMap<string, string>;
  /** By option, for those that repeat. */
  readonly lists: ReadonlyMap<string, readonly string[]>;
  readonly rest: readonly string[];
  readonly ports: readonly PortText[];
  /** Words too many, where ports are taken: most likely values whose port was not written. */
  readonly strays: readonly string[];
}

/** Options of every command. */
export const COMMON_OPTIONS: readonly OptionSpec[] = [
  { name: "help", short: "h", summary: "Show this help." },
  { name: "verbose", summary: "Show every step, and stack traces of errors." },
];

/** @throws StarlaneError `cli/usage` with every mistake of the line. */
export function readCommandLine(words: readonly string[], spec: LineSpec): CommandLine {
  const table = [...spec.options, ...COMMON_OPTIONS];
  const positionals: string[] = [];
  const options = new Map<string, string>();
  const lists = new Map<string, string[]>();
  const rest: string[] = [];
  const ports: PortText[] = [];
  const mistakes: StarlaneError[] = [];
  let onlyWords = false;
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? "";
    if (onlyWords || !word.startsWith("-") || word === "-" || /^-[0-9.]/.test(word)) {
      positionals.push(word);
      if (spec.takesRest !== true) continue;
      rest.push(...words.slice(words[i + 1] === "--" ? i + 2 : i + 1));
      break;
    }
    if (word === "--") {
      onlyWords = true;
      continue;
    }
    const { name, text } = splitFlag(word);
    const option = word.startsWith("--") ? table.find((o) => o.name === name) : table.find((o) => o.short === name);
    if (option === undefined && !(spec.takesPorts === true && word.startsWith("--"))) {
      mistakes.push(unknownFlag(word, name, table, spec));
      // What stands behind it belongs to it, where it was meant to have a value: that is no mistake of its own.
      const meant = table.find((o) => o.name === name);
      const takesValue = meant === undefined ? spec.takesPorts === true : meant.value !== undefined;
      if (takesValue && text === undefined && words[i + 1]?.startsWith("-") === false) i++;
      continue;
    }
    if (option !== undefined && option.value === undefined) {
      if (text !== undefined) mistakes.push(new StarlaneError("cli/usage", `--${option.name} takes no value`));
      options.set(option.name, "");
      continue;
    }
    const next = words[i + 1];
    const value = text ?? (next !== undefined && !next.startsWith("--") ? words[++i] : undefined);
    if (option === undefined) {
      ports.push({ name, text: value });
    } else if (value === undefined) {
      mistakes.push(new StarlaneError("cli/usage", `--${option.name} needs a value: --${option.name} ${option.value}`));
    } else if (option.repeats === true) {
      const values = lists.get(option.name) ?? [];
      lists.set(option.name, [...values, value]);
    } else if (options.has(option.name)) {
      mistakes.push(new StarlaneError("cli/usage", `--${option.name} is given twice`));
    } else {
      options.set(option.name, value);
    }
  }
  const strays = positionals.splice(spec.maxPositionals);
  if (spec.takesPorts !== true || mistakes.length > 0) mistakes.push(...strays.map((word) => strayWord(word, spec)));
  if (mistakes.length > 0 && !options.has("help")) throwMistakes(mistakes);
  return { positionals, options, lists, rest, ports, strays };
}

function splitFlag(word: string): { readonly name: string; readonly text: string | undefined } {
  const body = word.replace(/^--?/, "");
  const equals = body.indexOf("=");
  return equals < 0 ? { name: body, text: undefined } : { name: body.slice(0, equals), text: body.slice(equals + 1) };
}

function unknownFlag(word: string, name: string, table: readonly OptionSpec[], spec: LineSpec): StarlaneError {
  return new StarlaneError("cli/usage", `unknown option ${word.split("=")[0]}`, {
    cure: spec.takesPorts === true ? cureForPort(name, table) : cureForOption(name, table),
  });
}

/** Written with one dash; which ports there are is not known yet. */
function cureForPort(name: string, table: readonly OptionSpec[]): string {
  if (name.length > 1) return `did you mean --${name}?`;
  return `values of ports are given as --PORT VALUE; the options are: ${listed(table)}`;
}

function cureForOption(name: string, table: readonly OptionSpec[]): string {
  const meant = nearest(
    name,
    table.map((o) => o.name),
  );
  return meant === undefined ? `the options are: ${listed(table)}` : `did you mean --${meant}?`;
}

function listed(table: readonly OptionSpec[]): string {
  return table.map((o) => `--${o.name}`).join(", ");
}

function strayWord(word: string, spec: LineSpec): StarlaneError {
  return new StarlaneError("cli/usage", `unexpected argument ${JSON.stringify(word)}`, {
    cure: spec.takesPorts === true ? "give values to ports as --PORT VALUE" : undefined,
  });
}
