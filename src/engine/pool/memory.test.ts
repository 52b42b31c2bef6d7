// What the host writes into a guest's memory is put back too, to the last byte: strings in every encoding, lists, records, results.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { Random } from "../../../test/fuzz/random.ts";
import { compile } from "../compile.ts";
import type { Pool } from "../engine.ts";

interface Guest {
  readonly file: string;
  readonly calls: readonly (readonly [name: string, args: (text: string, size: number) => readonly unknown[]])[];
}

const GUESTS: readonly Guest[] = [
  {
    file: "wat/bench.wasm",
    calls: [
      ["echo", (text) => [text]],
      ["echo-numbers", (_, size) => [Uint32Array.from({ length: size }, (_each, i) => i + 1)]],
      ["echo-strings", (text, size) => [Array.from({ length: size % 50 }, () => text)]],
      ["echo-record", (text, size) => [{ id: size, name: text, score: 0.5, active: true }]],
    ],
  },
  {
    file: "c/text.wasm",
    calls: [
      ["upper", (text) => [text]],
      ["words", (text) => [text]],
      ["join", (text, size) => [Array.from({ length: size % 20 }, () => text), ", "]],
    ],
  },
  // Its strings are UTF-16.
  { file: "assemblyscript/template.wasm", calls: [["acme:template/templates@1.0.0#fields", (text) => [`{{a}} ${text} {{b}}`]]] },
  {
    file: "rust/csv.wasm",
    calls: [["acme:csv/reader@1.0.0#parse", (text, size) => [`a,b\n${`${text},2\n`.repeat(size % 30)}`]]],
  },
];

/** Runs `make`, and gives the memories that core modules made meanwhile. */
async function memoriesOf(make: () => Promise<unknown>): Promise<WebAssembly.Memory[]> {
  const { Instance } = WebAssembly;
  const memories = new Set<WebAssembly.Memory>();
  class Watched extends Instance {
    constructor(module: WebAssembly.Module, imports?: WebAssembly.Imports) {
      super(module, imports);
      for (const item of Object.values(this.exports)) if (item instanceof WebAssembly.Memory) memories.add(item);
    }
  }
  Object.assign(WebAssembly, { Instance: Watched });
  try {
    await make();
  } finally {
    Object.assign(WebAssembly, { Instance });
  }
  return [...memories];
}

/** A number for all bytes; any one byte changes it. */
function checksum(memories: readonly WebAssembly.Memory[]): string {
  return memories
    .map(({ buffer }) => {
      let sum = 0;
      const words = new Int32Array(buffer);
      for (let i = 0; i < words.length; i++) sum = (Math.imul(sum, 31) + (words[i] ?? 0)) | 0;
      return `${sum} of ${words.length}`;
    })
    .join();
}

const TEXTS = ["plain text", "späte Grüße", "λόγος и слово", "𝄞 music 🎼", "x".repeat(5000), "ü".repeat(3000), ""];

for (const { file, calls } of GUESTS) {
  test(`${file}: memory is as it was after every call`, async () => {
    const random = new Random(7);
    const component = await compile(readFileSync(fileURLToPath(new URL(`../../../guests/${file}`, import.meta.url))));
    const pool: Pool = await component.pool();
    const run = ([name, args]: (typeof calls)[number]): Promise<unknown> =>
      pool.call(name, args(random.pick(TEXTS), random.below(3000)));
    const memories = await memoriesOf(() => run(random.pick(calls)));
    assert.ok(memories.length >= 2, "a memory, and the account of what is written to it");
    const clean = checksum(memories);
    for (let i = 0; i < 20; i++) {
      await run(random.pick(calls));
      assert.equal(checksum(memories), clean);
    }
    assert.deepEqual(pool.state, { instances: 1, idle: 1, waiting: 0, obstacle: undefined });
  });
}
