// Tests of apps with grants: what stands for the outside in them.

import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { describe, test } from "node:test";
import { storesManifest, writeStoresApp } from "../star/doubles/fixtures/stores.ts";
import { manifest, server, writeApp } from "../star/record/fixtures/app.ts";
import { type Ended, starlane, temporaryFolder } from "./fixtures/command.ts";

/** Runs tests, which are written as in a manifest. */
async function runTests(
  tests: string,
  env: Readonly<Record<string, string>> = {},
): Promise<Ended & { readonly files: readonly string[] }> {
  using folder = temporaryFolder();
  writeApp(folder.path, manifest(`tests:\n${tests}`));
  const ended = await starlane(["test", "."], { cwd: folder.path, env: { STARLANE_SECRET_TOKEN: "sesame-open-1234", ...env } });
  return { ...ended, stdout: ended.stdout.replaceAll(/ \([\d.]+ ms\)/g, ""), files: readdirSync(folder.path).toSorted() };
}

describe("a test of an app with grants", { concurrency: 2 }, () => {
  test("has stores of its own, in memory, with what it gave them", async () => {
    const { stdout, status, files } = await runTests(`
  - name: what was given is there
    operation: run
    input: { script: "get a\\nset a changed\\nget a\\nget b" }
    given: { keyvalue: { default: { a: one } } }
    expect: { heard: "one\\nset\\nchanged\\nnone\\n" }
  - name: nothing of another test is
    operation: run
    input: { script: "get a" }
    expect: { heard: "none\\n" }
`);
    assert.equal(stdout, "✔ what was given is there\n✔ nothing of another test is\n\n2 passed\n");
    assert.equal(status, 0);
    assert.deepEqual(files, ["outside.wasm", "starlane.yaml"], "nothing reached the disk");
  });

  test("has a clock that only sleeping moves, for components and flows, and the same random numbers", async () => {
    const started = performance.now();
    const { stdout, status } = await runTests(`
  - name: sleeps a day
    operation: run
    timestamp: 2026-08-01T12:00:00Z
    input: { script: "now\\nsleep 86400000\\nnow\\nrandom" }
    expect: { heard: { matches: "1785585600\\nslept\\n1785672000\\n[0-9]+\\n" } }
  - name: is in time
    operation: hurry
    input: { script: "sleep 100" }
    expect: { heard: "slept\\n" }
  - name: is late
    operation: hurry
    input: { script: "sleep 200" }
    expect: { heard: "too slow" }
`);
    assert.equal(stdout, "✔ sleeps a day\n✔ is in time\n✔ is late\n\n3 passed\n");
    assert.equal(status, 0);
    assert.ok(performance.now() - started < 80_000);
  });

  test("asks the script and not the network", async () => {
    await using remote = await server();
    const { stdout, stderr, status } = await runTests(`
  - name: in order, as often as they say
    operation: run
    input: { script: "fetch ${remote.authority} /x\\nfetch ${remote.authority} /x\\nfetch ${remote.authority} /x\\nfetch ${remote.authority} /y" }
    given:
      http:
        - { request: "GET http://${remote.authority}/x", respond: { status: 201, body: first }, times: 2 }
        - { request: { url: { matches: "http://.*/[xy]" } }, respond: { json: { sum: 2 } } }
    expect: { heard: "201 first\\n201 first\\n200 {\\"sum\\":2}\\nfailed 3\\n" }
  - name: by header
    operation: run
    input: { script: "fetch ${remote.authority} /x token-9" }
    given: { http: [ { request: { url: "http://${remote.authority}/x", headers: { X-Token: { matches: "token-[0-9]" } } }, respond: { body: ok } } ] }
    expect: { heard: "200 ok\\n" }
  - name: a request that was not expected
    operation: run
    input: { script: "fetch ${remote.authority} /x token-9" }
    given: { http: [ { request: { url: "http://${remote.authority}/x", headers: { x-token: other } }, respond: { body: ok } } ] }
    expect: { heard: "200 ok\\n" }
`);
    assert.match(stdout, /✔ in order, as often as they say\n✔ by header\n✘ a request that was not expected\n/, stderr);
    assert.match(
      stdout.replaceAll(remote.authority, "SERVER"),
      /unexpected request GET http:\/\/SERVER\/x; the nearest script is GET http:\/\/SERVER\/x \(starlane\.yaml:\d+:\d+\): header x-token: it is "token-9", but "other" was expected\n/,
    );
    assert.equal(status, 1);
    assert.deepEqual(remote.heard, []);
  });

  test("meets the faults that it asks for", async () => {
    const { stdout, status } = await runTests(`
  - name: the second call fails
    operation: run
    input: { script: "get a\\nget a\\nget a" }
    given: { keyvalue: { default: { a: one } }, faults: [ { capability: keyvalue, after: 1, times: 1, error: full } ] }
    expect: { heard: "one\\nfailed\\none\\n" }
  - name: all fail
    operation: run
    input: { script: "set a b\\nget a" }
    given: { faults: [ { capability: keyvalue, disconnect: true } ] }
    expect: { heard: "failed\\nfailed\\n" }
  - name: a slow answer takes virtual time
    operation: run
    input: { script: "now\\nfetch 127.0.0.1:80 /\\nnow" }
    given:
      http: [ { request: { url: http://127.0.0.1/ }, respond: { body: ok } } ]
      faults: [ { capability: http, latency: 1h } ]
    expect: { heard: "1767225600\\n200 ok\\n1767229200\\n" }
  - name: a slow answer is too late
    operation: hurry
    input: { script: "fetch 127.0.0.1:80 /" }
    given:
      http: [ { request: { url: http://127.0.0.1/ }, respond: { body: ok } } ]
      faults: [ { capability: http, latency: 1s } ]
    expect: { heard: too slow }
  - name: a lost connection
    operation: run
    input: { script: "fetch 127.0.0.1:80 /\\nfetch 127.0.0.1:80 /" }
    given:
      http: [ { request: { url: http://127.0.0.1/ }, respond: { body: ok }, times: 2 } ]
      faults: [ { capability: http, times: 1, disconnect: true } ]
    expect: { heard: "failed 7\\n200 ok\\n" }
`);
    assert.equal(
      stdout,
      "✔ the second call fails\n✔ all fail\n✔ a slow answer takes virtual time\n✔ a slow answer is too late\n✔ a lost connection\n\n5 passed\n",
    );
    assert.equal(status, 0);
  });

  test("is told what it gave to nobody", async () => {
    const { stdout, status } = await runTests(`
  - name: misspelt
    operation: run
    input: { script: "get a" }
    given: { keyvalue: { defualt: { a: one } }, files: { "/data/a": x } }
`);
    assert.equal(status, 1);
    assert.match(stdout, /no component is granted the bucket `defualt` of `given\.keyvalue`\n/);
    assert.match(stdout, /no component is granted a folder with `\/data\/a` of `given\.files`\n/);
  });

  test("meets faults in everything that keeps something, and in calls of other components", async () => {
    const GONE = "the resource did not answer";
    const script = (...commands: readonly (readonly string[])[]): string => JSON.stringify(JSON.stringify(commands));
    const heard = (...answers: readonly unknown[]): string => JSON.stringify(JSON.stringify(answers));
    const cases = [
      // What works first, what the fault is, what is heard meanwhile and afterwards.
      [
        "keyvalue",
        ["set", "default", "a", "1"],
        ["get", "default", "a"],
        "set",
        { tag: "other", val: "full" },
        { tag: "other", val: GONE },
      ],
      ["blobs", ["put", "pictures", "p", "xyz"], ["blob", "pictures", "p"], "put", "full", GONE],
      ["files", ["write", "t.txt", "hello"], ["read", "t.txt"], 5, "io", "io"],
      [
        "messaging",
        ["send", "orders", "one"],
        ["send", "orders", "two"],
        "sent",
        { tag: "other", val: "full" },
        { tag: "other", val: GONE },
      ],
      [
        "sql",
        ["sql", "CREATE TABLE a (b TEXT)"],
        ["sql", "INSERT INTO a VALUES ('x')"],
        0,
        { tag: "statement", val: "full" },
        { tag: "unavailable" },
      ],
      ["calls", ["price", "abc"], ["price", "abcd"], 3, undefined, undefined],
    ] as const;
    const good: Record<string, unknown> = { keyvalue: "1", blobs: "xyz", files: "hello", messaging: "sent", sql: 1, calls: 4 };
    const tests = cases.flatMap(([capability, first, second, done, full, gone]) => {
      const fault = (text: string): string => `given: { faults: [ { capability: ${capability}, ${text} } ] }`;
      // What is written goes through streams, whose errors say nothing.
      const failed = capability === "blobs" ? second : first;
      const failing = (text: string, heardThere: unknown): string =>
        heardThere === undefined
          ? `  - { name: ${capability} ${text.split(":")[0]}, operation: run, input: { script: ${script(failed)} }, ${fault(text)}, expect: { error: { message: { matches: ".*(full|lost).*" } } } }`
          : `  - { name: ${capability} ${text.split(":")[0]}, operation: run, input: { script: ${script(failed)} }, ${fault(text)}, expect: { heard: ${heard(heardThere)} } }`;
      return [
        failing("error: full", full),
        failing("disconnect: true", gone),
        `  - { name: ${capability} later, operation: hurry, input: { script: ${script(first, second)} }, ${fault("latency: 100ms")}, expect: { heard: ${heard(done, good[capability])} } }`,
        `  - { name: ${capability} too late, operation: hurry, input: { script: ${script(first, second)} }, ${fault("latency: 1h")}, expect: { heard: "too slow" } }`,
      ];
    });
    using folder = temporaryFolder();
    const hurry = `  hurry:
    input: { script: string }
    output: { heard: string }
    nodes: { slow: { uses: "stores::run", timeout: 10s } }
    flow: |
      <>.script -> slow
      slow ?? "too slow" -> <>.heard
`;
    await writeStoresApp(folder.path, storesManifest(`${hurry}tests:\n${tests.join("\n")}\n`));
    const { stdout, status } = await starlane(["test", "."], { cwd: folder.path });
    assert.equal(status, 0, stdout);
    assert.match(stdout, /\n24 passed/);
  });
});
