// What the page may load, by its address: the checkout (types stripped from the sources), the scripts of the component model where they
// lie beside it, and libraries as one module each. Nothing else of the machine, and nothing is written.

import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { builtinModules, stripTypeScriptTypes } from "node:module";
import { extname, join, relative, resolve, sep } from "node:path";
import { rolldown } from "rolldown";

export const ROOT = resolve(import.meta.dirname, "../..");
const SHARED = resolve(process.env.STARLANE_CONFORMANCE ?? join(ROOT, "../shared"));

/** Folders by the start of their addresses; a path out of the checkout, `../shared`, means the same in both. */
const FOLDERS: readonly (readonly [prefix: string, folder: string])[] = [
  ["/checkout/", ROOT],
  ["/shared/conformance/", join(SHARED, "conformance")],
  ["/shared/tools/", join(SHARED, "tools")],
];

/** Modules of Node that tests use, each a file of `node/` that does the same in a page. */
const NODE_MODULES = {
  "node:assert/strict": "assert.ts",
  "node:events": "events.ts",
  "node:fs": "fs.ts",
  "node:path": "path.ts",
  "node:process": "process.ts",
  "node:test": "test.ts",
  "node:timers": "timers.ts",
  "node:url": "url.ts",
  "node:util": "util.ts",
};

/** The others: a file that imports one cannot be loaded, and the browser names the module. */
const ABSENT = "/absent.js";

const LIBRARIES = ["@bytecodealliance/jco-transpile/wasm-tools", "@marcbachmann/cel-js", "fast-check", "yaml"];

export interface Served {
  readonly type: string;
  readonly body: string | Uint8Array;
}

// ---- pages

const importMap = JSON.stringify({
  imports: {
    ...Object.fromEntries(builtinModules.map((name) => [name.startsWith("node:") ? name : `node:${name}`, ABSENT])),
    ...Object.fromEntries(Object.entries(NODE_MODULES).map(([name, file]) => [name, `/checkout/test/browser/node/${file}`])),
    ...Object.fromEntries(LIBRARIES.map((name) => [name, `/libraries/${name}.js`])),
  },
});

/** No `eval`: pages may forbid it, and nothing may need it. */
export const CONTENT_SECURITY_POLICY = [
  "default-src 'self'",
  `script-src 'self' 'wasm-unsafe-eval' 'sha256-${createHash("sha256").update(importMap).digest("base64")}'`,
].join("; ");

export function htmlOf(script: "page" | "frame"): Served {
  const body = `<!doctype html>
<meta charset="utf-8">
<title>starlane</title>
<script type="importmap">${importMap}</script>
<body>
<script type="module" src="/checkout/test/browser/${script}.ts"></script>
`;
  return { type: "text/html; charset=utf-8", body };
}

// ---- files

/** The file that an address means, or undefined where it leads out of what is served. */
function pathOf(address: string): string | undefined {
  for (const [prefix, folder] of FOLDERS) {
    if (!`${address}/`.startsWith(prefix)) continue;
    const path = resolve(folder, address.slice(prefix.length));
    return path === folder || path.startsWith(folder + sep) ? path : undefined;
  }
  return undefined;
}

const TYPES: Readonly<Record<string, string>> = {
  ".js": "text/javascript; charset=utf-8",
  ".mjs": "text/javascript; charset=utf-8",
  ".ts": "text/javascript; charset=utf-8",
  ".wasm": "application/wasm",
};

/** `raw`: as it is on the disk. Undefined where there is no such file. */
export function fileAt(address: string, raw: boolean): Served | undefined {
  if (address === ABSENT) return { type: "text/javascript", body: 'throw new Error("a module that only Node has");' };
  const path = pathOf(address);
  if (path === undefined || statSync(path, { throwIfNoEntry: false })?.isFile() !== true) {
    return raw && isFolder(path) ? { type: "text/plain", body: "" } : undefined;
  }
  const bytes = readFileSync(path);
  const type = TYPES[extname(path)] ?? "application/octet-stream";
  if (raw || !type.startsWith("text/javascript")) return { type, body: bytes };
  return { type, body: asModule(path, bytes.toString("utf8")) };
}

/** What is in a folder, as JSON. */
export function folderAt(address: string, recursive: boolean): Served | undefined {
  const path = pathOf(address);
  if (path === undefined || !isFolder(path)) return undefined;
  const start = address.replace(/\/$/, "");
  const entries = readdirSync(path, { recursive, withFileTypes: true }).map((entry) => {
    const below = relative(path, entry.parentPath).split(sep).join("/");
    return { name: entry.name, parentPath: below === "" ? start : `${start}/${below}`, isFile: entry.isFile() };
  });
  return { type: "application/json", body: JSON.stringify(entries) };
}

function isFolder(path: string | undefined): boolean {
  return path !== undefined && statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

function asModule(path: string, text: string): string {
  const stripped = path.endsWith(".ts") ? stripTypeScriptTypes(text, { mode: "strip" }) : text;
  const isSource = path.startsWith(join(ROOT, "src") + sep) && !path.endsWith(".test.ts");
  const isOurs = path.startsWith(import.meta.dirname + sep);
  return isSource || isOurs ? stripped : `${globalsOfNode(stripped)}${stripped}`;
}

/** Tests may take these for granted; the sources may not. On the first line, so that all lines keep their numbers. */
function globalsOfNode(text: string): string {
  const uses = (name: string): boolean =>
    new RegExp(`\\b${name}\\b`).test(text) && !new RegExp(`import[^;]*\\b${name}\\b[^;]*from`).test(text);
  return [
    uses("process") ? 'import process from "node:process";' : "",
    uses("setImmediate") ? 'import { setImmediate } from "node:timers";' : "",
  ].join("");
}

// ---- libraries

const bundles = new Map<string, Promise<Served>>();

export async function libraryAt(address: string): Promise<Served | undefined> {
  const name = /^\/libraries\/(.+)\.js$/.exec(address)?.[1] ?? "";
  if (!LIBRARIES.includes(name)) return undefined;
  let bundle = bundles.get(name);
  if (bundle === undefined) bundles.set(name, (bundle = bundleOf(name)));
  return await bundle;
}

async function bundleOf(name: string): Promise<Served> {
  const bundle = await rolldown({
    input: name,
    cwd: ROOT,
    platform: "browser",
    external: /^node:/,
    logLevel: "silent",
    plugins: [{ name: "addresses", transform: withAddresses }],
  });
  try {
    const { output } = await bundle.generate({ format: "esm", codeSplitting: false });
    return { type: "text/javascript; charset=utf-8", body: output[0].code };
  } finally {
    await bundle.close();
  }
}

/** A module finds the files beside it where it lies in the checkout. */
function withAddresses(code: string, path: string): string | undefined {
  if (!code.includes("import.meta.url")) return undefined;
  const address = `/checkout/${relative(ROOT, path).split(sep).join("/")}`;
  return code.replaceAll("import.meta.url", `(location.origin + ${JSON.stringify(address)})`);
}
