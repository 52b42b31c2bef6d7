// Without grants the same input, seed and timestamp give the same bytes: every guest of the repository, in two processes, and twice in
// each of them.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";

const ROOT = join(import.meta.dirname, "../../..");
const script = join(import.meta.dirname, "fixtures/run-all.ts");

function guests(): string[] {
  return ["guests", "src/capabilities/fixtures", "src/star/record/fixtures"].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".wasm"))
      .toSorted()
      .map((name) => join(folder, name)),
  );
}

async function runAll(paths: readonly string[], environment: Readonly<Record<string, string>>): Promise<string[]> {
  const options = { cwd: ROOT, maxBuffer: 1 << 28, env: { ...process.env, ...environment } };
  const { stdout } = await promisify(execFile)(process.execPath, [script, ...paths], options);
  return stdout.trimEnd().split("\n");
}

test("every guest gives the same bytes in every process, and in an instance that served before", async () => {
  const paths = guests();
  const [first, second] = await Promise.all([
    runAll(paths, { TZ: "UTC", LANG: "C" }),
    runAll(paths, { TZ: "Asia/Tokyo", LANG: "de_DE.UTF-8", STRANGE: "1" }),
  ]);
  assert.deepEqual(first, second);
  const runs = first.map((line): unknown[] => JSON.parse(line)).filter((line) => line.length === 4);
  for (let i = 0; i < runs.length; i += 2) assert.deepEqual(runs[i]?.[3], runs[i + 1]?.[3], String(runs[i]?.slice(0, 2)));
  assert.ok(new Set(runs.map(([path]) => path)).size >= 15, "most guests ran");
  assert.ok(runs.length >= 200, `${runs.length} runs`);
});
