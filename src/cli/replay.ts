// `starlane replay`: runs a recorded transaction again. It prints what the transaction printed, and ends as it ended.

import { existsSync } from "node:fs";
import { StarlaneError } from "../base/errors.ts";
import type { TransactionRecord } from "../star/record/record.ts";
import { readRecord } from "../star/record/read-record.ts";
import { changedFiles, loadForReplay, replay } from "../star/record/run-replay.ts";
import type { CommandLine } from "./command-line.ts";
import { guestOutput, type GuestWrite } from "./guest-output.ts";
import { maskSecrets, observer, printResult } from "./invoke.ts";
import { statusOf } from "./run.ts";
import { holdsResources } from "../star/record/values.ts";

export async function run(line: CommandLine): Promise<number> {
  const [file = ""] = line.positionals;
  const record = readRecord(file);
  const loaded = await loadForReplay(targetOf(line, record), record);
  const output = guestOutput();
  try {
    await maskSecrets(loaded);
    const changed = changedFiles(record, loaded);
    if (changed.length > 0) process.stderr.write(`note: changed since it was recorded: ${changed.join(", ")}\n`);
    const observe = loaded.target.kind === "app" ? await observer(line) : undefined;
    const replayed = await replay(record, loaded, { observe, output: isCommand(record) ? printed(output.write) : output.write });
    output.end();
    if (line.options.has("as-test")) {
      const { addTest } = await import("../star/record/as-test.ts");
      for (const text of addTest(file, record, loaded)) process.stderr.write(`${text}\n`);
    }
    if ("failure" in replayed) {
      const status = isCommand(record) ? statusOf(replayed.failure) : undefined;
      if (status !== undefined) return status;
      throw replayed.failure;
    }
    if (isCommand(record)) return 0;
    const { result } = replayed.operation.signature;
    if (record.handed !== undefined || (result !== undefined && holdsResources(result)))
      process.stderr.write("it did the same as when it was recorded\n");
    else await printResult(replayed.operation, replayed.value, line.options.has("json"));
    return 0;
  } finally {
    output.end();
    await loaded.close();
  }
}

/** A program, whose standard output is that of this process. */
function isCommand({ operation }: TransactionRecord): boolean {
  return /^wasi:cli\/run(?:@[^#]*)?#run$/.test(operation);
}

function printed(write: GuestWrite): GuestWrite {
  return (stream, bytes) => {
    if (stream === "log") write(stream, bytes);
    else process[stream].write(bytes);
  };
}

function targetOf({ positionals }: CommandLine, record: TransactionRecord): string {
  const given = positionals[1];
  if (given !== undefined) return given;
  if (existsSync(record.target)) return record.target;
  throw new StarlaneError("cli/usage", `the record is of ${record.target}, which is not there`, {
    cure: "name the target: starlane replay FILE TARGET",
  });
}
