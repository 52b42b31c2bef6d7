import assert from "node:assert/strict";
import { test } from "node:test";
import { componentEmbed, componentNew, parse } from "@bytecodealliance/jco-transpile/wasm-tools";
import { decode } from "./decode.ts";
import { describeComponent } from "./facts.ts";

test("facts count the parts of a component and of those nested in it", async () => {
  const facts = describeComponent(
    decode(
      await parse(`(component $app
        (core module $main (import "a" "b" (func)) (memory 3) (func (export "f")) (func))
        (component $child (core module) (type $r (resource (rep i32))) (core func (canon resource.drop $r)))
        (type (tuple u8)) (type (list u8)))`),
    ),
  );
  assert.equal(facts.name, "app");
  const [main] = facts.coreModules;
  assert.deepEqual(
    {
      name: main?.name,
      functions: main?.functions,
      imports: main?.imports,
      exports: main?.exports,
      memoryPages: main?.memoryPages,
    },
    { name: "main", functions: 2, imports: 1, exports: 1, memoryPages: [3] },
  );
  assert.deepEqual(facts.definitions, { "core-module": 1, component: 1, type: 2 });
  assert.deepEqual(facts.components[0]?.canons, { "resource.drop": 1 });
  assert.deepEqual(
    facts.customs.map((custom) => custom.name),
    ["component-name"],
  );
});

test("the producers section says which tools made the component", async () => {
  const core = await componentEmbed({
    witSource: "package a:b; world w { export f: func(); }",
    binary: await parse(`(module (func (export "f")))`),
    metadata: [["processed-by", [["some-tool", "1.2.3"]]]],
  });
  const facts = describeComponent(decode(await componentNew(core)));
  const values = [...facts.producers, ...facts.coreModules.flatMap((module) => module.producers)].flatMap(
    (field) => field.values,
  );
  assert.ok(values.some((value) => value.name === "some-tool" && value.version === "1.2.3"));
});
