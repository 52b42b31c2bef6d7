// Reads the words of a command: flags, letters, and values by position. Every mistake is kept, and told with those of the values.

import { nearest } from "../../base/diagnostics.ts";
import { StarlaneError } from "../../base/errors.ts";
import type { CliCommand, Flag } from "./command.ts";

export interface ReadWords {
  /** By port, in the order they were given; undefined: a switch that is on. */
  readonly values: readonly { readonly name: string; readonly text: string | undefined }[];
  readonly mistakes: readonly StarlaneError[];
  /** Ports that were probably meant by words that are mistakes: they are not missing, too. */
  readonly meant: ReadonlySet<string>;
  readonly wantsHelp: boolean;
}

/** `--` ends the flags; a word of digits behind a hyphen is a value. */
export function readWords(command: CliCommand, words: readonly string[]): ReadWords {
  const reader = new Reader(command, words);
  reader.read();
  return reader;
}

class Reader implements ReadWords {
  readonly values: { name: string; text: string | undefined }[] = [];
  readonly mistakes: StarlaneError[] = [];
  readonly meant = new Set<string>();
  wantsHelp = false;
  readonly #command: CliCommand;
  readonly #words: readonly string[];
  readonly #byPosition: string[] = [];
  #next = 0;

  constructor(command: CliCommand, words: readonly string[]) {
    this.#command = command;
    this.#words = words;
  }

  read(): void {
    while (this.#next < this.#words.length) {
      const word = this.#words[this.#next++] ?? "";
      if (word === "--") {
        this.#byPosition.push(...this.#words.slice(this.#next));
        break;
      }
      if (word.startsWith("--")) this.#flag(word);
      else if (/^-[^-0-9.]/.test(word)) this.#letters(word.slice(1));
      else this.#byPosition.push(word);
    }
    this.#placePositions();
  }

  #flag(word: string): void {
    const equals = word.indexOf("=");
    const name = word.slice(2, equals < 0 ? undefined : equals);
    const text = equals < 0 ? undefined : word.slice(equals + 1);
    const flag = this.#command.flags.find((one) => one.name === name);
    const negated = this.#command.flags.find((one) => one.isSwitch && `no-${one.name}` === name);
    if (flag !== undefined) return this.#take(flag, `--${name}`, text);
    if (name === "help") return void (this.wantsHelp = true);
    if (negated === undefined) return this.#unknown(`--${name}`, name, text);
    if (text !== undefined) this.mistakes.push(usage(`--${name} takes no value`));
    this.values.push({ name: negated.name, text: "false" });
  }

  /** `-v`, `-vq`, `-n5`, `-n 5`. */
  #letters(letters: string): void {
    for (let i = 0; i < letters.length; i++) {
      const letter = letters[i] ?? "";
      const rest = letters.slice(i + 1);
      const flag = this.#command.flags.find((one) => one.letter === letter);
      if (flag === undefined && letter === "h") {
        this.wantsHelp = true;
        continue;
      }
      if (flag === undefined) return this.#unknown(`-${letter}`, i === 0 ? letters.split("=")[0] : undefined, rest || undefined);
      if (flag.isSwitch) {
        this.values.push({ name: flag.name, text: undefined });
        continue;
      }
      return this.#take(flag, `-${letter}`, rest === "" ? undefined : rest.replace(/^=/, ""));
    }
  }

  #take(flag: Flag, written: string, text: string | undefined): void {
    if (flag.isSwitch || text !== undefined) return void this.values.push({ name: flag.name, text });
    const next = this.#words[this.#next];
    if (next === undefined || this.#isFlag(next)) {
      this.meant.add(flag.name);
      this.mistakes.push(usage(`${written} needs a value: ${written} ${placeholder(flag)}`));
      return;
    }
    this.#next++;
    this.values.push({ name: flag.name, text: next });
  }

  /** Whether a word is a flag and no value: values that look like one are written behind `=`. */
  #isFlag(word: string): boolean {
    if (word.startsWith("--")) return true;
    return /^-[A-Za-z]/.test(word) && this.#command.flags.some(({ letter }) => letter === word[1]);
  }

  #unknown(written: string, name: string | undefined, text: string | undefined): void {
    const names = this.#command.flags.flatMap((flag) => (flag.isSwitch ? [flag.name, `no-${flag.name}`] : [flag.name]));
    const near = name === undefined || name.length < 2 ? undefined : nearest(name, names);
    const flag = this.#command.flags.find((one) => one.name === near || `no-${one.name}` === near);
    if (flag !== undefined) this.meant.add(flag.name);
    const there = listed(this.#command);
    const cure = near === undefined ? there : `did you mean --${near}? ${there}`;
    this.mistakes.push(new StarlaneError("cli/usage", `${this.#command.name} has no option ${written}`, { cure }));
    // What was to be its value is no argument.
    const next = this.#words[this.#next];
    if (flag?.isSwitch === false && text === undefined && next !== undefined && !this.#isFlag(next)) this.#next++;
  }

  /** Those that were given by their flag leave their place to the next one; a list takes all that is left. */
  #placePositions(): void {
    const given = new Set(this.values.map(({ name }) => name));
    const open = this.#command.positionals.filter(({ name }) => !given.has(name));
    const strays: string[] = [];
    let at = 0;
    for (const [index, word] of this.#byPosition.entries()) {
      const flag = open[at];
      if (flag === undefined) {
        strays.push(word);
        continue;
      }
      this.values.push({ name: flag.name, text: word });
      // Behind a list there may be ports that need a value: as many words are left to them.
      const wordsLeft = this.#byPosition.length - index - 1;
      const needed = open.slice(at + 1).filter(({ param }) => !param.optional).length;
      if (!flag.repeats || wordsLeft <= needed) at++;
    }
    const cure = strays.length === 0 ? undefined : `${usageOf(this.#command)}; --help tells more`;
    for (const word of strays)
      this.mistakes.push(new StarlaneError("cli/usage", `unexpected argument ${JSON.stringify(word)}`, { cure }));
  }
}

/** `[-l VALUE] NAME …`. */
export function usageOf({ flags, positionals, name }: CliCommand): string {
  const options = flags.filter((flag) => !positionals.includes(flag));
  const needed = options
    .filter(({ param }) => !param.optional)
    .map((flag) => `--${flag.name}${flag.isSwitch ? "" : ` ${placeholder(flag)}`}`);
  const words = positionals.map((flag) => {
    const text = `${placeholder(flag)}${flag.repeats ? "…" : ""}`;
    return flag.param.optional || flag.takesStdin ? `[${text}]` : text;
  });
  return [...(name === "" ? [] : [name]), "[options]", ...needed, ...words].join(" ");
}

/** What a value is called: `NAME`. */
export function placeholder({ name }: Flag): string {
  return name.toUpperCase();
}

function usage(message: string): StarlaneError {
  return new StarlaneError("cli/usage", message);
}

function listed({ flags, name }: CliCommand): string {
  return flags.length === 0 ? `${name} has no options` : `the options are: ${flags.map((flag) => `--${flag.name}`).join(", ")}`;
}
