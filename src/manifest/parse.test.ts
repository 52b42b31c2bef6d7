import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { renderDiagnostic, type Diagnostic } from "../base/diagnostics.ts";
import { GOOD_MANIFESTS } from "./good-manifests.ts";
import type { Manifest } from "./manifest.ts";
import { parseManifest } from "./parse.ts";
import { parseTestsFile } from "./tests-file.ts";

function good(text: string): Manifest {
  const { manifest, diagnostics } = parseManifest({ file: "starlane.yaml", text });
  assert.equal(diagnostics.map(renderDiagnostic).join("\n"), "");
  assert(manifest !== undefined);
  return manifest;
}

function codes(text: string): readonly string[] {
  const { manifest, diagnostics } = parseManifest({ file: "starlane.yaml", text });
  assert.equal(manifest, undefined);
  return diagnostics.map((diagnostic) => diagnostic.code);
}

function textAt({ span }: Pick<Diagnostic, "span">): string {
  return span.source.text.slice(span.start, span.end);
}

for (const [name, text] of Object.entries(GOOD_MANIFESTS)) {
  test(`a good manifest has no diagnostics: ${name}`, () => {
    good(text);
  });
}

test("the manifest of the guide is read as it is written", () => {
  const manifest = good(GOOD_MANIFESTS["as in the guide"] ?? "");
  assert.equal(manifest.name, "acme/welcome");
  assert.equal(manifest.version, "1.4.0");
  assert.deepEqual(
    manifest.components.map(({ name, from, with: settings }) => [
      name,
      from.path,
      settings.map((setting) => [setting.name, setting.value]),
    ]),
    [
      ["text", "./text.wasm", []],
      ["greeter", "./greeter", []],
      ["shop", "./shop/starlane.yaml", [["greeting", "Hi"], ["volume", 3]]], // prettier-ignore
    ],
  );
  const [welcome] = manifest.operations;
  assert(welcome !== undefined);
  assert.deepEqual(
    welcome.input?.map(({ name, type, rules, default: given }) => [name, type?.kind, rules.max, rules.trim, given]),
    [
      ["name", "string", 80, true, undefined],
      ["lang", "string", undefined, undefined, "en"],
    ],
  );
  const [hi] = welcome.nodes;
  assert.equal(hi?.uses, "greeter::greet");
  assert.equal(hi.timeoutMs, 500);
  assert.deepEqual(hi.retry, { attempts: 3, backoffMs: 100 });
  assert.equal(hi.concurrency, 4);
  assert.deepEqual(manifest.tests[0]?.expect, { greeting: "Hello Ada" });
});

test("every part of a flow has its exact place in the manifest, whatever the scalar", () => {
  for (const flow of [
    "|\n      <>.name -> hi\n      hi -> <>.out\n",
    "|-\n        <>.name -> hi\n        hi -> <>.out",
    ">\n      <>.name -> hi;\n      hi -> <>.out\n",
    '"<>.name -> hi\\nhi -> <>.out"',
    "'<>.name -> hi; hi -> <>.out'",
    "<>.name -> hi;\n      hi -> <>.out",
  ]) {
    for (const lineEnd of ["\n", "\r\n"]) {
      const [operation] = good(`starlane: v1\noperations:\n  a:\n    flow: ${flow}\n`.replaceAll("\n", lineEnd)).operations;
      assert(operation !== undefined);
      const at = operation.flow.text.indexOf("<>.out");
      assert(at > 0);
      const span = operation.flow.place(at, at + 6);
      assert.equal(textAt({ span }), "<>.out");
      assert.equal(span.start, span.source.text.indexOf("<>.out"));
    }
  }
});

test("the manifest is frozen", () => {
  const manifest = good(GOOD_MANIFESTS["as in the guide"] ?? "");
  assert(Object.isFrozen(manifest) && Object.isFrozen(manifest.operations[0]?.input?.[0]?.rules));
});

test("a manifest with mistakes comes as a draft only", () => {
  const { manifest, draft } = parseManifest({
    file: "m.yaml",
    text: "starlane: v1\nnmae: x\noperations: { a: { flow: x -> y } }\n",
  });
  assert.equal(manifest, undefined);
  assert.equal(draft?.operations[0]?.flow.text, "x -> y");
});

test("names that every object has are names like others", () => {
  const manifest = good(
    "starlane: v1\nparameters: { constructor: { type: string, default: a } }\ncomponents: { to-string: { from: ./x, with: { value-of: 1 } } }\n",
  );
  assert.equal(manifest.parameters[0]?.name, "constructor");
  assert.deepEqual(codes("starlane: v1\nconstructor: 1\n"), ["manifest/unknown-key"]);
  assert.deepEqual(codes("starlane: v1\n__proto__: 1\n"), ["manifest/unknown-key"]);
});

test("a key named __proto__ in a value stays a key", () => {
  const [use] = good("starlane: v1\ncomponents: { a: { from: ./a, with: { x: { __proto__: { evil: 1 } } } } }\n").components;
  const value = use?.with[0]?.value;
  assert.deepEqual(Object.keys(value ?? {}), ["__proto__"]);
  assert.equal(Reflect.get(Object(value), "evil"), undefined);
});

test("a mistake about a declared name is told once, where it is declared", () => {
  assert.deepEqual(
    codes("starlane: v1\nparameters: { a: strin }\ncomponents: { x: { from: ./x, with: { v: '${config.a}' } } }\n"),
    ["manifest/bad-type"],
  );
  assert.deepEqual(
    codes("starlane: v1\ntypes: |\n  record p { a: strin }\noperations: { o: { input: { x: list<p> }, flow: a -> b } }\n"),
    ["manifest/bad-type"],
  );
  assert.deepEqual(
    codes("starlane: v1\ncomponents: { x: x.wasm }\noperations: { o: { nodes: { hi: { uses: 'x::y' } }, flow: hi -> <>.a } }\n"),
    ["manifest/bad-path"],
  );
  assert.deepEqual(codes("starlane: v1\noperations: { o: { flwo: a -> b } }\ntests: [ { operation: o } ]\n"), [
    "manifest/unknown-key",
  ]);
});

test("a file of 10 MB is refused for its size, whatever is in it", () => {
  assert.deepEqual(codes(`starlane: v1\ndescription: ${"x".repeat(10_000_000)}`), ["manifest/too-large"]);
  assert.deepEqual(codes("[".repeat(10_000_000)), ["manifest/too-large"]);
});

test("nesting and the number of parts are bounded", () => {
  for (const text of [
    "[".repeat(1_000_000),
    "{".repeat(500_000),
    "- ".repeat(500_000),
    "a: {".repeat(200_000),
    "? ".repeat(400_000),
  ]) {
    assert.deepEqual(codes(text), ["manifest/too-large"], text.slice(0, 10));
  }
  for (const text of ["- a\n".repeat(250_000), "a: b\n".repeat(200_000)])
    assert.deepEqual(codes(text), ["manifest/too-large"], text.slice(0, 10));
});

test("long texts of any kind are answered where a value of another length is expected", () => {
  const places = ["name", "version", "description", "types", "isolation"].map((key) => `starlane: v1\n${key}: '@'\n`);
  places.push(
    "starlane: v1\ncomponents: { a: '@' }\n",
    "starlane: v1\noperations: { a: { flow: '@', input: { b: '@' }, nodes: { c: { uses: '@', timeout: '@' } } } }\n",
    "starlane: v1\n'@': 1\ncomponents: { '@': ./x }\n",
  );
  for (const part of ["a", "-", "::", "${", "1_", "/", "[", " ", "a::b#", '"', "$${", "a-", "1.", "<", "record a"]) {
    for (const place of places) {
      const text = place.replaceAll("@", part.repeat(Math.floor(200_000 / part.length)));
      for (const { message } of parseManifest({ file: "m.yaml", text }).diagnostics) assert(message.length < 2000);
    }
  }
});

test("aliases cannot unfold: they are refused where they stand", () => {
  const laughs = ["a: &a [ x, x, x ]"].concat(
    Array.from({ length: 30 }, (_, i) => `k${i}: &k${i} [ *${i === 0 ? "a" : `k${i - 1}`}, *${i === 0 ? "a" : `k${i - 1}`} ]`),
  );
  assert(codes(`starlane: v1\n${laughs.join("\n")}\n`).includes("manifest/yaml-feature"));
});

test("a hundred mistakes are listed, and the rest counted", () => {
  const { diagnostics } = parseManifest({
    file: "m.yaml",
    text: `starlane: v1\n${Array.from({ length: 150 }, (_, i) => `k${i}: 1`).join("\n")}\n`,
  });
  assert.equal(diagnostics.length, 101);
  assert.equal(diagnostics.at(-1)?.code, "manifest/too-many");
  assert.match(diagnostics.at(-1)?.message ?? "", /50 more mistakes/);
});

test("a tests file is a list of tests, or has one under `tests`", () => {
  const list = "- { operation: greet, input: { name: Ada } }\n";
  for (const text of [list, `tests:\n${list}`]) {
    const { tests, diagnostics } = parseTestsFile({ file: "tests.yaml", text });
    assert.deepEqual(diagnostics, []);
    assert.deepEqual(tests.map((one) => [one.operation, one.input]), [["greet", { name: "Ada" }]]); // prettier-ignore
  }
});

test("timestamps are milliseconds since 1970, a leap second being the second after it", () => {
  const time = (text: string): number | undefined =>
    parseTestsFile({ file: "t.yaml", text: `- { operation: a, timestamp: ${text} }` }).tests[0]?.timestampMs;
  assert.equal(time("2026-08-01T12:00:00Z"), Date.UTC(2026, 7, 1, 12));
  assert.equal(time("2026-08-01T14:00:00.5+02:00"), Date.UTC(2026, 7, 1, 12) + 500);
  assert.equal(time('"2016-12-31T23:59:60Z"'), Date.UTC(2017, 0, 1));
  assert.equal(time("1785585600000"), 1_785_585_600_000);
});

const fragments = fc.constantFrom(
  "starlane: v1\n", "components:\n", "  a: ./a.wasm\n", "operations:\n", "  o:\n", "    flow: |\n", "      <>.a -> b\n", "    input: { x: u8 }\n", "tests:\n", "- ", "[", "]", "{", "}", ",", ": ",
  "'", '"', "${config.a}", "${", "|", ">", "#", "&a ", "*a", "!t ", "\t", "\n", "\r\n", "  ", "parameters: { a: string }\n", "types: |\n", "  record r { a: u8 }\n", "<<: ", "? ", "---\n", "...\n", "%YAML 1.1\n", "é", "😀", "null", "1e400", "no", "\\",
); // prettier-ignore

test("any text gives a manifest or mistakes with places inside it, and never an exception", () => {
  fc.assert(
    fc.property(fc.array(fragments, { maxLength: 25 }), (parts) => {
      const text = parts.join("");
      const { manifest, diagnostics } = parseManifest({ file: "m.yaml", text });
      assert(manifest !== undefined || diagnostics.length > 0);
      for (const diagnostic of diagnostics) {
        assert(
          diagnostic.span.start >= 0 &&
            diagnostic.span.end >= diagnostic.span.start &&
            diagnostic.span.end <= diagnostic.span.source.text.length + 1,
        );
        assert(diagnostic.cure !== undefined && diagnostic.message.length > 0);
        renderDiagnostic(diagnostic);
      }
    }),
    { numRuns: 3000 },
  );
});

test("a good manifest with one character changed is still answered, not thrown", () => {
  const texts = Object.values(GOOD_MANIFESTS);
  fc.assert(
    fc.property(
      fc.constantFrom(...texts),
      fc.nat(),
      fc.constantFrom("", ":", "{", "}", "[", '"', "'", "\n", "\t", "#", "|", "-", "&", "*", " ", "x", "\ud800", "\0"),
      (text, at, character) => {
        const i = at % text.length;
        const changed = text.slice(0, i) + character + text.slice(i + 1);
        for (const diagnostic of parseManifest({ file: "m.yaml", text: changed }).diagnostics) renderDiagnostic(diagnostic);
      },
    ),
    { numRuns: 1500 },
  );
});
