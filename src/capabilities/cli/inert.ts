// `wasi:cli` without a terminal: no arguments, no environment, no standard input; what is printed goes to the transaction's output.

import { StarlaneError } from "../../base/errors.ts";
import type { Binding, Capability, CapabilityTransaction } from "../capability.ts";
import { guestInterface, madeByHost } from "../guest.ts";
import { InputStream, OutputStream } from "../io/streams.ts";

const ROOM = 1 << 16;

class TerminalInput {}
class TerminalOutput {}

/** The `exit` calls end the transaction: `data.status` is what the component gave, 0 for success. */
function ended(status: number): StarlaneError {
  return new StarlaneError("capability/exit", `the component ended itself with status ${status}`, {
    cure: status === 0 ? "Call a function of the component that answers with a value." : "See what the component printed.",
    data: { status },
  });
}

const environment = guestInterface({
  getEnvironment: (): [string, string][] => [],
  getArguments: (): string[] => [],
  initialCwd: (): string | undefined => undefined,
});

const exit = guestInterface({
  exit: (status: { readonly tag: "ok" | "err" }): never => {
    throw ended(status.tag === "ok" ? 0 : 1);
  },
  exitWithCode: (status: number): never => {
    throw ended(status);
  },
});

const stdin = guestInterface({ getStdin: (): InputStream => new InputStream() });
const terminalInput = guestInterface({ TerminalInput: madeByHost(TerminalInput) });
const terminalOutput = guestInterface({ TerminalOutput: madeByHost(TerminalOutput) });
const terminalStdin = guestInterface({ getTerminalStdin: (): TerminalInput | undefined => undefined });
const terminalStdout = guestInterface({ getTerminalStdout: (): TerminalOutput | undefined => undefined });
const terminalStderr = guestInterface({ getTerminalStderr: (): TerminalOutput | undefined => undefined });

function bind(): Binding {
  // Read at each write, never kept by a stream: a guest may hold a stream from before the transaction it prints in.
  let output: CapabilityTransaction["output"];
  const streamTo = (name: "stdout" | "stderr"): OutputStream =>
    new OutputStream({ room: () => ROOM, write: (bytes) => output?.(name, bytes) });
  return {
    imports: {
      "wasi:cli/environment@0.2.0": environment,
      "wasi:cli/exit@0.2.0": exit,
      "wasi:cli/stdin@0.2.0": stdin,
      "wasi:cli/stdout@0.2.0": { __proto__: null, getStdout: () => streamTo("stdout") },
      "wasi:cli/stderr@0.2.0": { __proto__: null, getStderr: () => streamTo("stderr") },
      "wasi:cli/terminal-input@0.2.0": terminalInput,
      "wasi:cli/terminal-output@0.2.0": terminalOutput,
      "wasi:cli/terminal-stdin@0.2.0": terminalStdin,
      "wasi:cli/terminal-stdout@0.2.0": terminalStdout,
      "wasi:cli/terminal-stderr@0.2.0": terminalStderr,
    },
    prepare(transaction) {
      output = transaction.output;
    },
  };
}

/** The command-line interfaces, empty: what a component gets without a grant. */
export const inertCli: Capability = {
  name: "cli",
  packages: ["wasi:cli"],
  configure: () => bind,
};
