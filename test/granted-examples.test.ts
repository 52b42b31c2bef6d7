// The examples that keep something: each in a folder of its own, as its README tells it. Every command of a `console` block is run and all
// it prints compared; what it should leave behind is looked at. UPDATE_GOLDEN=1 writes the READMEs anew.

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { assertFile, MAIN, plainEnvironment, type Printed, ROOT, run, withoutTimes } from "./printed.ts";

const folder = mkdtempSync(join(tmpdir(), "starlane-examples-"));
const service: { child?: ChildProcess; address: string; asked: string[] } = { address: "", asked: [] };

before(async () => {
  mkdirSync(join(folder, "examples"));
  for (const name of ["shortener", "gallery", "weather", "wordcount"]) {
    const source = join(ROOT, "examples", name);
    cpSync(source, join(folder, "examples", name), { recursive: true, filter: (file) => file !== join(source, "data") });
  }
  for (const name of ["guests", ".cache"]) symlinkSync(join(ROOT, name), join(folder, name));
  const built = await run(process.execPath, [join(ROOT, "scripts/guests/build.ts"), "typescript/gallery"], {
    cwd: ROOT,
    env: plainEnvironment(),
  });
  assert.equal(built.status, 0, built.stdout + built.stderr);
  service.child = spawn(process.execPath, [join(ROOT, "examples/weather/service.mjs"), "0"]);
  assert(service.child.stdout !== null && service.child.stderr !== null);
  createInterface(service.child.stderr).on("line", (line) => service.asked.push(line));
  const [address]: unknown[] = await once(createInterface(service.child.stdout), "line");
  service.address = String(address);
});

after(() => {
  service.child?.kill();
  rmSync(folder, { recursive: true, force: true });
});

test("examples/wordcount counts what wc counts, and sees its folder only", async () => {
  await play("wordcount");
  for (const words of [[], ["-l"], ["-w", "-c"], ["-m"], ["-lwmc"]]) {
    const files = readdirSync(join(ROOT, "examples/wordcount/texts")).toSorted();
    const ours = await bash(`npx starlane run examples/wordcount ${[...words, ...files].join(" ")}`);
    const theirs = await bash(`cd examples/wordcount/texts && wc ${[...words, ...files].join(" ")}`);
    assert.equal(ours.stdout, theirs.stdout, words.join(" "));
  }
  const large = "one two  drei\n\tvier – fünf\r\n".repeat(20_000);
  const ours = await bash("npx starlane run examples/wordcount -lwmc", {}, large);
  assert.deepEqual(ours.stdout, (await bash("wc -lwmc", {}, large)).stdout);
});

test("examples/shortener keeps links and hits in its database, also between runs", async () => {
  await play("shortener");
  const database = new DatabaseSync(join(folder, "examples/shortener/data/links.db"), { readOnly: true });
  const rows = database.prepare("SELECT slug, url, hits FROM links ORDER BY id").all();
  database.close();
  assert.deepEqual(
    rows.map((row) => ({ ...row })),
    [
      { slug: "2", url: "https://example.com/a/very/long/path", hits: 0 },
      { slug: "docs", url: "https://example.org/", hits: 2 },
    ],
  );
});

test("a link that was made stays only if everything after it works, too", async () => {
  const manifest = `starlane: v1
components: { links: ../../guests/rust/shortener.wasm, faults: ../../guests/c/faults.wasm }
resources: { db: { sql: "sqlite:./data/undone.db", migrations: ./migrations } }
grants: { links: { sql: { links: db } } }
operations:
  popular: { flow: "10 -> links::popular -> <>.links" }
  shorten-and-fail:
    input: { url: string, slug: option<string> }
    flow: |
      <>.url -> links::shorten.url
      <>.slug -> shorten.slug
      shorten.url -> faults::parse-number -> <>.number
      shorten -> drop
`;
  writeFileSync(join(folder, "examples/shortener/undone.yaml"), manifest);
  const failed = await bash("npx starlane invoke examples/shortener/undone.yaml shorten-and-fail --url https://example.com");
  assert.match(failed.stderr, /not-a-number/);
  assert.deepEqual(JSON.parse((await bash("npx starlane invoke examples/shortener/undone.yaml popular")).stdout), { links: [] });
});

test("examples/gallery reads and writes pictures in its folder", async () => {
  await play("gallery");
  assert.deepEqual(readdirSync(join(folder, "examples/gallery/pictures")).toSorted(), ["dot.gif", "star.svg", "sunset.png"]);
  const [name, given] = ["sunset.png", readFileSync(join(ROOT, "examples/gallery/pictures/sunset.png"))];
  const { stdout } = await bash(`npx starlane invoke examples/gallery get --name ${name}`);
  assert.deepEqual(JSON.parse(stdout), { data: given.toString("base64") });
});

test("examples/weather asks once for a place, and its records need nobody", async () => {
  await play("weather");
  assert.deepEqual(service.asked, [
    "GET /current?place=Lisboa",
    "GET /current?place=Atlantis",
    "GET /current?place=S%C3%A3o%20Paulo",
  ]);
  assert(existsSync(join(folder, "examples/weather/data/kept.db")));
});

test("a request that no grant names is denied, whatever the component was told to ask", async () => {
  changed("weather", "GET ${config.service}/current", "GET ${config.service}/other");
  const { stderr, status } = await bash("npx starlane invoke examples/weather/changed.yaml --place Porto");
  assert.match(stderr, /"unreachable":"HTTP-request-denied"/);
  assert.equal(status, 1);
  assert(!service.asked.some((line) => line.includes("Porto")));
});

test("a grant that cannot be read is told once, with its place", async () => {
  const { stderr, status } = await bash("npx starlane invoke examples/weather --place Berlin", {
    WEATHER_SERVICE: "weather.example",
  });
  assert.match(stderr, /^error\[grant\/bad-value\]: .*\n *--> examples\/weather\/starlane\.yaml:\d+:\d+\n[^]*\n1 error\n$/);
  assert.equal(status, 2);
});

test("a resource that cannot be opened is shown where its address stands", async () => {
  changed("wordcount", "./texts", "./missing");
  changed("shortener", "./migrations", "./missing");
  const commands = ["run examples/wordcount/changed.yaml alice.txt", "invoke examples/shortener/changed.yaml popular"];
  const printed = await Promise.all(commands.map((command) => bash(`npx starlane ${command}`)));
  for (const [i, message] of [
    /the resource `texts`: .* it is not there/,
    /the resource `db`: the folder of migrations cannot be read/,
  ].entries()) {
    const { stderr = "", status } = printed[i] ?? {};
    assert.match(stderr, message);
    assert.match(stderr, /\n *--> examples\/\w+\/changed\.yaml:10:\d+\n/);
    assert.equal(status, 2);
  }
});

/** Writes an example's manifest anew, as `changed.yaml`. */
function changed(name: string, from: string, to: string): void {
  const text = readFileSync(join(folder, "examples", name, "starlane.yaml"), "utf8");
  assert(text.includes(from));
  writeFileSync(
    join(folder, "examples", name, "changed.yaml"),
    text.replace(from, () => to),
  );
}

/** Runs every command of a README, in its order, and compares what it prints. */
async function play(name: string): Promise<void> {
  const file = `examples/${name}/README.md`;
  const text = readFileSync(join(ROOT, file), "utf8");
  let played = "";
  for (const [i, part] of text.split(/^(```console\n[\s\S]*?^```$)/m).entries()) {
    played += i % 2 === 0 ? part : await session(part);
  }
  assert(!played.includes("✘"), played);
  assertFile(played, file);
}

async function session(block: string): Promise<string> {
  const lines: string[] = [];
  for (const part of block.split(/^(?=\$ )/m).slice(1)) {
    const [command = "", ...rest] = part.replace(/```$/, "").split("\n");
    const { stdout } = await bash(`exec 2>&1; ${command.slice(2)}`);
    const [printed, written] = [stdout.trimEnd(), rest.join("\n").trimEnd()];
    // Times are those that are written.
    const shown = withoutTimes(printed) === withoutTimes(written) ? written : printed;
    lines.push(command, ...(shown === "" ? [] : [shown]));
  }
  return `\`\`\`console\n${lines.join("\n")}\n\`\`\``;
}

function bash(command: string, more: NodeJS.ProcessEnv = {}, input = ""): Promise<Printed> {
  const env = {
    ...plainEnvironment(),
    PROGRAM: process.execPath,
    MAIN,
    STARLANE_RECORDS: "off",
    WEATHER_SERVICE: service.address,
    ...more,
  };
  const words = `npx() { shift; "$PROGRAM" "$MAIN" "$@"; }; ${command}`;
  return run("bash", ["-c", words], { cwd: folder, env, input });
}
