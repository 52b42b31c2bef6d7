import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { TransactionRecord } from "../star/record/record.ts";
import { manifest, server, writeApp } from "../star/record/fixtures/app.ts";
import { type Ended, starlane, temporaryFolder } from "./fixtures/command.ts";

const ENV = { STARLANE_SECRET_TOKEN: "sesame-open-1234" };

function readRecord(path: string): TransactionRecord {
  return JSON.parse(readFileSync(path, "utf8"));
}

interface Place extends Disposable {
  readonly path: string;
  file(name: string): string;
  run(words: readonly string[], env?: Readonly<Record<string, string>>): Promise<Ended>;
}

/** A folder with the app and a place for records. */
function place(text?: string): Place {
  const folder = temporaryFolder();
  writeApp(folder.path, text);
  return {
    path: folder.path,
    file: (name) => folder.file(name),
    run: (words, env = {}) =>
      starlane(words, { cwd: folder.path, env: { ...ENV, XDG_STATE_HOME: folder.file("state"), ...env } }),
    [Symbol.dispose]: () => folder[Symbol.dispose](),
  };
}

const invoke = (script: string, ...more: string[]): string[] => ["invoke", ".", "run", "--script", script, ...more];

describe("a recorded transaction", { concurrency: 2 }, () => {
  test("replays to the same result and prints the same, without network, storage, clock and secrets", async () => {
    using app = place();
    let recorded: Ended;
    {
      await using remote = await server();
      const script = `now\nrandom\nsleep 20\nprint said\nset a one two\nget a\nget b\nfetch ${remote.authority} /wait/20/later\nlog noted\nconfig motto`;
      recorded = await app.run(invoke(script, "--record", "r.json"));
      assert.equal(recorded.status, 0, recorded.stderr);
      assert.deepEqual(remote.heard, ["/wait/20/later"]);
    }
    assert.match(recorded.stdout, /slept\\nset\\none two\\nnone\\n200 later\\nhello\\n/);
    assert.match(recorded.stderr, /said\n/);
    rmSync(app.file("store.db"));
    const replayed = await app.run(["replay", "r.json"], { STARLANE_SECRET_TOKEN: "" });
    assert.deepEqual(replayed, recorded);
    assert.ok(!existsSync(app.file("store.db")), "no storage was opened");
    assert.deepEqual(await app.run(["replay", "r.json", "--json"]), recorded);
    assert.equal(statSync(app.file("r.json")).mode & 0o77, 0, "only its owner may read it");
  });

  test("keeps the order in which answers came to components that waited at the same time", async () => {
    using app = place();
    await using remote = await server();
    const [first, second] = [
      `fetch ${remote.authority} /wait/60/one\nnow`,
      `fetch ${remote.authority} /wait/10/two\nfetch ${remote.authority} /wait/5/three`,
    ];
    const recorded = await app.run(["invoke", ".", "both", "--first", first, "--second", second, "--record", "r.json"]);
    assert.equal(recorded.status, 0, recorded.stderr);
    assert.equal(readRecord(app.file("r.json")).calls.length, 2);
    assert.deepEqual(await app.run(["replay", "r.json"]), recorded);
  });

  test("times out again where it did, and tries again as often", async () => {
    using app = place();
    await using remote = await server();
    const late = await app.run([
      "invoke",
      ".",
      "hurry",
      "--script",
      `fetch ${remote.authority} /wait/2000/x`,
      "--record",
      "late.json",
    ]);
    assert.equal(late.stdout, '{"heard":"too slow"}\n', late.stderr);
    assert.deepEqual(await app.run(["replay", "late.json"]), late);
    const failing = await app.run(["invoke", ".", "again", "--script", "now\nfail no luck", "--record", "again.json"]);
    assert.equal(failing.status, 1);
    assert.equal(readRecord(app.file("again.json")).calls.length, 3);
    const replayed = await app.run(["replay", "again.json"]);
    assert.equal(replayed.status, 1);
    assert.match(replayed.stderr, /no luck/);
    assert.doesNotMatch(replayed.stderr, /differs/);
  });

  test("ends at its deadline again, in an endless loop and while it waits", async () => {
    using app = place();
    await using remote = await server();
    for (const script of ["now\nspin", `fetch ${remote.authority} /wait/5000/x`]) {
      const recorded = await app.run(invoke(script, "--timeout", "300ms", "--record", "r.json"));
      const replayed = await app.run(["replay", "r.json"]);
      assert.deepEqual([recorded.status, replayed.status], [3, 3], replayed.stderr);
      assert.match(replayed.stderr, /error\[flow\/deadline\]/);
    }
  });

  test("traps again", async () => {
    using app = place();
    await app.run(invoke("now\ntrap", "--record", "r.json"));
    const replayed = await app.run(["replay", "r.json"]);
    assert.equal(replayed.status, 1);
    assert.match(replayed.stderr, /error\[engine\/trap\]/);
  });

  test("shows where the run first differs when something was changed", async () => {
    using app = place();
    await using remote = await server();
    const script = `config motto\nget a\nfetch ${remote.authority} /x`;
    await app.run(invoke(script, "--record", "r.json"));
    const record = readFileSync(app.file("r.json"), "utf8");
    const told: string[] = [];
    const tell = async (changed: string): Promise<void> => {
      writeFileSync(app.file("changed.json"), changed);
      const { status, stdout, stderr } = await app.run(["replay", "changed.json"]);
      assert.deepEqual({ status, stdout }, { status: 1, stdout: "" });
      told.push(stderr.replaceAll(remote.authority, "SERVER"));
    };
    await tell(record.replaceAll('"args":["#1","a"]', '"args":["#1","b"]'));
    await tell(record.replace('"script":"config motto\\n', '"script":"config motto\\nnow\\n'));
    await tell(record.replace(/,\n\{"call":"wasi:http\/types@0\.2\.12#\[constructor\]fields[^]*?\]\}\]/, "]}]"));
    await tell(record.replace(String.raw`\n/x`, "").replace(/"script":"(.*)\\nfetch [^"]*"/, '"script":"$1"'));
    await tell(record.replace(/"result":\{"heard":"hello/, '"result":{"heard":"HELLO'));
    await tell(record.replace('"count":0', '"count":1'));
    const golden = join(import.meta.dirname, "../../test/golden/replay/differences.txt");
    if (process.env["UPDATE_GOLDEN"] === "1") writeFileSync(golden, told.join("\n"));
    assert.equal(told.join("\n"), readFileSync(golden, "utf8"));
  });

  test("names the files that were changed since", async () => {
    using app = place();
    await app.run(invoke("config motto", "--record", "r.json"));
    writeFileSync(app.file("starlane.yaml"), manifest("# changed\n"));
    const { status, stderr } = await app.run(["replay", "r.json"]);
    assert.deepEqual({ status, stderr }, { status: 0, stderr: "note: changed since it was recorded: starlane.yaml\n" });
  });

  test("is refused where it is no record, or a broken one", async () => {
    using app = place();
    await app.run(invoke("now", "--record", "r.json"));
    const record = readFileSync(app.file("r.json"), "utf8");
    const broken = [
      "",
      "{}",
      record.slice(0, -20),
      record.replace("record-v1", "record-v9"),
      record.replace('"calls": [', '"calls": [1,'),
      record.replace('"seconds"', '"hours"'),
    ];
    for (const text of broken) {
      writeFileSync(app.file("broken.json"), text);
      const { status, stderr } = await app.run(["replay", "broken.json"]);
      assert.equal(status, 2, stderr);
      assert.match(stderr, /error\[replay\/bad-record\]/);
    }
    assert.match((await app.run(["replay", "missing.json"])).stderr, /error\[star\/file\]/);
  });

  test("becomes a test that runs with the others and fails when the app does something else", async () => {
    using app = place();
    await app.run(invoke("get a\nconfig motto", "--record", "seen.json"));
    const made = await app.run(["replay", "seen.json", "--as-test"]);
    assert.equal(made.status, 0);
    assert.match(
      made.stderr,
      /the record is records\/seen\.json\nthe test "run answers as it did on [^"]*" was added to starlane\.tests\.yaml, a new file\n`tests: \[ \.\/starlane\.tests\.yaml \]` was added to starlane\.yaml\n/,
    );
    const passed = await app.run(["test", "."]);
    assert.equal(passed.status, 0, passed.stdout);
    assert.match(passed.stdout, /1 passed/);
    // Once more, beside the first.
    assert.equal((await app.run(["replay", "seen.json", "--as-test"])).status, 0);
    const tests = readFileSync(app.file("starlane.tests.yaml"), "utf8");
    assert.equal(tests.match(/record: \.\/records\/seen\.json/g)?.length, 2);
    assert.match((await app.run(["test", "."])).stdout, /2 passed/);
    const record = readFileSync(app.file("records/seen.json"), "utf8");
    writeFileSync(app.file("records/seen.json"), record.replace('"heard":"none', '"heard":"other'));
    const failed = await app.run(["test", "."]);
    assert.equal(failed.status, 1);
    assert.match(failed.stdout, /all that came from outside was as recorded, but not what came of it/);
  });
});

describe("a failed transaction", { concurrency: 2 }, () => {
  test("of an app with grants leaves a record, and its error tells how to replay it", async () => {
    using app = place();
    const failed = await app.run(invoke("get a\nfail why not"));
    assert.equal(failed.status, 1);
    const [, path = ""] = /starlane replay (\S+\.json) runs it again from its record/.exec(failed.stderr) ?? [];
    assert.match(path, /^state\/starlane\/records\//);
    const replayed = await app.run(["replay", path]);
    assert.equal(replayed.status, 1);
    assert.equal(replayed.stderr, failed.stderr.replace(/\n {2}= starlane replay .*$/m, ""));
    const json = await app.run(invoke("fail why not", "--json"));
    assert.match(JSON.parse(json.stderr).error.data.record, /\.json$/);
  });

  test("leaves none where records are off, nothing is granted, or it did not run", async () => {
    using app = place();
    await app.run(invoke("fail no"), { STARLANE_RECORDS: "off" });
    await app.run(invoke("now"));
    await app.run(["invoke", ".", "run"]);
    assert.ok(!existsSync(app.file("state")));
    const chosen = await app.run(invoke("fail no"), { STARLANE_RECORDS: app.file("kept") });
    assert.match(chosen.stderr, /starlane replay kept\//);
  });

  test("pushes out the oldest when there are many", async () => {
    using app = place();
    const folder = app.file("kept");
    mkdirSync(folder);
    for (let i = 0; i < 60; i++) {
      const file = join(folder, `2020-01-01T00-00-${String(i).padStart(2, "0")}-000Z-x.json`);
      writeFileSync(file, "{}");
      utimesSync(file, 0, 0);
    }
    writeFileSync(join(folder, "mine.json"), "{}");
    await app.run(invoke("fail no"), { STARLANE_RECORDS: folder });
    const names = readdirSync(folder);
    assert.equal(names.length, 51);
    assert.ok(names.includes("mine.json"), "what is no record of ours stays");
    assert.ok(!names.some((name) => name.startsWith("2020-01-01T00-00-10")));
    assert.ok(names.some((name) => name.startsWith("2020-01-01T00-00-59")));
  });
});
