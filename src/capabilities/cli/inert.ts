// `wasi:cli` without a terminal: no arguments, no environment, no standard input; what is printed goes to the transaction's output.

import type { Binding, Capability } from "../capability.ts";
import { cliImports } from "./interfaces.ts";
import { emptyInput, TransactionOutput } from "./output.ts";

function bind(): Binding {
  const output = new TransactionOutput();
  return {
    imports: cliImports({
      args: [],
      environment: [],
      stdin: emptyInput,
      stdout: output.to("stdout"),
      stderr: output.to("stderr"),
    }),
    prepare: (transaction) => output.start(transaction),
  };
}

/** The command-line interfaces, empty: what a component gets without a grant. */
export const inertCli: Capability = {
  name: "cli",
  packages: ["wasi:cli"],
  configure: () => bind,
};
