// `starlane new`: writes a new app into an empty folder, from a template for the language of its component; on a terminal it asks for what was
// not said. Templates are ordinary files (`templates/`) in which the names of the app stand as STARLANE_APP and STARLANE_NAME.

import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { basename, delimiter, dirname, join, relative, resolve } from "node:path";
import { createInterface } from "node:readline/promises";
import { fileURLToPath } from "node:url";
import { nearest } from "../base/diagnostics.ts";
import { StarlaneError } from "../base/errors.ts";
import { cureForMissing } from "../star/build/tools.ts";
import { shown } from "../star/files.ts";
import type { CommandLine } from "./command-line.ts";
import { type Paint, paintFor } from "./terminal.ts";

interface Template {
  readonly name: string;
  readonly language: string;
  /** Programs that build it. */
  readonly programs: readonly string[];
  /** What is done once, in the folder of the app, before it can be built. */
  readonly before: readonly string[];
}

export const TEMPLATES: readonly Template[] = [
  { name: "typescript", language: "TypeScript", programs: ["npm"], before: ["npm install"] },
  { name: "rust", language: "Rust", programs: ["cargo"], before: ["rustup target add wasm32-wasip2"] },
  { name: "go", language: "Go", programs: ["go", "componentize-go"], before: [] },
  { name: "python", language: "Python", programs: ["componentize-py"], before: [] },
  { name: "c", language: "C", programs: ["wit-bindgen", "wasm32-wasip2-clang"], before: [] },
  { name: "assemblyscript", language: "AssemblyScript", programs: ["npm"], before: ["npm install"] },
];

const OTHER_NAMES: Readonly<Record<string, string>> = {
  ts: "typescript",
  javascript: "typescript",
  js: "typescript",
  rs: "rust",
  golang: "go",
  tinygo: "go",
  py: "python",
  "c++": "c",
  as: "assemblyscript",
};

const TEMPLATE_FOLDER = fileURLToPath(new URL("../../templates/", import.meta.url));

export async function run(line: CommandLine): Promise<number> {
  const [given] = line.positionals;
  const isAsking = given === undefined && process.stdin.isTTY && process.stdout.isTTY;
  if (given === undefined && !isAsking) {
    process.stdout.write(listOfTemplates(paintFor(process.stdout)));
    return 0;
  }
  const wanted = line.options.get("template");
  const known = wanted === undefined ? undefined : templateNamed(wanted);
  const answers = isAsking ? await ask(known) : { name: given ?? "", template: known };
  const { space, name } = checkedName(answers.name);
  const template = answers.template ?? templateNamed("typescript");
  const folder = resolve(line.options.get("dir") ?? name);
  checkFolder(folder);
  const files = writeTemplate(template, folder, { app: `${space}/${name}`, name });
  process.stdout.write(told(template, folder, files, paintFor(process.stdout)));
  return 0;
}

const WORD = /^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/;
const LONGEST_WORD = 60;
/** What stands for the space of whoever has none. */
const NO_SPACE = "my";

/** @throws StarlaneError `cli/usage` */
function checkedName(text: string): { readonly space: string; readonly name: string } {
  const parts = text.split("/");
  const [space, name] = parts.length === 1 ? [NO_SPACE, parts[0] ?? ""] : [parts[0] ?? "", parts[1] ?? ""];
  if (parts.length <= 2 && [space, name].every((word) => WORD.test(word) && word.length <= LONGEST_WORD)) return { space, name };
  const better = text
    .toLowerCase()
    .replaceAll(/[^a-z0-9/]+/g, "-")
    .replaceAll(/^[-0-9]+|-+$/g, "");
  const isGood =
    better.split("/").length <= 2 && better.split("/").every((word) => WORD.test(word) && word.length <= LONGEST_WORD);
  throw new StarlaneError("cli/usage", `${JSON.stringify(text)} cannot be the name of an app`, {
    cure: isGood
      ? `did you mean ${better}?`
      : "names are lower-case words of the letters a-z and digits, joined by hyphens; a space may stand before them: acme/shop",
  });
}

/** @throws StarlaneError `cli/usage` */
function templateNamed(text: string): Template {
  const lower = text.trim().toLowerCase();
  const wanted = Object.hasOwn(OTHER_NAMES, lower) ? OTHER_NAMES[lower] : lower;
  const found = TEMPLATES.find(({ name }) => name === wanted);
  if (found !== undefined) return found;
  const names = TEMPLATES.map(({ name }) => name);
  const meant = nearest(lower, names);
  throw new StarlaneError("cli/usage", `there is no template ${JSON.stringify(text)}`, {
    cure: meant === undefined ? `the templates are: ${names.join(", ")}` : `did you mean ${meant}?`,
  });
}

/** @throws StarlaneError `cli/usage`: nothing that is there may be overwritten */
function checkFolder(folder: string): void {
  const stats = statSync(folder, { throwIfNoEntry: false });
  if (stats === undefined) return;
  if (!stats.isDirectory()) {
    throw new StarlaneError("cli/usage", `${shown(folder)} is a file`, { cure: "give another folder with --dir" });
  }
  // An empty repository is empty.
  const [first] = readdirSync(folder).filter((name) => name !== ".git");
  if (first === undefined) return;
  throw new StarlaneError("cli/usage", `the folder ${shown(folder)} is not empty: there is ${first}`, {
    cure: "give another name, or an empty folder with --dir",
  });
}

/** The files that were written, relative to the folder. @throws StarlaneError `star/file` */
function writeTemplate(template: Template, folder: string, names: { readonly app: string; readonly name: string }): string[] {
  const source = join(TEMPLATE_FOLDER, template.name);
  const files = readdirSync(source, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(source, join(entry.parentPath, entry.name)))
    .toSorted();
  try {
    return files.map((file) => {
      const text = readFileSync(join(source, file), "utf8");
      // npm would not publish a file of that name.
      const to = basename(file) === "gitignore" ? join(dirname(file), ".gitignore") : file;
      mkdirSync(dirname(join(folder, to)), { recursive: true });
      writeFileSync(join(folder, to), text.replaceAll("STARLANE_APP", names.app).replaceAll("STARLANE_NAME", names.name), {
        flag: "wx",
      });
      return to;
    });
  } catch (error) {
    throw new StarlaneError("star/file", `the app could not be written to ${shown(folder)}`, { cause: error });
  }
}

async function ask(known: Template | undefined): Promise<{ readonly name: string; readonly template: Template | undefined }> {
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  // Ctrl-C and Ctrl-D at a question end it without an answer.
  const closed = new AbortController();
  terminal.on("close", () => closed.abort());
  const question = async <T>(text: string, read: (answer: string) => T): Promise<T> => {
    for (;;) {
      const answer = (await terminal.question(text, { signal: closed.signal })).trim();
      try {
        return read(answer);
      } catch (error) {
        if (!(error instanceof StarlaneError)) throw error;
        process.stdout.write(`${error.message}${error.cure === undefined ? "" : `; ${error.cure}`}\n`);
      }
    }
  };
  try {
    const name = await question("What is the app called? ", (answer) => {
      checkedName(answer);
      return answer;
    });
    if (known !== undefined) return { name, template: known };
    process.stdout.write(TEMPLATES.map(({ language }, i) => `  ${i + 1}  ${language}\n`).join(""));
    const template = await question("Which language (1)? ", (answer) =>
      answer === "" ? templateNamed("typescript") : (TEMPLATES[Number(answer) - 1] ?? templateNamed(answer)),
    );
    return { name, template };
  } catch (error) {
    if (!closed.signal.aborted) throw error;
    throw new StarlaneError("cli/usage", "no app was written", { cure: "give its name: starlane new shop", cause: error });
  } finally {
    terminal.close();
  }
}

function listOfTemplates(paint: Paint): string {
  const width = Math.max(...TEMPLATES.map(({ name }) => name.length));
  const lines = TEMPLATES.map(
    ({ name, language, programs }) =>
      `  ${name.padEnd(width)}  a component in ${language} ${paint("dim", `(built with ${programs.join(" and ")})`)}`,
  );
  return `${["usage: starlane new NAME [--template LANGUAGE]", "", "templates:", ...lines].join("\n")}\n`;
}

function told(template: Template, folder: string, files: readonly string[], paint: Paint): string {
  const place = shown(folder);
  const missing = template.programs.filter((program) => !isOnPath(program));
  const start = process.env["npm_command"] === "exec" ? "npx starlane" : "starlane";
  const steps = [...(place === "." ? [] : [`cd ${place}`]), ...template.before, `${start} dev .`];
  return `${[
    `${paint("green", "✔")} ${place === "." ? "this folder" : place} is an app with a component in ${template.language}`,
    ...files.map((file) => paint("dim", `    ${file}`)),
    ...missing.map((program) => `${paint("yellow", "!")} ${program} is not on your PATH: ${cureForMissing(program)}`),
    "",
    "next:",
    ...steps.map((step) => `    ${step}`),
  ].join("\n")}\n`;
}

function isOnPath(program: string): boolean {
  const endings = process.platform === "win32" ? [".exe", ".cmd", ".bat", ""] : [""];
  const folders = (process.env["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "");
  return folders.some((folder) =>
    endings.some((ending) => statSync(join(folder, program + ending), { throwIfNoEntry: false })?.isFile() === true),
  );
}
