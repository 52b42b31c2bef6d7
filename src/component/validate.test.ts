import assert from "node:assert/strict";
import { test } from "node:test";
import { parse } from "@bytecodealliance/jco-transpile/wasm-tools";
import { StarlaneError } from "../base/errors.ts";
import type { ExternType, NamedExtern, WorldType } from "../wit/types.ts";
import { decode } from "./decode.ts";
import { validate } from "./validate.ts";

async function worldOf(wat: string): Promise<WorldType> {
  return validate(decode(await parse(wat)));
}

async function assertInvalid(wat: string, message: RegExp): Promise<StarlaneError> {
  const bytes = await parse(wat);
  try {
    validate(decode(bytes));
  } catch (error) {
    assert.ok(error instanceof StarlaneError, String(error));
    assert.match(error.message, message);
    return error;
  }
  throw new assert.AssertionError({ message: `expected an error like ${message}` });
}

function named(list: readonly NamedExtern[], name: string): ExternType {
  const found = list.find((item) => item.name === name);
  assert.ok(found !== undefined, `no ${name}`);
  return found.type;
}

function exportOf(type: ExternType, name: string): ExternType {
  assert.equal(type.kind, "instance");
  return type.kind === "instance" ? named(type.exports, name) : type;
}

const LIFT = `
  (core module $m (memory (export "mem") 1)
    (func (export "f") (param i32 i32) (result i32) i32.const 0)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) i32.const 0))
  (core instance $i (instantiate $m))`;

test("a world has the imports and exports of the component with their types", async () => {
  const world = await worldOf(`(component
    (import "log" (func (param "line" string)))
    ${LIFT}
    (func (export "greet") (param "name" string) (result string)
      (canon lift (core func $i "f") (memory (core memory $i "mem")) (realloc (core func $i "realloc")))))`);
  assert.deepEqual(world, {
    imports: [{ name: "log", type: { kind: "func", async: false, params: [{ name: "line", type: { kind: "string" } }] } }],
    exports: [
      {
        name: "greet",
        type: { kind: "func", async: false, params: [{ name: "name", type: { kind: "string" } }], result: { kind: "string" } },
      },
    ],
  });
});

test("records, variants, enums, flags and resources carry the names they are exported under", async () => {
  const world = await worldOf(`(component
    (import "a:b/shapes@1.0.0" (instance
      (type $color (enum "red" "green")) (export "color" (type $c (eq $color)))
      (type $point (record (field "x" f64) (field "c" $c))) (export "point" (type $p (eq $point)))
      (type $perm (flags "r" "w")) (export "perm" (type $perm' (eq $perm)))
      (type $shape (variant (case "dot" $p) (case "none"))) (export "shape" (type $s (eq $shape)))
      (export "canvas" (type $canvas (sub resource)))
      (export "[constructor]canvas" (func (result (own $canvas))))
      (export "[method]canvas.draw" (func (param "self" (borrow $canvas)) (param "what" (list $s)) (result (result $perm'))))
    )))`);
  const shapes = named(world.imports, "a:b/shapes@1.0.0");
  const draw = exportOf(shapes, "[method]canvas.draw");
  assert.ok(draw.kind === "func");
  const [self, what] = draw.params;
  const color = { kind: "enum", labels: ["red", "green"], name: "color" };
  const point = {
    kind: "record",
    fields: [
      { name: "x", type: { kind: "f64" } },
      { name: "c", type: color },
    ],
    name: "point",
  };
  const canvas = { kind: "resource", name: "canvas", interface: "a:b/shapes@1.0.0" };
  assert.deepEqual(self?.type, { kind: "borrow", resource: canvas });
  assert.deepEqual(what?.type, {
    kind: "list",
    element: {
      kind: "variant",
      cases: [
        { name: "dot", type: point },
        { name: "none", type: undefined },
      ],
      name: "shape",
    },
    length: undefined,
  });
  const make = exportOf(shapes, "[constructor]canvas");
  const entry = exportOf(shapes, "canvas");
  assert.ok(make.kind === "func" && make.result?.kind === "own" && self?.type.kind === "borrow" && entry.kind === "type");
  assert.equal(make.result.resource, self.type.resource, "one resource is one object");
  assert.equal(entry.type, self.type.resource);
});

test("an imported resource that is used by an exported function is the same object", async () => {
  const world = await worldOf(`(component
    (import "a:b/io" (instance $io (export "s" (type (sub resource)))))
    (alias export $io "s" (type $s))
    (core func $drop (canon resource.drop $s))
    (func (export "close") (param "s" (own $s)) (canon lift (core func $drop))))`);
  const close = named(world.exports, "close");
  const resource = exportOf(named(world.imports, "a:b/io"), "s");
  assert.ok(close.kind === "func" && close.params[0]?.type.kind === "own" && resource.kind === "type");
  assert.equal(close.params[0].type.resource, resource.type);
});

test("two instances of one component have different resources, two exports of one resource the same", async () => {
  const world = await worldOf(`(component
    (component $c (type $r (resource (rep i32))) (export "r" (type $r)) (export "again" (type $r)))
    (instance $a (instantiate $c)) (instance $b (instantiate $c))
    (export "a" (instance $a)) (export "b" (instance $b)))`);
  const type = (instance: string, name: string): unknown => {
    const found = exportOf(named(world.exports, instance), name);
    return found.kind === "type" ? found.type : undefined;
  };
  assert.notEqual(type("a", "r"), type("b", "r"));
  assert.equal(type("a", "r"), type("a", "again"));
});

test("async functions, streams, futures and implements are part of the world", async () => {
  const world = await worldOf(`(component
    (import "main" (implements "a:b/store") (instance (export "get" (func async (param "k" string) (result (stream u8))))))
    (import "later" (func async (result (future)))))`);
  assert.equal(world.imports[0]?.implements, "a:b/store");
  assert.deepEqual(exportOf(named(world.imports, "main"), "get"), {
    kind: "func",
    async: true,
    params: [{ name: "k", type: { kind: "string" } }],
    result: { kind: "stream", element: { kind: "u8" } },
  });
});

test("core modules and components in a world show what they import and export", async () => {
  const world = await worldOf(`(component
    (core type $t (module (import "env" "f" (func (param i32))) (export "m" (memory 1 2)) (export "g" (global (mut i64)))))
    (import "plugin" (core module (type $t)))
    (import "child" (component (import "x" (func)) (export "y" (func (result u8))))))`);
  assert.deepEqual(named(world.imports, "plugin"), {
    kind: "core-module",
    imports: [{ module: "env", name: "f", type: "(func (param i32))" }],
    exports: [
      { name: "m", type: "(memory 1 2)" },
      { name: "g", type: "(global (mut i64))" },
    ],
  });
  const child = named(world.imports, "child");
  assert.ok(child.kind === "component");
  assert.deepEqual([child.imports[0]?.name, child.exports[0]?.name], ["x", "y"]);
});

test("an error names the definition at fault by its offset", async () => {
  const error = await assertInvalid(`(component (type (tuple u8)) (type (own 0)))`, /type 0 is not a resource type/);
  assert.equal(error.code, "component/invalid");
  assert.equal(error.at, "byte 0xe");
  assert.deepEqual(error.data, { offset: 14 });
});

test("instantiation needs every import, of the right type", async () => {
  const child = `(component $c (import "f" (func (param "x" u32))))`;
  await assertInvalid(`(component ${child} (instance (instantiate $c)))`, /missing import named `f`/);
  await assertInvalid(
    `(component ${child} (import "g" (func $g (param "x" u64))) (instance (instantiate $c (with "f" (func $g)))))`,
    /argument `f`, parameter `x`: expected type u32, found u64/,
  );
  await assertInvalid(
    `(component ${child} (import "g" (func $g (param "y" u32))) (instance (instantiate $c (with "f" (func $g)))))`,
    /expected a parameter named `x`, found `y`/,
  );
  await assertInvalid(
    `(component ${child} (import "g" (func $g async (param "x" u32))) (instance (instantiate $c (with "f" (func $g)))))`,
    /expected a function that is not async/,
  );
  await assertInvalid(
    `(component ${child} (import "g" (instance $g)) (instance (instantiate $c (with "f" (instance $g)))))`,
    /expected a func, found an instance/,
  );
});

test("instances may export more than is asked for, and components import less", async () => {
  await worldOf(`(component
    (component $c (import "i" (instance (export "f" (func)))))
    (import "big" (instance $big (export "f" (func)) (export "g" (func))))
    (instance (instantiate $c (with "i" (instance $big)))))`);
  await worldOf(`(component
    (component $c (import "k" (component (import "a" (func)) (import "b" (func)))))
    (component $small (import "a" (func)) (export "more" (func 0)))
    (instance (instantiate $c (with "k" (component $small)))))`);
  await assertInvalid(
    `(component
      (component $c (import "k" (component (import "a" (func)))))
      (component $hungry (import "a" (func)) (import "b" (func)))
      (instance (instantiate $c (with "k" (component $hungry)))))`,
    /imports `b`, which the expected type does not offer/,
  );
});

test("a type given for an import is a name for the types made of it", async () => {
  await worldOf(`(component
    (type $rec (record (field "x" u32)))
    (import "types" (instance $types (export "rec" (type (eq $rec)))))
    (component $c
      (type $rec (record (field "x" u32)))
      (import "types" (instance $t (export "rec" (type (eq $rec)))))
      (alias export $t "rec" (type $rec'))
      (import "f" (func $f (result $rec')))
      (export "f2" (func $f)))
    (alias export $types "rec" (type $r))
    (import "f" (func $f (result $r)))
    (instance $c' (instantiate $c (with "types" (instance $types)) (with "f" (func $f))))
    (export "f" (func $c' "f2")))`);
  await worldOf(`(component
    (import "r" (type $r (sub resource)))
    (component $c (import "t" (type $t (sub resource))) (import "f" (func $f (result (own $t)))) (export "f2" (func $f)))
    (import "f" (func $f (result (own $r))))
    (instance $c' (instantiate $c (with "t" (type $r)) (with "f" (func $f))))
    (export "f" (func $c' "f2")))`);
});

test("an import cannot depend on what the component itself defines or exports", async () => {
  await assertInvalid(
    `(component (type $r (resource (rep i32))) (import "r" (type (eq $r))))`,
    /import `r`: the type uses a type that has no name/,
  );
  await assertInvalid(
    `(component (type $rec (record (field "x" u8))) (export $e "rec" (type $rec)) (import "f" (func (param "r" $e))))`,
    /import `f`: the func uses a type that has no name of its own among the imports/,
  );
});

test("core modules are linked only where the types of imports and exports match", async () => {
  const instantiate = (imported: string, exported: string): string => `(component
    (core module $a ${exported})
    (core module $b ${imported})
    (core instance $a (instantiate $a))
    (core instance (instantiate $b (with "a" (instance $a)))))`;
  await worldOf(instantiate(`(import "a" "m" (memory 1))`, `(memory (export "m") 2)`));
  await worldOf(instantiate(`(import "a" "g" (global funcref))`, `(global (export "g") (ref null func) (ref.null nofunc))`));
  await assertInvalid(
    instantiate(`(import "a" "m" (memory 3))`, `(memory (export "m") 2)`),
    /the core module imports \(memory 3\)/,
  );
  await assertInvalid(instantiate(`(import "a" "m" (memory 1 2))`, `(memory (export "m") 2)`), /type mismatch/);
  await assertInvalid(
    instantiate(`(import "a" "f" (func (param i64)))`, `(func (export "f") (param i32))`),
    /imports \(func \(param i64\)\), given is \(func \(param i32\)\)/,
  );
  await assertInvalid(instantiate(`(import "a" "f" (func))`, ``), /has no such export/);
  await assertInvalid(instantiate(`(import "b" "f" (func))`, ``), /missing argument `b`/);
});

test("core function types are equal across modules when their recursion groups are", async () => {
  const group = (extra: string): string =>
    `(rec (type $s (struct (field (ref null $f)))) (type $f (func (param (ref null $s))${extra})))`;
  const link = (given: string): string => `(component
    (core module $a (type (func)) ${given} (func (export "f") (type $f) unreachable))
    (core module $b ${group("")} (import "a" "f" (func (type $f))))
    (core instance $a (instantiate $a))
    (core instance (instantiate $b (with "a" (instance $a)))))`;
  await worldOf(link(group("")));
  await assertInvalid(link(group(" (result i32)")), /type mismatch/);
});

test("lifting checks the core signature and the options that the types need", async () => {
  const lift = (type: string, options: string): string =>
    `(component ${LIFT} (func ${type} (canon lift (core func $i "f") ${options})))`;
  const memory = `(memory (core memory $i "mem"))`;
  const realloc = `(realloc (core func $i "realloc"))`;
  await worldOf(lift(`(param "s" string) (result string)`, `${memory} ${realloc}`));
  await assertInvalid(lift(`(param "s" string) (result string)`, memory), /`realloc` is required/);
  await assertInvalid(lift(`(param "a" u32) (param "b" u32) (result string)`, ``), /`memory` is required/);
  await assertInvalid(lift(`(param "a" u32) (result u32)`, ``), /expected \(func \(param i32\) \(result i32\)\)/);
  await assertInvalid(
    lift(`(param "s" string) (result string)`, `${memory} (realloc (core func $i "f"))`),
    /option `realloc` uses a core function/,
  );
});

test("types that are too large or too deep are refused, whatever shares them", async () => {
  const chain = (first: string, next: (i: number) => string, length: number): string =>
    `(component (type $t0 ${first}) ${Array.from({ length }, (_, i) => `(type $t${i + 1} ${next(i)})`).join("\n")})`;
  await assertInvalid(
    chain("(tuple u8)", (i) => `(tuple $t${i} $t${i})`, 22),
    /too large: more than 1000000 parts/,
  );
  await assertInvalid(
    chain("(option u8)", (i) => `(option $t${i})`, 110),
    /nested more than 100 levels/,
  );
  await assertInvalid(
    `(component
      (type $i0 (instance (export "r" (type (sub resource)))))
      ${Array.from({ length: 40 }, (_, i) => `(type $i${i + 1} (instance (export "a" (instance (type $i${i}))) (export "b" (instance (type $i${i})))))`).join("\n")}
      (import "x" (instance (type $i40))))`,
    /too large/,
  );
});

test("the work of validation is bounded where one large type is used very often", async () => {
  const labels = Array.from({ length: 400 }, (_, i) => `(export "r${i}" (type (sub resource)))`).join("");
  const imports = Array.from({ length: 4000 }, (_, i) => `(import "i${i}" (instance (type $big)))`).join("");
  await assertInvalid(`(component (type $big (instance ${labels})) ${imports})`, /too large to check/);
});

test("values have a type and are used exactly once", () => {
  const component = (...sections: number[][]): Uint8Array =>
    Uint8Array.from([0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0, ...sections.flatMap(([id = 0, ...body]) => [id, body.length, ...body])]);
  const value = [12, 1, 0x7d, 1, 42];
  const exported = (name: number): number[] => [11, 1, 0, 1, name, 0x02, 0, 0];
  assert.deepEqual(validate(decode(component(value, exported(0x61)))).exports, [
    { name: "a", type: { kind: "value", type: { kind: "u8" } } },
  ]);
  const message = (bytes: Uint8Array): string => {
    try {
      validate(decode(bytes));
    } catch (error) {
      return String(error);
    }
    return "valid";
  };
  assert.match(message(component(value)), /value 0 is never used/);
  assert.match(message(component(value, exported(0x61), exported(0x62))), /used more than once/);
  assert.match(message(component([12, 1, 0x7f, 1, 2])), /bool must be 0x00 or 0x01/);
  assert.match(message(component([12, 1, 0x73, 3, 1, 0x61, 0x62])), /shorter than its bytes/);
});

test("names of a hostile component are short and harmless in errors", async () => {
  const long = `a${"b".repeat(5000)}`;
  const wrong = await assertInvalid(
    `(component
      (type $d (record (field "${long}" u8)))
      (import "r" (type $r (eq $d)))
      (import "i" (func $i (param "x" $r)))
      (component $c (import "f" (func (param "x" u8))))
      (instance (instantiate $c (with "f" (func $i)))))`,
    /expected type u8, found record/,
  );
  assert.ok(wrong.message.length < 500, `${wrong.message.length} characters`);
  const escapes = await assertInvalid(
    `(component
      (core module $m (import "\\1b[2J" "a" (func)))
      (component $c (import "m" (core module (import "b" "c" (func)))))
      (instance (instantiate $c (with "m" (core module $m)))))`,
    /the module imports/,
  );
  assert.doesNotMatch(escapes.message, /\p{Cc}/u);
});
