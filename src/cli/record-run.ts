// Records what `starlane invoke` runs: always where a file was named, else where it fails.

import { StarlaneError } from "../base/errors.ts";
import type { Operation } from "../star/app.ts";
import { shown } from "../star/files.ts";
import { Recording } from "../star/record/recording.ts";
import { keepRecord, recordsFolder, recordText, type RecordedRun, writeRecord } from "../star/record/write-record.ts";
import type { Loaded } from "../star/star.ts";

type Settings = Pick<RecordedRun, "seed" | "timestampMs" | "timeoutMs">;

export class RunRecorder {
  readonly recording = new Recording();
  readonly #file: string | undefined;
  readonly #target: string;
  readonly #loaded: Loaded;
  readonly #environment: ReadonlyMap<string, string>;
  #run: Omit<RecordedRun, "outcome"> | undefined;

  constructor(
    { file }: { readonly file: string | undefined },
    target: string,
    loaded: Loaded,
    environment: ReadonlyMap<string, string>,
  ) {
    this.#file = file;
    this.#target = target;
    this.#loaded = loaded;
    this.#environment = environment;
  }

  begin(operation: Operation, args: readonly unknown[], { seed, timestampMs, timeoutMs }: Settings): void {
    const [loaded, target, environment] = [this.#loaded, this.#target, this.#environment];
    this.#run = { loaded, target, operation, args, seed, timestampMs, timeoutMs, environment };
  }

  /** @throws StarlaneError `star/file`, `wit/no-json-form` */
  done(value: unknown): void {
    if (this.#file === undefined || this.#run === undefined) return;
    writeRecord(this.#file, recordText(this.recording, { ...this.#run, outcome: { value } }));
    this.#warnIfIncomplete();
  }

  /** The failure, and where its record is. */
  failed(failure: StarlaneError): StarlaneError {
    if (this.#run === undefined) return failure;
    let text: string;
    try {
      text = recordText(this.recording, { ...this.#run, outcome: { failure } });
    } catch (error) {
      // What has no form in JSON cannot be recorded; why it failed is what matters, unless a record was asked for.
      if (this.#file !== undefined && error instanceof StarlaneError) return error;
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

  #keep(text: string): string | undefined {
    if (this.#file !== undefined) {
      writeRecord(this.#file, text);
      return this.#file;
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
