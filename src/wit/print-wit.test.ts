import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { componentEmbed, componentNew, componentWit } from "@bytecodealliance/jco-transpile/wasm-tools";
import fc from "fast-check";
import { decode } from "../component/decode.ts";
import { validate } from "../component/validate.ts";
import { arbitraryType } from "./arbitrary.ts";
import { printWit } from "./print-wit.ts";
import { printTypeWhole } from "./type-text.ts";
import type { ExternType, NamedExtern, ResourceType, ValType, WorldType } from "./types.ts";

const BUILTIN = new URL("../../node_modules/@bytecodealliance/jco/lib/wit/builtin/", import.meta.url);

/** All packages of a WASI version, each in braces so that they fit behind another package. */
function wasi(version: string): string {
  const folder = new URL(`${version}/`, BUILTIN);
  return readdirSync(folder)
    .map((name) => readFileSync(new URL(`${name}/package.wit`, folder), "utf8"))
    .map((text) => `${text.replace(/^package ([^;]+);/m, "package $1 {")}\n}\n`)
    .join("\n");
}

/** A component that imports and exports what a world says, and does nothing. */
async function component(witSource: string, world: string): Promise<Uint8Array> {
  return componentNew(await componentEmbed({ witSource, dummy: true, world, features: { tag: "all" } }));
}

/** Every function of a world with its types written out, and what it imports and exports: what a component can see of it. */
function surface(world: WorldType): string[] {
  const lines = (prefix: string, { name, type }: NamedExtern): string[] => {
    if (type.kind === "instance")
      return [`${prefix} ${name}`, ...type.exports.flatMap((item) => lines(`${prefix} ${name}`, item))];
    if (type.kind !== "func") return [];
    const params = type.params.map((param) => `${param.name}: ${printTypeWhole(param.type, Infinity)}`).join(", ");
    const result = type.result === undefined ? "" : printTypeWhole(type.result, Infinity);
    return [`${prefix} ${name}: ${type.async ? "async " : ""}(${params}) -> ${result}`];
  };
  const all = [
    ...world.imports.flatMap((item) => lines("import", item)),
    ...world.exports.flatMap((item) => lines("export", item)),
  ];
  return all.toSorted();
}

/** What is printed for a component describes the same component again, to us and to wasm-tools. */
async function roundTrip(source: string, world: string): Promise<string> {
  const original = await component(source, world);
  const type = validate(decode(original));
  const text = printWit(type);
  const again = await component(text, "root").catch((error: unknown) => assert.fail(`${String(error)}\n${text}`));
  assert.deepEqual(surface(validate(decode(again))), surface(type));
  assert.equal(await componentWit(again), await componentWit(original));
  return text;
}

for (const [version, world] of [
  ["0.2.12", "wasi:cli/command@0.2.12"],
  ["0.2.12", "wasi:http/proxy@0.2.12"],
  ["0.3.0", "wasi:cli/command@0.3.0"],
  ["0.3.0", "wasi:http/service@0.3.0"],
] as const) {
  test(`the WIT of a component of ${world} describes the same component`, async () => {
    await roundTrip(`package test:it@1.0.0;\nworld w { include ${world}; }\n${wasi(version)}`, "w");
  });
}

const EVERYTHING = `package my:app@1.0.0;
interface types {
  record point { x: f64, y: f64 }
  type points = list<point>;
  type id = u64;
  flags rights { read, write }
  enum %enum { a, %bool }
  variant shape { dot, circle(f32), poly(points), %record(tuple<id, %enum>) }
  resource file {
    constructor(name: string);
    read: func(n: u32) -> result<list<u8>, errno>;
    open: static func(name: string, r: rights) -> result<file, errno>;
    same: func(other: borrow<file>) -> option<option<bool>>;
  }
  resource conn { constructor() -> result<conn, string>; }
  resource bare;
  type errno = s32;
  draw: func(s: shape, at: point) -> points;
  give: func() -> bare;
  %list: func(%type: char, %interface: list<string>);
}
interface store {
  use types.{point, file as document, errno};
  put: func(d: document, at: point) -> result<_, errno>;
  lend: func(d: borrow<document>) -> errno;
}
interface %interface { use types.{%enum as %record}; f: func(a: %record); }
world w {
  use types.{point, rights};
  record local { at: point, r: rights }
  resource res { constructor(a: u8); m: func() -> local; }
  import types;
  import %interface;
  import log: func(msg: string, l: local);
  import inline: interface { use types.{file}; record thing { a: u8 } get: func(f: file) -> thing; }
  export store;
  export types;
  export run: async func(l: local, r: res) -> result<_, string>;
  export out: interface { ping: func(%s8: s8) -> tuple<u64>; }
}`;

test("every construct of WIT is printed: the world first, then each package with its interfaces", async () => {
  assert.equal(
    await roundTrip(EVERYTHING, "w"),
    `package root:component;

world root {
  use my:app/types@1.0.0.{point, rights};
  record local {
    at: point,
    r: rights,
  }
  resource res {
    constructor(a: u8);
    m: func() -> local;
  }
  import my:app/types@1.0.0;
  import my:app/%interface@1.0.0;
  import inline: interface {
    use my:app/types@1.0.0.{file};
    record thing {
      a: u8,
    }
    get: func(f: file) -> thing;
  }
  import log: func(msg: string, l: local);
  export run: async func(l: local, r: res) -> result<_, string>;
  export my:app/types@1.0.0;
  export my:app/store@1.0.0;
  export out: interface {
    ping: func(%s8: s8) -> tuple<u64>;
  }
}

package my:app@1.0.0 {
  interface types {
    record point {
      x: f64,
      y: f64,
    }
    flags rights {
      read,
      write,
    }
    resource file {
      constructor(name: string);
      read: func(n: u32) -> result<list<u8>, errno>;
      open: static func(name: string, r: rights) -> result<file, errno>;
      same: func(other: borrow<file>) -> option<option<bool>>;
    }
    type errno = s32;
    resource conn {
      constructor() -> result<conn, string>;
    }
    type points = list<point>;
    type id = u64;
    enum %enum {
      a,
      %bool,
    }
    variant shape {
      dot,
      circle(f32),
      poly(points),
      %record(tuple<id, %enum>),
    }
    resource bare;
    draw: func(s: shape, at: point) -> points;
    give: func() -> bare;
    %list: func(%type: char, %interface: list<string>);
  }

  interface %interface {
    enum %record {
      a,
      %bool,
    }
    f: func(a: %record);
  }

  interface store {
    use types.{point, file as document, errno};
    put: func(d: document, at: point) -> result<_, errno>;
    lend: func(d: borrow<document>) -> errno;
  }
}
`,
  );
});

test("functions of any types print as WIT that means the same types, also where these have no names", async () => {
  const types = arbitraryType({ depth: 3, without: ["map", "fixed-list"] });
  await fc.assert(
    fc.asyncProperty(types, types, async (param, result) => {
      const func: ExternType = { kind: "func", async: false, params: [{ name: "a", type: param }], result };
      const instance: ExternType = { kind: "instance", exports: [{ name: "f", type: func }] };
      const world: WorldType = { imports: [{ name: "a:b/c", type: instance }], exports: [{ name: "f", type: func }] };
      const again = validate(decode(await component(printWit(world), "root")));
      assert.deepEqual(surface(again), surface(world));
    }),
    { numRuns: 40 },
  );
});

const u8: ValType = { kind: "u8" };
const noop: ExternType = { kind: "func", async: false, params: [] };

test("a type without a name is named by where it stands, and not shared with another place", () => {
  const record = (): ValType => ({ kind: "record", fields: [{ name: "way", type: { kind: "enum", labels: ["up", "down"] } }] });
  const func = (result: ValType): ExternType => ({
    kind: "func",
    async: false,
    params: [{ name: "at", type: record() }],
    result,
  });
  const exports = [
    { name: "go", type: func(record()) },
    { name: "try", type: func({ kind: "result", ok: record(), error: { kind: "enum", labels: ["no"] } }) },
  ];
  const text = printWit({ imports: [], exports });
  assert.match(
    text,
    /export go: func\(at: go-at\) -> go-output;\n {2}export try: func\(at: try-at\) -> result<try-output, try-error>;/,
  );
  assert.match(text, /record go-output \{\n {4}way: go-output-way,\n {2}\}/);
  assert.match(text, /enum try-error \{\n {4}no,\n {2}\}/);
});

test("an interface that is imported and exported is printed once, with what either has", () => {
  const instance = (...names: string[]): ExternType => ({
    kind: "instance",
    exports: names.map((name) => ({ name, type: noop })),
  });
  const world: WorldType = {
    imports: [{ name: "a:b/c@1.0.0", type: instance("one", "two") }],
    exports: [{ name: "a:b/c@1.0.0", type: instance("two", "three") }],
  };
  assert.equal(
    printWit(world, { package: "a:b@1.0.0", world: "c" }),
    `package a:b@1.0.0;

world c-world {
  import c;
  export c;
}

interface c {
  one: func();
  two: func();
  three: func();
}
`,
  );
});

test("what WIT has no words for is a comment, whatever its name is", () => {
  const world: WorldType = {
    imports: [
      { name: "mod", type: { kind: "core-module", imports: [], exports: [] } },
      { name: "x\n}", type: { kind: "component", imports: [], exports: [] } },
      { name: "v", type: { kind: "value", type: u8 } },
    ],
    exports: [
      { name: "a:b/c", type: { kind: "instance", exports: [{ name: "inner", type: { kind: "instance", exports: [] } }] } },
    ],
  };
  assert.equal(
    printWit(world),
    `package root:component;

world root {
  // import "mod" (core-module): WIT has no words for it
  // import "x\\n}" (component): WIT has no words for it
  // import "v" (value): WIT has no words for it
  export a:b/c;
}

package a:b {
  interface c {
    // "inner" (instance): WIT has no words for it
  }
}
`,
  );
});

test("an instance under a plain name that implements an interface names it", () => {
  const store: ExternType = { kind: "instance", exports: [{ name: "get", type: noop }] };
  const world: WorldType = {
    imports: [
      { name: "primary", implements: "wasi:keyvalue/store", type: store },
      { name: "secondary", implements: "wasi:keyvalue/store", type: store },
    ],
    exports: [],
  };
  assert.match(printWit(world), /import primary: wasi:keyvalue\/store;\n {2}import secondary: wasi:keyvalue\/store;/);
});

test("a resource that no interface exports is still declared", () => {
  const resource: ResourceType = { kind: "resource", name: "handle" };
  const world: WorldType = {
    imports: [],
    exports: [{ name: "f", type: { kind: "func", async: false, params: [{ name: "a", type: { kind: "borrow", resource } }] } }],
  };
  assert.match(printWit(world), /resource handle;\n {2}export f: func\(a: borrow<handle>\);/);
});

test("types that would be endless written out end in bounded text", () => {
  let type: ValType = u8;
  for (let i = 0; i < 90; i++) type = { kind: "tuple", types: [type, type] };
  const func: ExternType = { kind: "func", async: false, params: [{ name: "a", type }] };
  const world: WorldType = { imports: [], exports: [{ name: "f", type: func }] };
  assert.ok(printWit(world).length < 2_000_000);
  const many = Array.from({ length: 10_000 }, (_, i) => ({ name: `f${i}`, type: func }));
  assert.throws(() => printWit({ imports: [], exports: many }), { code: "wit/type-too-big" });
});
