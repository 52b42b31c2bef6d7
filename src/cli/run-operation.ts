// Operations as commands: `starlane run` with flags made from their ports, help, and completion. Status and printing are those of `invoke`.

import { StarlaneError } from "../base/errors.ts";
import type { OutputStreamName } from "../capabilities/capability.ts";
import type { CliTrigger } from "../manifest/triggers.ts";
import type { App, LoadedComponent, Operation } from "../star/app.ts";
import { failureOf } from "../star/failure.ts";
import { argumentsFrom, type PortText } from "../star/inputs.ts";
import { Mistakes, throwMistakes } from "../star/mistakes.ts";
import { operationOf } from "../star/operations.ts";
import { randomSeed } from "../star/seeds.ts";
import { loadTarget } from "../star/star.ts";
import { runTransaction } from "../star/transaction.ts";
import { type CliCommand, commandOf } from "../triggers/cli/command.ts";
import { complete, completionScript, SHELLS } from "../triggers/cli/complete.ts";
import { helpOfCliCommand, helpOfCliCommands } from "../triggers/cli/help.ts";
import { readWords } from "../triggers/cli/read-words.ts";
import type { CommandLine } from "./command-line.ts";
import type { CommandTelemetry } from "./command-telemetry.ts";
import { observer, printResult } from "./invoke.ts";
import { checkStandardInput, readPorts } from "./read-input.ts";
import type { RunRecorder } from "./record-run.ts";
import { printable } from "./terminal.ts";
import { printUsage } from "./usage.ts";

export interface RunSettings {
  readonly line: CommandLine;
  readonly timeoutMs: number | undefined;
  readonly output: (stream: OutputStreamName, bytes: Uint8Array) => void;
  readonly telemetry?: CommandTelemetry | undefined;
  readonly recorder?: RunRecorder | undefined;
}

/** Runs the operation of a trigger with the words behind it. The answer is the exit status. @throws StarlaneError, with every mistake of the words */
export async function runOperation(
  app: App,
  trigger: CliTrigger,
  words: readonly string[],
  settings: RunSettings,
): Promise<number> {
  const { holder, operation } = triggered(app, trigger);
  const args = await argumentsOf(commandOf(trigger, operation.signature), words);
  const { line, timeoutMs, output, telemetry, recorder } = settings;
  try {
    const chosen = { seed: randomSeed(), timestampMs: Date.now(), timeoutMs };
    const given = recorder?.begin(
      operation,
      args,
      chosen,
      trigger.runs.kind === "operation" ? trigger.runs.target.component : "",
    );
    const result = await runTransaction(operation, given ?? args, {
      ...chosen,
      recording: recorder?.recording,
      output,
      observe: await observer(line),
      telemetry: telemetry?.of(operation.name),
      ...(line.options.has("usage") ? { onUsage: printUsage } : {}),
    });
    await printResult(operation, recorder === undefined ? result : recorder.passes(result), line.options.has("json"));
    await recorder?.done();
    return 0;
  } catch (error) {
    const failure = failureOf(error, holder, operation);
    throw recorder === undefined ? failure : recorder.failed(failure);
  }
}

async function argumentsOf(command: CliCommand, words: readonly string[]): Promise<unknown[]> {
  const read = readWords(command, words);
  const mistakes = [...read.mistakes];
  const ports = withStandardInput(command, read.values, mistakes.length === 0);
  const { signature } = command;
  // What a mistake was probably about is not missing, too.
  const params = signature.params.map((param) => (read.meant.has(param.name) ? { ...param, optional: true } : param));
  try {
    checkStandardInput(undefined, ports);
    const texts = await readPorts(ports, params);
    const args = argumentsFrom({ ...signature, params }, texts, undefined, command.name);
    throwMistakes(mistakes);
    return args;
  } catch (error) {
    if (!(error instanceof StarlaneError) || mistakes.includes(error) || mistakes.length === 0) throw error;
    const others = error instanceof Mistakes ? error.errors : [error];
    throwMistakes([...mistakes, ...others.filter((one) => !mistakes.includes(one))]);
    throw error;
  }
}

/** `-` stands for standard input where a port takes it; so does nothing, unless a person would have to type it for a port that needs none. */
function withStandardInput(command: CliCommand, values: readonly PortText[], mayRead: boolean): PortText[] {
  const taker = command.flags.find(({ takesStdin }) => takesStdin);
  const ports = values.map((port) => (port.name === taker?.name && port.text === "-" ? { name: port.name, text: "@-" } : port));
  const isGiven = ports.some(({ name }) => name === taker?.name);
  if (taker === undefined || isGiven || (taker.param.optional && process.stdin.isTTY)) return ports;
  return mayRead ? [...ports, { name: taker.name, text: "@-" }] : [...ports, { name: taker.name, text: "" }];
}

function triggered(app: App, { runs, name }: CliTrigger): { readonly holder: LoadedComponent; readonly operation: Operation } {
  if (runs.kind !== "operation") throw new StarlaneError("starlane/internal", `${name} is no operation`);
  return operationOf(app, runs.target);
}

/** Answers help and completion without running anything; undefined: the words are for a component, which answers itself. */
export async function tellOfCommands(path: string, line: CommandLine): Promise<number | undefined> {
  const { rest } = line;
  const [first = "", second, ...others] = rest;
  const inline = first.startsWith("--completion=") ? first.slice(13) : first === "--completion" ? (second ?? "") : undefined;
  const wanted = line.options.get("completion") ?? inline;
  const shell = SHELLS.find((name) => name === wanted);
  const { target } = await loadTarget(path, { use: "look" });
  const triggers = target.kind === "app" ? target.manifest.triggers.filter((trigger) => trigger.kind === "cli") : [];
  const ownsWords =
    line.options.has("completion") || triggers.some(({ runs }) => runs.kind === "operation") || triggers.length > 1;
  if (wanted !== undefined && (ownsWords || wanted === "words")) {
    if (shell !== undefined) return print(completionScript(shell));
    if (wanted === "words") return print(completions(target, triggers, others[0] === "--" ? others.slice(1) : others));
    throw new StarlaneError("cli/usage", `there is no completion for ${JSON.stringify(wanted)}`, {
      cure: `the shells are: ${SHELLS.join(", ")}`,
    });
  }
  if (target.kind !== "app" || triggers.length === 0) return undefined;
  const only = triggers.length === 1;
  const trigger = only ? triggers[0] : triggers.find(({ name }) => name === first);
  const start = `starlane run ${path}`;
  if (trigger === undefined) {
    const isHelp = first === "--help" || first === "-h";
    return isHelp
      ? print(
          `${helpOfCliCommands(
            triggers.map((one) => described(target, one)),
            start,
            target.manifest.description,
          )}\n`,
        )
      : undefined;
  }
  if (trigger.runs.kind === "component") return undefined;
  const { operation } = triggered(target, trigger);
  const command = commandOf(trigger, operation.signature);
  if (!readWords(command, only ? rest : rest.slice(1)).wantsHelp) return undefined;
  const declared = operation.kind === "flow" ? (operation.declaration.input ?? []) : [];
  return print(`${helpOfCliCommand(only ? { ...command, name: "" } : command, start, declared)}\n`);
}

function described(app: App, trigger: CliTrigger): { readonly name: string; readonly description?: string | undefined } {
  return trigger.runs.kind === "component" ? trigger : commandOf(trigger, triggered(app, trigger).operation.signature);
}

/** One line each: the word, a tab, what it is for; `@files` where files may stand there, too. */
function completions(target: LoadedComponent, triggers: readonly CliTrigger[], words: readonly string[]): string {
  if (target.kind !== "app") return "@files\n";
  const chosen = triggers.length === 1 ? triggers[0] : triggers.find(({ name }) => words.length > 1 && name === words[0]);
  if (chosen?.runs.kind === "component") return "@files\n";
  const commands = triggers.map((trigger): CliCommand =>
    trigger.runs.kind === "component"
      ? {
          name: trigger.name,
          description: trigger.description,
          signature: { params: [], async: false },
          flags: [],
          positionals: [],
        }
      : commandOf(trigger, triggered(target, trigger).operation.signature),
  );
  const { words: found, files } = complete(commands, words);
  const lines = found.map(({ word, about }) => `${word}\t${printable(about).split("\n")[0] ?? ""}`);
  return [...lines, ...(files ? ["@files"] : [])].map((text) => `${text}\n`).join("");
}

function print(text: string): number {
  process.stdout.write(text);
  return 0;
}
