// `starlane replay`: runs a recorded transaction again. It prints what the transaction printed, and ends as it ended.

import { existsSync } from "node:fs";
import { StarlaneError } from "../base/errors.ts";
import type { TransactionRecord } from "../star/record/record.ts";
import { readRecord } from "../star/record/read-record.ts";
import { changedFiles, loadForReplay, replay } from "../star/record/run-replay.ts";
import type { CommandLine } from "./command-line.ts";
import { guestOutput } from "./guest-output.ts";
import { maskSecrets, observer, printResult } from "./invoke.ts";

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
    const replayed = await replay(record, loaded, { observe, output: output.write });
    output.end();
    if (line.options.has("as-test")) {
      const { addTest } = await import("../star/record/as-test.ts");
      for (const text of addTest(file, record, loaded)) process.stderr.write(`${text}\n`);
    }
    if ("failure" in replayed) throw replayed.failure;
    await printResult(replayed.operation, replayed.value, line.options.has("json"));
    return 0;
  } finally {
    output.end();
    await loaded.close();
  }
}

function targetOf({ positionals }: CommandLine, record: TransactionRecord): string {
  const given = positionals[1];
  if (given !== undefined) return given;
  if (existsSync(record.target)) return record.target;
  throw new StarlaneError("cli/usage", `the record is of ${record.target}, which is not there`, {
    cure: "name the target: starlane replay FILE TARGET",
  });
}
