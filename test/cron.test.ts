// Runs examples/cron as its README says, in a folder of its own: it counts while it is served, makes up for what it missed, and is a command.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { MAIN, plainEnvironment, ROOT, run } from "./printed.ts";

const LONGEST_MS = 60_000;

const cwd = mkdtempSync(join(tmpdir(), "starlane-cron-"));
after(() => rmSync(cwd, { recursive: true, force: true }));
mkdirSync(join(cwd, "guests/wat"), { recursive: true });
cpSync(join(ROOT, "guests/wat/tally.wasm"), join(cwd, "guests/wat/tally.wasm"));
cpSync(join(ROOT, "examples/cron"), join(cwd, "examples/cron"), {
  recursive: true,
  filter: (path) => !path.startsWith(join(ROOT, "examples/cron/data")),
});
const env = { ...plainEnvironment(), STARLANE_STATE: join(cwd, "state") };

/** The count that the schedule has come to, and one more. */
async function count(counter: string): Promise<number> {
  const { stdout, stderr } = await run(process.execPath, [MAIN, "run", "examples/cron", counter], { cwd, env });
  const printed: unknown = JSON.parse(stdout === "" ? "null" : stdout);
  assert(typeof printed === "object" && printed !== null && "count" in printed, stderr);
  return Number(printed.count);
}

/** Serves until `isEnough`; gives what was told meanwhile. */
async function serve(isEnough: () => Promise<boolean>): Promise<string[]> {
  const child = spawn(process.execPath, [MAIN, "serve", "examples/cron", "--log-format", "text"], {
    cwd,
    env,
    timeout: LONGEST_MS,
  });
  const lines: string[] = [];
  createInterface(child.stderr).on("line", (line) => lines.push(line));
  const ended = new Promise<number | null>((resolve, reject) => child.on("error", reject).on("close", resolve));
  while (child.exitCode === null && !(await isEnough()));
  child.kill("SIGTERM");
  assert.equal(await ended, 0, lines.join("\n"));
  return lines;
}

test("examples/cron counts while it is served, and makes up for what it missed with one run", async () => {
  const told = await serve(async () => (await count("ticks")) > 5);
  assert.equal(told[0], "running a schedule of acme/cron");
  assert.deepEqual(
    told.filter((line) => / error /.test(line)),
    [],
  );
  const before = await count("ticks");
  // Long enough that ticks of the schedule, one a second, went by without it.
  await sleep(3000);
  const again = await serve(async () => (await count("ticks")) > before + 3);
  assert.match(again.join("\n"), /warn acme\/cron tick: (?:\d+ runs|the run) .* missed/);
});

test("what the README of examples/cron shows is what happens", async () => {
  const readme = readFileSync(join(ROOT, "examples/cron/README.md"), "utf8");
  const shown = [...readme.matchAll(/^\$ npx starlane (.*)\n((?:(?!\$|```).*\n)*)/gm)];
  assert.equal(shown.length, 4);
  for (const [, line = "", expected] of shown) {
    const words = line.split(" ").map((word) => (word === "''" ? "" : word));
    if (words[0] === "serve") continue;
    const { stdout, stderr } = await run(process.execPath, [MAIN, ...words], { cwd, env });
    assert.equal(`${stdout}${stderr}`, expected, line);
  }
});
