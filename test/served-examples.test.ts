// The examples that answer requests: each is served in a folder of its own, and its README played against it, as a reader does in a second
// terminal. UPDATE_GOLDEN=1 writes the READMEs anew.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, test } from "node:test";
import { assertFile, MAIN, plainEnvironment, ROOT, run } from "./printed.ts";

const LONGEST_MS = 60_000;
/** Where READMEs say that it is served. */
const WRITTEN = "127.0.0.1:8080";

const folder = mkdtempSync(join(tmpdir(), "starlane-served-"));
after(() => rmSync(folder, { recursive: true, force: true }));
mkdirSync(join(folder, "examples"));
symlinkSync(join(ROOT, "guests"), join(folder, "guests"));
for (const name of ["shortener", "api", "site"]) {
  const source = join(ROOT, "examples", name);
  cpSync(source, join(folder, "examples", name), { recursive: true, filter: (file) => file !== join(source, "data") });
}

test("examples/api answers as its README shows", async () => {
  await play("api");
});

test("examples/site lets nobody in who is not signed in, as its README shows", async () => {
  await play("site", { STARLANE_SECRET_SESSION_KEY: randomUUID(), STARLANE_SECRET_MEMBERS_PASSWORD: "seagull" });
});

/** Serves while the commands of a README run, in their order, and compares what they print. */
async function play(name: string, secrets: NodeJS.ProcessEnv = {}): Promise<void> {
  const file = `examples/${name}/README.md`;
  const text = readFileSync(join(ROOT, file), "utf8");
  const env = { ...plainEnvironment(), STARLANE_STATE: join(folder, "state"), STARLANE_RECORDS: "off", ...secrets };
  const child = spawn(process.execPath, [MAIN, "serve", `examples/${name}`, "--port", "0", "--shards", "2"], {
    cwd: folder,
    env,
    timeout: LONGEST_MS,
  });
  const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
  try {
    const told = await serving(child.stderr);
    const address = /127\.0\.0\.1:\d+/.exec(told)?.[0] ?? "";
    let played = "";
    for (const [i, part] of text.split(/^(```console\n[\s\S]*?^```$)/m).entries()) {
      played += i % 2 === 0 ? part : await session(part, address, told.replaceAll(address, WRITTEN));
    }
    assertFile(played, file);
  } finally {
    child.kill("SIGTERM");
  }
  assert.equal(await ended, 0);
}

/** What it says when it serves. */
async function serving(stderr: NodeJS.ReadableStream): Promise<string> {
  const said: string[] = [];
  for await (const line of createInterface(stderr)) {
    const message = /"message":"(serving [^"]*)"/.exec(line)?.[1];
    if (message !== undefined) return message;
    said.push(line);
  }
  throw new Error(said.join("\n"));
}

async function session(block: string, address: string, served: string): Promise<string> {
  const lines: string[] = [];
  for (const part of block.split(/^(?=\$ )/m).slice(1)) {
    const [command = ""] = part.split("\n");
    const printed = command.startsWith("$ npx starlane serve") ? served : await shell(command.slice(2), address);
    lines.push(command, ...(printed === "" ? [] : [printed]));
  }
  return `\`\`\`console\n${lines.join("\n")}\n\`\`\``;
}

async function shell(command: string, address: string): Promise<string> {
  const { stdout, stderr } = await run("bash", ["-c", command.replaceAll(WRITTEN, address)], {
    cwd: folder,
    env: plainEnvironment(),
  });
  return `${stderr}${stdout}`.trimEnd().replaceAll("\r\n", "\n").replaceAll(address, WRITTEN);
}
