// The help of commands made from ports: names, types, descriptions, defaults and rules.

import type { InputPort, SanitizationRules } from "../../manifest/manifest.ts";
import { describeJson } from "../../wit/describe-json.ts";
import { printType } from "../../wit/type-text.ts";
import type { CliCommand, Flag } from "./command.ts";
import { placeholder, usageOf } from "./read-words.ts";

/** What the manifest says of the ports of an operation. */
export type DeclaredPorts = readonly Pick<InputPort, "name" | "rules" | "default">[];

/** `start`: what is written before the name of the command. */
export function helpOfCliCommand(command: CliCommand, start: string, declared: DeclaredPorts): string {
  const { description, positionals, flags, signature } = command;
  const options = flags.filter((flag) => !positionals.includes(flag));
  const lines = description === undefined ? [] : [description, ""];
  lines.push(`usage: ${start} ${usageOf(command)}`, "");
  if (positionals.length > 0) {
    const rows = positionals.map((flag): Row => [placeholder(flag), typeOf(flag), notesOf(flag, declared)]);
    lines.push("arguments:", ...columns(rows), "");
  }
  const rows = options.map((flag): Row => [headOf(flag), flag.isSwitch ? "" : typeOf(flag), notesOf(flag, declared)]);
  lines.push("options:", ...columns([...rows, ["-h, --help", "", "Show this help."]]), "");
  if (flags.some(({ isSwitch }) => !isSwitch)) {
    lines.push("A value may be in a file, @FILE, or on standard input, @-; a text that starts with @ is written @@TEXT.", "");
  }
  lines.push(`gives: ${signature.result === undefined ? "nothing" : printType(signature.result, 100)}`);
  if (signature.error !== undefined) lines.push(`or fails with: ${printType(signature.error, 100)}`);
  return lines.join("\n");
}

/** Where there are several commands. */
export function helpOfCliCommands(
  commands: readonly { readonly name: string; readonly description?: string | undefined }[],
  start: string,
  description: string | undefined,
): string {
  const rows = commands.map((command): Row => [command.name, "", command.description ?? ""]);
  const about = description === undefined ? [] : [description, ""];
  return [
    ...about,
    `usage: ${start} COMMAND …`,
    "",
    "commands:",
    ...columns(rows),
    "",
    `${start} COMMAND --help tells more.`,
  ].join("\n");
}

type Row = readonly [head: string, type: string, notes: string];

function columns(rows: readonly Row[]): string[] {
  const widths = [0, 1].map((column) => Math.min(40, Math.max(...rows.map((row) => row[column]?.length ?? 0))));
  return rows.map(([head, type, notes]) => {
    const middle = widths[1] === 0 ? "" : `  ${type.padEnd(widths[1] ?? 0)}`;
    return `  ${head.padEnd(widths[0] ?? 0)}${middle}  ${notes}`.trimEnd();
  });
}

function headOf(flag: Flag): string {
  const { name, letter } = flag;
  const before = letter === undefined ? "    " : `-${letter}, `;
  return `${before}${flag.isSwitch ? `--[no-]${name}` : `--${name} ${placeholder(flag)}`}`;
}

function typeOf({ param }: Flag): string {
  return printType(param.type.kind === "option" ? param.type.type : param.type, 60);
}

function notesOf(flag: Flag, declared: DeclaredPorts): string {
  const { param, words, isSwitch, repeats, takesStdin } = flag;
  const port = declared.find(({ name }) => name === param.name);
  const about = param.description ?? (words.length > 0 || isSwitch ? "" : describeJson(param.type, 80));
  const notes = [
    about.replace(/\.$/, ""),
    words.length > 0 && !isSwitch ? words.join(", ") : "",
    ...(port === undefined ? [] : rulesText(port.rules)),
    repeats ? "may be given several times" : "",
    takesStdin ? "standard input where it is not given" : "",
    port?.default !== undefined ? `else ${JSON.stringify(port.default)}` : param.optional ? "may be left out" : "",
  ];
  return notes.filter((note) => note !== "").join("; ");
}

function rulesText(rules: SanitizationRules): string[] {
  const { min, max, pattern, format, oneOf } = rules;
  return [
    min === undefined ? "" : max === undefined ? `at least ${min}` : `${min} to ${max}`,
    min === undefined && max !== undefined ? `at most ${max}` : "",
    format === undefined ? "" : `as ${format}`,
    pattern === undefined ? "" : `like ${pattern}`,
    oneOf === undefined
      ? ""
      : `one of ${oneOf.map((value) => (typeof value === "string" ? value : JSON.stringify(value))).join(", ")}`,
  ];
}
