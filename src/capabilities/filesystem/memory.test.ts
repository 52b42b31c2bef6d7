import assert from "node:assert/strict";
import { test } from "node:test";
import { anyMayWait } from "../../engine/may-wait.ts";
import { codeFrom, filesystemConformance, flags, get, how, mount, NO_FOLLOW, put } from "./conformance.ts";
import { memoryFilesystem } from "./memory.ts";

filesystemConformance("memory", () => Promise.resolve({ filesystem: memoryFilesystem(), remove: () => Promise.resolve() }));

test("a filesystem in memory can start with files, at the times that its clock tells", async () => {
  const filesystem = memoryFilesystem({ files: { "docs/deep/a.txt": "text", b: Uint8Array.of(1) }, nowNs: () => 5_000_000_007n });
  const { root } = mount(filesystem);
  assert.equal(await get(root, "docs/deep/a.txt"), "text");
  const { dataModificationTimestamp } = await root.statAt(NO_FOLLOW, "b");
  assert.deepEqual(dataModificationTimestamp, { seconds: 5n, nanoseconds: 7 });
});

test("memory is bounded: by contents, by names and by how often something is made", async () => {
  const { root } = mount(memoryFilesystem({ limitBytes: 100_000 }));
  const file = await root.openAt(NO_FOLLOW, "f", how("create"), flags("write"));
  assert.equal(await codeFrom(() => file.setSize(1n << 40n)), "insufficient-space");
  assert.equal(await codeFrom(() => file.write(new Uint8Array(10), 1n << 40n)), "insufficient-space");
  await file.setSize(90_000n);
  let made = 0;
  while ((await codeFrom(() => root.createDirectoryAt(`d${made}`))) === undefined) made++;
  assert.ok(made > 5 && made < 20, `${made} directories`);
  assert.equal(await codeFrom(() => root.symlinkAt("x".repeat(4000), "l")), "insufficient-space");
});

test("what is removed and closed is free again", async () => {
  const { root } = mount(memoryFilesystem({ limitBytes: 20_000 }));
  for (let i = 0; i < 100; i++) {
    await put(root, `f${i}`, "x".repeat(10_000));
    await root.symlinkAt("x".repeat(1000), "l");
    await root.renameAt(`f${i}`, root, "g");
    await root.unlinkFileAt("g");
    await root.unlinkFileAt("l");
  }
});

test("nothing of a filesystem in memory waits", () => {
  const { imports } = mount(memoryFilesystem());
  assert.equal(anyMayWait(imports), false);
});
