import assert from "node:assert/strict";
import { test } from "node:test";
import { renderDiagnostic } from "../base/diagnostics.ts";
import { grantToApp } from "./grants.ts";
import { GOOD_MANIFESTS } from "./good-manifests.ts";
import type { Manifest } from "./manifest.ts";
import { parseManifest } from "./parse.ts";

function good(text: string): Manifest {
  const { manifest, diagnostics } = parseManifest({ file: "starlane.yaml", text });
  assert.equal(diagnostics.map(renderDiagnostic).join("\n"), "");
  assert(manifest !== undefined);
  return manifest;
}

const manifest = good(GOOD_MANIFESTS["resources and grants"] ?? "");

test("grants are read as they are written, and nothing is granted that is not", () => {
  assert.deepEqual(manifest.grants.map(({ component }) => component), ["greeter", "geo", "idle"]); // prettier-ignore
  const [greeter, geo, idle] = manifest.grants.map(({ grants }) => grants);
  assert(greeter !== undefined && geo !== undefined);
  assert.deepEqual(greeter.cli?.args.map(({ text }) => text), ["--verbose", "5", "${env.LEVEL:-1}"]); // prettier-ignore
  assert.deepEqual(greeter.cli?.env.map(({ name, value }) => [name, value]), [["LANG", undefined], ["TZ", undefined]]); // prettier-ignore
  assert.deepEqual(
    greeter.files?.map(({ path, resource, readonly }) => [path, resource, readonly]),
    [
      ["/data", "data", false],
      ["/in", "scratch", true],
      ["/home/user", "home", false],
    ],
  );
  assert.deepEqual(greeter.sockets?.listen.map(({ text }) => text), ["9000"]); // prettier-ignore
  assert.deepEqual(greeter.calls?.map((call) => [call.interface, call.component]), [["acme:geo/lookup", "geo"], ["acme:geo/route@1.2.0", "geo"]]); // prettier-ignore
  assert.deepEqual(geo.cli?.env.map(({ name, value }) => [name, value]), [["LANG", "en"], ["LEVEL", "3"]]); // prettier-ignore
  assert.deepEqual([geo.clock, geo.random, geo.files, geo.http], ["virtual", "seeded", undefined, undefined]);
  assert.deepEqual(idle, {});
});

test("resources keep their addresses as written, with their places", () => {
  assert.deepEqual(
    manifest.resources.slice(0, 5).map(({ name, kind, address, migrations }) => [name, kind, address, migrations]),
    [
      ["cache", "keyvalue", "sqlite:./data/cache.db", undefined],
      ["other", "keyvalue", "${env.REDIS_URL}", undefined],
      ["images", "blobs", "folder:./images", undefined],
      ["broker", "messaging", "nats://${secret.nats-user}:${secret.nats-password}@nats.internal:4222", undefined],
      ["db", "sql", "${config.db}", "./migrations"],
    ],
  );
  const span = manifest.resources[4]?.addressSpan;
  assert.equal(span?.source.text.slice(span.start, span.end), '"${config.db}"');
});

test("every reference to the environment and to secrets is listed once for each place, in the order of the text", () => {
  const names = manifest.outside.map(({ kind, name, fallback, parameter }) => [kind, name, fallback, parameter]);
  assert.deepEqual(names.slice(0, 4), [
    ["env", "DB", "sqlite:./data/app.db", "db"],
    ["env", "COUNT", undefined, "count"],
    ["secret", "api-token", undefined, "token"],
    ["secret", "shop-key", undefined, undefined],
  ]);
  assert(manifest.outside.every(({ span }) => span.source.text.slice(span.start, span.start + 2) === "${"));
});

test("limits and isolation have no values where none are written", () => {
  const { limits, isolation } = good(GOOD_MANIFESTS["limits and isolation"] ?? "");
  assert.deepEqual([limits, isolation], [{ memoryBytes: 2 ** 26, timeMs: 2000, fuel: 2e9, outputBytes: 2 ** 20 }, "shared"]);
  const least = good("starlane: v1\n");
  assert.deepEqual([least.limits, least.isolation, least.grants, least.triggers], [{}, "transaction", [], []]);
});

test("a resource that no component is granted is a warning, which stops nothing", () => {
  const text = 'starlane: v1\nresources: { cache: { keyvalue: "memory:" } }\n';
  const parsed = parseManifest({ file: "m.yaml", text });
  assert.deepEqual(parsed.diagnostics.map(({ code, severity }) => [code, severity]), [["manifest/unused-resource", "warning"]]); // prettier-ignore
  assert.equal(parsed.manifest?.resources[0]?.name, "cache");
});

test("whoever finds that a component is an app tells it as the manifest does", () => {
  const span = manifest.grants[0]?.span ?? manifest.span;
  assert.equal(grantToApp("shop", "./shop/starlane.yaml", span).code, "manifest/grant-to-app");
});
