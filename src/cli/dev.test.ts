import assert from "node:assert/strict";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { describe, test } from "node:test";
import { textComponent } from "./fixtures/components.ts";
import { temporaryFolder } from "./fixtures/command.ts";
import { Dev } from "./fixtures/dev.ts";

/** Answers with the same text twice: a mixture of two versions would show. */
const twice = (text: string): string => `starlane: v1
name: test/twice
operations:
  say:
    input: { name: { type: string, default: you } }
    flow: |
      <>.name -> first.name
      <>.name -> second.name
      first -> <>.first
      second -> <>.second
    nodes:
      first: { uses: "core::expr", with: { expr: "'${text} ' + name" } }
      second: { uses: "core::expr", with: { expr: "'${text} ' + name" } }
triggers:
  - http: { port: 0 }
    routes: [ GET /say -> say, POST /say -> say, /page/* -> static: ./pages ]
`;

function folderOf(files: Readonly<Record<string, string | Uint8Array>>): Disposable & { readonly path: string } {
  const folder = temporaryFolder();
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(join(folder.path, path, ".."), { recursive: true });
    writeFileSync(join(folder.path, path), content);
  }
  return folder;
}

const DOCUMENT = "<!doctype html><html><head><title>one</title></head><body>page</body></html>";
const APP = { "app/starlane.yaml": twice("v0"), "app/pages/index.html": DOCUMENT };

async function json(url: string): Promise<unknown> {
  const response = await fetch(url);
  return JSON.parse(await response.text());
}

interface Answered {
  readonly status: number | undefined;
  readonly body: string;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" ? (address?.port ?? 0) : 0;
}

function get(url: string, agent: Agent): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { agent }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (chunk: string) => (body += chunk));
      response.on("end", () => resolve({ status: response.statusCode, body }));
      response.on("error", reject);
    });
    sent.on("error", reject);
    sent.end();
  });
}

describe("starlane dev", { concurrency: 2 }, () => {
  test("drops no request while versions change, and answers none from two of them", async () => {
    using folder = folderOf(APP);
    await using dev = await Dev.start(["app"], { cwd: folder.path });
    let isOver = false;
    const seen = new Set<string>();
    let count = 0;
    const client = async (): Promise<void> => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      let last = 0;
      while (!isOver) {
        const { status, body } = await get(`${dev.app}/say`, agent);
        assert.equal(status, 200, body);
        const { first, second }: { first: string; second: string } = JSON.parse(body);
        assert.equal(first, second);
        const version = Number(/^v(\d+) you$/.exec(first)?.[1]);
        assert.ok(version >= last, `version ${version} after ${last}`);
        last = version;
        seen.add(first);
        count++;
      }
      agent.destroy();
    };
    const clients = Array.from({ length: 8 }, client);
    for (let i = 1; i <= 20; i++) {
      await dev.save("app/starlane.yaml", twice(`v${i}`), new RegExp(`version ${i + 1} is served`));
      const before = count;
      while (count < before + 20) await new Promise((resolve) => setTimeout(resolve, 1));
    }
    isOver = true;
    await Promise.all(clients);
    assert.equal(seen.size, 21);
    assert.equal((await dev.state()).version, 21);
  });

  test("keeps the version before where a change has mistakes, shows them, and goes on when they are mended", async () => {
    using folder = folderOf(APP);
    await using dev = await Dev.start(["app"], { cwd: folder.path });
    await dev.save("app/starlane.yaml", twice("v1").replace("-> first.name", "-> frist.name"), /version 1 goes on/);
    assert.deepEqual(await json(`${dev.app}/say?name=Ada`), { first: "v0 Ada", second: "v0 Ada" });
    assert.match(
      dev.text,
      /error\[flow\/unknown-node\]: .*\n +--> app\/starlane\.yaml:7:\d+\n +\|\n7 \| +<>\.name -> frist\.name\n +\| +\^+/,
    );
    const broken = await dev.state();
    assert.deepEqual([broken.status, broken.version], ["broken", 1]);
    const problem = broken.problems.find(({ code }) => code === "flow/unknown-node");
    assert.equal(problem?.at?.startsWith("app/starlane.yaml:7:"), true);
    assert.match(problem?.frame ?? "", /^ +\|\n7 \|.*frist.*\n +\| +\^+$/);
    assert.equal(broken.apps[0]?.operations[0]?.name, "say", "the page still shows what is served");
    // Gone for a moment, as when a branch is changed.
    const from = dev.text.length;
    rmSync(join(folder.path, "app/starlane.yaml"));
    await dev.until(/there is no app\/starlane\.yaml|has no starlane\.yaml/, from);
    assert.deepEqual(await json(`${dev.app}/say`), { first: "v0 you", second: "v0 you" });
    await dev.save("app/starlane.yaml", twice("v2"), /version 2 is served/);
    assert.deepEqual(await json(`${dev.app}/say`), { first: "v2 you", second: "v2 you" });
    const mended = await dev.state();
    assert.deepEqual([mended.status, mended.version, mended.problems], ["ready", 2, []]);
  });

  test("a request that came before the change is answered by the version it came to", async () => {
    using folder = folderOf(APP);
    await using dev = await Dev.start(["app"], { cwd: folder.path });
    const socket = connect(Number(new URL(dev.app).port), "127.0.0.1").setEncoding("utf8");
    let got = "";
    socket.on("data", (chunk: string) => (got += chunk));
    const until = async (part: string): Promise<void> => {
      while (!got.includes(part)) await new Promise((resolve) => socket.once("data", resolve));
    };
    const body = JSON.stringify({ name: "Ada" });
    socket.write(
      `POST /say HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body.slice(0, 3)}`,
    );
    // It has been seen when one behind it is answered.
    await json(`${dev.app}/say`);
    await dev.save("app/starlane.yaml", twice("v1"), /version 2 is served/);
    assert.deepEqual(await json(`${dev.app}/say`), { first: "v1 you", second: "v1 you" });
    socket.write(body.slice(3));
    await until('{"first":"v0 Ada","second":"v0 Ada"}');
    socket.write("GET /say HTTP/1.1\r\nhost: x\r\n\r\n");
    await until('{"first":"v1 you","second":"v1 you"}');
    socket.destroy();
  });

  test("Ctrl-C lets what has begun end; nothing new begins", async () => {
    using folder = folderOf(APP);
    await using dev = await Dev.start(["app"], { cwd: folder.path });
    const port = Number(new URL(dev.app).port);
    const socket = connect(port, "127.0.0.1").setEncoding("utf8");
    let got = "";
    socket.on("data", (chunk: string) => (got += chunk));
    const closed = new Promise((resolve) => socket.once("close", resolve));
    socket.write('POST /say HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 14\r\n\r\n{"name"');
    await json(`${dev.app}/say`);
    // A page that listens keeps nobody waiting.
    const page = await fetch(`${dev.app}/.starlane/dev/events`);
    const dashboard = await fetch(`${dev.dashboard}/api/v1/events`);
    dev.signal("SIGINT");
    await dev.until(/finishing what has begun/);
    await Promise.all([page.text(), dashboard.text()]);
    socket.write(':"Ada"}');
    await closed;
    assert.match(got, /^HTTP\/1\.1 200 [^]*\{"first":"v0 Ada","second":"v0 Ada"\}$/);
    assert.equal(await dev.ended, 0);
  });

  test("an app that is wrong from the start is told to everyone who asks, and served when it is mended", async () => {
    using folder = folderOf({ "app/starlane.yaml": twice("v0").replace("GET /say -> say", "GET /say -> sya") });
    await using dev = await Dev.start(["app"], { cwd: folder.path });
    const ask = async (accept: string): Promise<Response> => await fetch(`${dev.app}/whatever`, { headers: { accept } });
    const [asJson, asHtml, asText] = await Promise.all([ask("application/json"), ask("text/html,*/*;q=0.8"), ask("text/plain")]);
    assert.deepEqual([asJson.status, asHtml.status, asText.status], [503, 503, 503]);
    const told: { problems: { code: string }[] } = JSON.parse(await asJson.text());
    assert.deepEqual(
      told.problems.map(({ code }) => code),
      ["manifest/unknown-operation"],
    );
    const html = await asHtml.text();
    assert.match(html, /GET \/say -&gt; sya/);
    assert.match(html, /<script src="\/\.starlane\/dev\/overlay\.js\?v=\d+" data-page async><\/script>/);
    assert.match(await asText.text(), /^error\[manifest\/unknown-operation\]: there is no operation `sya`\n/);
    assert.equal((await dev.invoke({ app: "test/twice", operation: "say", input: {} })).status, 503);
    // Somewhere else nothing of it is told: the name that leads here could be anyone's.
    const elsewhere = await new Promise<string>((resolve) => {
      request(`${dev.app}/`, { headers: { host: "evil.example", accept: "text/html" } }, (response) => {
        let body = "";
        response.setEncoding("utf8").on("data", (chunk: string) => (body += chunk));
        response.on("end", () => resolve(body));
      }).end();
    });
    assert.doesNotMatch(elsewhere, /sya|starlane\.yaml/);
    await dev.save("app/starlane.yaml", twice("v1"), /version 1 is served/);
    assert.deepEqual(await json(`${dev.app}/say`), { first: "v1 you", second: "v1 you" });
  });

  test("operations are tried from the page: results, their own mistakes, and what guests fail with", async () => {
    const manifest = `starlane: v1
name: test/words
components: { text: ./text.wasm }
operations:
  upper: { input: { s: { type: string, max: 5 } }, flow: "<>.s -> text::upper -> <>.result" }
`;
    using folder = folderOf({ "starlane.yaml": manifest, "text.wasm": await textComponent() });
    await using dev = await Dev.start(["."], { cwd: folder.path });
    const { status, answer } = await dev.invoke({ app: "test/words", operation: "upper", input: { s: "abc" } });
    assert.deepEqual([status, answer.result, answer.transaction?.outcome], [200, { result: "ABC" }, "ok"]);
    const wrong = await dev.invoke({ app: "test/words", operation: "upper", input: { s: 5, t: "x" } });
    assert.deepEqual([wrong.status, wrong.answer.code], [400, "star/invalid-input"]);
    const trapped = await dev.invoke({ app: "test/words", component: "text", operation: "trap", input: { s: "x" } });
    assert.deepEqual([trapped.status, trapped.answer.error?.code], [200, "engine/trap"]);
    assert.equal(trapped.answer.transaction?.operation, "text::trap");
    await dev.until(/page -> text::trap +[\d.]+ ms +failed: .*\[engine\/trap\]/);
    // Another build of the same component takes its place.
    await dev.save("text.wasm", await textComponent(), /version 2 is served/);
    assert.deepEqual((await dev.invoke({ app: "test/words", operation: "upper", input: { s: "x" } })).answer.result, {
      result: "X",
    });
  });

  test("components with sources are built when those change; what the tool prints is shown where it fails", async () => {
    const manifest = `starlane: v1
name: test/built
components:
  text: { from: ./out/text.wasm, build: { run: sh ./build.sh, watch: [ ./src ] } }
operations:
  upper: { flow: "<>.s -> text::upper -> <>.result" }
`;
    using folder = folderOf({
      "starlane.yaml": manifest,
      "src/text.bin": await textComponent(),
      "src/ok": "yes",
      "build.sh":
        "grep -q yes src/ok || { echo this is broken: line 3; exit 1; }\nmkdir -p out && cp src/text.bin out/text.wasm\n",
    });
    await using dev = await Dev.start(["."], { cwd: folder.path });
    assert.match(dev.text, /building text[^]*built text/);
    await dev.save("src/ok", "no", /version 1 goes on/);
    const { status, problems } = await dev.state();
    assert.deepEqual([status, problems.map(({ code }) => code)], ["broken", ["build/failed"]]);
    assert.match(problems[0]?.frame ?? "", /this is broken: line 3/);
    assert.match(dev.text, /this is broken: line 3/);
    assert.deepEqual((await dev.invoke({ app: "test/built", operation: "upper", input: { s: "x" } })).answer.result, {
      result: "X",
    });
    await dev.save("src/ok", "yes again", /version 2 is served/);
    assert.equal((await dev.state()).status, "ready");
    // A manifest that is among the sources is a manifest all the same.
    await dev.save("starlane.yaml", manifest.replace("./src", "."), /version 3 is served/);
    await dev.save("starlane.yaml", manifest.replace("./src", ".").replace("upper:", "loud:"), /version 4 is served/);
    assert.deepEqual(
      (await dev.state()).apps[0]?.operations.map(({ name }) => name),
      ["loud"],
    );
  });

  test("while it is built for the first time everyone is told so, and Ctrl-C ends it", async () => {
    const port = await freePort();
    const manifest = `starlane: v1
components:
  text: { from: ./text.wasm, build: { run: sh ./build.sh, watch: [ ./src ] } }
operations:
  upper: { flow: "<>.s -> text::upper -> <>.result" }
triggers: [ { http: { port: ${port} }, routes: [ "GET /upper/{s} -> upper" ] } ]
`;
    using folder = folderOf({
      "starlane.yaml": manifest,
      "src/text.bin": await textComponent(),
      "build.sh": "while [ ! -f go ]; do sleep 0.05; done; cp src/text.bin text.wasm",
    });
    const options = { cwd: folder.path, args: ["--port", String(port)], until: /building text/ };
    const url = `http://127.0.0.1:${port}/upper/x`;
    const answer = async (): Promise<Response> => {
      for (;;) {
        const response = await fetch(url, { headers: { accept: "text/html" } }).catch(() => undefined);
        if (response !== undefined) return response;
      }
    };
    {
      await using dev = await Dev.start(["."], options);
      const response = await answer();
      assert.equal(response.status, 503);
      assert.match(await response.text(), /The app is being built/);
      dev.signal("SIGINT");
      assert.equal(await dev.ended, 0);
    }
    await using dev = await Dev.start(["."], options);
    writeFileSync(join(folder.path, "go"), "");
    await dev.until(/waiting for changes/);
    assert.deepEqual(await json(url), { result: "X" });
  });

  test("ports follow the manifest", async () => {
    using folder = folderOf({ "starlane.yaml": twice("v0") });
    await using dev = await Dev.start(["."], { cwd: folder.path, args: ["--port", "0"] });
    const first = dev.app;
    await dev.save(
      "starlane.yaml",
      twice("v1").replace("{ port: 0 }", "{ port: 0, limits: { headers: 4KiB } }"),
      /version 2 is served/,
    );
    const [second] = (await dev.state()).addresses;
    // It had to listen anew, at any port that is free.
    assert.notEqual(second, first);
    assert.deepEqual(await json(`${second}/say`), { first: "v1 you", second: "v1 you" });
    await assert.rejects(fetch(`${first}/say`));
  });

  test("a port that is in use, or a number that is none, is told at once", async () => {
    using folder = folderOf(APP);
    await using dev = await Dev.start(["app"], { cwd: folder.path });
    const port = new URL(dev.app).port;
    await assert.rejects(
      Dev.start(["app"], { cwd: folder.path, args: ["--port", port] }),
      /error\[http\/listen\]: .*it is in use/,
    );
    await assert.rejects(
      Dev.start(["app"], { cwd: folder.path, args: ["--port", "x"] }),
      /error\[cli\/usage\]: --port x is no port/,
    );
  });
});
