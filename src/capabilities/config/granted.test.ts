import assert from "node:assert/strict";
import { test } from "node:test";
import { jsGuest } from "../fixtures/js-guest.ts";
import { inertImports } from "../inert.ts";
import { grantedConfig } from "./granted.ts";

const guest = await jsGuest(
  "config",
  `
  import * as current from "wasi:config/store@0.2.0-rc.1";
  import * as draft from "wasi:config/store@0.2.0-draft";
  import * as first from "wasi:config/runtime@0.2.0-draft";
  export const run = (key) => JSON.stringify([current, draft, first].map((store) => [store.get(key) ?? null, store.getAll()]));
  `,
);

test("a guest reads the settings that it was granted, in all three drafts", async () => {
  const binding = grantedConfig.configure(new Map([["greeting", "hallo"]]))();
  const instance = await guest.instantiate({ ...inertImports({ seed: 1, timestampMs: 0 }), ...binding.imports });
  const all = [["greeting", "hallo"]];
  const run = async (key: string): Promise<unknown> => JSON.parse(String(await instance.call("run", [key])));
  assert.deepEqual((await run("greeting")) as unknown[], Array(3).fill(["hallo", all]));
  assert.deepEqual((await run("constructor")) as unknown[], Array(3).fill([null, all]));
});
