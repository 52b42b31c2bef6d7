// Builds the dashboard: the page, one script and one that is loaded when the first flow is drawn, one style sheet, and the licences of what is
// inside. Names carry a digest of the content, so that browsers may keep them for good. Nothing in it comes from the network.

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, extname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";

const root = fileURLToPath(new URL("..", import.meta.url));
const source = join(root, "dashboard");

/** Writes `index.html` and `assets/` into `to`, which is emptied before. */
export async function buildDashboard(to: string): Promise<void> {
  rmSync(to, { recursive: true, force: true });
  mkdirSync(join(to, "assets"), { recursive: true });
  const { script, modules } = await bundle(to);
  const style = writeAsset(to, "style.css", styles());
  const icon = writeAsset(to, "star.svg", readFileSync(join(source, "star.svg"), "utf8"));
  writeFileSync(join(to, "licenses.txt"), licenses(modules));
  const page = readFileSync(join(source, "index.html"), "utf8");
  writeFileSync(join(to, "index.html"), page.replace("ICON", icon).replace("STYLE", style).replace("SCRIPT", script));
}

async function bundle(to: string): Promise<{ readonly script: string; readonly modules: readonly string[] }> {
  const made = await rolldown({
    input: join(source, "main.tsx"),
    platform: "browser",
    logLevel: "warn",
    // "use client" means nothing to a page.
    onLog: (level, log, report) => {
      if (log.code !== "MODULE_LEVEL_DIRECTIVE") report(level, log);
    },
    transform: { jsx: { runtime: "automatic", development: false }, define: { "process.env.NODE_ENV": '"production"' } },
  });
  try {
    const { output } = await made.write({
      dir: to,
      format: "esm",
      minify: true,
      entryFileNames: "assets/[name]-[hash].js",
      chunkFileNames: "assets/[name]-[hash].js",
    });
    const chunks = output.filter((file) => file.type === "chunk");
    const entry = chunks.find((chunk) => chunk.isEntry);
    if (entry === undefined) throw new Error("the bundle has no entry");
    return { script: `./${entry.fileName}`, modules: chunks.flatMap((chunk) => Object.keys(chunk.modules)) };
  } finally {
    await made.close();
  }
}

/** What the graph needs, then ours in the order of their names. */
function styles(): string {
  const own = readdirSync(join(source, "styles"))
    .filter((name) => name.endsWith(".css"))
    .toSorted()
    .map((name) => join(source, "styles", name));
  const files = [join(root, "node_modules/@xyflow/react/dist/base.css"), ...own];
  return files.map((file) => withoutComments(readFileSync(file, "utf8"))).join("\n");
}

function withoutComments(css: string): string {
  return css
    .replace(/\/\*.*?\*\//gs, "")
    .replace(/\n\s*/g, "\n")
    .replace(/\n{2,}/g, "\n")
    .trim();
}

function writeAsset(to: string, name: string, content: string): string {
  const digest = createHash("sha256").update(content).digest("base64url").slice(0, 8);
  const ending = extname(name);
  const path = `assets/${basename(name, ending)}-${digest}${ending}`;
  writeFileSync(join(to, path), content);
  return `./${path}`;
}

/** Of every package that a module comes from. */
function licenses(modules: readonly string[]): string {
  const names = modules.flatMap((module) => /node_modules[\\/]((?:@[^\\/]+[\\/])?[^\\/]+)/.exec(module)?.[1] ?? []);
  return [...new Set(names)]
    .toSorted()
    .map((name) => {
      const folder = join(root, "node_modules", name);
      const { version, license }: { version?: string; license?: string } = JSON.parse(
        readFileSync(join(folder, "package.json"), "utf8"),
      );
      const file = ["LICENSE", "LICENSE.md", "LICENSE.txt", "license"].map((each) => join(folder, each)).find(existsSync);
      const text = file === undefined ? `See https://www.npmjs.com/package/${name}\n` : readFileSync(file, "utf8");
      return `${name.replaceAll("\\", "/")} ${version ?? ""} (${license ?? "unknown"})\n\n${text.trim()}\n`;
    })
    .join(`\n${"-".repeat(80)}\n\n`);
}

if (import.meta.main) {
  const to = join(root, "dist/dashboard");
  await buildDashboard(to);
  console.log(`built the dashboard into ${relative(process.cwd(), to) || "."}`);
}
