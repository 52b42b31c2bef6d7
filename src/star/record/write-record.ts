// Puts a recording into a file: where it was asked for, or among those of failed transactions, which are bounded in number and size.

import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join, relative } from "node:path";
import { StarlaneError } from "../../base/errors.ts";
import type { Json } from "../../wit/json.ts";
import { toJson } from "../../wit/json.ts";
import type { Operation } from "../app.ts";
import { payloadOf } from "../failure.ts";
import { shown } from "../files.ts";
import type { Loaded } from "../star.ts";
import { recordMask } from "./masked-record.ts";
import { RECORD_FORMAT } from "./record.ts";
import type { Recording } from "./recording.ts";
import type { StreamedValue } from "./streamed-value.ts";
import { asJson, encode, holdsResources, Numbering } from "./values.ts";

const MOST_RECORDS = 50;
const MOST_BYTES = 256 * 1024 * 1024;

/** What is known of a transaction beside what came from outside. */
export interface RecordedRun {
  readonly loaded: Loaded;
  /** As people gave it. */
  readonly target: string;
  readonly operation: Operation;
  readonly args: readonly unknown[];
  readonly seed: number;
  readonly timestampMs: number;
  readonly timeoutMs?: number | undefined;
  readonly environment: ReadonlyMap<string, string>;
  /** Of the target, the component that has the operation; "" or absent: the target. */
  readonly component?: string | undefined;
  readonly outcome:
    | { readonly value: unknown; readonly streamed?: StreamedValue | undefined }
    | { readonly failure: StarlaneError };
}

/** The text of the file. @throws StarlaneError `wit/no-json-form` for inputs and results that no record can hold */
export function recordText(recording: Recording, run: RecordedRun): string {
  const { loaded, operation, args } = run;
  const mask = recordMask(loaded.secrets);
  const { handed, streamed } = recording;
  const input = operation.signature.params.flatMap(({ name, type }, i): [string, Json][] =>
    args[i] === undefined || handed !== undefined || streamed.has(name) ? [] : [[name, toJson(type, args[i], { path: name })]],
  );
  const head = {
    starlane: RECORD_FORMAT,
    target: run.target,
    operation: operation.name,
    ...(run.component === undefined || run.component === "" ? {} : { component: run.component }),
    files: filesOf(loaded),
    input: Object.fromEntries(input),
    ...(handed === undefined ? {} : { handed: handed.map(asJson) }),
    ...(streamed.size === 0 ? {} : { streamed: Object.fromEntries([...streamed].map(([port, value]) => [port, value.held()])) }),
    seed: run.seed,
    timestampMs: run.timestampMs,
    ...(run.timeoutMs === undefined ? {} : { timeoutMs: run.timeoutMs }),
    environment: Object.fromEntries(run.environment),
    outcome: outcomeOf(run),
    ...(recording.conclusion === undefined ? {} : { conclusion: recording.conclusion }),
    ...(recording.incomplete ? { incomplete: true } : {}),
    initial: {},
    calls: [],
    sleeps: recording.sleeps,
  };
  const lines = Object.entries(head).map(([key, value]) => {
    if (key === "initial")
      return `"initial": {${[...recording.initial].map(([name, events]) => `${JSON.stringify(name)}: ${listed(mask.events(events))}`).join(",\n")}}`;
    if (key !== "calls") return `${JSON.stringify(key)}: ${mask.text(JSON.stringify(value))}`;
    const calls = recording.calls.map(
      ({ node, count, component, events }) =>
        `{${JSON.stringify({ node, count, component }).slice(1, -1)},"events":${listed(mask.events(events))}}`,
    );
    return `"calls": [\n${calls.join(",\n")}]`;
  });
  return `{\n${lines.join(",\n")}\n}\n`;
}

/** One event a line. */
function listed(events: readonly Json[]): string {
  return `[\n${events.map((event) => JSON.stringify(event)).join(",\n")}]`;
}

function outcomeOf({ outcome, operation, loaded }: RecordedRun): Json {
  if ("value" in outcome) {
    const { result } = operation.signature;
    if (outcome.streamed !== undefined) return { held: outcome.streamed.held() as unknown as Json };
    if (result !== undefined && holdsResources(result))
      return { held: { value: asJson(encode(result, outcome.value, new Numbering())), streams: {} } };
    return { result: result === undefined ? null : toJson(result, outcome.value, { path: "the result" }) };
  }
  const { failure } = outcome;
  const payload = payloadOf(failure, loaded.target);
  return { error: { code: failure.code, message: failure.message, ...(payload === undefined ? {} : { payload }) } };
}

type RecordedFiles = readonly { readonly file: string; readonly sha256: string }[];

const known = new WeakMap<object, RecordedFiles>();

/** Of everything the target consists of, but for its tests; read once. */
export function filesOf(loaded: Pick<Loaded, "files" | "target">): RecordedFiles {
  let found = known.get(loaded);
  if (found === undefined) known.set(loaded, (found = readFiles(loaded)));
  return found;
}

function readFiles({ files, target }: Pick<Loaded, "files" | "target">): RecordedFiles {
  const folder = dirname(files[0] ?? "");
  const tests = target.kind === "app" ? target.manifest.testsFiles.map(({ path }) => join(folder, path)) : [];
  return files
    .filter((file) => !tests.includes(file))
    .map((file) => ({ file: relative(folder, file), sha256: createHash("sha256").update(readFileSync(file)).digest("hex") }));
}

/** @throws StarlaneError `star/file` */
export function writeRecord(path: string, text: string): void {
  try {
    writeFileSync(path, text, { mode: 0o600 });
  } catch (error) {
    throw new StarlaneError("star/file", `the record could not be written to ${shown(path)}`, { cause: error });
  }
}

/** Where records of failed transactions go; undefined: nowhere. */
export function recordsFolder(environment: NodeJS.ProcessEnv): string | undefined {
  const chosen = environment["STARLANE_RECORDS"];
  if (chosen === "off") return undefined;
  if (chosen !== undefined && chosen !== "") return chosen;
  return join(environment["XDG_STATE_HOME"] ?? join(homedir(), ".local/state"), "starlane/records");
}

/** Keeps the record of a failed transaction. The answer is its file; undefined where it could not be kept, which is no failure of its own. */
export function keepRecord(folder: string, app: string, text: string): string | undefined {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const time = new Date().toISOString().replaceAll(/[:.]/g, "-");
    const path = join(folder, `${time}-${app.replaceAll(/[^a-zA-Z0-9-]+/g, "-").slice(0, 60)}-${process.pid}.json`);
    writeFileSync(path, text, { mode: 0o600 });
    clearAway(folder);
    return path;
  } catch {
    return undefined;
  }
}

/** The newest stay. Names begin with their time. */
function clearAway(folder: string): void {
  const records = readdirSync(folder)
    .filter((name) => /^\d{4}-\d\d-\d\dT.*\.json$/.test(name))
    .toSorted()
    .toReversed();
  let bytes = 0;
  for (const [i, name] of records.entries()) {
    bytes += statSync(join(folder, name)).size;
    if (i > 0 && (i >= MOST_RECORDS || bytes > MOST_BYTES)) rmSync(join(folder, name), { force: true });
  }
}
