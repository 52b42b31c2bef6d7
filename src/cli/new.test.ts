import assert from "node:assert/strict";
import { execFile, execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { starlane, temporaryFolder } from "./fixtures/command.ts";
import { serve } from "./fixtures/served.ts";
import { TEMPLATES } from "./new.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const MAIN = join(ROOT, "src/cli/main.ts");
const folder = temporaryFolder();
const cwd = folder.path;
const env = { STARLANE_CACHE: join(cwd, "cache"), NO_COLOR: "1" };
after(() => folder[Symbol.dispose]());

/** Whether a program can be run. */
function runs(program: string, ...args: string[]): boolean {
  try {
    execFileSync(program, args, { stdio: "ignore", timeout: 30_000 });
    return true;
  } catch {
    return false;
  }
}

/** What is missing here to build a template; undefined: nothing. TypeScript and AssemblyScript need only the packages of this repository. */
function missingFor(template: string): string | undefined {
  switch (template) {
    case "rust":
      return runs("cargo", "--version") && hasRustTarget() ? undefined : "cargo with the target wasm32-wasip2";
    case "go":
      return runs("go", "version") && runs("componentize-go", "--version") ? undefined : "go and componentize-go";
    case "python":
      return runs("componentize-py", "--version") ? undefined : "componentize-py";
    case "c":
      return runs("wit-bindgen", "--version") && runs("wasm32-wasip2-clang", "--version")
        ? undefined
        : "wit-bindgen and wasi-sdk";
    default:
      return undefined;
  }
}

function hasRustTarget(): boolean {
  try {
    return existsSync(
      execFileSync("rustc", ["--print", "target-libdir", "--target", "wasm32-wasip2"], { encoding: "utf8" }).trim(),
    );
  } catch {
    return false;
  }
}

/** What stands for `npm install`, and what would be compiled anew each time. */
function setUp(app: string): void {
  if (existsSync(join(app, "package.json"))) symlinkSync(join(ROOT, "node_modules"), join(app, "node_modules"));
  if (!existsSync(join(app, "greeter/Cargo.toml"))) return;
  const target = join(ROOT, ".cache/templates/rust");
  mkdirSync(target, { recursive: true });
  symlinkSync(target, join(app, "greeter/target"));
}

for (const { name } of TEMPLATES) {
  const missing = missingFor(name);
  if (missing !== undefined) {
    // Starlane is tested without the tools of other languages; npm brings those of TypeScript and AssemblyScript.
    console.log(`the template of ${name} is not built here: ${missing} is not installed`);
    continue;
  }
  test(`an app in ${name} is built, checked, tested and served as it is`, { timeout: 600_000 }, async () => {
    const app = `acme-${name}`;
    const made = await starlane(["new", `acme/${app}`, "--template", name], { cwd, env });
    assert.equal(made.status, 0, made.stderr);
    const unbuilt = await starlane(["check", app], { cwd, env });
    assert.equal(unbuilt.status, 2);
    assert.match(unbuilt.stderr, /was not built yet/);
    assert.match(unbuilt.stderr, new RegExp(`= run \`starlane build ${app}\``));
    setUp(folder.file(app));
    const { stdout } = await promisify(execFile)(process.execPath, [MAIN, "build", app], {
      cwd,
      env: { ...process.env, ...env },
    });
    assert.match(stdout, /^✔ greeter {2}\S+greeter\.wasm, .* \(\d+ ms\)\n {4}exports .*greet\n/);
    assert.match((await starlane(["build", app], { cwd, env })).stdout, /^= greeter {2}nothing has changed\n$/);
    const checked = await starlane(["check", app], { cwd, env });
    assert.match(checked.stdout, /: no mistakes in 1 component, 1 operation, 1 node, 2 tests\n$/);
    assert.equal(checked.stderr, "");
    const tested = await starlane(["test", app], { cwd, env });
    assert.match(tested.stdout, /2 passed/);
    await using served = await serve([app], { cwd, env });
    const answer = await fetch(`${served.url}/greet?name=Grace`);
    assert.deepEqual(await answer.json(), { greeting: "Hello, Grace!" });
    assert.deepEqual(await (await fetch(`${served.url}/greet`)).json(), { greeting: "Hello, World!" });
  });
}

test("the files of an app have its names, and nothing of the template is left in them", async () => {
  for (const { name } of TEMPLATES) {
    const app = folder.file(`names-${name}`);
    const made = await starlane(["new", "north/wind", "-t", name, "--dir", app], { cwd, env });
    assert.equal(made.status, 0, made.stderr);
    assert.match(readFileSync(join(app, "starlane.yaml"), "utf8"), /^name: north\/wind$/m);
    assert.match(readFileSync(join(app, "README.md"), "utf8"), /^# wind\n/);
    assert(existsSync(join(app, ".gitignore")));
    for (const entry of readdirSync(app, { recursive: true, withFileTypes: true })) {
      const file = join(entry.parentPath, entry.name);
      if (entry.isFile()) assert.doesNotMatch(readFileSync(file, "utf8"), /STARLANE_/, file);
    }
  }
});

test("what the templates install are the versions that are tested here", () => {
  const json = (file: string): Record<string, unknown> => JSON.parse(readFileSync(join(ROOT, file), "utf8"));
  const tested = new Map(Object.entries(Object(json("package.json")["devDependencies"])));
  for (const name of ["typescript", "assemblyscript"]) {
    const wanted = Object.entries(Object(json(`templates/${name}/package.json`)["devDependencies"]));
    assert(wanted.length > 0);
    for (const [dependency, version] of wanted) assert.equal(version, tested.get(dependency), dependency);
  }
});

test("names that apps cannot have are refused, with one that they can", async () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ["Shop", /did you mean shop\?/],
    ["my shop", /did you mean my-shop\?/],
    ["my_shop", /did you mean my-shop\?/],
    ["Acme/My Shop", /did you mean acme\/my-shop\?/],
    ["2nd", /did you mean nd\?/],
    ["a/b/c", /names are lower-case words/],
    ["größe", /names are lower-case words|did you mean/],
    ["..", /names are lower-case words/],
    ["/etc", /names are lower-case words/],
    ["", /names are lower-case words/],
    ["x".repeat(300), /names are lower-case words/],
  ];
  for (const [name, cure] of cases) {
    const { status, stdout, stderr } = await starlane(["new", name], { cwd, env });
    assert.equal(status, 2, name);
    assert.equal(stdout, "");
    assert.match(stderr, /error\[cli\/usage\]: .* cannot be the name of an app/);
    assert.match(stderr, cure);
  }
});

test("templates are known by other names, and unknown ones are told", async () => {
  const known = await starlane(["new", "as-app", "--template", "TS"], { cwd, env });
  assert.match(known.stdout, /as-app is an app with a component in TypeScript/);
  const mistyped = await starlane(["new", "other", "--template", "rusty"], { cwd, env });
  assert.equal(mistyped.status, 2);
  assert.match(mistyped.stderr, /there is no template "rusty"\n {2}= did you mean rust\?/);
  const unknown = await starlane(["new", "other", "--template", "cobol-85-like"], { cwd, env });
  assert.match(unknown.stderr, /the templates are: typescript, rust, go, python, c, assemblyscript/);
  assert(!existsSync(folder.file("other")));
});

test("nothing that is there is overwritten", async () => {
  mkdirSync(folder.file("full"));
  writeFileSync(folder.file("full/notes.txt"), "mine");
  const full = await starlane(["new", "full"], { cwd, env });
  assert.equal(full.status, 2);
  assert.match(full.stderr, /the folder full is not empty: there is notes\.txt/);
  assert.deepEqual(readdirSync(folder.file("full")), ["notes.txt"]);
  const file = await starlane(["new", "app", "--dir", "full/notes.txt"], { cwd, env });
  assert.match(file.stderr, /full\/notes\.txt is a file/);
  mkdirSync(folder.file("empty/.git"), { recursive: true });
  assert.equal((await starlane(["new", "app", "--dir", "empty"], { cwd, env })).status, 0);
});

test("what has to be done next is told, and which tools are missing", async () => {
  const { stdout } = await starlane(["new", "next", "-t", "c"], { cwd, env: { ...env, PATH: cwd } });
  assert.match(stdout, /! wit-bindgen is not on your PATH: install it with `cargo install --locked wit-bindgen-cli`/);
  assert.match(stdout, /next:\n {4}cd next\n {4}starlane dev \.\n$/);
  const here = folder.file("here");
  mkdirSync(here);
  const npx = await starlane(["new", "next", "--dir", "."], { cwd: here, env: { ...env, npm_command: "exec" } });
  assert.match(npx.stdout, /✔ this folder is an app/);
  assert.match(npx.stdout, /next:\n {4}npm install\n {4}npx starlane dev \.\n$/);
});

test("without a name the templates are listed where nobody can be asked", async () => {
  const { status, stdout } = await starlane(["new"], { cwd, env });
  assert.equal(status, 0);
  for (const { name } of TEMPLATES) assert.match(stdout, new RegExp(`^ {2}${name} `, "m"));
});

const HAS_SCRIPT = process.platform === "linux" && runs("script", "--version");

const NO_TERMINAL = HAS_SCRIPT ? false : "there is no `script` to make a terminal with";

test("on a terminal it asks, and asks again", { skip: NO_TERMINAL, timeout: 60_000 }, async () => {
  const command = `${JSON.stringify(process.execPath)} ${JSON.stringify(MAIN)} new`;
  const child = spawn("script", ["-qec", command, "/dev/null"], { cwd, env: { ...process.env, ...env }, timeout: 50_000 });
  const answers = ["Asked App", "asked-app", "9", "rust"];
  let printed = "";
  // A question may be drawn more than once: the next one stands behind the echo of the answer before.
  let given: string | undefined;
  let from = 0;
  child.stdout.setEncoding("utf8").on("data", (piece: string) => {
    // oxlint-disable-next-line no-control-regex -- the terminal is told where its cursor goes
    printed += piece.replaceAll(/\u001b\[[0-9;]*[A-Za-z]/g, "");
    const echo = given === undefined ? from : printed.indexOf(`${given}\r`, from);
    if (echo < 0 || !printed.slice(echo).endsWith("? ")) return;
    from = echo + (given?.length ?? 0);
    given = answers.shift();
    if (given !== undefined) child.stdin.write(`${given}\n`);
  });
  await text(child.stderr);
  assert.match(printed, /cannot be the name of an app; did you mean asked-app\?/);
  assert.match(printed, /there is no template "9"/);
  assert.match(printed, /asked-app is an app with a component in Rust/);
  assert(existsSync(folder.file("asked-app/greeter/Cargo.toml")));
  rmSync(folder.file("asked-app"), { recursive: true });
});
