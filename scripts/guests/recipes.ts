// Every guest: its sources, its WIT, and how it becomes a component. Paths are relative to `guests/`.

/** Names that a core module exports in AssemblyScript, which has no strings for names, and what they are in WIT. */
export type ExportNames = Readonly<Record<string, string>>;

interface Common {
  /** Folder and name: `c/text` is made from `c/text/` into `c/text.wasm`. */
  readonly name: string;
  /** Files and folders that the result depends on. */
  readonly sources: readonly string[];
  readonly wit: string;
  /** Packages that the world imports from, beside what the file itself has: WIT files of one package each. */
  readonly packages?: readonly string[];
  /** Small ones lie in the repository; the others are built on demand into the cache. */
  readonly committed: boolean;
}

export type Recipe = Common &
  (
    | { readonly tool: "clang" | "wasi-libc"; readonly entry: string }
    | { readonly tool: "rustc"; readonly entry: string }
    | {
        readonly tool: "assemblyscript";
        readonly entry: string;
        readonly runtime: "stub" | "incremental";
        readonly exports: ExportNames;
      }
    | { readonly tool: "wat"; readonly entry: string }
    | { readonly tool: "go"; readonly folder: string; readonly adapter: string }
    | { readonly tool: "componentize-js" | "componentize-qjs"; readonly entry: string }
    | { readonly tool: "componentize-py"; readonly folder: string; readonly module: string; readonly world: string }
  );

export type Tool = Recipe["tool"];

function c(name: string, shared: readonly string[]): Recipe {
  const wit = `c/${name}/${name}.wit`;
  const entry = `c/${name}/${name}.c`;
  return { name: `c/${name}`, tool: "clang", entry, wit, sources: [`c/${name}`, ...shared], committed: true };
}

function rust(name: string): Recipe {
  const wit = `rust/${name}/${name}.wit`;
  const entry = `rust/${name}/${name}.rs`;
  return { name: `rust/${name}`, tool: "rustc", entry, wit, sources: [`rust/${name}`, "rust/abi.rs"], committed: true };
}

function wat(name: string): Recipe {
  const entry = `wat/${name}.wat`;
  return { name: `wat/${name}`, tool: "wat", entry, wit: entry, sources: [entry], committed: true };
}

/** The functions of an interface by their names in the source; each has a post-return `after…`, unless it is told otherwise. */
function interfaceExports(id: string, functions: Readonly<Record<string, string>>, postReturns: boolean): ExportNames {
  const names: Record<string, string> = {};
  for (const [inSource, inWit] of Object.entries(functions)) {
    names[inSource] = `${id}#${inWit}`;
    if (postReturns) names[`after${inSource.charAt(0).toUpperCase()}${inSource.slice(1)}`] = `cabi_post_${id}#${inWit}`;
  }
  return names;
}

function assemblyScript(name: string, wit: string, exports: ExportNames, runtime: "stub" | "incremental" = "stub"): Recipe {
  const folder = `assemblyscript/${name}`;
  return {
    name: folder,
    tool: "assemblyscript",
    entry: `${folder}/${name}.ts`,
    wit: `${folder}/${wit}.wit`,
    sources: [folder, "assemblyscript/abi.ts"],
    runtime,
    exports,
    committed: true,
  };
}

/** The releases of WASI, as jco brings them. */
const WASI = ["cli", "clocks", "filesystem", "http", "io", "random", "sockets"].map(
  (name) => `../node_modules/@bytecodealliance/jco/lib/wit/builtin/0.2.12/wasi-${name}/package.wit`,
);
const WASI_03 = ["cli", "clocks", "filesystem", "http", "random", "sockets"].map(
  (name) => `../node_modules/@bytecodealliance/jco/lib/wit/builtin/0.3.0/wasi-${name}/package.wit`,
);

const GREETING_WIT = "assemblyscript/greeter/greeting.wit";

export const RECIPES: readonly Recipe[] = [
  c("text", ["c/abi.h", "c/unicode.h"]),
  c("sentiment", ["c/abi.h", "c/unicode.h"]),
  c("faults", ["c/abi.h", "c/unicode.h"]),
  c("flaky", ["c/abi.h"]),
  c("room", ["c/abi.h"]),
  {
    name: "c/wordcount",
    tool: "wasi-libc",
    entry: "c/wordcount/component.c",
    wit: "c/wordcount/wordcount.wit",
    sources: ["c/wordcount"],
    committed: true,
  },
  { ...c("members", ["c/abi.h", "c/http.h"]), packages: WASI_03 },
  { ...c("safe-headers", ["c/abi.h", "c/http.h"]), packages: WASI_03 },
  rust("csv"),
  rust("stats"),
  rust("markdown"),
  rust("decorate"),
  {
    name: "rust/shortener",
    tool: "rustc",
    entry: "rust/shortener/shortener.rs",
    wit: "rust/shortener/shortener.wit",
    packages: ["../wit/sql/sql.wit"],
    sources: ["rust/shortener", "rust/abi.rs", "rust/sql.rs"],
    committed: true,
  },
  { ...rust("sessions"), packages: ["wit/config.wit", ...WASI] },
  assemblyScript(
    "greeter",
    "greeting",
    interfaceExports("acme:greeting/greeter@1.0.0", { greet: "greet", languages: "languages" }, true),
  ),
  assemblyScript(
    "template",
    "template",
    interfaceExports("acme:template/templates@1.0.0", { render: "render", fill: "fill", fields: "fields" }, true),
  ),
  assemblyScript("cleaner", "cleaner", {
    clean: "acme:feedback/cleaning@1.0.0#clean",
    afterClean: "cabi_post_acme:feedback/cleaning@1.0.0#clean",
    cleanTextOf: "acme:feedback/cleaning@1.0.0#clean-text",
    afterCleanText: "cabi_post_acme:feedback/cleaning@1.0.0#clean-text",
  }),
  assemblyScript(
    "document",
    "document",
    interfaceExports(
      "acme:document/documents@1.0.0",
      {
        create: "[constructor]document",
        drop: "[dtor]document",
        heading: "[method]document.heading",
        paragraph: "[method]document.paragraph",
        bullet: "[method]document.bullet",
        length: "[method]document.length",
        render: "[method]document.render",
        concat: "[static]document.concat",
        finish: "[static]document.finish",
        alive: "alive",
      },
      false,
    ),
    "incremental",
  ),
  {
    ...assemblyScript("weather", "weather", interfaceExports("acme:weather/reports@1.0.0", { current: "current" }, true)),
    packages: ["wit/keyvalue.wit", "wit/config.wit", ...WASI],
    sources: ["assemblyscript/weather", "assemblyscript/abi.ts", "assemblyscript/http.ts"],
  },
  wat("bench"),
  wat("echo"),
  wat("counter"),
  wat("nested"),
  wat("host"),
  wat("tally"),
  {
    name: "typescript/greeter-qjs",
    tool: "componentize-qjs",
    entry: "typescript/greeter/greeter.ts",
    wit: GREETING_WIT,
    sources: ["typescript/greeter", GREETING_WIT],
    committed: false,
  },
  {
    name: "typescript/greeter-js",
    tool: "componentize-js",
    entry: "typescript/greeter/greeter.ts",
    wit: GREETING_WIT,
    sources: ["typescript/greeter", GREETING_WIT],
    committed: false,
  },
  {
    name: "typescript/gallery",
    tool: "componentize-qjs",
    entry: "typescript/gallery/gallery.ts",
    wit: "typescript/gallery/gallery.wit",
    packages: ["wit/blobstore.wit", "wit/io.wit"],
    sources: ["typescript/gallery"],
    committed: false,
  },
  {
    name: "go/words",
    tool: "go",
    folder: "go/words",
    adapter: "go/inert-wasi.wat",
    wit: "go/words/words.wit",
    sources: ["go/words", "go/inert-wasi.wat"],
    committed: false,
  },
  {
    name: "python/greeter",
    tool: "componentize-py",
    folder: "python/greeter",
    module: "greeter",
    world: "greeting",
    wit: GREETING_WIT,
    sources: ["python/greeter", GREETING_WIT],
    committed: false,
  },
];
