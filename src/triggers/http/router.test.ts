import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Router } from "./router.ts";
import { segmentsOf } from "./target.ts";

function routerOf(...patterns: readonly string[]): (path: string, method?: string) => unknown {
  const router = new Router<string>();
  for (const pattern of patterns) {
    const [method = "", path = ""] = pattern.split(" ");
    router.add(path, method === "*" ? undefined : method.split(","), pattern);
  }
  return (path, method = "GET") => {
    const found = router.find(method, segmentsOf(path));
    if (found === undefined || "allow" in found) return found;
    return [found.value, ...found.names.map((name, i) => `${name}=${found.values[i]}`)];
  };
}

test("the most specific route wins, segment by segment from the left", () => {
  const find = routerOf("GET /a/{x}", "GET /a/b", "GET /{y...}", "GET /a/{x}/c", "GET /a/b/{z...}");
  assert.deepEqual(find("/a/b"), ["GET /a/b"]);
  assert.deepEqual(find("/a/q"), ["GET /a/{x}", "x=q"]);
  assert.deepEqual(find("/a/b/c"), ["GET /a/b/{z...}", "z=c"]);
  assert.deepEqual(find("/a/q/c"), ["GET /a/{x}/c", "x=q"]);
  assert.deepEqual(find("/a/q/d"), ["GET /{y...}", "y=a/q/d"]);
  assert.deepEqual(find("/"), ["GET /{y...}", "y="]);
});

test("a less specific route answers a method that the more specific one does not have", () => {
  const find = routerOf("POST /a/b", "GET /a/{x}", "* /a/{x}/any", "GET /a/{x}/any");
  assert.deepEqual(find("/a/b", "GET"), ["GET /a/{x}", "x=b"]);
  assert.deepEqual(find("/a/b", "DELETE"), { allow: ["POST", "GET", "HEAD"] });
  assert.deepEqual(find("/a/q/any", "GET"), ["GET /a/{x}/any", "x=q"]);
  assert.deepEqual(find("/a/q/any", "DELETE"), ["* /a/{x}/any", "x=q"]);
});

test("parameters are decoded, are never empty, and a slash that was encoded does not end them", () => {
  const find = routerOf("GET /u/{id}", "GET /caf%C3%A9");
  assert.deepEqual(find("/u/a%2Fb%20%C3%A9"), ["GET /u/{id}", "id=a/b é"]);
  assert.equal(find("/u/"), undefined);
  assert.deepEqual(find("/caf%c3%a9"), ["GET /caf%C3%A9"]);
});

test("paths that lead elsewhere, or are malformed, are refused", () => {
  for (const path of ["/a/../b", "/%2e%2e/b", "/a/.", "/x%00y", "/%ff", "/%", "/..%2f..%2fetc", "/a/..%5cb"]) {
    assert.throws(() => segmentsOf(path), { name: "HttpProblem", status: 400 }, path);
  }
});

test("routes that could not be told apart, and patterns that are none, are refused", () => {
  assert.throws(() => routerOf("GET /a/{x}", "GET /a/{y}"), { code: "http/conflicting-routes" });
  for (const path of ["a", "/{x}{y}", "/{x...}/b", "/a/{x}/{x}", "/{1}", "/a b", "/%zz", "/a?b", "/.."]) {
    assert.throws(() => routerOf(`GET ${path.replace(" ", "\t")}`), { code: "http/bad-route" }, path);
  }
});

test("a route of its own for HEAD takes the place of the one that came with GET, whichever is first", () => {
  for (const patterns of [
    ["GET /a", "HEAD /a"],
    ["HEAD /a", "GET /a"],
  ]) {
    const find = routerOf(...patterns);
    assert.deepEqual(find("/a", "HEAD"), ["HEAD /a"]);
    assert.deepEqual(find("/a", "GET"), ["GET /a"]);
  }
});

test("whatever the routes, a path that is written like one finds a route, and the fast way finds the same", () => {
  const segment = fc.constantFrom("a", "b", "{x}", "c");
  const pattern = fc.tuple(fc.array(segment, { minLength: 1, maxLength: 5 }), fc.boolean()).map(([parts, rest]) => {
    const named = parts.map((part, i) => (part === "{x}" ? `{x${i}}` : part));
    return `/${[...named, ...(rest ? ["{rest...}"] : [])].join("/")}`;
  });
  fc.assert(
    fc.property(
      fc.array(pattern, { minLength: 1, maxLength: 12 }),
      fc.array(fc.constantFrom("a", "b", "c", "d"), { minLength: 1, maxLength: 6 }),
      (patterns, path) => {
        const router = new Router<string>();
        const shapes = new Map(patterns.map((text) => [text.replaceAll(/\{x\d\}/g, "{x}"), text]));
        for (const text of shapes.values()) router.add(text, ["GET"], text);
        const found = router.find("GET", path);
        const fitting = [...shapes.values()].filter((text) => fits(text, path));
        if (fitting.length === 0) return assert.equal(found, undefined);
        assert.ok(found !== undefined && "value" in found);
        assert.equal(found.value, fitting.toSorted((a, b) => (rank(a) < rank(b) ? -1 : 1))[0]);
        const plain = router.findPlain("GET", `/${path.join("/")}`);
        if (plain !== undefined) assert.equal(plain.value, found.value);
      },
    ),
  );
});

function fits(pattern: string, path: readonly string[]): boolean {
  const parts = pattern.slice(1).split("/");
  const hasRest = parts.at(-1) === "{rest...}";
  const fixed = hasRest ? parts.slice(0, -1) : parts;
  if (hasRest ? path.length < fixed.length : path.length !== fixed.length) return false;
  return fixed.every((part, i) => part.startsWith("{") || part === path[i]);
}

/** Literal before parameter before rest; that a path ends counts as the most exact. */
function rank(pattern: string): string {
  const parts = pattern
    .slice(1)
    .split("/")
    .map((part) => (part === "{rest...}" ? "3" : part.startsWith("{") ? "2" : "1"));
  return `${parts.join("")}0`;
}
