// A test whose input is a record: the transaction is replayed, and has to do and give the same, or what the test expects in place of that.

import { dirname, join, resolve } from "node:path";
import { StarlaneError } from "../../base/errors.ts";
import type { Outcome } from "../../manifest/expect.ts";
import type { Json, TestDeclaration } from "../../manifest/manifest.ts";
import { toJson } from "../../wit/json.ts";
import type { App } from "../app.ts";
import { payloadOf } from "../failure.ts";
import type { LoadOptions } from "../star.ts";
import type { TransactionSettings } from "../transaction.ts";
import { sameJson } from "./difference.ts";
import { sameHeld } from "./streamed-value.ts";
import { readRecord } from "./read-record.ts";
import type { TransactionRecord } from "./record.ts";
import { loadForReplay, outcomeJson, replay, sameOutcome } from "./run-replay.ts";

/** How a replayed test ended, and whether that is how the record ended. */
export interface ReplayedOutcome {
  readonly outcome: Outcome;
  /** Undefined: the same. */
  readonly otherwise: Json | undefined;
}

/** @throws StarlaneError `replay/…`, `star/file`, and as loading the app does */
export async function replayTest(
  app: App,
  test: TestDeclaration & { readonly record: string },
  options: Pick<LoadOptions, "code">,
  settings: Pick<TransactionSettings, "output">,
): Promise<ReplayedOutcome> {
  const record = readRecord(join(dirname(resolve(app.file)), test.record));
  if (record.operation !== test.operation) {
    throw new StarlaneError("replay/bad-record", `${test.record} is a record of ${record.operation}, not of ${test.operation}`);
  }
  const loaded = await loadForReplay(app.file, record, { use: "run", ...options });
  try {
    const replayed = await replay(record, loaded, { ...settings, anyOutcome: true });
    const { result } = replayed.operation.signature;
    if ("held" in replayed && replayed.held !== undefined && "held" in record.outcome) {
      const isSame = sameHeld(record.outcome.held, replayed.held, sameJson);
      return {
        outcome: { kind: "done", output: replayed.held.value },
        otherwise: isSame ? undefined : outcomeJson(record.outcome),
      };
    }
    if ("value" in replayed) {
      const output = result === undefined ? null : toJson(result, replayed.value, { path: "the result" });
      return told(record, { kind: "done", output }, { result: output });
    }
    const { code, message } = replayed.failure;
    const payload = payloadOf(replayed.failure, loaded.target);
    const error = { code, message, ...(payload === undefined ? {} : { payload }) };
    return told(record, { kind: "failed", ...error }, { error });
  } finally {
    await loaded.close();
  }
}

function told({ outcome: recorded }: TransactionRecord, outcome: Outcome, now: Json): ReplayedOutcome {
  const before = outcomeJson(recorded);
  return { outcome, otherwise: sameOutcome(before, now) ? undefined : before };
}
