// Runs every example as a user does, with the real command, and compares all that it prints with `test/golden/NAME.txt`.
// UPDATE_GOLDEN=1 writes these files anew; read each of them as a user would.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { assertFile, ROOT, runStarlane, withoutTimes, type Printed } from "./printed.ts";

interface Call {
  /** The words behind `starlane invoke examples/NAME`. */
  readonly words: readonly string[];
  readonly status?: number;
  readonly input?: string;
}

const feedback = readFileSync(join(ROOT, "examples/feedback/feedback.csv"), "utf8");

const INVOCATIONS: Readonly<Record<string, readonly Call[]>> = {
  hello: [
    { words: ["greet", "--name", "Ada"] },
    { words: ["greet", "--name", "grace hopper", "--lang", "FR"] },
    { words: ["--input", "-"], input: '{"name":"Ada"}' },
    { words: ["greet", "--nmae", "Ada"], status: 2 },
    { words: ["greet", "--name", "   "], status: 2 },
    { words: ["greet", "--name", "Ada", "--lang", "tlh"], status: 1 },
    { words: ["greet", "--help"] },
  ],
  feedback: [
    { words: ["--input", "-"], input: JSON.stringify({ csv: feedback }) },
    { words: ["--csv", "id,comment\nF-1,Love it"] },
    { words: ["--csv", "\n"] },
    { words: ["--csv", "", "--title", " ", "--quotes", "21"], status: 2 },
  ],
  composed: [{ words: ["invite", "--name", "Ada", "--event", "the summer party"] }],
  errors: [
    { words: ["unhandled", "--text", "twelve"], status: 1 },
    { words: ["unhandled", "--text", " 12 "] },
    { words: ["instead", "--text", "twelve"] },
    { words: ["as-data", "--dividend", "7", "--divisor", "0"] },
    { words: ["as-data", "--dividend", "7", "--divisor", "2"] },
    { words: ["tried", "--text", "hi", "--seed", "2"], status: 1 },
    { words: ["retried", "--text", "hi", "--seed", "2"] },
    { words: ["retried", "--text", "hi", "--percent", "100", "--seed", "2"], status: 1 },
    { words: ["in-time"] },
    { words: ["in-time", "--rounds", "1000000000000000"] },
    { words: ["in-time", "--rounds", "1000000000000000", "--timeout", "50ms"], status: 3 },
    { words: ["trapped", "--text", "hello"], status: 2 },
    { words: ["trapped", "--text", "hello", "--trap"] },
    { words: ["trapped", "--text", "hello", "--trap", "false"] },
    { words: ["checked", "--percent", "42"] },
    { words: ["checked", "--percent", "43"], status: 1 },
    { words: ["checked", "--percent", "102"], status: 1 },
  ],
};

/** Those that keep something run in folders of their own, in `granted-examples.test.ts` and `cron.test.ts`. */
const ELSEWHERE = ["api", "chat", "cron", "gallery", "shortener", "site", "weather", "wordcount"];

test("every example is run here", () => {
  const folders = readdirSync(join(ROOT, "examples"), { withFileTypes: true }).filter((entry) => entry.isDirectory());
  assert.deepEqual(folders.map(({ name }) => name).toSorted(), [...Object.keys(INVOCATIONS), ...ELSEWHERE].toSorted());
});

for (const [name, calls] of Object.entries(INVOCATIONS)) {
  const target = `examples/${name}`;
  test(`${target} is checked, tested, inspected and run, and prints what it should`, async () => {
    const lines: Call[] = [
      { words: ["check", target] },
      { words: ["test", target] },
      { words: ["inspect", target] },
      { words: ["inspect", target, "--wit"] },
      ...calls.map((call) => ({ ...call, words: ["invoke", target, ...call.words] })),
    ];
    const printed = await runAll(lines);
    assertFile(printed.map((result, i) => shown(lines[i], result)).join("\n"), `test/golden/${name}.txt`);
    for (const [i, { words, status = 0 }] of lines.entries()) assert.equal(printed[i]?.status, status, words.join(" "));
  });
}

test("examples/feedback/report.md is the report on examples/feedback/feedback.csv", async () => {
  const { stdout } = await runStarlane(["invoke", "examples/feedback", "--input", "-"], JSON.stringify(feedback));
  const printed: unknown = JSON.parse(stdout);
  assert(typeof printed === "object" && printed !== null && "report" in printed && typeof printed.report === "string");
  assertFile(printed.report, "examples/feedback/report.md");
});

/** As many at once as there are cores; answers in the order of the lines. */
async function runAll(lines: readonly Call[]): Promise<Printed[]> {
  const printed: Printed[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let i = next++; i < lines.length; i = next++) {
      const line = lines[i];
      if (line !== undefined) printed[i] = await runStarlane(line.words, line.input);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
  return printed;
}

/** What a terminal would show. */
function shown(line: Call | undefined, { stdout, stderr, status }: Printed): string {
  const exit = status === 0 ? "" : `[exit status ${status}]\n`;
  return `$ starlane ${(line?.words ?? []).map(quoted).join(" ")}\n${withoutTimes(`${stdout}${stderr}`)}${exit}`;
}

function quoted(word: string): string {
  return /^[\w./-]+$/.test(word) ? word : `'${word.replaceAll("\n", "\\n")}'`;
}
