import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { HostStream } from "../../../engine/async/host-streams.ts";
import { compile } from "../../../engine/compile.ts";
import { linkInert } from "../../../capabilities/inert.ts";
import type { Instance } from "../../../engine/engine.ts";
import { printWit } from "../../../wit/print-wit.ts";
import { decode } from "../../../component/decode.ts";
import { validate } from "../../../component/validate.ts";
import { buildComponents, type BuildOutcome, type BuildPlan, buildPlans } from "../build.ts";
import { findLibrary } from "./library.ts";
import type { QjsJob } from "./protocol.ts";
import { buildQuickly, prepareFor, prepareNext } from "./quick-build.ts";
import { buildWhole } from "./whole-build.ts";

const folder = mkdtempSync(join(tmpdir(), "starlane-qjs-"));
const cache = process.env["STARLANE_CACHE"];
before(() => {
  process.env["STARLANE_CACHE"] = join(folder, "cache");
});
after(() => {
  if (cache === undefined) delete process.env["STARLANE_CACHE"];
  else process.env["STARLANE_CACHE"] = cache;
  rmSync(folder, { recursive: true, force: true });
});

function write(name: string, files: Readonly<Record<string, string>>): string {
  const app = join(folder, name);
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(app, file)), { recursive: true });
    writeFileSync(join(app, file), text);
  }
  return app;
}

const GREETER_WIT = "package app:greeter;\nworld greeter { export greet: func(name: string) -> string; }\n";
const MANIFEST = `starlane: v1
components:
  greeter: { from: ./build/greeter.wasm, build: { typescript: ./src/greeter.ts, wit: ./wit } }
`;

function greeter(name: string, source: string, others: Readonly<Record<string, string>> = {}): readonly BuildPlan[] {
  return buildPlans(
    write(name, { "starlane.yaml": MANIFEST, "wit/greeter.wit": GREETER_WIT, "src/greeter.ts": source, ...others }),
  );
}

async function build(plans: readonly BuildPlan[], timeoutMs = 60_000): Promise<BuildOutcome> {
  const [outcome] = await buildComponents(plans, { timeoutMs });
  assert(outcome !== undefined);
  return outcome;
}

async function refusal(plans: readonly BuildPlan[], timeoutMs?: number): Promise<string> {
  const outcome = await build(plans, timeoutMs);
  assert(outcome.kind === "failed", outcome.kind);
  const { code, message, at, cure } = outcome.error;
  const place = at?.slice(at.lastIndexOf("src/")) ?? "";
  return [code, message, place, cure ?? ""].join(" | ").replaceAll(folder, "");
}

function job(app: string, kind: QjsJob["kind"]): QjsJob {
  const library = findLibrary(app);
  assert(library !== undefined);
  const { path, version } = library;
  return {
    kind,
    library: path,
    version,
    entry: join(app, "src/all.ts"),
    root: app,
    wit: join(app, "wit"),
    world: undefined,
    output: join(app, "all.wasm"),
  };
}

async function instanceOf(component: Uint8Array): Promise<Instance> {
  return (await compile(component)).instantiate({ ...linkInert().imports, "app:all/host": { double: (n: number) => n * 2 } });
}

const ALL_WIT = `package app:all@1.2.0;
interface shapes {
  record point { x: f64, y: f64 }
  variant shape { dot(point), line(tuple<point, point>), nothing }
  flags style { bold, wide-open }
  enum colour { red, dark-green }
  resource canvas {
    constructor(name: string);
    add: func(shape: shape) -> u32;
    shapes: func() -> list<shape>;
    dotted: static func(name: string) -> canvas;
  }
  describe: func(shape: shape, style: style, colour: option<colour>) -> result<string, shape>;
}
world all {
  import host: interface { double: func(n: u32) -> u32; }
  export shapes;
  export count: func() -> u32;
  export twice: func(n: u32) -> u32;
  export later: async func(text: string) -> string;
  export letters: async func(text: string) -> stream<string>;
}
`.replace("import host: interface { double: func(n: u32) -> u32; }", "import host;");

const HOST_WIT = "\ninterface host { double: func(n: u32) -> u32; }\n";

const ALL_TS = `import { double } from "app:all/host@1.2.0";
import { Counter } from "./parts/counter.ts";

type Point = { x: number; y: number };
type Shape = { tag: "dot"; val: Point } | { tag: "line"; val: [Point, Point] } | { tag: "nothing" };

const counter: Counter = new Counter(41);
const table = new Map<string, number>([["a", 1]]);
let started = "";
for (let i = 0; i < 20_000; i++) started = String(i);

class Canvas {
  #name: string;
  #shapes: Shape[] = [];
  constructor(name: string) { this.#name = name; }
  add(shape: Shape): number { return this.#shapes.push(shape); }
  shapes(): Shape[] { return this.#shapes; }
  static dotted(name: string): Canvas {
    const canvas = new Canvas(name + name);
    canvas.add({ tag: "dot", val: { x: name.length, y: canvas.#name.length } });
    return canvas;
  }
}

export const shapes = {
  Canvas,
  describe(shape: Shape, style: { bold: boolean; wideOpen: boolean }, colour: string | null): string {
    if (shape.tag === "nothing") throw shape;
    return [shape.tag, style.bold, style.wideOpen, colour, started, table.size].join(" ");
  },
};

export function count(): number { return counter.next(); }
export function twice(n: number): number { return double(n); }
export async function later(text: string): Promise<string> { await null; return text + "!"; }
export async function letters(text: string): Promise<AsyncIterable<string>> {
  return (async function* () { for (const letter of text) yield letter; })();
}
`;

const COUNTER_TS = `export class Counter {
  value: number;
  constructor(value: number) { this.value = value; }
  next(): number { return ++this.value; }
}
`;

/** What a program answers, in all the ways that its world has. */
async function answers(component: Uint8Array): Promise<unknown> {
  const instance = await instanceOf(component);
  const shapes = (name: string, ...args: unknown[]): Promise<unknown> => instance.call(`app:all/shapes#${name}`, args);
  const dot = { tag: "dot", val: { x: 1, y: 2.5 } };
  const canvas = await shapes("[constructor]canvas", "a");
  const added = [await shapes("[method]canvas.add", canvas, dot), await shapes("[method]canvas.add", canvas, { tag: "nothing" })];
  const letters = await instance.call("letters", ["Lane"]);
  assert(letters instanceof HostStream);
  return {
    letters: (await Array.fromAsync(letters)).flat(),
    described: await shapes("describe", dot, { bold: true, wideOpen: false }, "dark-green"),
    refused: await shapes("describe", { tag: "nothing" }, {}, undefined).catch((error: unknown) => error),
    added,
    drawn: await shapes("[method]canvas.shapes", canvas),
    dotted: await shapes("[method]canvas.shapes", await shapes("[static]canvas.dotted", "dot")),
    counted: [await instance.call("count"), await instance.call("count")],
    twice: await instance.call("twice", [21]),
    later: await instance.call("later", ["soon"]),
  };
}

test("a program that is put into a prepared component does what one that is built whole does", async () => {
  const app = write("all", {
    "wit/all.wit": ALL_WIT,
    "wit/host.wit": `package app:all@1.2.0;${HOST_WIT}`,
    "src/all.ts": ALL_TS,
    "src/parts/counter.ts": COUNTER_TS,
  });
  const whole = await buildWhole(job(app, "whole"));
  assert.equal(await buildQuickly(job(app, "quick")), undefined, "nothing is prepared yet");
  await prepareNext(job(app, "quick"), whole);
  const quick = await buildQuickly(job(app, "quick"));
  assert(quick !== undefined);
  const world = (bytes: Uint8Array): string => printWit(validate(decode(bytes)));
  assert.equal(world(quick), world(whole));
  assert.doesNotMatch(world(quick), /starlane-load|export init:/);
  const [one, other] = [await answers(whole), await answers(quick)];
  assert.deepEqual(other, one);
  assert.deepEqual(Reflect.get(Object(one), "counted"), [42, 43]);
  assert.deepEqual(Reflect.get(Object(one), "letters"), ["L", "a", "n", "e"]);
  writeFileSync(join(app, "src/parts/counter.ts"), COUNTER_TS.replace("++this.value", "(this.value += 100)"));
  const changed = await buildQuickly(job(app, "quick"));
  assert(changed !== undefined);
  assert.equal(await (await instanceOf(changed)).call("count"), 141);
});

test("what a program asks of the outside while it is built is not frozen into a quick component", async () => {
  const app = write("outside", {
    "wit/greeter.wit": GREETER_WIT,
    "src/all.ts": "export function greet(name: string): string { return name; }",
  });
  const whole = await buildWhole(job(app, "whole"));
  await prepareNext(job(app, "quick"), whole);
  assert((await buildQuickly(job(app, "quick"))) !== undefined);
  writeFileSync(join(app, "src/all.ts"), "const now = Date.now();\nexport function greet() { return String(now); }");
  assert.equal(await buildQuickly(job(app, "quick")), undefined);
});

test("a quick component is refused with the same places as a whole one", async () => {
  const app = write("mistakes", {
    "wit/greeter.wit": GREETER_WIT,
    "src/all.ts": "export function greet(name: string): string { return name; }",
  });
  await prepareNext(job(app, "quick"), await buildWhole(job(app, "whole")));
  const programs = [
    'import { a } from "./a";\nexport const greet = a;',
    'import _ from "lodash";\nexport const greet = _;',
    'import { a } from "../../../secret.ts";\nexport const greet = a;',
    "export const greet = (;",
    "export enum Greet { hello }",
    "\nnull.greet;\nexport const greet = 1;",
  ];
  for (const program of programs) {
    writeFileSync(join(app, "src/all.ts"), program);
    const told = async (building: Promise<unknown>): Promise<unknown> => {
      const error: unknown = await building.then(
        () => undefined,
        (reason: unknown) => reason,
      );
      assert(error instanceof Error && "details" in error, program);
      const { cure, at } = Object(error.details) as Record<string, unknown>;
      return { message: error.message, cure, at };
    };
    assert.deepEqual(await told(buildQuickly(job(app, "quick"))), await told(buildWhole(job(app, "whole"))));
  }
});

test("a component that was built before is prepared for too", async () => {
  const app = write("before", {
    "wit/greeter.wit": GREETER_WIT.replace("greeter;", "before;"),
    "src/all.ts": "export function greet(name: string): string { return name; }",
  });
  const task = job(app, "quick");
  writeFileSync(task.output, await buildWhole(task));
  assert.equal(await buildQuickly(task), undefined);
  await prepareFor(task);
  assert((await buildQuickly(task)) !== undefined);
});

test("a component is built from several files, and built again only where one of them changes", async () => {
  const plans = greeter("several", 'import { hello } from "./words/hello.mts";\nexport const greet = hello;\n', {
    "src/words/hello.mts": "export function hello(name: string): string { return `Hello, ${name}!`; }",
  });
  assert.equal((await build(plans)).kind, "built");
  assert.equal((await build(plans)).kind, "fresh");
  write("several", { "src/words/hello.mts": "export function hello(name: string): string { return `Hi, ${name}!`; }" });
  assert.equal((await build(plans)).kind, "built");
});

test("what is wrong with a program is told with its place and what to do", async () => {
  const list = [
    await refusal(greeter("no-types", "export function greet(name: string {")),
    await refusal(greeter("enums", "export enum Greet { hello }")),
    await refusal(greeter("throws", '\n\nthrow new Error("no greeting");')),
    await refusal(greeter("ending", 'export { greet } from "./other";', { "src/other.ts": "export function greet() {}" })),
    await refusal(greeter("js-ending", 'export { greet } from "./other.js";', { "src/other.ts": "export function greet() {}" })),
    await refusal(greeter("package", 'export { greet } from "left-pad";')),
    await refusal(
      greeter("no-export", 'import { nothing } from "./other.ts";\nexport const greet = nothing;', { "src/other.ts": "" }),
    ),
    await refusal(
      greeter("bad-wit", "export const greet = 1;", { "wit/greeter.wit": "package app:greeter;\nworld greeter { expor }" }),
    ),
  ];
  const told = list.map((line) => line.replace(/^build\/source \| greeter could not be built: /, ""));
  assert.match(told[0] ?? "", /^Expected .* \| src\/greeter\.ts:1 \| $/);
  assert.match(told[1] ?? "", /^TypeScript enum is not supported .* \| src\/greeter\.ts:1 \| types are only removed: /);
  assert.match(told[2] ?? "", /^Error: no greeting \| src\/greeter\.ts:3:\d+ \| $/);
  assert.match(
    told[3] ?? "",
    /imports "\.\/other", which is no file \| .* \| write the whole name of the file: "\.\/other\.ts"$/,
  );
  assert.match(told[4] ?? "", /\| write the name of the file as it is: "\.\/other\.ts"$/);
  assert.match(told[5] ?? "", /imports "left-pad", which is a package \| .* \| import only files of the app/);
  assert.match(told[6] ?? "", /nothing/);
  assert.match(told[7] ?? "", /wit: expected /);
  for (const line of list) assert.doesNotMatch(line, /starlane-build-|\/tmp|node_modules/);
});

test("a program that does not end is stopped, and the next one is built", async () => {
  const plans = greeter("endless", "for (;;);");
  assert.match(await refusal(plans, 2500), /^build\/timeout \| .* \| code outside of functions runs while it is built/);
  write("endless", { "src/greeter.ts": "export function greet(name: string): string { return name; }" });
  assert.equal((await build(plans)).kind, "built");
});

test("files that the manifest names must be there", async () => {
  const plans = greeter("missing", "");
  rmSync(join(folder, "missing/src/greeter.ts"));
  assert.match(await refusal(plans), /^star\/file \| greeter is built from .*greeter\.ts, which is not there/);
  write("missing", { "src/greeter.ts": "" });
  rmSync(join(folder, "missing/wit"), { recursive: true });
  assert.match(await refusal(plans), /there is no WIT at wit \| .* \| let `wit` name a \.wit file/);
});
