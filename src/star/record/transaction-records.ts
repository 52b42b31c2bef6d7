// Records of the transactions of a loaded target that others start, requests and schedules: of all, or of those that fail. Bounded: what is
// kept of one, what is held of all that run, how often a failure is written, and how many files stay (`write-record.ts`).

import { StarlaneError } from "../../base/errors.ts";
import { holdsStreams } from "./values.ts";
import type { LoadedComponent, Operation } from "../app.ts";
import { failureOf } from "../failure.ts";
import { shown } from "../files.ts";
import type { Loaded } from "../star.ts";
import type { TransactionSettings } from "../transaction.ts";
import { componentAt, hasGrants } from "./has-grants.ts";
import { RecordBudget, Recording } from "./recording.ts";
import { keepRecord, type RecordedRun, recordText } from "./write-record.ts";
import { StreamedValue } from "./streamed-value.ts";

const LARGEST_OF_ONE_BYTES = 4 * 1024 * 1024;
const LARGEST_HELD_BYTES = 256 * 1024 * 1024;
/** Failures of one minute that are written. */
const MOST_FAILURES = 20;
const MINUTE_MS = 60_000;

export interface RecordsSettings {
  /** The path of the target, as it was given. */
  readonly target: string;
  readonly folder: string;
  /** Also those that do not fail. */
  readonly keepsAll: boolean;
  /** Of whoever starts the app: the variables that it asked for. */
  readonly environment: ReadonlyMap<string, string>;
  /** Told of what was kept. */
  readonly log: (message: string) => void;
}

/** What an operation is, to those who record its transactions. */
export interface RecordedAs {
  readonly records: TransactionRecords;
  /** Its component: `shop/cart` for one of an app inside, "" for the target. */
  readonly component: string;
}

export class TransactionRecords {
  readonly #settings: RecordsSettings;
  readonly #budget = new RecordBudget(LARGEST_HELD_BYTES);
  #loaded: Loaded | undefined;
  #minute = 0;
  #failures = 0;

  constructor(settings: RecordsSettings) {
    this.#settings = settings;
  }

  get keepsAll(): boolean {
    return this.#settings.keepsAll;
  }

  /** The target that it is for, when that is there; until then nothing is recorded. */
  of(loaded: Loaded): void {
    this.#loaded = loaded;
  }

  /** Runs a transaction, and records it where it is one of those that are recorded. */
  around(
    operation: Operation,
    component: string,
    args: readonly unknown[],
    settings: TransactionSettings,
    run: (args: readonly unknown[], recording: Recording | undefined) => unknown,
  ): unknown {
    const loaded = this.#loaded;
    const holder = loaded === undefined ? undefined : componentAt(loaded.target, component);
    if (loaded === undefined || holder === undefined || !(this.keepsAll || hasGrants(loaded.target))) return run(args, undefined);
    const recording = new Recording(LARGEST_OF_ONE_BYTES, this.#budget);
    const { target, environment } = this.#settings;
    const { seed, timestampMs, timeoutMs } = settings;
    const handed = recording.handOver(operation.signature.params, args);
    const about = { loaded, target, component, operation, args, seed, timestampMs, timeoutMs, environment };
    const failed = (error: unknown): never => {
      this.#failed(recording, about, holder, error);
      throw error;
    };
    const done = (value: unknown): unknown => this.#done(recording, about, value);
    try {
      const answer = run(handed, recording);
      return answer instanceof Promise ? answer.then(done, failed) : done(answer);
    } catch (error) {
      return failed(error);
    }
  }

  #done(recording: Recording, about: Omit<RecordedRun, "outcome">, value: unknown): unknown {
    if (!this.keepsAll) {
      recording.release();
      return value;
    }
    const { result } = about.operation.signature;
    if (result === undefined || !holdsStreams(result)) {
      void recording.closed().then(() => this.#keep(recording, { ...about, outcome: { value } }));
      return value;
    }
    const streamed = new StreamedValue(result, value, (bytes) => recording.takes(bytes));
    void Promise.all([streamed.ended, recording.closed()]).then(() =>
      this.#keep(recording, { ...about, outcome: { value, streamed } }),
    );
    return streamed.value;
  }

  #failed(recording: Recording, about: Omit<RecordedRun, "outcome">, holder: LoadedComponent, error: unknown): void {
    const failure = failureOf(error, holder, about.operation);
    if (!this.keepsAll && !this.#isKept(failure)) return recording.release();
    void recording.closed().then(() => {
      const path = this.#keep(recording, { ...about, outcome: { failure } });
      if (path !== undefined && !this.keepsAll)
        this.#settings.log(`${about.operation.name} failed and was recorded: \`starlane replay ${shown(path)}\` runs it again`);
    });
  }

  /** What an operation answers as its own error, and what it was wrongly given, is no failure of the app. */
  #isKept(failure: StarlaneError): boolean {
    if (failure.code === "star/operation-failed" || failure.code === "star/invalid-input" || failure.code === "flow/cancelled")
      return false;
    const minute = Math.floor(Date.now() / MINUTE_MS);
    if (minute !== this.#minute) [this.#minute, this.#failures] = [minute, 0];
    return this.#failures++ < MOST_FAILURES;
  }

  #keep(recording: Recording, run: RecordedRun): string | undefined {
    try {
      return keepRecord(this.#settings.folder, run.loaded.target.name, recordText(recording, run));
    } catch (error) {
      // What has no form in JSON cannot be recorded; the transaction is not to suffer for it.
      if (error instanceof StarlaneError) return undefined;
      throw error;
    } finally {
      recording.release();
    }
  }
}
