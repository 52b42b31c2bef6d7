// A command made from the ports of an operation: which are given by position, and which by flags. Plain data; reading, help and completion follow it.

import type { Signature, SignatureParam } from "../../flow/flow.ts";
import type { CliTrigger } from "../../manifest/triggers.ts";
import type { ValType } from "../../wit/types.ts";

export interface CliCommand {
  readonly name: string;
  readonly description?: string | undefined;
  readonly signature: Signature;
  readonly flags: readonly Flag[];
  /** In their order; each may be given by its flag, too. */
  readonly positionals: readonly Flag[];
}

/** A port, as it is given. */
export interface Flag {
  /** Without the two hyphens: that of its port. */
  readonly name: string;
  readonly letter?: string | undefined;
  readonly param: SignatureParam;
  /** It takes no value: `--name`, or `--no-name`. */
  readonly isSwitch: boolean;
  /** Each time it is given adds an element. */
  readonly repeats: boolean;
  /** It takes standard input, written `-`, or not written at all. */
  readonly takesStdin: boolean;
  /** What may be given, where that is a few words. */
  readonly words: readonly string[];
  /** A file is likely: its value is bytes, or comes on standard input. */
  readonly takesFiles: boolean;
}

export function commandOf(
  trigger: Pick<CliTrigger, "name" | "description" | "arguments" | "short" | "stdin">,
  signature: Signature,
): CliCommand {
  const all = signature.params.map((param) => flagOf(param, trigger));
  const positions = trigger.arguments.map(({ port }) => port);
  return {
    name: trigger.name,
    description: trigger.description ?? signature.description,
    signature,
    flags: all,
    positionals: positions.flatMap((port) => all.filter(({ name }) => name === port)),
  };
}

function flagOf(param: SignatureParam, { short, stdin }: Pick<CliTrigger, "short" | "stdin">): Flag {
  const type = withoutOption(param.type);
  const repeats = type.kind === "list" && type.element.kind !== "u8";
  const takesStdin = stdin?.port === param.name;
  return {
    name: param.name,
    letter: short.find(({ port }) => port === param.name)?.letter,
    param,
    isSwitch: type.kind === "bool",
    repeats,
    takesStdin,
    words: wordsOf(repeats ? type.element : type),
    takesFiles: takesStdin || (type.kind === "list" && type.element.kind === "u8"),
  };
}

function withoutOption(type: ValType): ValType {
  return type.kind === "option" ? type.type : type;
}

function wordsOf(type: ValType): readonly string[] {
  if (type.kind === "enum") return type.labels;
  if (type.kind === "bool") return ["true", "false"];
  if (type.kind === "variant") return type.cases.flatMap(({ name, type: payload }) => (payload === undefined ? [name] : []));
  return [];
}
