import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { renderDiagnostic, type Diagnostic } from "../base/diagnostics.ts";
import { GOOD_MANIFESTS } from "./good-manifests.ts";
import type { Manifest } from "./manifest.ts";
import { masker, type Outside } from "./outside.ts";
import { parseManifest } from "./parse.ts";
import { substitute } from "./substitute.ts";

function good(text: string): Manifest {
  const { manifest, diagnostics } = parseManifest({ file: "app.yaml", text });
  assert.equal(diagnostics.map(renderDiagnostic).join("\n"), "");
  assert(manifest !== undefined);
  return manifest;
}

function read(env: Readonly<Record<string, string>>, secrets: Readonly<Record<string, string>> = {}): Outside {
  return { kind: "read", env: (name) => env[name], secrets: (name) => secrets[name] };
}

function codes(diagnostics: readonly Diagnostic[]): readonly string[] {
  return diagnostics.map(({ code, span }) => `${code} ${span.source.text.slice(span.start, span.end)}`);
}

const GRANTS = GOOD_MANIFESTS["resources and grants"] ?? "";
const ENV = { COUNT: "7", REDIS_URL: "redis://r:6379/0", DATA: "/var/data", MOTTO: "Onwards" };
const SECRETS = { "api-token": "t0ken", "shop-key": "k3y!", "nats-user": "nats", "nats-password": "p@ss/w:rd" };

test("texts of the environment and secrets are filled into resources, grants, settings and defaults, which have types", () => {
  const { manifest, diagnostics, secrets } = substitute(good(GRANTS), undefined, read(ENV, SECRETS));
  assert.deepEqual(diagnostics, []);
  assert(manifest !== undefined);
  const address = new Map(manifest.resources.map((resource) => [resource.name, resource.address]));
  assert.equal(address.get("other"), "redis://r:6379/0");
  assert.equal(address.get("db"), "sqlite:./data/app.db");
  assert.equal(address.get("home"), "/var/data");
  const [greeter] = manifest.grants;
  assert.deepEqual(greeter?.grants.cli?.args.map(({ text }) => text), ["--verbose", "5", "1"]); // prettier-ignore
  assert.deepEqual(greeter?.grants.config?.map(({ name, value }) => [name, value]), [["motto", "Onwards"], ["LEVEL", "3"], ["a.b", "true"], ["token", "t0ken"]]); // prettier-ignore
  const shop = manifest.components.find(({ name }) => name === "shop");
  assert.deepEqual(shop?.with.map(({ name, value, outside }) => [name, value, outside]), [["key", "k3y!", "read"], ["title", "7 of all", "read"]]); // prettier-ignore
  assert.deepEqual(secrets, new Set(Object.values(SECRETS)));
});

test("a user name or password cannot lead an address elsewhere", () => {
  const { manifest } = substitute(good(GRANTS), undefined, read(ENV, SECRETS));
  const broker = manifest?.resources.find(({ name }) => name === "broker");
  assert.equal(broker?.address, "nats://nats:p%40ss%2Fw%3Ard@nats.internal:4222");
  assert.equal(new URL(broker.address).hostname, "nats.internal");
});

test("all that is not set is told at once, at its place, but not what a given parameter does not need", () => {
  const manifest = good(GRANTS);
  const { manifest: filled, diagnostics } = substitute(manifest, undefined, read({}));
  assert.equal(filled, undefined);
  assert.deepEqual(codes(diagnostics).toSorted(), [
    "manifest/unset-variable ${env.COUNT}",
    "manifest/unset-variable ${env.DATA}",
    "manifest/unset-variable ${env.MOTTO}",
    "manifest/unset-variable ${env.REDIS_URL}",
    "manifest/unset-variable ${secret.api-token}",
    "manifest/unset-variable ${secret.nats-password}",
    "manifest/unset-variable ${secret.nats-user}",
    "manifest/unset-variable ${secret.shop-key}",
  ]);
  const { span } = manifest;
  const given = { span, values: [{ name: "count", value: 3, span, valueSpan: span }] };
  const { diagnostics: fewer } = substitute(manifest, given, read({}));
  assert(!codes(fewer).some((code) => code.includes("COUNT")) && fewer.length === diagnostics.length - 1);
});

test("an app that is only checked keeps its references, and settings of other types get samples", () => {
  const { manifest, diagnostics, secrets } = substitute(good(GRANTS), undefined, { kind: "unread" });
  assert.deepEqual(diagnostics, []);
  assert.equal(manifest?.resources.find(({ name }) => name === "other")?.address, "${env.REDIS_URL}");
  const shop = manifest?.components.find(({ name }) => name === "shop");
  assert.deepEqual(shop?.with.map(({ value, outside }) => [value, outside]), [["${secret.shop-key}", "unread"], ["0 of ${env.TITLE:-all}", "unread"]]); // prettier-ignore
  assert.equal(secrets.size, 0);
});

test("a dependency that gets a setting from outside has it in the type of its parameter, and never shows it", () => {
  const inner = good(
    "starlane: v1\nparameters: { count: u32, loud: bool, title: string }\noperations: { a: { input: { p: { type: u32, default: '${config.count}' } }, flow: <>.p -> <>.p } }\n",
  );
  const outer = good(
    "starlane: v1\ncomponents: { inner: { from: ./inner, with: { count: '${env.COUNT}', loud: '${env.LOUD}', title: '${env.COUNT}' } } }\n",
  );
  const use = (env: Readonly<Record<string, string>>): ReturnType<typeof substitute> => {
    const [component] = substitute(outer, undefined, read(env)).manifest?.components ?? [];
    assert(component !== undefined);
    return substitute(inner, { values: component.with, span: component.span }, { kind: "dependency" });
  };
  assert.equal(use({ COUNT: "7", LOUD: "true" }).manifest?.operations[0]?.input?.[0]?.default, 7);
  const { diagnostics } = use({ COUNT: "SHOWN7", LOUD: "true" });
  assert.deepEqual(diagnostics.map(({ code }) => code), ["manifest/bad-setting"]); // prettier-ignore
  assert(!diagnostics.map(renderDiagnostic).join("").includes("SHOWN"));
});

test("a fallback stands for what is unset or empty, and `$${` for itself", () => {
  const text =
    'starlane: v1\nparameters: { a: { type: string, default: "${env.A:-x}-${env.B:-}-$${env.C}" } }\noperations: { o: { input: { p: { type: string, default: "${config.a}" } }, flow: <>.p -> <>.p } }\n';
  const of = (env: Readonly<Record<string, string>>): unknown =>
    substitute(good(text), undefined, read(env)).manifest?.operations[0]?.input?.[0]?.default;
  assert.equal(of({}), "x--${env.C}");
  assert.equal(of({ A: "", B: "b" }), "x-b-${env.C}");
  assert.equal(of({ A: "1" }), "1--${env.C}");
});

test("what a variable holds is text, even where it looks like a reference", () => {
  const text = 'starlane: v1\ncomponents: { a: ./a.wasm }\ngrants: { a: { config: { x: "${env.A}" } } }\n';
  const { manifest } = substitute(good(text), undefined, read({ A: "${env.B} $${c}" }));
  assert.equal(manifest?.grants[0]?.grants.config?.[0]?.value, "${env.B} $${c}");
});

test("the masker leaves no secret in a text, also as JSON or in a URL", () => {
  const mask = masker(["p@ss/w:rd", 'quo"te\n', "abc"]);
  assert.equal(mask("a p@ss/w:rd b"), "a *** b");
  assert.equal(mask("nats://p%40ss%2Fw%3Ard@h"), "nats://***@h");
  assert.equal(mask(JSON.stringify({ k: 'quo"te\n' })), '{"k":"***"}');
  assert.equal(mask("abc is too short to be masked"), "abc is too short to be masked");
  assert.equal(masker(["secret", "secret-and-more"])("secret-and-more"), "***");
  const secret = fc.string({ unit: fc.constantFrom("a", "b", '"', "%", "/", "é"), minLength: 4, maxLength: 8 });
  const around = fc.string({ unit: fc.constantFrom("1", " ", "-") });
  fc.assert(
    fc.property(fc.array(secret, { minLength: 1, maxLength: 4 }), around, around, (secrets, before, after) => {
      const masked = masker(secrets)(secrets.map((one) => before + one + after).join(""));
      for (const one of secrets) assert(!masked.includes(one));
    }),
  );
});
