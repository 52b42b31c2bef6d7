import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { renderDiagnostic } from "../../base/diagnostics.ts";
import { GOOD_MANIFESTS } from "../good-manifests.ts";
import type { Manifest } from "../manifest.ts";
import { parseManifest } from "../parse.ts";
import { substitute } from "../substitute.ts";
import type { HttpTrigger, OperationRoute, Route, Trigger } from "../triggers.ts";
import { checkTriggerPorts } from "./check-ports.ts";
import { componentsOf, targetsOf } from "./targets.ts";

function good(text: string): Manifest {
  const { manifest, diagnostics } = parseManifest({ file: "starlane.yaml", text });
  assert.equal(diagnostics.map(renderDiagnostic).join("\n"), "");
  assert(manifest !== undefined);
  return manifest;
}

const triggers = good(GOOD_MANIFESTS["triggers"] ?? "").triggers;

function httpOf(trigger: Trigger | undefined): HttpTrigger {
  assert(trigger?.kind === "http");
  return trigger;
}

/** The first route of that path. */
function routeAt(path: string, kind: Route["kind"] = "operation"): Route {
  const found = httpOf(triggers[0]).routes.find((route) => route.pathText === path && route.kind === kind);
  assert(found !== undefined, path);
  return found;
}

function operationAt(path: string): OperationRoute {
  const route = routeAt(path);
  assert(route.kind === "operation");
  return route;
}

function shown({ span }: { readonly span: Route["span"] }): string {
  return span.source.text.slice(span.start, span.end);
}

test("a route is taken apart into typed parts, each with its place", () => {
  const route = operationAt("/users/{id:u32}/{rest...:string[]}");
  assert.deepEqual(route.methods, ["GET"]);
  assert.deepEqual(
    route.path.map((segment) =>
      segment.kind === "text"
        ? segment.text
        : segment.kind === "any"
          ? "*"
          : [segment.kind, segment.binding.port, segment.binding.type?.kind, shown(segment.binding)],
    ),
    ["users", ["parameter", "id", "u32", "{id:u32}"], ["rest", "rest", "list", "{rest...:string[]}"]],
  );
  assert.deepEqual(
    route.query.map(({ name, port, type, default: given }) => [name, port, type?.kind, given]),
    [
      ["status", "status", "list", undefined],
      ["limit", "limit", "u32", 20],
      ["since", "since", "option", undefined],
    ],
  );
  assert.deepEqual(route.headers.map(({ name, port }) => [name, port]), [["if-match", "etag"]]); // prettier-ignore
  assert.deepEqual(route.cookies.map(({ name, port, default: given }) => [name, port, given]), [["SID", "session", "none"]]); // prettier-ignore
  assert.deepEqual(
    route.answer.errors.map(({ status, case: name }) => [status, name]),
    [[404, "not-found"], [409, "taken"], [409, "conflict"], [422, "*"]], // prettier-ignore
  );
  assert.deepEqual(
    [route.answer.status, route.answer.body?.port, route.answer.contentType],
    [206, "rows", "application/json; charset=utf-8"],
  );
  assert.deepEqual(route.limits, {
    bodyBytes: 2 ** 20,
    timeMs: 5000,
    concurrency: 100,
    headersBytes: undefined,
    connections: undefined,
    idleMs: undefined,
  });
  assert.equal(shown(route.target), "find");
});

test("what is not written of a body follows from the methods", () => {
  assert.deepEqual(operationAt("/hello/{name}").body, { kind: "none" });
  assert.deepEqual(operationAt("/orders").body, { kind: "fields", fields: [] });
  assert.deepEqual(operationAt("/any/{path...}").body, { kind: "fields", fields: [] });
  const people = operationAt("/people").body;
  assert(people.kind === "fields");
  assert.deepEqual(people.fields.map(({ name, port }) => [name, port]), [["firstName", "first-name"], ["Title", "title"]]); // prettier-ignore
  const upload = httpOf(triggers[0]).routes.find(
    (route) => route.kind === "operation" && route.methods?.[0] === "PUT" && route.body.kind === "whole",
  );
  assert(upload?.kind === "operation" && upload.body.kind === "whole");
  assert.deepEqual([upload.body.port, upload.body.as, upload.body.contentTypes], ["image", "bytes", ["image/png", "image/*"]]);
});

test("`path -> static: folder` is a route although it is a mapping to YAML, and its parts know their places", () => {
  const route = routeAt("/spa/*", "static");
  assert(route.kind === "static");
  assert.deepEqual(
    [route.from, route.fallback, route.index, route.maxAgeMs, route.limits.concurrency],
    ["./spa", "index.html", "start.html", 3_600_000, 10],
  );
  assert.equal(shown(route), "/spa/* -> static: ./spa");
  for (const [key, value] of [
    ["/a/* -> static", "./no//where"],
    ['"/a/* -> static"', "'./no//where'"],
    ["/a/* -> static", '"./no//where"'],
  ]) {
    const text = `starlane: v1\ntriggers:\n  - http: 80\n    routes:\n      - ${key}: ${value}\n`;
    const [mistake] = parseManifest({ file: "m.yaml", text }).diagnostics;
    assert(mistake !== undefined);
    assert.equal(shown(mistake), "./no//where");
  }
});

test("percent escapes and letters of every script stand for themselves", () => {
  assert.deepEqual(operationAt("/größe").path, [{ kind: "text", text: "größe" }]);
  assert.deepEqual(operationAt("/a%20b").path, [{ kind: "text", text: "a b" }]);
  assert.deepEqual(routeAt("/", "redirect").path, []);
});

test("triggers are frozen, plain data", () => {
  const route = operationAt("/users/{id:u32}/{rest...:string[]}");
  assert(
    Object.isFrozen(triggers) &&
      Object.isFrozen(route) &&
      Object.isFrozen(route.query[0]) &&
      Object.isFrozen(route.answer.errors),
  );
});

test("every operation and component that triggers use can be listed", () => {
  const targets = triggers
    .flatMap(targetsOf)
    .map(({ component, operation }) => (component === undefined ? operation : `${component}::${operation}`));
  for (const name of ["hello", "find", "auth::check", "text::note", "text::talk", "text::cleanup"])
    assert(targets.includes(name), name);
  assert.deepEqual(new Set(triggers.flatMap(componentsOf).map(({ component }) => component)), new Set(["gzip", "site", "tool"]));
});

test("ports that only star knows are checked by the same rules", () => {
  const manifest = good(
    'starlane: v1\ncomponents: { orders: ./orders.wasm }\ntriggers:\n  - { http: 80, routes: [ "GET /o/{id:u32}?limt=u32 -> orders::find" ] }\n  - { schedule: "@daily -> orders::find" }\n',
  );
  const ports = {
    inputs: [
      { name: "id", type: { kind: "string" as const }, hasDefault: false },
      { name: "limit", type: { kind: "u64" as const }, hasDefault: true },
    ],
  };
  assert.deepEqual(
    manifest.triggers.flatMap((trigger) => checkTriggerPorts(trigger, () => ports)).map(({ code }) => code),
    ["manifest/type-mismatch", "manifest/unknown-port", "manifest/unfilled-port"],
  );
  assert.deepEqual(
    manifest.triggers.flatMap((trigger) => checkTriggerPorts(trigger, () => undefined)),
    [],
  );
});

test("error cases are held against those of the operation", () => {
  const text =
    "starlane: v1\ncomponents: { o: ./o.wasm }\ntriggers:\n  - http: 80\n    routes: [ { route: GET / -> o::find, status: { 404: not-fuond } } ]\n";
  const [trigger] = good(text).triggers;
  assert(trigger !== undefined);
  const [mistake] = checkTriggerPorts(trigger, () => ({ inputs: [], errorCases: ["not-found"] }));
  assert.equal(mistake?.cure, "Did you mean `not-found`?");
});

test("references in addresses and certificates of triggers are filled", () => {
  const outside = {
    kind: "read" as const,
    env: (name: string) => (name === "UPSTREAM" ? "http://up:1" : undefined),
    secrets: () => "PEM",
  };
  const { manifest } = substitute(good(GOOD_MANIFESTS["triggers"] ?? ""), undefined, outside);
  const trigger = httpOf(manifest?.triggers[1]);
  const [route] = trigger.routes;
  assert(route?.kind === "proxy");
  assert.deepEqual([route.to, trigger.tls?.cert, trigger.tls?.key], ["http://up:1", "./tls/cert.pem", "PEM"]);
});

test("whatever the text of a route, its mistakes lie inside the file and have a cure", () => {
  const part = fc.constantFrom("GET ", "/", "{", "}", "a", "id", ":", "u32", "...", "?", "&", "=", " -> ", "::", "*", "static: ", "proxy: ", "->", "%2", "%00", "[]", "<", ">", "$", "ü", "\u{1f600}", " ", ",", "b::c", "http://x"); // prettier-ignore
  fc.assert(
    fc.property(fc.array(part, { maxLength: 14 }), (parts) => {
      const route = JSON.stringify(parts.join(""));
      const text = `starlane: v1\ncomponents: { b: ./b.wasm }\ntriggers: [ { http: 80, routes: [ ${route} ] } ]\n`;
      const { manifest, diagnostics } = parseManifest({ file: "m.yaml", text });
      assert.equal(manifest === undefined, diagnostics.length > 0);
      for (const { span, cure } of diagnostics) {
        assert(span.start >= 0 && span.start <= span.end && span.end <= text.length);
        assert(cure !== undefined && /[.?]$/.test(cure), cure ?? "no cure");
      }
    }),
    { numRuns: 2000 },
  );
});
