// Several processes behind one address, as `serve` starts them.

import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, afterEach, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { MAIN, plainEnvironment, ROOT } from "../../test/printed.ts";

const LONGEST_MS = 60_000;
const folder = mkdtempSync(join(tmpdir(), "starlane-shards-"));
const running = new Set<ChildProcess>();
afterEach(() => running.forEach((child) => child.kill("SIGKILL")));
after(() => rmSync(folder, { recursive: true, force: true }));

interface Serving {
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
  readonly told: Record<string, unknown>[];
  /** The first message that matches, once it is told. */
  readonly telling: (pattern: RegExp) => Promise<string>;
}

function serve(...words: string[]): Serving {
  const env = { ...plainEnvironment(), STARLANE_STATE: join(folder, "state") };
  const child = spawn(process.execPath, [MAIN, "serve", "--port", "0", ...words], { cwd: folder, env, timeout: LONGEST_MS });
  running.add(child);
  const told: Record<string, unknown>[] = [];
  createInterface(child.stderr).on("line", (line) => {
    told.push(line.startsWith("{") ? JSON.parse(line) : { message: line });
  });
  const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
  const telling = async (pattern: RegExp): Promise<string> => {
    for (;;) {
      const found = told.map(({ message }) => String(message)).find((message) => pattern.test(message));
      if (found !== undefined) return found;
      assert.equal(child.exitCode, null, JSON.stringify(told));
      await sleep(20);
    }
  };
  return { child, ended, told, telling };
}

const addressIn = (message: string): string => /http:\S+/.exec(message)?.[0] ?? "";
const childrenOf = (pid: number): number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean).map(Number);
const onLinux = { skip: process.platform === "linux" ? false : "processes are found in /proc" };

describe("a shard that is killed", () => {
  test("is replaced, and the others go on", onLinux, async () => {
    const { child, ended, telling } = serve(join(ROOT, "examples/hello"), "--shards", "3");
    const address = addressIn(await telling(/with 3 processes/));
    const pid = child.pid ?? 0;
    const shards = childrenOf(pid);
    assert.equal(shards.length, 3);
    const outcomes = { answered: 0, failed: 0 };
    let isDone = false;
    const AT_A_TIME = 4;
    const clients = Array.from({ length: AT_A_TIME }, async () => {
      while (!isDone) {
        const body = JSON.stringify({ name: "Ada", lang: "fr" });
        const headers = { "content-type": "application/json", connection: "close" };
        try {
          const answer = await fetch(`${address}/greet`, { method: "POST", body, headers });
          assert.equal(await answer.text(), '{"greeting":"Bonjour, Ada!"}');
          outcomes.answered++;
        } catch (error) {
          if (error instanceof assert.AssertionError) throw error;
          outcomes.failed++;
        }
      }
    });
    while (outcomes.answered < 50) await sleep(10);
    process.kill(shards[1] ?? 0, "SIGKILL");
    await telling(/the process ended with SIGKILL: it is replaced/);
    const before = outcomes.answered;
    while (outcomes.answered < before + 50 || childrenOf(pid).length < 3) await sleep(10);
    isDone = true;
    await Promise.all(clients);
    assert.ok(outcomes.failed <= AT_A_TIME, `${outcomes.failed} requests failed: more than it can have been answering`);
    child.kill("SIGTERM");
    assert.equal(await ended, 0);
  });

  test("leaves nobody behind when its supervisor is killed", onLinux, async () => {
    const { child, telling } = serve(join(ROOT, "examples/hello"), "--shards", "2");
    await telling(/with 2 processes/);
    const shards = childrenOf(child.pid ?? 0);
    child.kill("SIGKILL");
    const isThere = (pid: number): boolean => {
      try {
        return process.kill(pid, 0);
      } catch {
        return false;
      }
    };
    while (shards.some(isThere)) await sleep(20);
  });
});

test("the metrics are those of all processes, whichever answers", async () => {
  const { child, ended, telling } = serve(join(ROOT, "examples/hello"), "--shards", "3");
  const address = addressIn(await telling(/with 3 processes/));
  const headers = { "content-type": "application/json", connection: "close" };
  for (let i = 0; i < 20; i++) {
    await (await fetch(`${address}/greet`, { method: "POST", body: '{"name":"Ada"}', headers })).text();
  }
  for (let i = 0; i < 3; i++) {
    const text = await (await fetch(`${address}/metrics`, { headers: { connection: "close" } })).text();
    const counts = [...text.matchAll(/^starlane_http_requests_total\{shard="(\d)"[^}]*route="\/greet"[^}]*\} (\d+)$/gm)];
    assert.equal(
      counts.reduce((sum, [, , count]) => sum + Number(count), 0),
      20,
      text,
    );
    assert.equal(text.match(/^# TYPE starlane_http_requests_total counter$/gm)?.length, 1);
  }
  child.kill("SIGTERM");
  assert.equal(await ended, 0);
});

test("mistakes of a manifest are told once, whatever the number of processes", async () => {
  writeFileSync(join(folder, "wrong.yaml"), "starlane: v1\noperations: { a: { flwo: x } }\n");
  const { ended, told } = serve("wrong.yaml", "--shards", "4");
  assert.equal(await ended, 2);
  const said = told.map(({ message }) => String(message)).join("\n");
  assert.equal(said.split("manifest/unknown-key").length, 2, said);
});

describe("an app that keeps something in memory", () => {
  const manifest = `starlane: v1
name: acme/kept
components:
  text: ./bench.wasm
resources:
  room: { keyvalue: "memory:" }
operations:
  add:
    flow: |
      1 -> text::add.left
      2 -> add.right
      add -> <>.sum
`;
  writeFileSync(join(folder, "kept.yaml"), manifest);
  copyFileSync(join(ROOT, "guests/wat/bench.wasm"), join(folder, "bench.wasm"));

  test("is served by one process", async () => {
    const { child, ended, told, telling } = serve("kept.yaml");
    await telling(/serving acme\/kept at/);
    const said = told.map(({ message }) => String(message)).join("\n");
    assert.doesNotMatch(said, /with \d+ processes/);
    child.kill("SIGTERM");
    assert.equal(await ended, 0);
  });

  test("is served by several when they are asked for, with a warning", async () => {
    const { child, ended, told, telling } = serve("kept.yaml", "--shards", "2");
    await telling(/with 2 processes/);
    assert.ok(
      told.some(({ level, message }) => level === "warn" && /room.*each of the 2/.test(String(message))),
      JSON.stringify(told),
    );
    child.kill("SIGTERM");
    assert.equal(await ended, 0);
  });
});
