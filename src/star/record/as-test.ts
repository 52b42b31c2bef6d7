// Adds a record to the tests of its app: the file is copied beside the manifest, and a test that names it is written behind the others of
// the first tests file. What is there already is never changed, only added to.

import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { StarlaneError } from "../../base/errors.ts";
import { shown } from "../files.ts";
import type { Loaded } from "../star.ts";
import type { TransactionRecord } from "./record.ts";

const TESTS_FILE = "starlane.tests.yaml";

/** What was done, as lines for people. @throws StarlaneError `cli/usage`, `star/file` */
export function addTest(file: string, record: TransactionRecord, { target, files }: Loaded): string[] {
  if (target.kind !== "app") {
    throw new StarlaneError("cli/usage", `${target.file} has no manifest that a test could be added to`, {
      cure: "Write a starlane.yaml that uses the component.",
    });
  }
  const manifest = files[0] ?? resolve(target.file);
  const folder = dirname(manifest);
  try {
    const kept = keepBeside(file, folder, record);
    const existing = target.manifest.testsFiles[0]?.path;
    const tests = join(folder, existing ?? TESTS_FILE);
    const name = nameFor(
      record,
      target.tests.map((test) => test.name ?? ""),
    );
    const written = appendTest(tests, testText(name, record, kept));
    const done = [
      `the record is ${shown(join(folder, kept))}`,
      `the test ${JSON.stringify(name)} was added to ${shown(tests)}${written}`,
    ];
    return existing === undefined ? [...done, nameInManifest(manifest)] : done;
  } catch (error) {
    if (error instanceof StarlaneError) throw error;
    throw new StarlaneError("star/file", "the test could not be added", { cause: error });
  }
}

/** The path from the manifest's folder. */
function keepBeside(file: string, folder: string, { operation }: TransactionRecord): string {
  const wanted = basename(file).endsWith(".json") ? basename(file, ".json") : operation;
  const stem = wanted.replaceAll(/[^a-zA-Z0-9-]+/g, "-").replaceAll(/^-+|-+$/g, "") || "record";
  const content = readFileSync(file);
  mkdirSync(join(folder, "records"), { recursive: true });
  for (let i = 1; ; i++) {
    const path = `records/${stem}${i === 1 ? "" : `-${i}`}.json`;
    const full = join(folder, path);
    if (!existsSync(full)) {
      copyFileSync(file, full);
      return path;
    }
    if (readFileSync(full).equals(content)) return path;
  }
}

function nameFor(record: TransactionRecord, taken: readonly string[]): string {
  const ended = "error" in record.outcome ? "fails" : "answers";
  const wanted = `${record.operation} ${ended} as it did on ${new Date(record.timestampMs).toISOString().slice(0, 16).replace("T", " at ")}`;
  for (let i = 1; ; i++) {
    const name = i === 1 ? wanted : `${wanted} (${i})`;
    if (!taken.includes(name)) return name;
  }
}

function testText(name: string, { operation }: TransactionRecord, record: string): string {
  return `- name: ${JSON.stringify(name)}\n  operation: ${JSON.stringify(operation)}\n  record: ./${record}\n`;
}

/** A list of tests, or a mapping whose last key they are. */
function appendTest(path: string, text: string): string {
  if (!existsSync(path)) {
    writeFileSync(path, `# Tests of the app: \`starlane test\` runs them.\n${text}`);
    return ", a new file";
  }
  const before = readFileSync(path, "utf8");
  const lines = before.split("\n").filter((line) => line.trim() !== "" && !line.trimStart().startsWith("#"));
  const last = lines.findLast((line) => /^\s*- /.test(line));
  const indent = /^\s*/.exec(last ?? "")?.[0] ?? "";
  if (last === undefined || lines.some((line) => /^[[{]/.test(line))) {
    throw new StarlaneError("star/file", `${shown(path)} is not written so that a test can be added behind its last one`, {
      cure: `Add it yourself:\n${text}`,
    });
  }
  writeFileSync(path, `${before.trimEnd()}\n${text.replaceAll(/^(?=.)/gm, indent)}`);
  return "";
}

function nameInManifest(manifest: string): string {
  const text = readFileSync(manifest, "utf8");
  const line = `tests: [ ./${TESTS_FILE} ]`;
  if (/^["']?tests["']?\s*:/m.test(text) || /^\s*[{]/.test(text)) {
    return `to run it, add ./${TESTS_FILE} to the \`tests\` of ${shown(manifest)}`;
  }
  writeFileSync(manifest, `${text.trimEnd()}\n\n${line}\n`);
  return `\`${line}\` was added to ${shown(manifest)}`;
}
