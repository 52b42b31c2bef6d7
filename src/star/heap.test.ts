import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { promisify } from "node:util";
import { wat } from "../../test/wat.ts";
import { hasRoom } from "./heap.ts";

const folder = mkdtempSync(join(tmpdir(), "starlane-test-"));
after(() => rmSync(folder, { recursive: true, force: true }));

/** Each tries to fill the heap of V8 in another way; `garbage` makes 900 MB of which it keeps nothing. */
const HOSTILE = `(component
  (core module $m
    (type $node (struct (field (mut (ref null $node))) (field i64)))
    (type $wide (struct (field v128) (field v128) (field v128)))
    (type $bytes (array (mut i8)))
    (type $numbers (array (mut i64)))
    (type $list (array (mut (ref null any))))
    (global $kept (mut (ref null any)) (ref.null any))
    (table $t 1000 anyref)
    (func (export "linked-list")
      (local $list (ref null $node))
      (loop $on
        (local.set $list (struct.new $node (local.get $list) (i64.const 1)))
        (global.set $kept (local.get $list))
        (br $on)))
    (func (export "large-arrays")
      (local $i i32)
      (loop $on
        (table.set $t (i32.rem_u (local.get $i) (i32.const 1000)) (array.new_default $numbers (i32.const 1000000)))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $on)))
    (func (export "one-array")
      (global.set $kept (array.new $numbers (i64.const 7) (i32.const 100000000))))
    (func (export "wide-structs")
      (local $list (ref $list))
      (local $i i32)
      (local.set $list (array.new_default $list (i32.const 10000000)))
      (loop $on
        (array.set $list (local.get $list) (local.get $i) (struct.new_default $wide))
        (local.set $i (i32.rem_u (i32.add (local.get $i) (i32.const 1)) (i32.const 10000000)))
        (br $on)))
    (func (export "garbage") (result i32)
      (local $i i32)
      (loop $on
        (drop (array.new_default $bytes (i32.const 30000)))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br_if $on (i32.lt_u (local.get $i) (i32.const 30000))))
      (local.get $i)))
  (core instance $i (instantiate $m))
  ${["linked-list", "large-arrays", "one-array", "wide-structs"]
    .map((name) => `(func (export "${name}") (canon lift (core func $i "${name}")))`)
    .join("\n")}
  (func (export "garbage") (result u32) (canon lift (core func $i "garbage"))))`;

test("guests that fill the heap of V8 are stopped, and the process goes on", async () => {
  const file = join(folder, "hostile.wasm");
  writeFileSync(file, await wat(HOSTILE));
  const script = `
    import { readFileSync } from "node:fs";
    import { compile } from ${JSON.stringify(join(import.meta.dirname, "../engine/compile.ts"))};
    import { hasRoom } from ${JSON.stringify(join(import.meta.dirname, "heap.ts"))};
    const component = await compile(readFileSync(${JSON.stringify(file)}));
    const pool = await component.pool({ mayAllocate: hasRoom });
    const said = [];
    for (const name of ["linked-list", "large-arrays", "one-array", "wide-structs", "garbage"]) {
      said.push([name, await pool.call(name).catch((error) => error.code)]);
    }
    console.log(JSON.stringify(said));
  `;
  const { stdout } = await promisify(execFile)(process.execPath, [
    "--max-old-space-size=256",
    "--input-type=module",
    "--eval",
    script,
  ]);
  assert.deepEqual(JSON.parse(stdout), [
    ["linked-list", "engine/limit"],
    ["large-arrays", "engine/limit"],
    ["one-array", "engine/limit"],
    ["wide-structs", "engine/limit"],
    ["garbage", 30_000],
  ]);
});

test("there is room for a little, and not for more than there can be", () => {
  assert.equal(hasRoom(1024), true);
  assert.equal(hasRoom(2 ** 50), false);
});
