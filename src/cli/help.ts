// The texts of `--help`: of the whole command, and of one of its commands.

import { COMMON_OPTIONS, type OptionSpec } from "./command-line.ts";
import { COMMANDS, PLANNED_COMMANDS, TARGET_HELP, type Command } from "./commands.ts";

/** `starlane --help`. */
export function helpOfAll(): string {
  const width = Math.max(...COMMANDS.map((c) => c.name.length));
  return [
    "Starlane turns WebAssembly components into applications.",
    "",
    "usage: starlane COMMAND TARGET …",
    "",
    ...COMMANDS.map((c) => `  ${c.name.padEnd(width)}  ${c.summary}`),
    "",
    TARGET_HELP,
    "",
    "starlane COMMAND --help tells more; starlane --version prints the version.",
    `Planned, not there yet: ${PLANNED_COMMANDS.join(", ")}.`,
  ].join("\n");
}

/** `starlane COMMAND --help`. */
export function helpOfCommand(command: Command): string {
  return [
    command.summary,
    "",
    `usage: starlane ${command.name} ${command.usage}`,
    "",
    ...(command.usage.includes("TARGET") ? [TARGET_HELP, ""] : []),
    ...(command.values === undefined
      ? []
      : [command.takesPorts === true ? "ports:" : "words:", ...twoColumns(command.values), ""]),
    "options:",
    ...optionLines([...command.options, ...COMMON_OPTIONS]),
    "",
    command.examples.length === 1 ? "example:" : "examples:",
    ...command.examples.map((e) => `  ${e}`),
    ...(command.takesPorts === true
      ? ["", `starlane ${command.name} TARGET OPERATION --help shows the ports of an operation.`]
      : []),
  ].join("\n");
}

function optionLines(options: readonly OptionSpec[]): string[] {
  return twoColumns(
    options.map((o) => [
      `${o.short === undefined ? "" : `-${o.short}, `}--${o.name}${o.value === undefined ? "" : ` ${o.value}`}`,
      o.summary,
    ]),
  );
}

function twoColumns(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([head]) => head.length));
  return rows.map(([head, text]) => `  ${head.padEnd(width)}  ${text}`);
}
