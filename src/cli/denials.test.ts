// What a component asked for and is not granted is told to the author of the app, with the grant that would allow it, and not to the component.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { storesManifest, writeStoresApp } from "../star/doubles/fixtures/stores.ts";
import { manifest, writeApp } from "../star/record/fixtures/app.ts";
import { starlane, temporaryFolder } from "./fixtures/command.ts";
import { serve } from "./fixtures/served.ts";

const asked = (grant: string, target: string, component = "stores"): string =>
  `denied: ${component} asked for ${target}; what would allow it: grants: { ${component}: { ${grant} } }\n`;

const SCRIPT = JSON.stringify([
  ["get", "other", "a"],
  ["get", "other", "b"],
  ["blob", "nope", "p"],
  ["read", "../x"],
  ["send", "secrets", "hi"],
  ["sql", "SELECT 1", "more"],
]);

const TOLD = [
  asked('keyvalue: { "other": RESOURCE }', 'the bucket "other"'),
  asked('blobs: { "nope": RESOURCE }', 'the container "nope"'),
  asked('files: { "PATH": RESOURCE }', 'the path "../x", which leads out of "/texts"'),
  asked('messaging: { "secrets": RESOURCE }', 'the topic "secrets"'),
  asked('sql: { "more": RESOURCE }', 'the database "more"'),
].join("");

describe("what a component is denied", { concurrency: 2 }, () => {
  test("is told by invoke, run and test, each once, and the component learns nothing of it", async () => {
    using folder = temporaryFolder();
    await writeStoresApp(
      folder.path,
      storesManifest(`triggers: [ { cli: run } ]
tests: [ { operation: run, input: { script: ${JSON.stringify(SCRIPT)} } } ]
`),
    );
    const invoked = await starlane(["invoke", ".", "run", "--script", SCRIPT], { cwd: folder.path });
    assert.equal(invoked.stderr, TOLD);
    assert.doesNotMatch(invoked.stdout, /grant[^e]|RESOURCE/);
    const ran = await starlane(["run", ".", "--", "--script", SCRIPT], { cwd: folder.path });
    assert.deepEqual({ stdout: ran.stdout, stderr: ran.stderr }, { stdout: invoked.stdout, stderr: TOLD });
    assert.equal((await starlane(["test", "."], { cwd: folder.path })).stderr, TOLD);
  });

  test("is told in the log of serve, once, however often it is asked for", async () => {
    using folder = temporaryFolder();
    await writeStoresApp(folder.path);
    await using served = await serve(["."], { cwd: folder.path });
    for (let i = 0; i < 3; i++) assert.equal((await served.post("/run", { script: SCRIPT })).status, 200);
    await served.stop();
    const denied = served.log().filter(({ message }) => message.startsWith("denied: "));
    assert.ok(denied.every(({ level }) => level === "warn"));
    assert.equal(denied.map(({ message }) => `${message}\n`).join(""), TOLD);
  });

  test("is a request: to a host that is not granted, to a path that is not, and without any grant", async () => {
    using folder = temporaryFolder();
    const script = "fetch 127.0.0.1:9 /other/x\nfetch api.example.test /x\nfetch api.example.test /y";
    const invoke = async (text: string): Promise<string> => {
      writeApp(folder.path, text);
      const env = { STARLANE_SECRET_TOKEN: "sesame-open-1234", NO_COLOR: "1" };
      return (await starlane(["invoke", ".", "run", "--script", script], { cwd: folder.path, env })).stderr;
    };
    const first = 'http: ["http://127.0.0.1:9"]';
    const second = asked('http: ["http://api.example.test"]', "GET http://api.example.test/x", "outside");
    const granted = manifest().replace("http://127.0.0.1:*", "http://127.0.0.1:9/api/*");
    assert.equal(await invoke(granted), asked(first, "GET http://127.0.0.1:9/other/x", "outside") + second);
    assert.equal(
      await invoke(manifest().replace(/ {4}http: .*\n/, "")),
      asked(first, "GET http://127.0.0.1:9/other/x", "outside") + second,
    );
  });
});
