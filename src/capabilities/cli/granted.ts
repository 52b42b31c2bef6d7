// `wasi:cli` as granted: exactly these arguments and variables, and the standard streams that were given. An output that was not
// given goes to the transaction's output; an input that was not given is empty.

import { StarlaneError } from "../../base/errors.ts";
import { withBoundedOutput } from "../bounded-output.ts";
import type { Binding, Capability, ConfiguredCapability } from "../capability.ts";
import { IterableSource, WriterSink } from "../io/host-bytes.ts";
import { waitingIo } from "../io/waiting.ts";
import { guestInput, guestOutput, Waiting, type HostInput, type HostOutput } from "./host.ts";
import { cliImports } from "./interfaces.ts";
import { emptyInput, TransactionOutput } from "./output.ts";

export interface CliGrant {
  /** As the component sees them: by convention the first is the name of the program. */
  readonly args: readonly string[];
  /** The variables that the component sees, and no others. */
  readonly env: Readonly<Record<string, string>>;
  readonly stdin?: HostInput | undefined;
  readonly stdout?: HostOutput | undefined;
  readonly stderr?: HostOutput | undefined;
}

/** A NUL ends a string for many programs: what stands behind it would be seen by some and not by others. */
function checkGrant({ args, env }: CliGrant): void {
  const variables = Object.entries(env);
  const isBad =
    args.some((arg) => arg.includes("\0")) || variables.some(([name, value]) => /^$|[=\0]/.test(name) || value.includes("\0"));
  if (!isBad) return;
  throw new StarlaneError(
    "grant/bad-value",
    "an argument or a variable of the grant `cli` holds a NUL, or a name is empty or holds =",
    {
      cure: "Give names and values that a program can be started with.",
    },
  );
}

function configure(grant: CliGrant): ConfiguredCapability {
  checkGrant(grant);
  const args = [...grant.args];
  const environment = Object.entries(grant.env);
  if (grant.stdin === undefined && grant.stdout === undefined && grant.stderr === undefined) {
    return () => bindWithoutStreams(args, environment);
  }
  const source = new IterableSource(grant.stdin?.bytes ?? []);
  const sinks = [grant.stdout, grant.stderr].map((output) => (output === undefined ? undefined : new WriterSink(output.write)));
  const parents = [source.changes, ...sinks.map((sink) => (sink ?? source).changes)];

  return () => {
    const waiting = new Waiting(parents);
    const output = new TransactionOutput();
    const outputOf = (index: 0 | 1): ReturnType<TransactionOutput["to"]> => {
      const sink = sinks[index];
      const given = index === 0 ? grant.stdout : grant.stderr;
      if (sink === undefined) return output.to(index === 0 ? "stdout" : "stderr");
      return guestOutput(sink, given?.isTerminal === true, () => waiting.on(index + 1));
    };
    return {
      imports: {
        ...waitingIo,
        ...cliImports({
          args,
          environment,
          stdin: guestInput(source, grant.stdin?.isTerminal === true, () => waiting.on(0)),
          stdout: outputOf(0),
          stderr: outputOf(1),
        }),
      },
      prepare(transaction) {
        output.start(withBoundedOutput(transaction));
        waiting.start(transaction.signal);
      },
      /** What was printed arrives before the transaction has ended, unless nobody takes it and the transaction was cancelled. */
      async finish() {
        await Promise.allSettled(
          sinks.map(async (sink, index) => {
            if (sink !== undefined) await waiting.on(index + 1).until(() => sink.flushed());
          }),
        );
        waiting.end();
      },
    };
  };
}

function bindWithoutStreams(args: readonly string[], environment: readonly [string, string][]): Binding {
  const output = new TransactionOutput();
  return {
    imports: cliImports({ args, environment, stdin: emptyInput, stdout: output.to("stdout"), stderr: output.to("stderr") }),
    prepare: (transaction) => output.start(withBoundedOutput(transaction)),
    restart: () => undefined,
  };
}

/** What `starlane run` and the grant `cli` give a component. */
export const grantedCli: Capability<CliGrant> = { name: "cli", packages: ["wasi:cli"], configure };
