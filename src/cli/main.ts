// The command `starlane`: finds the command, reads its line, runs it, reports what went wrong. Exit status: 0 done, 1 the operation
// failed, 2 wrong usage or files, 3 a limit or denial.

import { readFileSync } from "node:fs";
import { nearest } from "../base/diagnostics.ts";
import { StarlaneError } from "../base/errors.ts";
import { readCommandLine } from "./command-line.ts";
import { COMMANDS, PLANNED_COMMANDS } from "./commands.ts";

// Whoever reads our output may stop early (`| head`): that is not an error of ours.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  hasEnded = true;
  if (error.code === "EPIPE") process.exit();
  const why = error.code === "ENOSPC" ? "no space is left on the device" : (error.code ?? error.message);
  throw new StarlaneError("star/file", `standard output cannot be written: ${why}`, { cause: error });
});

const words = process.argv.slice(2);
let hasEnded = false;

// What nobody awaited, and an end of the event loop in the middle of an operation, are mistakes of ours: said without a stack trace.
process.on("uncaughtException", (error) => void showError(error).then((status) => process.exit(status)));
process.on("exit", () => {
  if (hasEnded) return;
  process.exitCode = 1;
  process.stderr.write("error[starlane/internal]: the operation came to no end: everything in it waits for something else\n");
});

void main().then((status) => {
  hasEnded = true;
  process.exitCode = status;
});

async function main(): Promise<number> {
  try {
    return await runCommand(words);
  } catch (error) {
    return showError(error);
  }
}

async function showError(error: unknown): Promise<number> {
  hasEnded = true;
  const { report } = await import("./report.ts");
  return report(error, { verbose: words.includes("--verbose"), json: words.includes("--json") });
}

async function runCommand([name, ...words]: readonly string[]): Promise<number> {
  if (name === undefined || name === "--help" || name === "-h" || name === "help") return showHelp(words[0]);
  if (name === "--version" || name === "-V" || name === "version") return showVersion();
  const command = COMMANDS.find((c) => c.name === name);
  if (command === undefined) throw unknownCommand(name);
  const line = readCommandLine(words, command);
  if (line.options.has("help") && !(command.takesPorts === true && line.positionals.length > 0)) return showHelp(name);
  if (line.positionals.length < (command.minPositionals ?? 1)) {
    throw new StarlaneError("cli/usage", `starlane ${name} needs a TARGET`, { cure: `usage: starlane ${name} ${command.usage}` });
  }
  return (await command.load()).run(line);
}

async function showHelp(of: string | undefined): Promise<number> {
  const { helpOfAll, helpOfCommand } = await import("./help.ts");
  const command = COMMANDS.find((c) => c.name === of);
  if (of !== undefined && command === undefined) throw unknownCommand(of);
  process.stdout.write(`${command === undefined ? helpOfAll() : helpOfCommand(command)}\n`);
  return 0;
}

function showVersion(): number {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  const parsed: unknown = JSON.parse(text);
  const version = typeof parsed === "object" && parsed !== null && "version" in parsed ? String(parsed.version) : "unknown";
  process.stdout.write(`starlane ${version} (Node ${process.versions.node})\n`);
  return 0;
}

function unknownCommand(name: string): StarlaneError {
  if (PLANNED_COMMANDS.includes(name)) {
    const there = COMMANDS.map((c) => c.name).join(", ");
    return new StarlaneError("cli/not-supported-yet", `starlane ${name} is not supported yet`, {
      cure: `what there is: ${there}`,
    });
  }
  const meant = nearest(name, [...COMMANDS.map((c) => c.name), ...PLANNED_COMMANDS]);
  return new StarlaneError("cli/usage", `unknown command ${JSON.stringify(name)}`, {
    cure: meant === undefined ? "starlane --help lists the commands" : `did you mean: starlane ${meant}?`,
  });
}
