// `starlane invoke`: runs one operation. Standard output gets exactly one value; everything else goes to standard error.

import { StarlaneError } from "../base/errors.ts";
import type { NodeEvent } from "../flow/flow.ts";
import type { LoadedComponent, Operation } from "../star/app.ts";
import { findOperation, shortName } from "../star/operations.ts";
import { randomSeed } from "../star/seeds.ts";
import { runTransaction } from "../star/transaction.ts";
import { type Loaded, loadTarget } from "../star/star.ts";
import { toJson } from "../wit/json.ts";
import { takesStream } from "../wit/streams.ts";
import type { CommandLine } from "./command-line.ts";
import { type CommandTelemetry, telemetryOfCommand } from "./command-telemetry.ts";
import { guestOutput } from "./guest-output.ts";
import { argumentsFrom, type PortText } from "../star/inputs.ts";
import { throwMistakes } from "../star/mistakes.ts";
import { streamsOf } from "../star/result-streams.ts";
import { recordedLoad, recorderOf, recordOptions, type RunRecorder } from "./record-run.ts";
import { paintFor } from "./terminal.ts";
import { toldDenials } from "./told-denials.ts";

export async function run(line: CommandLine): Promise<number> {
  const [path = "", name] = line.positionals;
  const wantsHelp = line.options.has("help");
  const settings = wantsHelp ? undefined : await settingsOf(line);
  const records = wantsHelp ? undefined : recordOptions(line);
  const loaded = await loadTarget(path, {
    use: wantsHelp ? "look" : "once",
    denied: toldDenials(),
    ...recordedLoad(records),
  });
  const { target } = loaded;
  let telemetry: CommandTelemetry | undefined;
  if (wantsHelp) {
    const { helpOfOperation, helpOfTarget } = await import("./operation-help.ts");
    const isOne = name !== undefined || target.operations.size === 1;
    process.stdout.write(`${isOne ? helpOfOperation(path, target, findOperation(target, name)) : helpOfTarget(path, target)}\n`);
    return 0;
  }
  try {
    await maskSecrets(loaded);
    telemetry = await telemetryOfCommand(loaded, line);
    return await invoke(line, target, findOperation(target, name), { ...settings, telemetry }, recorderOf(records, loaded));
  } finally {
    await telemetry?.end();
    await loaded.close();
  }
}

export async function maskSecrets({ secrets }: Loaded): Promise<void> {
  if (secrets.size > 0) (await import("./masked-output.ts")).maskOutputs(secrets);
}

async function invoke(
  line: CommandLine,
  target: LoadedComponent,
  operation: Operation,
  { telemetry, ...chosen }: Settings & { readonly telemetry: CommandTelemetry | undefined },
  recorder: RunRecorder | undefined,
): Promise<number> {
  const shown = shortName(operation, target.operations.values());
  throwMistakes(strayWords(line, operation, shown));
  const { ports, input } = await inputOf(line, operation);
  const args = argumentsFrom(operation.signature, ports, input, shown);
  const output = guestOutput();
  try {
    const onUsage = line.options.has("usage") ? (await import("./usage.ts")).printUsage : undefined;
    const observe = operation.kind === "flow" ? await observer(line) : undefined;
    const settings = { seed: randomSeed(), timestampMs: Date.now(), ...chosen };
    const given = recorder?.begin(operation, args, settings) ?? args;
    const result = await runTransaction(operation, given, {
      observe,
      output: output.write,
      telemetry: telemetry?.of(operation.name),
      ...settings,
      onUsage,
      recording: recorder?.recording,
    });
    await printResult(operation, recorder === undefined ? result : recorder.passes(result), line.options.has("json"));
    await recorder?.done();
    return 0;
  } catch (error) {
    const { failureOf } = await import("../star/failure.ts");
    const failure = failureOf(error, target, operation);
    throw recorder === undefined ? failure : recorder.failed(failure);
  } finally {
    output.end();
  }
}

export async function observer(line: CommandLine): Promise<(event: NodeEvent) => void> {
  const { showEvents } = await import("./show-events.ts");
  return showEvents(line.options.has("verbose"));
}

interface Input {
  readonly ports: readonly PortText[];
  readonly input: unknown;
}

async function inputOf({ options, ports }: CommandLine, { signature }: Operation): Promise<Input> {
  const word = options.get("input");
  const { params } = signature;
  const hasStreams = params.some(({ type }) => takesStream(type));
  if (word === undefined && !hasStreams && !ports.some(({ text }) => text?.startsWith("@") === true))
    return { ports, input: undefined };
  const { checkStandardInput, readInput, readPorts, withPipedStream } = await import("./read-input.ts");
  checkStandardInput(word, ports);
  const input = word === undefined ? undefined : await readInput(word);
  const all = hasStreams && word !== "-" && word !== "@-" ? withPipedStream(ports, params, input) : ports;
  return { ports: await readPorts(all, params), input };
}

/** Values whose port was not written. Where there is one open port for each, that is what was meant. */
function strayWords({ strays, ports, options }: CommandLine, { signature }: Operation, operation: string): StarlaneError[] {
  const open = options.has("input") ? [] : signature.params.filter(({ name }) => !ports.some((port) => port.name === name));
  const needed = open.filter(({ optional }) => !optional);
  const all = signature.params.map(({ name }) => `--${name}`).join(", ");
  return strays.map((word, i) => {
    const [before, ...rest] = word.split("=");
    const port =
      needed.length === strays.length ? needed[i] : needed.length === 0 && open.length === strays.length ? open[i] : undefined;
    const meant =
      rest.length > 0 && signature.params.some(({ name }) => name === before)
        ? `--${before} ${quoted(rest.join("="))}`
        : port === undefined
          ? undefined
          : `--${port.name} ${quoted(word)}`;
    const there = all === "" ? `${operation} takes no input` : `the ports of ${operation} are: ${all}`;
    return new StarlaneError("cli/usage", `unexpected argument ${JSON.stringify(word)}`, {
      cure: meant === undefined ? `values are given as --PORT VALUE; ${there}` : `did you mean ${meant}?`,
    });
  });
}

/** As a shell would need it. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

interface Settings {
  seed?: number;
  timestampMs?: number;
  timeoutMs?: number;
}

/** @throws StarlaneError with everything that is wrong with the options */
async function settingsOf(line: CommandLine): Promise<Settings> {
  const settings: Settings = {};
  const mistakes: StarlaneError[] = [];
  const { options } = line;
  const seed = options.get("seed");
  if (seed !== undefined) {
    settings.seed = Number(seed);
    if (!/^\d+$/.test(seed) || !Number.isSafeInteger(settings.seed)) {
      mistakes.push(new StarlaneError("cli/usage", `--seed ${seed} is no whole number from 0 to ${Number.MAX_SAFE_INTEGER}`));
    }
  }
  const timestamp = options.get("timestamp");
  if (timestamp !== undefined) {
    settings.timestampMs = /^\d+$/.test(timestamp) ? Number(timestamp) : Date.parse(timestamp);
    if (!(Math.abs(settings.timestampMs) <= 8.64e15)) {
      mistakes.push(
        new StarlaneError("cli/usage", `--timestamp ${timestamp} is no time`, {
          cure: "write it like 2026-11-21T08:00:00Z, or in milliseconds since 1970",
        }),
      );
    }
  }
  const timeout = options.get("timeout");
  if (timeout !== undefined) {
    const { parseDuration } = await import("../manifest/quantity.ts");
    const duration = parseDuration(timeout);
    if ("value" in duration) settings.timeoutMs = duration.value;
    else mistakes.push(new StarlaneError("cli/usage", `--timeout: ${duration.message}`, { cure: duration.cure }));
  }
  throwMistakes(mistakes);
  return settings;
}

export async function printResult(operation: Operation, result: unknown, asJson: boolean): Promise<void> {
  const { result: type } = operation.signature;
  if (streamsOf(type).length > 0) return await (await import("./print-streams.ts")).printStreams(type, result, asJson);
  const json = type === undefined ? null : toJson(type, result, { path: "the result" });
  if (asJson || !process.stdout.isTTY) return void process.stdout.write(`${JSON.stringify(json)}\n`);
  if (type === undefined) return void process.stderr.write("done\n");
  const { printValue } = await import("./print-value.ts");
  process.stdout.write(`${printValue(json, paintFor(process.stdout))}\n`);
}
