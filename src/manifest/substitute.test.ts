import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { renderDiagnostic } from "../base/diagnostics.ts";
import { arbitraryType } from "../wit/arbitrary.ts";
import type { Json, Manifest, Setting } from "./manifest.ts";
import { parseManifest } from "./parse.ts";
import { hasJson, jsonProblem } from "./port-types.ts";
import { sampleOf } from "./sample.ts";
import { sampleSettings, substitute, type GivenSettings } from "./substitute.ts";

function good(text: string): Manifest {
  const { manifest, diagnostics } = parseManifest({ file: "app.yaml", text });
  assert.equal(diagnostics.map(renderDiagnostic).join("\n"), "");
  assert(manifest !== undefined);
  return manifest;
}

function settings(values: { readonly [name: string]: Json }): GivenSettings {
  const source = { file: "using.yaml", text: "components:" };
  const span = { source, start: 0, end: 10 };
  return { span, values: Object.entries(values).map(([name, value]): Setting => ({ name, value, span, valueSpan: span })) };
}

function filled(text: string, values: { readonly [name: string]: Json } = {}): Manifest {
  const { manifest, diagnostics } = substitute(good(text), settings(values));
  assert.deepEqual(diagnostics.map(renderDiagnostic), []);
  assert(manifest !== undefined);
  return manifest;
}

const APP = `starlane: v1
parameters:
  name: string
  count: { type: u32, default: 3 }
  tags: { type: list<string>, default: [ a ] }
components:
  shop: { from: ./shop, with: { tags: "\${config.tags}", text: "\${config.count} for \${config.name}", plain: "$\${config.name}", deep: { list: [ "\${config.count}" ] } } }
operations:
  greet:
    input: { who: { type: string, default: "\${config.name}!" }, most: { type: u32, default: "\${config.count}" } }
    nodes: { hi: { uses: "shop::x", with: { title: "\${config.name}" } } }
    flow: |
      # "\${config.name}" stays in a comment
      "\${config.name}" -> hi.a
      "\${config.count}" -> hi.b
      "say \${config.name} $\${x}" -> hi.c
      \${config.name} -> hi.d
      hi -> <>.out
`;

test("a reference that is the whole value keeps the type of the setting, inside a text it is text", () => {
  const [shop] = filled(APP, { name: 'Ada "A"' }).components;
  assert.deepEqual(Object.fromEntries((shop?.with ?? []).map(({ name, value }) => [name, value])), {
    tags: ["a"],
    text: '3 for Ada "A"',
    plain: "${config.name}",
    deep: { list: [3] },
  });
});

test("defaults, constants of nodes and string literals of flows are filled", () => {
  const [greet] = filled(APP, { name: 'Ada "A"', count: 7 }).operations;
  assert.deepEqual(
    greet?.input?.map((port) => port.default),
    ['Ada "A"!', 7],
  );
  assert.equal(greet?.nodes[0]?.with[0]?.value, 'Ada "A"');
  assert.deepEqual(greet?.flow.text.split("\n").slice(0, 5), [
    '# "${config.name}" stays in a comment',
    '"Ada \\"A\\"" -> hi.a',
    "7 -> hi.b",
    '"say Ada \\"A\\" ${x}" -> hi.c',
    "${config.name} -> hi.d",
  ]);
});

test("a filled flow still knows where its parts stand in the manifest", () => {
  const [greet] = filled(APP, { name: "a much longer name than before" }).operations;
  assert(greet !== undefined);
  const { flow } = greet;
  for (const part of ["hi.a", "hi.b", "hi.c", "hi.d", "<>.out"]) {
    const at = flow.text.indexOf(part);
    const { source, start, end } = flow.place(at, at + part.length);
    assert.equal(source.text.slice(start, end), part);
  }
  const literal = flow.text.indexOf('"a much');
  const place = flow.place(literal, literal + 32);
  assert.equal(place.source.text.slice(place.start, place.end), '"${config.name}"');
});

test("the manifest itself is not changed", () => {
  const manifest = good(APP);
  const before = JSON.stringify(manifest.operations);
  substitute(manifest, settings({ name: "x" }));
  assert.equal(JSON.stringify(manifest.operations), before);
});

test("settings are wrong where they are missing, unknown, or of another type: in the manifest that gives them", () => {
  const { manifest, diagnostics } = substitute(good(APP), settings({ nmae: "x", count: -1 }));
  assert.equal(manifest, undefined);
  assert.deepEqual(diagnostics.map(({ code, span }) => [code, span.source.file]), [
    ["manifest/unknown-setting", "using.yaml"],
    ["manifest/missing-setting", "using.yaml"],
    ["manifest/bad-setting", "using.yaml"],
  ]); // prettier-ignore
});

test("an app that is started by itself says which of its parameters has no value, at that parameter", () => {
  const { diagnostics } = substitute(good(APP));
  assert.deepEqual(diagnostics.map(({ code, span }) => [code, span.source.text.slice(span.start, span.end)]), [["manifest/missing-setting", "name"]]); // prettier-ignore
});

test("samples stand in for settings, so that an app can be checked by itself", () => {
  const manifest = good(APP);
  const { manifest: sampled } = substitute(manifest, sampleSettings(manifest));
  assert.equal(sampled?.operations[0]?.nodes[0]?.with[0]?.value, "");
});

test("the sample of any type is a value of it", () => {
  fc.assert(
    fc.property(arbitraryType({ depth: 3 }), (type) => {
      fc.pre(hasJson(type));
      assert.equal(jsonProblem(type, sampleOf(type)), undefined);
    }),
  );
});

test("filling is bounded, so apps inside apps cannot unfold a few lines into gigabytes", () => {
  const references = Array.from({ length: 1000 }, () => "${config.name}").join("");
  const text = `starlane: v1\nparameters: { name: string }\ncomponents: { a: { from: ./a, with: { x: "${references}", list: [ "\${config.name}" ] } } }\n`;
  const { manifest, diagnostics } = substitute(good(text), settings({ name: "x".repeat(10_000) }));
  assert.equal(manifest, undefined);
  assert.deepEqual(diagnostics.map(({ code }) => code), ["manifest/too-large"]); // prettier-ignore
});

test("a default of a literal reference is text, and still checked", () => {
  const text = 'starlane: v1\noperations: { a: { input: { b: { type: u8, default: "$${x}" } }, flow: b -> c } }\n';
  assert.deepEqual(substitute(good(text)).diagnostics.map(({ code }) => code), ["manifest/bad-default"]); // prettier-ignore
});
