// Builds `dist/` for publishing. The library: every source with its types stripped, import endings rewritten from `.ts` to `.js` (Node
// refuses to strip types under `node_modules`). The command: bundled into a few files, because loading a hundred takes as long as
// everything else that a short command does (measured: 40 of 150 ms). The dashboard. A clone runs the sources as they are.

import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";
import { buildDashboard } from "./build-dashboard.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

/** Writes `dist/` into `to`; the answer is how many files of the library were written. */
export async function build(to = join(root, "dist")): Promise<number> {
  rmSync(to, { recursive: true, force: true });
  const sources = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" }).filter(isLibrarySource);
  for (const source of sources) {
    const target = join(to, source.replace(/\.ts$/, ".js"));
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, toJavaScript(readFileSync(join(root, "src", source), "utf8")));
  }
  writeDeclarations(to);
  await bundleCommand(join(to, "cli"));
  await buildDashboard(join(to, "dashboard"));
  return sources.length;
}

/** The types of what the package exports, for those who use it from TypeScript. */
function writeDeclarations(to: string): void {
  execFileSync(join(root, "node_modules/.bin/tsc"), ["-p", join(root, "tsconfig.build.json"), "--outDir", to], {
    stdio: "inherit",
  });
  for (const file of readdirSync(to, { recursive: true, encoding: "utf8" })) {
    if (!file.endsWith(".d.ts")) continue;
    const path = join(to, file);
    writeFileSync(path, withJavaScriptEndings(readFileSync(path, "utf8")));
  }
}

function isLibrarySource(file: string): boolean {
  return (
    file.endsWith(".ts") && !/\.(test|d)\.ts$/.test(file) && !/(^|[\\/])(cli|fixtures)[\\/]|(^|[\\/])conformance\.ts$/.test(file)
  );
}

/** `strip` leaves blanks where types stood, so that lines and columns in stack traces are those of the sources. */
function toJavaScript(source: string): string {
  const stripped = stripTypeScriptTypes(source, { mode: "strip" });
  return withJavaScriptEndings(stripped);
}

function withJavaScriptEndings(source: string): string {
  return source.replace(/((?:\bfrom|\bimport)\s*\(?\s*)(["'])(\.{1,2}\/[^"'\n]*)\.ts\2/g, "$1$2$3.js$2");
}

/** What every short command needs is one file; what only some need stands in files of their own. */
async function bundleCommand(folder: string): Promise<void> {
  const bundle = await rolldown({
    input: join(root, "src/cli/main.ts"),
    platform: "node",
    external: /^elkjs/,
    logLevel: "warn",
    checks: { ineffectiveDynamicImport: false },
  });
  const needed = sourcesOf(["invoke", join(root, "guests/wat/bench.wasm"), "add", "--left", "1", "--right", "2"]);
  try {
    await bundle.write({
      dir: folder,
      format: "esm",
      chunkFileNames: "[name]-[hash].js",
      codeSplitting: { groups: [{ name: "start", test: (id: string) => needed.has(id) }] },
      // Names and lines stay, for stack traces that can be read; blanks and comments only take time to load.
      minify: { compress: false, mangle: false, codegen: { removeWhitespace: true } },
    });
  } finally {
    await bundle.close();
  }
}

/** The sources that a command loads. */
function sourcesOf(command: readonly string[]): ReadonlySet<string> {
  const hook = `import { registerHooks } from "node:module"; import { writeSync } from "node:fs";
    registerHooks({ load(url, context, next) { writeSync(3, url + "\\n"); return next(url, context); } });`;
  const { status, output } = spawnSync(
    process.execPath,
    ["--import", `data:text/javascript,${encodeURIComponent(hook)}`, join(root, "src/cli/main.ts"), ...command],
    { stdio: ["ignore", "ignore", "inherit", "pipe"], encoding: "utf8", env: { ...process.env, STARLANE_CACHE: "off" } },
  );
  if (status !== 0) throw new Error(`${command.join(" ")} ended with status ${status}`);
  const urls = (output[3] ?? "").split("\n").filter((url) => url.startsWith("file:"));
  return new Set(urls.map((url) => fileURLToPath(url)));
}

if (import.meta.main) {
  const to = join(root, "dist");
  const count = await build(to);
  console.log(`built ${count} files and the command into ${relative(process.cwd(), to) || "."}`);
}
