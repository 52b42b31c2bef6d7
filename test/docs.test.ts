// Holds the guides true. Every command in a `console` block is run and all it prints compared; every manifest is checked and its tests
// run; every `flow` is checked; programs (`js`) are files that commands run; tables that repeat a table of the sources are
// made from it. What `starlane serve` starts goes on until the end of its page. UPDATE_GOLDEN=1 writes outputs, tables and pictures anew.
//
// A page has a folder of its own, in which `examples/`, `guests/` and every guest by its name (`text.wasm`) lie. A block with
// title="NAME" is written there under that name; a manifest named `wrong…` is one that a command of the page shows the mistakes of.

import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { cpSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { after, test } from "node:test";
import { pathToFileURL } from "node:url";
import { CORE_OPERATIONS } from "../src/flow/core/core.ts";
import type { CoreOperation } from "../src/flow/core/operation.ts";
import { MATCHERS } from "../src/manifest/expect.ts";
import * as keys from "../src/manifest/keys.ts";
import * as triggerKeys from "../src/manifest/triggers/keys.ts";
import { PLANNED_COMMANDS } from "../src/cli/commands.ts";
import { KNOWN_GAPS } from "./conformance/known-gaps.ts";
import { runScript, scriptNames, whyAbsent } from "./conformance/scripts.ts";
import { assertFile, MAIN, plainEnvironment, ROOT, run, runStarlane, withoutTimes } from "./printed.ts";

/** `cli.md` and `errors.md` are made by tests of their own. */
const PAGES = ["README.md", ...globSync("docs/*.md", { cwd: ROOT }).filter((page) => !/(?:cli|errors)\.md$/.test(page))];
/** Records of what failed would show the time in their names. */
const ENVIRONMENT = { ...plainEnvironment(), STARLANE_RECORDS: "off" };
const SHOULD_UPDATE = process.env["UPDATE_GOLDEN"] === "1";

const folder = mkdtempSync(join(tmpdir(), "starlane-docs-"));
after(() => rmSync(folder, { recursive: true, force: true }));

for (const page of PAGES) {
  test(`what ${page} shows is what happens`, async () => {
    const text = readFileSync(join(ROOT, page), "utf8");
    await using shown = new Page(page);
    const actual = await shown.play(text);
    if (SHOULD_UPDATE) writeFileSync(join(ROOT, page), actual);
    else assertSame(text, actual, page);
  });

  test(`the links of ${page} lead somewhere`, () => {
    const text = readFileSync(join(ROOT, page), "utf8");
    for (const [, target = ""] of text.matchAll(/\]\((?!https?:)([^)#\s]*)[^)]*\)|(?:src|srcset)="(?!https?:)([^"]+)"/g)) {
      const path = join(ROOT, page, "..", target);
      assert(target === "" || globSync(path).length > 0, `${page} links to ${target}`);
    }
  });
}

test("docs/hello.svg is the graph of examples/hello", async () => {
  assertFile((await runStarlane(["inspect", "examples/hello", "--svg"])).stdout, "docs/hello.svg");
});

test("docs/conformance.md has the figures that the scripts give", { skip: whyAbsent() ?? false }, async () => {
  const file = join(ROOT, "docs/conformance.md");
  const text = readFileSync(file, "utf8");
  const measured = replaceTable(text, "conformance", table(["scripts", "number", "passed", "of"], await figures()));
  if (SHOULD_UPDATE) writeFileSync(file, measured);
  else assertSame(text, measured, "docs/conformance.md");
});

test("the manifest in README.md is that of examples/hello", () => {
  const text = readFileSync(join(ROOT, "README.md"), "utf8");
  assert(text.includes(readFileSync(join(ROOT, "examples/hello/starlane.yaml"), "utf8")));
});

/** A page is long: only the lines from the first that differs are shown. */
function assertSame(written: string, actual: string, page: string): void {
  const [lines, others] = [written.split("\n"), actual.split("\n")];
  const first = lines.findIndex((line, i) => line !== others[i]);
  const cut = (all: readonly string[]): readonly string[] => all.slice(Math.max(0, first), first + 12);
  assert.deepEqual(cut(others), cut(lines), `${page}:${first + 1} differs; UPDATE_GOLDEN=1 writes it anew`);
  assert.equal(others.length, lines.length, page);
}

interface Block {
  readonly language: string;
  readonly title: string | undefined;
  readonly body: string;
}

/** One page, played from top to bottom; the answer is its text with what really happened. */
class Page {
  readonly #name: string;
  readonly #folder: string;
  #server: Server | undefined;

  constructor(name: string) {
    this.#name = name;
    this.#folder = join(folder, basename(name, ".md"));
    for (const part of ["examples", "guests"]) {
      cpSync(join(ROOT, part), join(this.#folder, part), {
        recursive: true,
        filter: (file) => !/node_modules|\.test\.ts$/.test(file),
      });
    }
    for (const guest of globSync("guests/*/*.wasm", { cwd: ROOT }))
      cpSync(join(ROOT, guest), join(this.#folder, basename(guest)));
  }

  async play(text: string): Promise<string> {
    const fence = /^```(\w+)(?: title="([^"]+)")?\n([\s\S]*?)^```$/gm;
    for (const [, , title, body = ""] of text.matchAll(fence)) {
      if (title !== undefined) this.#write(title, body);
    }
    let [played, from] = ["", 0];
    for (let found = fence.exec(text); found !== null; found = fence.exec(text)) {
      const [whole, language = "", title, body = ""] = found;
      played += withTables(text.slice(from, found.index)) + whole.replace(body, () => "\u0000");
      const answer = await this.#block({ language, title, body });
      played = played.replace("\u0000", () => answer);
      from = fence.lastIndex;
    }
    return played + withTables(text.slice(from));
  }

  /** Ends what the page served: all of it has to end well. */
  async [Symbol.asyncDispose](): Promise<void> {
    const status = await this.#server?.stop();
    assert(status === undefined || status === 0, `${this.#name}: the server ended with status ${status}`);
  }

  #write(name: string, body: string): void {
    const file = join(this.#folder, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, body);
  }

  async #block({ language, title, body }: Block): Promise<string> {
    if (language === "yaml") await this.#checkManifest(body, title ?? "starlane.yaml");
    if (language === "flow") await this.#checkManifest(manifestOf(body), "flow.yaml");
    return language === "console" ? this.#session(body) : body;
  }

  async #checkManifest(body: string, name: string): Promise<void> {
    if (name.startsWith("wrong") || !body.startsWith("starlane:")) return;
    this.#write(name, body);
    const checked = await this.#bash(`npx starlane check ${name}`);
    assert.match(checked, /: no mistakes in /, `${this.#name}: ${body}\n${checked}`);
    if (!/^tests:/m.test(body)) return;
    const tested = await this.#bash(`npx starlane test ${name}`);
    assert(/\d+ passed/.test(tested) && !tested.includes("failed"), `${this.#name}: ${body}\n${tested}`);
  }

  /** The commands of a block with what they print; times are those that the page shows. */
  async #session(body: string): Promise<string> {
    const parts = body.split(/^(?=\$ )/m);
    const answers: string[] = [];
    for (const part of parts) {
      const [command = "", ...rest] = part.split(/(?<!\\)\n/);
      assert(command.startsWith("$ "), `${this.#name}: a console block starts with a command, not with ${command}`);
      const printed = (await this.#run(command.slice(2))).trimEnd();
      const expected = rest.join("\n").trimEnd();
      const isSame = withoutTimes(printed) === withoutTimes(expected);
      answers.push([command, ...(isSame ? [expected] : [printed]), ""].filter((line, i) => i === 0 || line !== "").join("\n"));
    }
    return `${answers.join("\n").trimEnd()}\n`;
  }

  async #run(command: string): Promise<string> {
    const served = this.#server;
    if (!/^npx starlane serve (?!.*--help)/.test(command)) {
      const answer = await this.#bash(served === undefined ? command : command.replaceAll(SHOWN_ADDRESS, served.address));
      return served === undefined ? answer : answer.replaceAll(served.address, SHOWN_ADDRESS);
    }
    assert(served === undefined, `${this.#name}: a page serves one thing`);
    this.#server = await Server.start(command.split(" ").slice(2), this.#folder);
    return this.#server.greeting.replaceAll(this.#server.address, SHOWN_ADDRESS);
  }

  async #bash(command: string): Promise<string> {
    const env = {
      ...ENVIRONMENT,
      PROGRAM: process.execPath,
      MAIN,
      HOOKS: pathToFileURL(join(import.meta.dirname, "resolve-sources.ts")).href,
    };
    const words = `npx() { shift; "$PROGRAM" "$MAIN" "$@"; }; node() { "$PROGRAM" --import "$HOOKS" "$@"; }; ${command}`;
    const { stdout } = await run("bash", ["-c", `exec 2>&1; ${words}`], { cwd: this.#folder, env });
    return stdout;
  }
}

const SHOWN_ADDRESS = "127.0.0.1:8080";

/** `starlane serve` in the background, at a free port, as on a machine with two cores: pages show it at 8080. */
class Server {
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown[]>;
  readonly greeting: string;
  /** Host and port. */
  readonly address: string;

  private constructor(child: ChildProcess, ended: Promise<unknown[]>, greeting: string, address: string) {
    this.#child = child;
    this.#ended = ended;
    this.greeting = greeting;
    this.address = address;
  }

  static async start(words: readonly string[], cwd: string): Promise<Server> {
    const processes = words.includes("--shards") ? [] : ["--shards", "2"];
    const child = spawn(process.execPath, [MAIN, ...words, "--port", "0", ...processes, "--log-format", "text"], {
      cwd,
      env: ENVIRONMENT,
      stdio: ["ignore", "ignore", "pipe"],
    });
    const ended = once(child, "exit");
    const lines = createInterface(child.stderr);
    const greeting = String((await Promise.race([once(lines, "line"), once(lines, "close")]))[0]);
    const address = /127\.0\.0\.1:\d+/.exec(greeting)?.[0];
    if (address !== undefined) return new Server(child, ended, greeting, address);
    child.kill();
    throw new Error(`nothing is served: ${greeting}`);
  }

  /** The status it ends with, when it has finished what it had. */
  async stop(): Promise<number | null> {
    this.#child.kill("SIGTERM");
    const [status] = await this.#ended;
    return typeof status === "number" ? status : null;
  }
}

/** A flow of a guide as an app: its components are all guests, its ports are inferred. */
function manifestOf(flow: string): string {
  const guests = globSync("guests/*/*.wasm", { cwd: ROOT }).map((file) => basename(file, ".wasm"));
  const components = guests.filter((name) => flow.includes(`${name}::`)).map((name) => `  ${name}: ./${name}.wasm\n`);
  const lines = flow
    .trimEnd()
    .split("\n")
    .map((line) => `      ${line}\n`);
  return `starlane: v1\n${components.length === 0 ? "" : "components:\n"}${components.join("")}operations:\n  shown:\n    flow: |\n${lines.join("")}`;
}

/** Text with the tables between `<!-- table: NAME -->` and the next empty line made anew. */
function withTables(text: string): string {
  return [...text.matchAll(/^<!-- table: ([\w-]+) -->$/gm)]
    .flatMap(([, name = ""]) => (name === "conformance" ? [] : [name]))
    .reduce((done, name) => replaceTable(done, name, tableOf(name)), text);
}

function replaceTable(text: string, name: string, made: string): string {
  const place = new RegExp(`^(<!-- table: ${name} -->\n\n)(?:(?:\\||- |  - ).*\n)*\n?`, "m");
  return text.replace(place, (_, head: string) => `${head}${made}\n`);
}

/** By the folder of a script: how many scripts, commands that pass, commands that could be read. */
async function figures(): Promise<string[][]> {
  const sums = new Map<string, { scripts: number; passed: number; readable: number }>();
  for (const name of scriptNames()) {
    const folderName = dirname(name);
    const sum = sums.get(folderName) ?? { scripts: 0, passed: 0, readable: 0 };
    const results = await runScript(name);
    sum.scripts++;
    sum.passed += results.filter(({ outcome }) => outcome === "passed").length;
    sum.readable += results.filter(({ outcome }) => outcome !== "unreadable").length;
    sums.set(folderName, sum);
  }
  const rows = [...sums].map(([name, { scripts, passed, readable }]) => [`\`${name}\``, scripts, passed, readable].map(String));
  const total = [1, 2, 3].map((i) => String(rows.reduce((sum, row) => sum + Number(row[i]), 0)));
  return [...rows, ["all", ...total]];
}

/** Equal reasons of one script are one entry. */
function gaps(): string {
  return Object.entries(KNOWN_GAPS)
    .flatMap(([script, lines]) =>
      [...Map.groupBy(Object.entries(lines), ([, reason]) => reason)].map(([reason, entries]) => {
        const numbers = entries.map(([line]) => line).join(", ");
        return `- \`${script}\`, line${entries.length === 1 ? "" : "s"} ${numbers}: ${reason}\n`;
      }),
    )
    .join("");
}

function tableOf(name: string): string {
  if (name === "core") {
    return [...CORE_OPERATIONS.values()].map(coreEntry).join("");
  }
  if (name === "gaps") return gaps();
  if (name === "planned") return planned();
  if (name === "matchers") {
    return table(
      ["matcher", "asks for"],
      Object.entries(MATCHERS).map(([matcher, asks]) => [`\`${matcher}\``, asks]),
    );
  }
  const found = keyTables().get(name);
  assert(found !== undefined, `there is no table ${name}`);
  const known = Object.entries(found).filter(([, info]) => info.later === undefined);
  return table(
    ["key", "what it means"],
    known.map(([key, { means }]) => [`\`${key}\``, means]),
  );
}

/** By name; those of routes are `ROUTE_KEYS-static`, by the kind of route. */
function keyTables(): ReadonlyMap<string, keys.Keys> {
  const { ROUTE_KEYS, ...others } = triggerKeys;
  const routes = Object.entries(ROUTE_KEYS).map(([kind, table]): [string, keys.Keys] => [`ROUTE_KEYS-${kind}`, table]);
  const { SYNONYMS: _, ...tables } = keys;
  return new Map<string, keys.Keys>([...Object.entries({ ...tables, ...others }), ...routes]);
}

/** What is known, and answered with "not supported yet". */
function planned(): string {
  const later = [...keyTables()].flatMap(([name, table]) =>
    Object.entries(table).flatMap(([key, info]) => (info.later === undefined ? [] : [`\`${key}\` (${PLACES[name] ?? name})`])),
  );
  return `- commands: ${PLANNED_COMMANDS.map((name) => `\`${name}\``).join(", ")}\n- keys of the manifest: ${later.join(", ")}\n`;
}

const PLACES: Readonly<Record<string, string>> = {
  ROOT_KEYS: "the root",
  COMPONENT_KEYS: "a component",
  CLI_GRANT_KEYS: "the grant `cli`",
  TRIGGER_KEYS: "a trigger",
};

function coreEntry({ name, description, inputs, outputs, settings }: CoreOperation): string {
  const lines = settings.map(
    (setting) => `\`${setting.name}\` (${setting.kind}${setting.required ? ", needed" : ""}): ${setting.description}`,
  );
  return [
    `- \`core::${name}\`: ${description}`,
    ...[`in: ${inputs}`, `out: ${outputs}`, ...lines].map((line) => `  - ${line}`),
    "",
  ].join("\n");
}

/** As wide as the widest cell of each column, as the formatter has it. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = [head, ...rows].map((row) => row.map((cell) => cell.replaceAll("|", "\\|")));
  const widths = head.map((_, i) => Math.max(3, ...cells.map((row) => (row[i] ?? "").length)));
  const line = (row: readonly string[]): string => `| ${widths.map((width, i) => (row[i] ?? "").padEnd(width)).join(" | ")} |\n`;
  const rule = `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |\n`;
  return [line(cells[0] ?? []), rule, ...cells.slice(1).map(line)].join("");
}
