// What `run` and `serve` record, and that `replay` gives the same again, without what was there.

import assert from "node:assert/strict";
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { manifest, server, writeApp } from "../star/record/fixtures/app.ts";
import type { TransactionRecord } from "../star/record/record.ts";
import { wat } from "../../test/wat.ts";
import { type Ended, starlane, temporaryFolder } from "./fixtures/command.ts";
import { serve } from "./fixtures/served.ts";

const ROOT = join(import.meta.dirname, "../..");
const ENV = { STARLANE_SECRET_TOKEN: "sesame-open-1234" };

/** A connection that stays open would be waited for when the server stops. */
const CLOSE = { connection: "close" };

function readRecord(path: string): TransactionRecord {
  return JSON.parse(readFileSync(path, "utf8"));
}

/** The only record in a folder. */
function only(folder: string): string {
  const names = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith(".json")) : [];
  assert.equal(names.length, 1, names.join(", "));
  return join(folder, names[0] ?? "");
}

describe("a recorded command", { concurrency: 2 }, () => {
  test("is replayed with its output and its status, without its files", async () => {
    using folder = temporaryFolder();
    const run = (...words: string[]): Promise<Ended> =>
      starlane(words, { cwd: folder.path, env: { XDG_STATE_HOME: folder.file("state") } });
    copyFileSync(join(ROOT, "guests/c/wordcount.wasm"), folder.file("wc.wasm"));
    mkdirSync(folder.file("texts"));
    writeFileSync(folder.file("texts/a.txt"), "one two\nthree\n");
    writeFileSync(
      folder.file("starlane.yaml"),
      `starlane: v1
components: { wc: ./wc.wasm }
resources: { texts: { files: ./texts } }
grants: { wc: { files: { "/": { from: texts, readonly: true } } } }
triggers: [ { cli: { component: wc } } ]
`,
    );
    const counted = await run("run", "--record", "counted.json", ".", "--", "/a.txt");
    assert.deepEqual(
      { status: counted.status, stdout: counted.stdout },
      { status: 0, stdout: " 2  3 14 /a.txt\n" },
      counted.stderr,
    );
    const missing = await run("run", "--record", "missing.json", ".", "--", "/b.txt");
    assert.equal(missing.status, 1);
    // The same of a component that stands alone.
    const alone = await run("run", "--record", "alone.json", "--dir", "/=texts", "wc.wasm", "/a.txt");
    assert.equal(alone.stdout, counted.stdout, alone.stderr);
    rmSync(folder.file("texts"), { recursive: true });
    assert.deepEqual(await run("replay", "counted.json"), counted);
    assert.deepEqual(await run("replay", "missing.json"), missing);
    assert.deepEqual(await run("replay", "alone.json"), alone);
    assert.ok(!existsSync(folder.file("state")), "a program that ends with a status has not failed");
  });

  test("is an operation too, and one that fails is kept without being asked for", async () => {
    using folder = temporaryFolder();
    writeApp(folder.path, manifest("triggers: [ { cli: run } ]\n"));
    const env = { ...ENV, XDG_STATE_HOME: folder.file("state") };
    const run = (...words: string[]): Promise<Ended> => starlane(words, { cwd: folder.path, env });
    const heard = await run("run", "--record", "r.json", ".", "--", "--script", "now\nset a 1\nget a");
    assert.equal(heard.status, 0, heard.stderr);
    assert.deepEqual(await run("replay", "r.json"), heard);
    const failed = await run("run", ".", "--", "--script", "now\ntrap");
    const [, path = ""] = /starlane replay (\S+\.json) runs it again from its record/.exec(failed.stderr) ?? [];
    const replayed = await run("replay", path);
    assert.equal(replayed.stderr, failed.stderr.replace(/\n {2}= starlane replay .*$/m, ""));
  });
});

describe("serve", { concurrency: 2 }, () => {
  test("keeps records of transactions that fail, and says where; not of those that answer", async () => {
    using folder = temporaryFolder();
    writeApp(folder.path);
    const records = folder.file("kept");
    const env = { ...ENV, STARLANE_RECORDS: records };
    await using served = await serve(["."], { cwd: folder.path, env });
    assert.equal((await served.post("/run", { script: "set a 1" })).status, 200);
    const { status, text } = await served.post("/run", { script: "now\nget a\ntrap" });
    assert.equal(status, 500);
    assert.doesNotMatch(text, /kept|json|replay/, "the client learns nothing of it");
    await served.said(/was recorded/);
    await served.stop();
    const path = only(records);
    const [line] = served.log().filter(({ message }) => message.includes("was recorded"));
    assert.deepEqual(
      [line?.level, line?.message],
      ["warn", "run failed and was recorded: `starlane replay kept/" + path.slice(records.length + 1) + "` runs it again"],
    );
    const replayed = await starlane(["replay", path], { cwd: folder.path, env: ENV });
    assert.equal(replayed.status, 1);
    assert.match(replayed.stderr, /^error\[engine\/trap\]/);
  });

  test("keeps those of schedules", async () => {
    using folder = temporaryFolder();
    const records = folder.file("kept");
    writeApp(
      folder.path,
      manifest('triggers: [ { schedule: { cron: "* * * * * *", operation: run, input: { script: "now\\ntrap" } } } ]\n'),
    );
    await using served = await serve(["."], { cwd: folder.path, env: { ...ENV, STARLANE_RECORDS: records } });
    await served.said(/was recorded/);
    await served.stop();
    const [name = ""] = readdirSync(records);
    const replayed = await starlane(["replay", join(records, name)], { cwd: folder.path, env: ENV });
    assert.match(replayed.stderr, /^error\[engine\/trap\]/);
  });

  test("leaves none where records are off", async () => {
    using folder = temporaryFolder();
    writeApp(folder.path);
    const env = { ...ENV, STARLANE_RECORDS: "off", XDG_STATE_HOME: folder.file("state") };
    await using served = await serve(["."], { cwd: folder.path, env });
    assert.equal((await served.post("/run", { script: "trap" })).status, 500);
    await served.stop();
    assert.ok(!existsSync(folder.file("state/starlane/records")));
  });

  for (const version of ["0.2", "0.3"]) {
    test(`with --record keeps every request that a component of wasi:http ${version} answers, and replay does the same again`, async () => {
      using folder = temporaryFolder();
      copyFileSync(join(ROOT, `src/capabilities/fixtures/http/guest-${version}.wasm`), folder.file("guest.wasm"));
      const guest = `starlane: v1
components: { guest: ./guest.wasm }
grants: { guest: { http: ["http://127.0.0.1:*"] } }
triggers: [ { http: { port: 8080 }, routes: [ "/* -> component: guest" ] } ]
`;
      writeFileSync(folder.file("starlane.yaml"), guest);
      const records = folder.file("kept");
      {
        await using remote = await server();
        await using served = await serve([".", "--record", "kept"], { cwd: folder.path });
        const echo = await fetch(`${served.url}/echo`, { method: "POST", body: "said again", headers: CLOSE });
        assert.equal(await echo.text(), "said again");
        const sent = await fetch(`${served.url}/send`, {
          headers: { ...CLOSE, "x-authority": remote.authority, "x-path": "/far" },
        });
        assert.equal(await sent.text(), "/far");
        await (await fetch(`${served.url}/trap`, { headers: CLOSE })).text();
        await served.stop();
      }
      const names = readdirSync(records).toSorted();
      assert.equal(names.length, 3);
      for (const [i, name] of names.entries()) {
        const replayed = await starlane(["replay", join(records, name)], { cwd: folder.path });
        if (i === 2) assert.match(replayed.stderr, /^error\[engine\/trap\]/);
        else assert.deepEqual(replayed, { status: 0, stdout: "", stderr: "it did the same as when it was recorded\n" });
      }
      const changed = JSON.stringify(readRecord(join(records, names[0] ?? ""))).replace("said again", "said other");
      writeFileSync(folder.file("changed.json"), changed);
      assert.match((await starlane(["replay", "changed.json"], { cwd: folder.path })).stderr, /^error\[replay\/differs\]/);
    });
  }
});

describe("streams of an operation", () => {
  test("are recorded with what passed, and come back the same", async () => {
    using folder = temporaryFolder();
    const pass = await wat(`(component
      (core module $m (func (export "pass") (param i32) (result i32) (local.get 0)))
      (core instance $i (instantiate $m))
      (func (export "pass") (param "source" (stream u8)) (result (stream u8)) (canon lift (core func $i "pass"))))`);
    writeFileSync(folder.file("pass.wasm"), pass);
    const run = (...words: string[]): Promise<Ended> => starlane(words, { cwd: folder.path });
    writeFileSync(folder.file("in.txt"), "streamed bytes");
    const passed = await run("invoke", "pass.wasm", "pass", "--source", "@in.txt", "--record", "r.json");
    assert.deepEqual(passed, { status: 0, stdout: "streamed bytes", stderr: "" });
    rmSync(folder.file("in.txt"));
    assert.deepEqual(await run("replay", "r.json"), passed);
    const record = readFileSync(folder.file("r.json"), "utf8");
    const outcome = record.indexOf('"outcome"');
    writeFileSync(folder.file("other.json"), record.slice(0, outcome) + record.slice(outcome).replace("streamed", "stroomed"));
    assert.match((await run("replay", "other.json")).stderr, /^error\[replay\/differs\]/);
  });
});
