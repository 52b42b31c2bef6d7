// Secrets are nowhere: everything that the commands print, log, record and fail with is searched for them, in every form in which they
// could stand there.

import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { manifest, server, writeApp } from "../star/record/fixtures/app.ts";
import { starlane, temporaryFolder } from "./fixtures/command.ts";
import { serve } from "./fixtures/served.ts";

/** Characters that JSON, XML, URLs, terminals and base64 write in another way; and several lines. */
const SECRETS = ["plain-sesame-77", 'qu"o\\te&<x>/?', "tab\there\u0007bell++//ß", "first line of it\nsecond line of it"];

const COMMANDS: Readonly<Record<string, readonly string[]>> = {
  result: ["invoke", ".", "run", "--script", "config token"],
  json: ["invoke", ".", "run", "--script", "config token", "--json", "--verbose"],
  printed: ["invoke", ".", "run", "--script", "tell token\nprint x\ntell token"],
  sent: ["invoke", ".", "leak", "--record", "sent.json"],
  failed: ["invoke", ".", "fails"],
  "failed-json": ["invoke", ".", "fails", "--json", "--verbose"],
  trapped: ["invoke", ".", "run", "--script", "tell token\nconfig token\ntrap", "--verbose"],
  late: ["invoke", ".", "run", "--script", "tell token\nconfig token\nspin", "--timeout", "200ms", "--json"],
  recorded: ["invoke", ".", "run", "--script", "tell token\nconfig token\nset a b\nlog x", "--record", "r.json"],
  replayed: ["replay", "r.json", "--json"],
  "as-test": ["replay", "r.json", "--as-test"],
  test: ["test", "."],
  tap: ["test", ".", "--tap"],
  junit: ["test", ".", "--junit"],
  inspect: ["inspect", ".", "--json"],
  "inspect-wit": ["inspect", "."],
  check: ["check", "."],
  "check-json": ["check", ".", "--json"],
  denied: ["invoke", ".", "denies"],
  run: ["run", "--record", "ran.json", ".", "say", "--script", "tell token\nconfig token\nprint x"],
  "run-denied": ["run", ".", "refused"],
  "run-failed": ["run", ".", "say", "--script", "tell token\nconfig token\ntrap"],
  help: ["invoke", ".", "run", "--help"],
};

const MORE = `  leak:
    nodes: { send: { uses: "outside::run", with: { script: "\${config.send}" } } }
    flow: send -> <>.heard
  denies:
    nodes: { ask: { uses: "outside::run", with: { script: "\${config.deny}" } } }
    flow: ask -> <>.heard
  fails:
    nodes: { fail: { uses: "outside::run", with: { script: "\${config.fail}" } } }
    flow: fail -> <>.heard
parameters:
  send: { type: string, default: "fetch \${env.AUTHORITY} /echo \${secret.TOKEN}\\nset a \${secret.TOKEN}" }
  deny: { type: string, default: "fetch 192.0.2.9:81 /\${secret.TOKEN}" }
  fail: { type: string, default: "fail \${secret.TOKEN}" }
triggers:
  - cli: { name: say, operation: run }
  - cli: { name: refused, operation: denies }
tests:
  - { name: differs, operation: run, input: { script: "tell token\\nconfig token" }, expect: { heard: "something else\\n" } }
  - { name: fails, operation: fails }
  - { name: told, operation: run, input: { script: "config token\\nprint a\\ntell token\\ntrap" } }
`;

/** Every form in which a secret could be read from a text. */
function formsOf(secret: string): string[] {
  const xml = secret.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
  const json = JSON.stringify(secret).slice(1, -1);
  const bytes = Buffer.from(secret);
  const base64 = [0, 1, 2].map((shift) => {
    const text = Buffer.concat([Buffer.alloc(shift), bytes])
      .toString("base64")
      .replace(/=+$/, "");
    return text.slice(Math.ceil((shift * 8) / 6), Math.floor(((shift + bytes.length) * 8) / 6));
  });
  const lines = secret.split("\n");
  return [
    secret,
    json,
    JSON.stringify(json).slice(1, -1),
    xml,
    encodeURIComponent(secret),
    bytes.toString("hex"),
    ...base64,
    ...(lines.length > 1 ? lines : []),
  ];
}

/** What `serve` writes while its components print, are denied and fail. */
async function served(folder: string, env: Readonly<Record<string, string>>): Promise<string> {
  await using server = await serve(["."], { cwd: folder, env });
  await server.post("/denies", {});
  await server.post("/fails", {});
  await server.post("/run", { script: "tell token\nlog x\nconfig token\nprint y\ntell token\ntrap" });
  await server.said(/was recorded/);
  return await server.stop();
}

describe("a secret", { concurrency: 2 }, () => {
  for (const [i, secret] of SECRETS.entries()) {
    test(`is in no output, log, record or error of any command: ${JSON.stringify(secret)}`, async () => {
      using folder = temporaryFolder();
      await using remote = await server();
      writeApp(folder.path, manifest(MORE));
      // From a folder of secrets, as Kubernetes mounts them, and from the environment.
      const secretsFolder = folder.file("secrets");
      mkdirSync(secretsFolder);
      if (i % 2 === 0) writeFileSync(join(secretsFolder, "TOKEN"), `${secret}\n`);
      const env = {
        STARLANE_SECRETS: secretsFolder,
        XDG_STATE_HOME: folder.file("state"),
        AUTHORITY: remote.authority,
        ...(i % 2 === 0 ? {} : { STARLANE_SECRET_TOKEN: secret }),
      };
      const seen: Record<string, string> = {};
      for (const [name, words] of Object.entries(COMMANDS)) {
        const { stdout, stderr } = await starlane(words, { cwd: folder.path, env });
        seen[`${name} stdout`] = stdout;
        seen[`${name} stderr`] = stderr;
        assert.ok(stdout !== "" || stderr !== "", name);
        assert.doesNotMatch(stderr, /error\[(?:manifest|cli|starlane)\//, name);
      }
      seen["serve log"] = await served(folder.path, { ...env, STARLANE_RECORDS: folder.file("served") });
      assert.match(seen["serve log"], /denied: .*was recorded|was recorded[^]*denied: /s);
      for (const name of readdirSync(folder.path, { recursive: true, encoding: "utf8" })) {
        if (name.endsWith(".json")) seen[name] = readFileSync(folder.file(name), "utf8");
      }
      assert.ok(Object.keys(seen).filter((name) => name.startsWith("state")).length >= 3, "failed transactions left records");
      if (!secret.includes("\n") && !/[^ -~]/.test(secret)) assert.deepEqual(remote.heard, ["/echo"], "the server was told");
      assert.match(seen["result stdout"] ?? "", /\*\*\*/);
      assert.match(seen["printed stderr"] ?? "", /\*\*\*/);
      for (const [name, text] of Object.entries(seen)) {
        for (const form of formsOf(secret))
          assert.ok(!text.includes(form), `${name} has ${JSON.stringify(form)}: ${text.slice(0, 3000)}`);
      }
    });
  }
});
