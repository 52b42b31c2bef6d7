// `starlane run`: what a `cli` trigger names, or a component that stands alone. A `wasi:cli` command component gets the arguments and standard
// streams of this process, and its exit status becomes ours; operations are in `run-operation.ts`.

import { StarlaneError } from "../base/errors.ts";
import { exitStatusOf } from "../capabilities/cli/interfaces.ts";
import type { Grants, ResourceDeclaration } from "../manifest/manifest.ts";
import { parseDuration } from "../manifest/quantity.ts";
import type { CliTrigger, Trigger } from "../manifest/triggers.ts";
import { nearest } from "../base/diagnostics.ts";
import type { App, LoadedComponent, Operation } from "../star/app.ts";
import { failureOf } from "../star/failure.ts";
import { loadTarget } from "../star/star.ts";
import { randomSeed } from "../star/seeds.ts";
import { runTransaction } from "../star/transaction.ts";
import type { CommandLine } from "./command-line.ts";
import { type CommandTelemetry, telemetryOfCommand } from "./command-telemetry.ts";
import { guestOutput } from "./guest-output.ts";
import { maskOutputs } from "./masked-output.ts";
import { recordedLoad, recorderOf, recordOptions, type RunRecorder } from "./record-run.ts";
import { type HostStreams, hostStreams } from "./standard-streams.ts";
import { toldDenials } from "./told-denials.ts";
import { printUsage } from "./usage.ts";

export async function run(line: CommandLine): Promise<number> {
  const [path = ""] = line.positionals;
  const timeoutMs = timeoutOf(line);
  const asked = line.options.has("completion") || line.rest.some((word) => /^(?:-h|--help|--completion(?:=.*)?)$/.test(word));
  const answer = asked ? await (await import("./run-operation.ts")).tellOfCommands(path, line) : undefined;
  if (answer !== undefined) return answer;
  const chosen = new Choice(line.rest);
  const streams = hostStreams();
  const records = recordOptions(line);
  let recorder: RunRecorder | undefined;
  const loaded = await loadTarget(path, {
    use: "once",
    ...recordedLoad(records),
    denied: toldDenials(),
    command: {
      componentOf: (triggers) => chosen.componentOf(triggers),
      get args() {
        return chosen.args;
      },
      streams: recordedStreams(streams, () => recorder),
      ...grantsOf(line),
    },
  });
  const output = guestOutput();
  let telemetry: CommandTelemetry | undefined;
  try {
    maskOutputs(loaded.secrets);
    telemetry = await telemetryOfCommand(loaded, line);
    const named = chosen.operationOf(loaded.target);
    if (named !== undefined) {
      const { runOperation } = await import("./run-operation.ts");
      recorder = recorderOf(records, loaded);
      return await runOperation(named.app, named.trigger, chosen.args, {
        line,
        timeoutMs,
        output: output.write,
        telemetry,
        recorder,
      });
    }
    const { component, operation, name } = chosen.commandOf(loaded.target);
    recorder = recorderOf(records, loaded, true);
    return await runCommand(
      component,
      operation,
      { recorder, name },
      {
        seed: randomSeed(),
        timestampMs: Date.now(),
        timeoutMs,
        output: output.write,
        telemetry: telemetry?.of(operation.name),
        ...(line.options.has("usage") ? { onUsage: printUsage } : {}),
      },
    );
  } finally {
    output.end();
    await loaded.close();
    streams.close();
    await telemetry?.end();
  }
}

async function runCommand(
  component: LoadedComponent,
  operation: Operation,
  { recorder, name }: { readonly recorder: RunRecorder | undefined; readonly name: string },
  settings: Parameters<typeof runTransaction>[2],
): Promise<number> {
  try {
    recorder?.begin(operation, [], settings, name);
    await runTransaction(operation, [], { ...settings, recording: recorder?.recording });
    recorder?.passes(undefined);
    await recorder?.done();
    return 0;
  } catch (error) {
    const failure = failureOf(error, component, operation);
    const status = statusOf(failure) ?? exitStatusOf(error);
    if (status === undefined) throw recorder === undefined ? failure : recorder.failed(failure);
    recorder?.exited(failure);
    return status;
  }
}

/** The status that a command ended with by itself. */
export function statusOf(failure: StarlaneError): number | undefined {
  // `run` answered with its error, which has no value: the program has said itself what was wrong.
  return failure.code === "star/operation-failed" ? 1 : exitStatusOf(failure);
}

/** What the command prints is kept, too: it goes to the streams of this process, and not to the output of the transaction. */
function recordedStreams(streams: HostStreams, recorder: () => RunRecorder | undefined): HostStreams {
  const printing = (stream: "stdout" | "stderr", to: HostStreams["stdout"]): HostStreams["stdout"] =>
    to === undefined
      ? undefined
      : {
          ...to,
          write: (bytes) => {
            recorder()?.recording.print(stream, bytes);
            return to.write(bytes);
          },
        };
  return { ...streams, stdout: printing("stdout", streams.stdout), stderr: printing("stderr", streams.stderr) };
}

/** Which command is run, from the words behind the target. */
class Choice {
  args: readonly string[];
  #trigger: CliTrigger | undefined;

  constructor(words: readonly string[]) {
    this.args = words;
  }

  /** The component that is run; undefined: there is none, or it is an operation. */
  componentOf(triggers: readonly Trigger[]): string | undefined {
    const runs = this.#choose(triggers)?.runs;
    return runs?.kind === "component" ? runs.component : undefined;
  }

  operationOf(target: LoadedComponent): { readonly app: App; readonly trigger: CliTrigger } | undefined {
    const trigger = target.kind === "app" ? this.#choose(target.manifest.triggers) : undefined;
    return target.kind === "app" && trigger?.runs.kind === "operation" ? { app: target, trigger } : undefined;
  }

  /** Of several commands the first word names one. */
  #choose(triggers: readonly Trigger[]): CliTrigger | undefined {
    if (this.#trigger !== undefined) return this.#trigger;
    const commands = triggers.filter((trigger) => trigger.kind === "cli");
    if (commands.length < 2) return (this.#trigger = commands[0]);
    const [first, ...others] = this.args;
    this.#trigger = commands.find(({ name }) => name === first);
    if (this.#trigger === undefined) throw unclear(first, commands);
    this.args = others[0] === "--" && this.#trigger.runs.kind === "component" ? others.slice(1) : others;
    return this.#trigger;
  }

  /** `name`: of the component, "" where it is the target itself. */
  commandOf(target: LoadedComponent): {
    readonly component: LoadedComponent;
    readonly operation: Operation;
    readonly name: string;
  } {
    const name = target.kind === "wasm" ? "" : (this.componentOf(target.manifest.triggers) ?? "");
    const component = target.kind === "wasm" ? target : target.components.get(name);
    if (component === undefined) {
      throw new StarlaneError("cli/no-command", `${target.file} has no command`, {
        cure: "Name one in its manifest, `triggers: [ { cli: COMPONENT } ]`, or start an operation with `starlane invoke`.",
      });
    }
    const commands = [...component.operations.values()].filter(({ name }) => /^wasi:cli\/run(?:@[^#]*)?#run$/.test(name));
    // A component that has both was made for the newer one.
    const operation = commands.find(({ name }) => name.includes("@0.3.")) ?? commands[0];
    if (operation === undefined) {
      throw new StarlaneError("cli/no-command", `${component.file} is no command: it does not export wasi:cli/run`, {
        cure: "Start one of its operations with `starlane invoke`.",
      });
    }
    return { component, operation, name };
  }
}

function unclear(word: string | undefined, commands: readonly CliTrigger[]): StarlaneError {
  const names = commands.map(({ name }) => name);
  if (word === undefined || word.startsWith("-")) {
    return new StarlaneError("cli/usage", `the app has ${commands.length} commands: which one?`, {
      cure: `name one behind the target: ${names.join(", ")}`,
    });
  }
  const near = nearest(word, names);
  return new StarlaneError("cli/usage", `the app has no command ${JSON.stringify(word)}`, {
    cure: `${near === undefined ? "" : `did you mean ${near}? `}There are: ${names.join(", ")}`,
  });
}

function timeoutOf({ options }: CommandLine): number | undefined {
  const text = options.get("timeout");
  if (text === undefined) return undefined;
  const duration = parseDuration(text);
  if ("value" in duration) return duration.value;
  throw new StarlaneError("cli/usage", `--timeout: ${duration.message}`, { cure: duration.cure });
}

/** `--env` and `--dir`: what a binary without a manifest is granted. */
function grantsOf({ lists }: CommandLine): { readonly grants: Grants; readonly resources: readonly ResourceDeclaration[] } {
  const span = { source: { file: "the command line", text: "" }, start: 0, end: 0 };
  const env = (lists.get("env") ?? []).map((text) => {
    const [name = "", ...value] = text.split("=");
    return { name, span, ...(value.length === 0 ? {} : { value: value.join("=") }) };
  });
  const folders = (lists.get("dir") ?? []).map((text, i) => {
    const equals = text.indexOf("=");
    if (equals < 1) {
      throw new StarlaneError("cli/usage", `--dir ${text} names no two folders`, {
        cure: "write --dir GUEST=HOST, as in --dir /data=./data",
      });
    }
    const readonly = text.endsWith(":ro");
    return { name: `dir-${i}`, path: text.slice(0, equals), readonly, host: text.slice(equals + 1, readonly ? -3 : undefined) };
  });
  return {
    grants: {
      cli: { args: [], env },
      ...(folders.length === 0
        ? {}
        : { files: folders.map(({ name, path, readonly }) => ({ path, resource: name, readonly, span })) }),
    },
    resources: folders.map(({ name, host }) => ({ name, kind: "files", address: host, span, addressSpan: span })),
  };
}
