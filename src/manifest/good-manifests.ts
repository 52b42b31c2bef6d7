// Test support: manifests without mistakes, that between them use every key that is built.

export const GOOD_MANIFESTS: Readonly<Record<string, string>> = {
  "as in the guide": `starlane: v1
name: acme/welcome              # space/app
version: 1.4.0
description: Greets people.

components:
  text: ./text.wasm
  greeter: ./greeter
  shop: { from: ./shop/starlane.yaml, with: { greeting: Hi, volume: 3 } }

operations:
  welcome:
    input:
      name: { type: string, trim: true, max: 80, pattern: "[^<>]*" }
      lang: { type: string, default: en }
    output: { greeting: string }
    nodes:
      hi: { uses: "greeter::greet", timeout: 500ms, retry: { attempts: 3, backoff: 100ms }, concurrency: 4 }
    flow: |
      <>.name -> text::trim -> hi.name
      <>.lang -> hi.lang
      hi ?? "Hello, stranger" -> <>.greeting

tests: [ { operation: welcome, input: { name: " Ada " }, expect: { greeting: "Hello Ada" } } ]
`,
  "the least": "starlane: v1\n",
  "empty sections": "starlane: v1\ncomponents:\noperations:\nparameters:\ntypes:\ntests:\n",
  "parameters and types": `starlane: v1
types: |
  record person { name: string, age: u8 }
  enum color { red, green }
parameters:
  greeting: { type: string, default: "Hello", description: How to greet. }
  who: { type: person, default: { name: Ada, age: 36 } }
  title: string
  count: { type: u64, default: "18446744073709551615" }
components:
  text: ../text.wasm
  shop: { from: ./shop, with: { title: "\${config.title}", all: [ "\${config.who}", { deep: "$\${x}" } ] } }
operations:
  greet:
    description: Greets.
    input:
      who: person
      shade: { type: color, one-of: [ red ], default: red }
      title: { type: string, default: "\${config.title}" }
      free: { trim: true }
    output:
      text: { type: string, description: The greeting. }
      lines: list<string>
    nodes:
      hi: { uses: "text::acme:text/case@1.0.0#upper", with: { greeting: "\${config.greeting}, you", who: "\${config.who}" } }
    flow: |
      "\${config.greeting}" -> hi.a   # "\${config.unknown}" in a comment
      hi -> <>.text
`,
  "all rules": `starlane: v1
components: { text: ./text.wasm }
operations:
  clean:
    input:
      a: { type: string, trim: true, lowercase: true, normalize: NFC, min: 1, max: 10, pattern: "[a-z]+", format: hostname }
      b: { type: "option<list<string>>", uppercase: true, one-of: [ A, B ] }
      c: { type: f64, min: -1.5, max: 1.5 }
      d: { type: "list<u8>", max: 3 }
      e: { type: "map<string, u32>", min: 1 }
    flow: <>.a -> text::trim -> <>.a
`,
  tests: `starlane: v1
components: { text: ./text.wasm }
operations:
  greet:
    input: { name: string }
    output: { greeting: string, rows: "list<string>" }
    flow: <>.name -> text::greet -> <>
tests:
  - ./tests.yaml
  - { name: by name, operation: greet, input: { name: Ada }, expect: { greeting: { matches: "Hello .*" }, rows: { length: { at-least: 1 } } } }
  - { operation: greet, seed: 7, timestamp: 2026-08-01T12:00:00Z, input: { name: x }, expect: { "$.rows[0]": a, greeting: { exactly: { any: 1 } } } }
  - { operation: greet, timestamp: 0, input: { nobody: 1 }, expect: { error: { message: { contains: such }, code: cli/unknown-port } } }
  - { operation: greet, expect: { error: no such } }
`,
  JSON: JSON.stringify(
    {
      starlane: "v1",
      components: { text: "./text.wasm" },
      operations: { greet: { input: { y: "string" }, flow: '<>.y -> text::greet.y\n"no" -> <>.on' } },
    },
    null,
    "\t",
  ),
};
