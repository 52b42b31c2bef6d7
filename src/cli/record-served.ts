// Records of the transactions of `starlane serve`: those that fail, or with `--record` all, each in a file of its own.

import { recordsFolder } from "../star/record/write-record.ts";
import { TransactionRecords } from "../star/record/transaction-records.ts";
import { type Loaded, type LoadOptions, loadTarget } from "../star/star.ts";
import type { Log } from "../base/log.ts";
import type { CommandLine } from "./command-line.ts";

/** Loads a target whose transactions are recorded, where that is not turned off. */
export async function loadRecorded({ options }: CommandLine, path: string, load: LoadOptions, log: Log): Promise<Loaded> {
  const chosen = options.get("record");
  const folder = chosen ?? recordsFolder(process.env);
  if (folder === undefined) return await loadTarget(path, load);
  const environment = new Map<string, string>();
  const records = new TransactionRecords({
    target: path,
    folder,
    keepsAll: chosen !== undefined,
    environment,
    log: (message) => log({ level: "warn", message }),
  });
  const read = (name: string): string | undefined => {
    const value = process.env[name];
    if (value !== undefined) environment.set(name, value);
    return value;
  };
  const loaded = await loadTarget(path, { ...load, records, environment: read });
  records.of(loaded);
  return loaded;
}
