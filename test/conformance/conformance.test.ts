// The scripts of the component model, each a test: all of it passes, but for what `known-gaps.ts` explains.

import assert from "node:assert/strict";
import { test } from "node:test";
import { KNOWN_GAPS } from "./known-gaps.ts";
import { runScript, scriptNames, summary, whyAbsent } from "./scripts.ts";

const absent = whyAbsent();

if (absent !== undefined) {
  test("the scripts of the component model", { skip: absent }, () => undefined);
} else {
  for (const name of scriptNames()) {
    test(name, async (t) => {
      const results = await runScript(name);
      t.diagnostic(`${name} ${summary(results)}`);
      const gaps = KNOWN_GAPS[name] ?? {};
      const failed = results.filter(({ outcome }) => outcome === "failed");
      const unexplained = failed.filter(({ line }) => gaps[line] === undefined);
      assert.deepEqual(
        unexplained.map(({ line, type, reason }) => `${line} ${type}: ${reason}`),
        [],
      );
      const closed = Object.keys(gaps).filter((line) => !failed.some((result) => result.line === Number(line)));
      assert.deepEqual(closed, [], "a gap that is closed leaves the list");
    });
  }
}
