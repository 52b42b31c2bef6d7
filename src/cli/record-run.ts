// Records what `starlane invoke` and `starlane run` start: always where a file was named, else where it fails and something was granted.

import { StarlaneError } from "../base/errors.ts";
import type { Operation } from "../star/app.ts";
import { shown } from "../star/files.ts";
import { hasGrants } from "../star/record/has-grants.ts";
import { Recording } from "../star/record/recording.ts";
import { StreamedValue } from "../star/record/streamed-value.ts";
import { holdsStreams } from "../star/record/values.ts";
import { keepRecord, recordsFolder, recordText, type RecordedRun, writeRecord } from "../star/record/write-record.ts";
import type { Loaded, LoadOptions } from "../star/star.ts";
import type { CommandLine } from "./command-line.ts";

type Settings = Pick<RecordedRun, "seed" | "timestampMs" | "timeoutMs">;

/** Where the records of one command line go, and what its target asked the environment for. */
export interface RecordOptions {
  /** Undefined: the folder for those of failed transactions. */
  readonly file: string | undefined;
  readonly target: string;
  readonly environment: Map<string, string>;
}

/** Undefined: nothing is recorded. */
export function recordOptions({ options, positionals }: CommandLine): RecordOptions | undefined {
  const file = options.get("record");
  if (file === undefined && process.env["STARLANE_RECORDS"] === "off") return undefined;
  return { file, target: positionals[0] ?? "", environment: new Map() };
}

/** How a target is loaded so that its transactions can be recorded. */
export function recordedLoad(options: RecordOptions | undefined): Pick<LoadOptions, "record" | "environment"> {
  if (options === undefined) return {};
  return { record: true, environment: (name) => noted(options.environment, name) };
}

function noted(environment: Map<string, string>, variable: string): string | undefined {
  const value = process.env[variable];
  if (value !== undefined) environment.set(variable, value);
  return value;
}

/** Undefined: this one is not recorded. */
export function recorderOf(options: RecordOptions | undefined, loaded: Loaded, isCommand = false): RunRecorder | undefined {
  if (options === undefined) return undefined;
  return options.file !== undefined || isCommand || hasGrants(loaded.target) ? new RunRecorder(options, loaded) : undefined;
}

export class RunRecorder {
  readonly recording = new Recording();
  readonly #options: RecordOptions;
  readonly #loaded: Loaded;
  #run: Omit<RecordedRun, "outcome"> | undefined;
  #answer: Extract<RecordedRun["outcome"], { value: unknown }> | undefined;

  constructor(options: RecordOptions, loaded: Loaded) {
    this.#options = options;
    this.#loaded = loaded;
  }

  /** The arguments as they are to be handed over. `component`: of the target, the one that has the operation. */
  begin(operation: Operation, args: readonly unknown[], settings: Settings, component = ""): readonly unknown[] {
    const { target, environment } = this.#options;
    const { seed, timestampMs, timeoutMs } = settings;
    this.#run = { loaded: this.#loaded, target, component, operation, args, seed, timestampMs, timeoutMs, environment };
    return this.recording.handOver(operation.signature.params, args);
  }

  /** The result as it is to be handed on: what its streams give is kept as it passes. */
  passes(value: unknown): unknown {
    const type = this.#run?.operation.signature.result;
    const streamed =
      type === undefined || !holdsStreams(type)
        ? undefined
        : new StreamedValue(type, value, (bytes) => this.recording.takes(bytes));
    this.#answer = { value, streamed };
    return streamed === undefined ? value : streamed.value;
  }

  /** It is over, and all of its result was handed on. @throws StarlaneError `star/file`, `wit/no-json-form` */
  async done(): Promise<void> {
    const { file } = this.#options;
    if (file === undefined || this.#run === undefined || this.#answer === undefined) return;
    await this.recording.closed();
    writeRecord(file, recordText(this.recording, { ...this.#run, outcome: this.#answer }));
    this.#warnIfIncomplete();
  }

  /** The failure, and where its record is. */
  failed(failure: StarlaneError): StarlaneError {
    if (this.#run === undefined) return failure;
    // Nothing ran: there is nothing to find out.
    if (failure.code === "star/invalid-input" && this.#options.file === undefined) return failure;
    let text: string;
    try {
      text = recordText(this.recording, { ...this.#run, outcome: this.#answer ?? { failure } });
    } catch (error) {
      // What has no form in JSON cannot be recorded; why it failed is what matters, unless a record was asked for.
      if (this.#options.file !== undefined && error instanceof StarlaneError) return error;
      return failure;
    }
    const path = this.#keep(text);
    if (path === undefined) return failure;
    this.#warnIfIncomplete();
    const how = `starlane replay ${shown(path)} runs it again from its record`;
    const { code, message, at, cause, data, cure } = failure;
    return new StarlaneError(code, message, {
      at,
      cause,
      data: { ...data, record: path },
      cure: cure === undefined ? how : `${cure}\n  = ${how}`,
    });
  }

  /** A command that ended with a status of its own: that is kept only where a record was asked for. */
  exited(failure: StarlaneError): void {
    if (this.#options.file !== undefined) this.failed(failure);
  }

  #keep(text: string): string | undefined {
    const { file } = this.#options;
    if (file !== undefined) {
      writeRecord(file, text);
      return file;
    }
    const folder = recordsFolder(process.env);
    const { target } = this.#loaded;
    return folder === undefined ? undefined : keepRecord(folder, target.name, text);
  }

  #warnIfIncomplete(): void {
    if (this.recording.incomplete)
      process.stderr.write("note: the record is incomplete: the transaction saw more than a record can hold\n");
  }
}
