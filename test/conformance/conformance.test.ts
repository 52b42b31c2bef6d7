// The scripts of the component model, each a test: all of it passes, but for what `known-gaps.ts` explains. Then once more in the form that
// pools run components in: rewritten code does the same, and what was saved after initialization is put back first.

import assert from "node:assert/strict";
import { test } from "node:test";
import { KNOWN_GAPS } from "./known-gaps.ts";
import { KNOWN_POOL_GAPS } from "./known-pool-gaps.ts";
import { runScript, scriptNames, summary, whyAbsent } from "./scripts.ts";

const absent = whyAbsent();
const isPage = "document" in globalThis;
const NO_MEMORIES = isPage && "a page has about 124 memories, and does not give back those of guests that wait for ever";

if (absent !== undefined) {
  test("the scripts of the component model", { skip: absent }, () => undefined);
} else {
  for (const name of scriptNames()) {
    test(name, (t) => passes(name, false, { ...KNOWN_GAPS[name] }, (line) => t.diagnostic(line)));
    test(`${name}, rewritten`, { skip: NO_MEMORIES }, (t) =>
      passes(name, true, { ...KNOWN_GAPS[name], ...KNOWN_POOL_GAPS[name] }, (line) => t.diagnostic(line)),
    );
  }
}

async function passes(
  name: string,
  isPooled: boolean,
  gaps: Readonly<Record<number, string>>,
  say: (line: string) => void,
): Promise<void> {
  const results = await runScript(name, isPooled);
  say(`${name} ${summary(results)}`);
  const failed = results.filter(({ outcome }) => outcome === "failed");
  const unexplained = failed.filter(({ line }) => gaps[line] === undefined);
  assert.deepEqual(
    unexplained.map(({ line, type, reason }) => `${line} ${type}: ${reason}`),
    [],
  );
  const closed = Object.keys(gaps).filter((line) => !failed.some((result) => result.line === Number(line)));
  assert.deepEqual(closed, [], "a gap that is closed leaves the list");
}
