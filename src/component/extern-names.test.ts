import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isCanonicalVersion, isLabel, isSemver, parseExternName, uniquenessKey } from "./extern-names.ts";

test("labels are words in kebab case, each all lower or all upper", () => {
  for (const label of ["a", "a-b-c", "a1-2-3", "A", "A-B-C", "A1-2-3", "a11-w0rds", "A11-4CR0NYMS", "m1x3d-4CR0NYMS"])
    assert.ok(isLabel(label), label);
  for (const label of ["", "1", "1-2-3", "-a", "a-", "a--b", "aB", "a_b", "ä", "a b", "a\n"]) assert.ok(!isLabel(label), label);
});

test("names of imports and exports are plain, annotated or interface names", () => {
  assert.deepEqual(parseExternName("get-JSON"), { kind: "plain", label: "get-JSON" });
  assert.deepEqual(parseExternName("[constructor]blob"), { kind: "constructor", resource: "blob" });
  assert.deepEqual(parseExternName("[method]blob.read-all"), { kind: "method", resource: "blob", label: "read-all" });
  assert.deepEqual(parseExternName("[static]blob.of"), { kind: "static", resource: "blob", label: "of" });
  assert.deepEqual(parseExternName("wasi:http/types@0.2.6-rc.1"), { kind: "interface", version: "0.2.6-rc.1" });
  assert.deepEqual(parseExternName("wasi:http/types@0.2"), { kind: "interface", version: "0.2" });
});

test("what fits no form of name is explained", () => {
  for (const name of [
    "",
    "Foo",
    "[method]a",
    "[async]a",
    "[",
    "a:b",
    "a:b/c/d",
    "a:b:c/d",
    "A:b/c",
    "a:b/c@",
    "a:b/c@1.",
    "a:b/c@1.0.0-",
    "[method]a.b.c",
  ]) {
    assert.equal(typeof parseExternName(name), "string", name);
  }
  const long = parseExternName(`${"x".repeat(500)}\n`);
  assert.ok(typeof long === "string");
  assert.match(long, /^`x{100}…` is not in kebab case$/);
});

test("names clash when they differ in case or only in a method prefix, but not with a constructor", () => {
  assert.equal(uniquenessKey("foo-BAR"), uniquenessKey("FOO-bar"));
  assert.equal(uniquenessKey("[method]foo.bar"), uniquenessKey("[static]foo.BAR"));
  assert.equal(uniquenessKey("[method]foo.foo"), uniquenessKey("foo"));
  assert.notEqual(uniquenessKey("[constructor]foo"), uniquenessKey("foo"));
  assert.notEqual(uniquenessKey("[method]foo.bar"), uniquenessKey("bar"));
});

test("versions are those of semver.org, or the canonical part of one", () => {
  for (const version of ["1.0.0", "0.2.6-rc.1+build.5", "0.0.0-abcd.1.2+efg.4.ee.5"]) assert.ok(isSemver(version), version);
  for (const version of ["1", "1.0", "01.0.0", "1.0.0-", "1.0.0-01", "1.0.0+", "1.0.0-a..b"])
    assert.ok(!isSemver(version), version);
  for (const version of ["1", "0.2", "0.0.3", "0.0.0"]) assert.ok(isCanonicalVersion(version), version);
  for (const version of ["0", "0.0", "1.2", "01", "0.02"]) assert.ok(!isCanonicalVersion(version), version);
});

test("any text at all is either a name or explained", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (name) => {
      const parsed = parseExternName(name);
      return typeof parsed === "string" ? parsed.length > 0 : uniquenessKey(name).length > 0;
    }),
  );
});
