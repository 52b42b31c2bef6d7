// `starlane test`: runs the tests of a manifest and tells the results: for people, as TAP, or as JUnit XML.

import { statSync, watch, type FSWatcher } from "node:fs";
import { dirname } from "node:path";
import { StarlaneError } from "../base/errors.ts";
import type { App } from "../star/app.ts";
import { LoadedCode } from "../star/load-app.ts";
import { base64Forms, secretTexts } from "../star/record/secret-texts.ts";
import { type Loaded, loadTarget } from "../star/star.ts";
import { nameOf, runTests, type TestedApp, type TestResult } from "../star/tests.ts";
import type { Json } from "../manifest/manifest.ts";
import { masker } from "../manifest/outside.ts";
import type { CommandLine } from "./command-line.ts";
import { maskOutputs } from "./masked-output.ts";
import { report } from "./report.ts";
import { paintFor } from "./terminal.ts";
import { toldDenials } from "./told-denials.ts";
import { asJunit, asTap, forPeople } from "./test-output.ts";

export async function run(line: CommandLine): Promise<number> {
  if (line.options.has("tap") && line.options.has("junit")) {
    throw new StarlaneError("cli/usage", "--tap and --junit do not go together", { cure: "choose one of them" });
  }
  if (line.options.has("watch")) return runAndWatch(line);
  const tested = { code: new LoadedCode(), denied: toldDenials() };
  const loaded = await loadTarget(line.positionals[0] ?? "", { use: "run", resources: { inMemory: true }, ...tested });
  try {
    maskOutputs(loaded.secrets);
    return await runOnce(line, loaded, tested);
  } finally {
    await loaded.close();
  }
}

async function runOnce(line: CommandLine, { target, secrets }: Loaded, tested: Omit<TestedApp, "app">): Promise<number> {
  const app: App = target.kind === "app" ? target : noTests(target.file);
  const filter = line.positionals[1];
  const all = app.tests.map((test, i) => ({ name: nameOf(test, i), test }));
  const chosen = filter === undefined ? all : all.filter(({ name }) => name.toLowerCase().includes(filter.toLowerCase()));
  if (all.length === 0) noTests(app.file);
  if (chosen.length === 0) {
    throw new StarlaneError("cli/no-tests", `no test of ${app.file} has ${JSON.stringify(filter)} in its name`, {
      cure: `the tests are: ${all
        .slice(0, 20)
        .map(({ name }) => name)
        .join(", ")}`,
    });
  }
  const startedAt = performance.now();
  const results = masked(await runTests({ app, ...tested }, chosen), secrets);
  const summary = { app: app.name, results, tookMs: performance.now() - startedAt };
  if (line.options.has("tap")) process.stdout.write(asTap(summary));
  else if (line.options.has("junit")) process.stdout.write(asJunit(summary));
  else process.stdout.write(forPeople(summary, paintFor(process.stdout)));
  return results.every((result) => result.mismatches.length === 0) ? 0 : 1;
}

/** Before they are laid out: what is cut into lines or escaped is not found any more. */
function masked(results: readonly TestResult[], secrets: ReadonlySet<string>): readonly TestResult[] {
  if (secrets.size === 0) return results;
  const mask = masker(secretTexts(secrets).flatMap((secret) => [secret, ...base64Forms(secret)]));
  const json = (value: Json | undefined): Json | undefined =>
    value === undefined ? undefined : JSON.parse(mask(JSON.stringify(value)));
  return results.map((result) => ({
    ...result,
    printed: mask(result.printed),
    mismatches: result.mismatches.map(({ path, expected, actual, message }) => ({
      path: mask(path),
      expected: json(expected),
      actual: json(actual),
      message: mask(message),
    })),
  }));
}

function noTests(file: string): never {
  throw new StarlaneError("cli/no-tests", `${file} has no tests`, {
    cure: "add some under tests: [ { operation: …, input: { … }, expect: { … } } ]",
  });
}

/** Runs again whenever a folder that something was read from changes; ends only with a signal. */
async function runAndWatch(line: CommandLine): Promise<number> {
  const path = line.positionals[0] ?? "";
  const folders = new Set([isFolder(path) ? path : dirname(path)]);
  for (;;) {
    try {
      const tested = { code: new LoadedCode(), denied: toldDenials() };
      const loaded = await loadTarget(path, { use: "run", resources: { inMemory: true }, ...tested });
      try {
        for (const file of loaded.files) folders.add(dirname(file));
        maskOutputs(loaded.secrets);
        await runOnce(line, loaded, tested);
      } finally {
        await loaded.close();
      }
    } catch (error) {
      report(error, { verbose: line.options.has("verbose"), json: false });
    }
    await nextChange(folders);
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

const SETTLE_MS = 80;

/**
 * Waits until something in the folders changes, and then until nothing changed for a moment: editors write a file in several steps,
 * and often a new file that they rename, so folders are watched and not files.
 */
function nextChange(folders: ReadonlySet<string>): Promise<void> {
  return new Promise((resolve) => {
    let timer: NodeJS.Timeout | undefined;
    const watchers: FSWatcher[] = [];
    const changed = (): void => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        for (const watcher of watchers) watcher.close();
        resolve();
      }, SETTLE_MS);
    };
    for (const folder of folders) {
      // A folder that is gone has nothing to watch; one that goes away tells by a change.
      if (isFolder(folder)) watchers.push(watch(folder, changed).on("error", changed));
    }
    process.stderr.write("waiting for changes; Ctrl-C ends\n");
  });
}
