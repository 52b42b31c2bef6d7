import assert from "node:assert/strict";
import { test } from "node:test";
import { escapeLabel, isLabel, kebabCase } from "./labels.ts";
import { packageOf, parseFunctionName, parseInterfaceName, witPath } from "./wit-names.ts";

test("interface names come apart, plain names are none", () => {
  const streams = parseInterfaceName("wasi:io/streams@0.2.0-rc.1+x");
  assert.deepEqual(streams, { package: "wasi:io", name: "streams", version: "0.2.0-rc.1+x" });
  assert.equal(streams && packageOf(streams), "wasi:io@0.2.0-rc.1+x");
  assert.deepEqual(parseInterfaceName("a:b:c/d/e"), { package: "a:b:c/d", name: "e", version: undefined });
  for (const plain of ["greet", "a/b", "a:b", "[method]a.b", "url=<https://x>", "A:b/c", ""]) {
    assert.equal(parseInterfaceName(plain), undefined, plain);
  }
});

test("an interface name made of keywords is escaped in every part", () => {
  const name = parseInterfaceName("string:list/map@1.0.0");
  assert.equal(name && witPath(name), "%string:%list/%map@1.0.0");
});

test("function names say what they belong to", () => {
  assert.deepEqual(parseFunctionName("read"), { kind: "free", name: "read" });
  assert.deepEqual(parseFunctionName("[constructor]file"), { kind: "constructor", resource: "file" });
  assert.deepEqual(parseFunctionName("[method]file.read"), { kind: "method", resource: "file", name: "read" });
  assert.deepEqual(parseFunctionName("[static]file.open"), { kind: "static", resource: "file", name: "open" });
  assert.deepEqual(parseFunctionName("[method]file"), { kind: "free", name: "[method]file" });
});

test("labels are kebab case, and other spellings are turned into it", () => {
  for (const good of ["a", "a-b-c", "a1-2-3", "A1-2-3", "is-XML", "m1x3d-4CR0NYMS"]) assert.ok(isLabel(good), good);
  for (const bad of ["", "1-2", "a--b", "-a", "a-", "aB", "a_b", "ä", "__proto__"]) assert.ok(!isLabel(bad), bad);
  assert.equal(kebabCase("firstName"), "first-name");
  assert.equal(kebabCase("First_Name 2"), "first-name-2");
  assert.equal(kebabCase("2nd"), undefined);
  assert.equal(escapeLabel("list"), "%list");
  assert.equal(escapeLabel("lists"), "lists");
});
