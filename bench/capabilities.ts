// What capabilities cost: a call of the host that does not wait beside a bare function, a file read by a component beside a stream of
// node:fs.

import { createReadStream, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "@bytecodealliance/jco-transpile/wasm-tools";
import { openFolder } from "../src/capabilities/filesystem/folder.ts";
import { grantedFiles } from "../src/capabilities/filesystem/granted.ts";
import { linkInert } from "../src/capabilities/inert.ts";
import { compile } from "../src/engine/compile.ts";
import type { Imports } from "../src/engine/engine.ts";
import { type BenchRow, compare } from "./measure.ts";

export const peerName = "bare";

const FILE_BYTES = 100_000_000;
const CALLS = 1000;
const TRANSACTION = { seed: 1, timestampMs: 1_790_000_000_000 };

export async function run(): Promise<BenchRow[]> {
  const text = readFileSync(new URL("../src/capabilities/fixtures/read-file.wat", import.meta.url), "utf8");
  const component = await compile(await parse(text));
  return [await hostCalls(component), await fileRead(component)];
}

type Component = Awaited<ReturnType<typeof compile>>;

/** Beside a function that does nothing: the difference is what the capability adds to the engine's own cost. */
async function hostCalls(component: Component): Promise<BenchRow> {
  const inert = linkInert();
  inert.prepare(TRANSACTION);
  const bare: Imports = { ...inert.imports, "wasi:clocks/monotonic-clock@0.2.0": { now: () => 1n } };
  const ours = (await component.instantiate(inert.imports)).function("ask");
  const peer = (await component.instantiate(bare)).function("ask");
  return compare(
    `${CALLS} calls of monotonic-clock.now`,
    "us",
    () => ours(CALLS),
    () => peer(CALLS),
  );
}

async function fileRead(component: Component): Promise<BenchRow> {
  const folder = mkdtempSync(join(tmpdir(), "starlane-bench-"));
  const path = join(folder, "file");
  writeFileSync(path, Buffer.alloc(FILE_BYTES, "0123456789abcdef"));
  const backend = await openFolder(folder);
  const binding = grantedFiles.configure({ "/data": { backend, readonly: true } })();
  const inert = linkInert();
  const instance = await component.instantiate({ ...inert.imports, ...binding.imports });
  try {
    return await compare(
      "100 MB of a file, beside node:fs streams",
      "ms",
      async () => {
        inert.prepare(TRANSACTION);
        binding.prepare?.(TRANSACTION);
        check(Number(await instance.call("count", ["file"])));
        await binding.finish?.("done");
      },
      async () => {
        let total = 0;
        for await (const chunk of createReadStream(path)) total += (chunk as Buffer).length;
        check(total);
      },
      5,
    );
  } finally {
    await backend.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

function check(total: number): void {
  if (total !== FILE_BYTES) throw new Error(`read ${total} bytes of ${FILE_BYTES}`);
}
