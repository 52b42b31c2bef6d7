// A component made of one that was prepared for its WIT: some milliseconds. The first build for a WIT is a whole one, and while nobody waits
// the next ones are prepared.

import { readFileSync } from "node:fs";
import { relative } from "node:path";
import { withoutExports } from "./component-bytes.ts";
import { LOAD, prepare, preparedKey, PROGRAM, readPrepared } from "./prepared.ts";
import { type QjsJob, SourceMistake } from "./protocol.ts";
import { type ModuleLoader, openPrepared, type Program, takeSnapshot } from "./snapshot.ts";
import { sourcesIn } from "./sources.ts";
import { INIT, toldMistake } from "./whole-build.ts";
import { readWit, withOwnNames } from "./wit-files.ts";

/** By key; undefined where the WIT cannot be prepared, a promise while it is. */
const programs = new Map<string, Program | undefined | Promise<void>>();
const MOST_PROGRAMS = 20;

/** Undefined where it cannot be made quickly now. @throws SourceMistake */
export async function buildQuickly(job: QjsJob): Promise<Uint8Array | undefined> {
  const wit = readWit(job.wit, relative(job.root, job.wit));
  const program = programFor(preparedKey(job, wit));
  if (program === undefined) return undefined;
  const { loader, mistake } = loaderOf(job);
  const snapshot = await takeSnapshot(program, LOAD, loader);
  switch (snapshot.kind) {
    case "impossible":
      return undefined;
    case "refused":
      throw mistake() ?? toldMistake(snapshot.message);
    case "taken":
      return withoutExports(withOwnNames(snapshot.component, wit), [LOAD, INIT]);
  }
}

function programFor(key: string): Program | undefined {
  const known = programs.get(key);
  if (known !== undefined || programs.has(key)) return known instanceof Promise ? undefined : known;
  const bytes = readPrepared(key);
  if (bytes === undefined) return undefined;
  const program = openPrepared(bytes);
  remember(key, program);
  return program;
}

function remember(key: string, program: Program | undefined | Promise<void>): void {
  programs.set(key, program);
  const [oldest] = programs.keys();
  if (programs.size > MOST_PROGRAMS && oldest !== undefined) programs.delete(oldest);
}

/** Prepares for the next build; `whole` is what the last one made. */
export async function prepareNext(job: QjsJob, whole: Uint8Array): Promise<void> {
  const wit = readWit(job.wit, relative(job.root, job.wit));
  const key = preparedKey(job, wit);
  if (programs.has(key)) return;
  const preparing = prepare(key, job, wit, whole).then(
    (bytes) => remember(key, bytes === undefined ? undefined : openPrepared(bytes)),
    // What cannot be prepared is built whole each time.
    () => remember(key, undefined),
  );
  remember(key, preparing);
  await preparing;
}

/** Prepares for a component that was built before. */
export async function prepareFor(job: QjsJob): Promise<void> {
  const key = preparedKey(job, readWit(job.wit, relative(job.root, job.wit)));
  if (programFor(key) === undefined) await prepareNext(job, readFileSync(job.output));
}

/** Gives the program its modules, and keeps what it was refused for a better message. */
function loaderOf(job: QjsJob): { readonly loader: ModuleLoader; readonly mistake: () => SourceMistake | undefined } {
  const sources = sourcesIn(job.root);
  const entry = relative(sources.root, job.entry).replaceAll("\\", "/");
  let found: SourceMistake | undefined;
  const told = (give: () => string): string => {
    try {
      return give();
    } catch (error) {
      found ??= error instanceof SourceMistake ? error : undefined;
      throw Object.assign(new Error("refused"), { payload: error instanceof Error ? error.message : "refused" });
    }
  };
  const loader: ModuleLoader = {
    resolve: (from, specifier) =>
      told(() => (specifier === PROGRAM ? `/${entry}` : `/${sources.resolve(from.replace(/^\//, ""), specifier)}`)),
    load: (path) => told(() => sources.read(path.replace(/^\//, ""))),
  };
  return { loader, mistake: () => found };
}
