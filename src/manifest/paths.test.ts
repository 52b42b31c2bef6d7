import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { folderOf, joinPath, normalizePath, pathProblem } from "./paths.ts";

test("relative paths with slashes are good", () => {
  for (const path of ["./text.wasm", "../shop/starlane.yaml", ".", "./greeter", "./a b/ü.wasm", "../../x"])
    assert.equal(pathProblem(path), undefined, path);
});

test("everything else says what to write", () => {
  const cures = Object.fromEntries(
    [
      "text.wasm",
      "/etc/passwd",
      "C:\\a\\b.wasm",
      ".\\a\\b.wasm",
      "~/x",
      "./a//b",
      "./a:b",
      "./${config.x}",
      "",
      "./a/b. ",
      "x".repeat(2000),
    ].map((path) => [path.slice(0, 20), pathProblem(path)?.cure]),
  );
  assert.equal(cures["text.wasm"], "Write `./text.wasm`.");
  assert.equal(cures[".\\a\\b.wasm"], "Write `./a/b.wasm`.");
  assert.equal(cures["./a//b"], "Write `./a/b`.");
  for (const [path, cure] of Object.entries(cures)) assert(cure !== undefined, path);
});

test("joining follows `..` and never leaves the root of an absolute folder", () => {
  assert.equal(joinPath("apps/shop", "../text.wasm"), "apps/text.wasm");
  assert.equal(joinPath("apps", "../../x"), "../x");
  assert.equal(joinPath(".", "./x"), "x");
  assert.equal(joinPath("/a", "../../../x"), "/x");
  assert.equal(folderOf("apps/shop/starlane.yaml"), "apps/shop");
  assert.equal(folderOf("starlane.yaml"), ".");
  assert.equal(folderOf("/a"), "/");
});

const parts = fc.array(fc.constantFrom(".", "..", "a", "b", "c.wasm"), { maxLength: 8 });

test("normalizing a path changes nothing about where it leads", () => {
  fc.assert(
    fc.property(parts, parts, (folder, path) => {
      const given = ["."].concat(path).join("/");
      const normal = normalizePath(given);
      assert.equal(normalizePath(normal), normal);
      assert.equal(joinPath(`/x/${folder.join("/")}`, normal), joinPath(`/x/${folder.join("/")}`, given));
    }),
  );
});
