// `wasi:cli` 0.2 and 0.3 over what a program is started with: arguments, environment, standard streams and an end.

import type { Imports } from "../../engine/engine.ts";
import { StarlaneError } from "../../base/errors.ts";
import { guestInterface, madeByHost } from "../guest.ts";
import type { InputStream, OutputStream } from "../io/streams.ts";

class TerminalInput {}
class TerminalOutput {}

/** `error-code` of `wasi:cli/types`. */
export type CliError = "io" | "illegal-byte-sequence" | "pipe";

/** How a stream of WASI 0.3 ended, as the value of its future. */
export type StreamEnd = { readonly tag: "ok" } | { readonly tag: "err"; readonly val: CliError };

/** Standard input, for both generations of WASI. */
export interface GuestInput {
  readonly isTerminal: boolean;
  stream(): InputStream;
  /** The bytes, and how they ended. */
  readViaStream(): [AsyncIterable<Uint8Array> | Iterable<Uint8Array>, Promise<StreamEnd>];
}

/** Standard output or error output, for both generations of WASI. */
export interface GuestOutput {
  readonly isTerminal: boolean;
  stream(): OutputStream;
  /** Writes all of `data`; the answer says how it ended. */
  writeViaStream(data: AsyncIterable<Uint8Array>): Promise<StreamEnd>;
}

/** What a program is started with. */
export interface Program {
  readonly args: readonly string[];
  readonly environment: readonly (readonly [name: string, value: string])[];
  readonly stdin: GuestInput;
  readonly stdout: GuestOutput;
  readonly stderr: GuestOutput;
}

/** The `exit` calls end the transaction: `data.status` is what the component gave, 0 for success. */
function ended(status: number): StarlaneError {
  return new StarlaneError("capability/exit", `the component ended itself with status ${status}`, {
    cure: status === 0 ? "Call a function of the component that answers with a value." : "See what the component printed.",
    data: { status },
  });
}

/** The status that a component ended itself with, or undefined where that is not what an error says. */
export function exitStatusOf(error: unknown): number | undefined {
  if (!(error instanceof StarlaneError) || error.code !== "capability/exit") return undefined;
  const status = error.data?.status;
  return typeof status === "number" ? status : undefined;
}

const exit = guestInterface({
  exit: (status: { readonly tag: "ok" | "err" }): never => {
    throw ended(status.tag === "ok" ? 0 : 1);
  },
  exitWithCode: (status: number): never => {
    throw ended(status);
  },
});

const types = guestInterface({});
const terminalInput = guestInterface({ TerminalInput: madeByHost(TerminalInput) });
const terminalOutput = guestInterface({ TerminalOutput: madeByHost(TerminalOutput) });

/** The imports of one instance that runs this program. */
export function cliImports({ args, environment, stdin, stdout, stderr }: Program): Imports {
  const getEnvironment = (): [string, string][] => environment.map(([name, value]) => [name, value]);
  const getArguments = (): string[] => [...args];
  const terminalOf = (output: GuestOutput) => (): TerminalOutput | undefined =>
    output.isTerminal ? new TerminalOutput() : undefined;
  const terminalStdin = {
    __proto__: null,
    getTerminalStdin: (): TerminalInput | undefined => (stdin.isTerminal ? new TerminalInput() : undefined),
  };
  const terminalStdout = { __proto__: null, getTerminalStdout: terminalOf(stdout) };
  const terminalStderr = { __proto__: null, getTerminalStderr: terminalOf(stderr) };
  const writer = (output: GuestOutput): object => ({
    __proto__: null,
    writeViaStream: (data: AsyncIterable<Uint8Array>) => output.writeViaStream(data),
  });
  return {
    "wasi:cli/environment@0.2.0": { __proto__: null, getEnvironment, getArguments, initialCwd: (): undefined => undefined },
    "wasi:cli/exit@0.2.0": exit,
    "wasi:cli/stdin@0.2.0": { __proto__: null, getStdin: () => stdin.stream() },
    "wasi:cli/stdout@0.2.0": { __proto__: null, getStdout: () => stdout.stream() },
    "wasi:cli/stderr@0.2.0": { __proto__: null, getStderr: () => stderr.stream() },
    "wasi:cli/terminal-input@0.2.0": terminalInput,
    "wasi:cli/terminal-output@0.2.0": terminalOutput,
    "wasi:cli/terminal-stdin@0.2.0": terminalStdin,
    "wasi:cli/terminal-stdout@0.2.0": terminalStdout,
    "wasi:cli/terminal-stderr@0.2.0": terminalStderr,
    "wasi:cli/types@0.3.0": types,
    "wasi:cli/environment@0.3.0": { __proto__: null, getEnvironment, getArguments, getInitialCwd: (): undefined => undefined },
    "wasi:cli/exit@0.3.0": exit,
    "wasi:cli/stdin@0.3.0": { __proto__: null, readViaStream: () => stdin.readViaStream() },
    "wasi:cli/stdout@0.3.0": writer(stdout),
    "wasi:cli/stderr@0.3.0": writer(stderr),
    "wasi:cli/terminal-input@0.3.0": terminalInput,
    "wasi:cli/terminal-output@0.3.0": terminalOutput,
    "wasi:cli/terminal-stdin@0.3.0": terminalStdin,
    "wasi:cli/terminal-stdout@0.3.0": terminalStdout,
    "wasi:cli/terminal-stderr@0.3.0": terminalStderr,
  };
}
