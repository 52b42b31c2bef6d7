// What `serve`, `run` and `invoke` log and export, as child processes with a real receiver.

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { once } from "node:events";
import { describe, test } from "node:test";
import { manifest, writeApp } from "../star/record/fixtures/app.ts";
import { otlpReceiver } from "../star/telemetry/fixtures/receiver.ts";
import { writeFiles } from "./fixtures/apps.ts";
import { starlane, temporaryFolder } from "./fixtures/command.ts";
import { serve } from "./fixtures/served.ts";

const WATCH = new URL("./fixtures/watch-modules.ts", import.meta.url).href;

const CHATTY = `starlane: v1
name: acme/chatty
components: { text: ./text.wasm }
operations:
  chat:
    input: { name: { type: string } }
    nodes: { note: { uses: "core::log", with: { message: greeting, level: warn } } }
    flow: <>.name -> text::greet -> note -> <>.greeting
  trap:
    input: { s: { type: string } }
    flow: <>.s -> text::trap -> <>.out
triggers:
  - { http: { port: 8080 }, routes: [ "GET /chat/{name} -> chat", "GET /trap/{s} -> trap" ] }
  - schedule: { cron: "0 0 1 1 * *", operation: chat, input: { name: Nobody } }
`;

type Line = Readonly<Record<string, unknown>>;

function lines(text: string): Line[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));
}

function without(line: Line | undefined, ...names: readonly string[]): Line {
  return Object.fromEntries(Object.entries(line ?? {}).filter(([name]) => !names.includes(name)));
}

describe("the log of serve", () => {
  test("is a JSON line for everything it says, with the ids of request and transaction", async () => {
    using folder = temporaryFolder();
    await writeFiles(folder.path, { "app/starlane.yaml": CHATTY });
    await using app = await serve(["app", "--shards", "1"], { cwd: folder.path });
    await (await fetch(`${app.url}/chat/Ada`)).text();
    const failed = await fetch(`${app.url}/trap/x`);
    assert.equal(failed.status, 500);
    const problem: unknown = await failed.json();
    const all = lines(await app.stop());
    const [serving, schedules, said, broke, stopping, ...others] = all;
    assert.deepEqual(others, []);
    for (const line of all) assert.match(String(line["time"]), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    assert.match(String(serving?.["message"]), /^serving acme\/chatty at http/);
    assert.deepEqual(without(schedules, "time"), { level: "info", message: "running a schedule of acme/chatty" });
    assert.match(String(said?.["transaction"]), /^[0-9a-f-]{36}$/);
    assert.deepEqual(without(said, "time", "transaction", "request"), {
      level: "warn",
      message: "greeting",
      app: "acme/chatty",
      operation: "chat",
      node: "chat/note",
      value: "Hello, Ada",
    });
    assert.match(String(broke?.["transaction"]), /^[0-9a-f-]{36}$/);
    assert(JSON.stringify(problem).includes(String(broke?.["request"])), "the client got the id that is logged");
    const { level, message, route, error } = broke ?? {};
    assert.deepEqual([level, message, route], ["error", "a request failed", "/trap/{s}"]);
    assert(typeof error === "object" && error !== null && "code" in error && "at" in error);
    assert.deepEqual([error.code, error.at], ["engine/trap", "trap/trap"]);
    assert.match(String(stopping?.["message"]), /^finishing what has begun/);
  });

  test("has what guests print, line by line, and what they log, with its level; no secret of theirs", async () => {
    using folder = temporaryFolder();
    writeApp(folder.path, manifest('triggers:\n  - { http: { port: 8080 }, routes: [ "GET /run?script -> run" ] }\n'));
    const env = { STARLANE_SECRET_TOKEN: "open-sesame-77" };
    await using app = await serve([".", "--shards", "1"], { cwd: folder.path, env });
    const script = "print one\nlog heard\nprint two\ntell token";
    const answer = await fetch(`${app.url}/run?script=${encodeURIComponent(script)}`);
    assert.equal(answer.status, 200, await answer.text());
    const text = await app.stop();
    assert(!text.includes("sesame"), text);
    const said = lines(text).filter(({ component }) => component === "outside");
    assert(said.every(({ node, transaction }) => node === "run/run" && typeof transaction === "string"));
    assert.deepEqual(
      said.map(({ level, stream, message }) => [level, stream, message]),
      [
        ["info", "stdout", "one"],
        ["info", undefined, "heard"],
        ["info", "stdout", "two"],
        ["info", "stdout", "***"],
      ],
    );
  });

  test("is text where that is asked for, and leaves out what is below the level", async () => {
    using folder = temporaryFolder();
    await writeFiles(folder.path, { "app/starlane.yaml": CHATTY });
    const options = ["app", "--shards", "1", "--log-format", "text"];
    {
      await using app = await serve(options, { cwd: folder.path });
      await (await fetch(`${app.url}/chat/Ada`)).text();
      const [serving, schedules, said] = (await app.stop()).split("\n");
      assert.match(serving ?? "", /^serving acme\/chatty at http/);
      assert.equal(schedules, "running a schedule of acme/chatty");
      assert.match(
        said ?? "",
        /^\d\d:\d\d:\d\d warn acme\/chatty chat\/note: greeting "Hello, Ada" request=\S+ transaction=[0-9a-f-]{36}$/,
      );
    }
    {
      await using app = await serve([...options, "--log-level", "info"], { cwd: folder.path });
      await (await fetch(`${app.url}/trap/${encodeURIComponent("\u001b[2J")}`)).text();
      assert(!(await app.stop()).includes("\u001b"));
    }
  });

  test("options that mean nothing are mistakes", async () => {
    using folder = temporaryFolder();
    await writeFiles(folder.path, { "app/starlane.yaml": CHATTY });
    const level = await starlane(["serve", "app", "--log-level", "loud"], { cwd: folder.path });
    assert.equal(level.status, 2);
    assert.match(level.stderr, /--log-level loud is no level/);
    const format = await starlane(["serve", "app", "--log-format", "xml"], { cwd: folder.path });
    assert.equal(format.status, 2);
    assert.match(format.stderr, /--log-format xml is no format/);
  });
});

describe("telemetry of the commands", () => {
  test("without an endpoint no module of OpenTelemetry is loaded, with one they are", async () => {
    using folder = temporaryFolder();
    await using receiver = await otlpReceiver();
    await writeFiles(folder.path, { "app/starlane.yaml": CHATTY });
    const loaded = async (env: Readonly<Record<string, string>>): Promise<string> => {
      const file = folder.file("watched");
      await using app = await serve(["app", "--shards", "1"], {
        cwd: folder.path,
        env: { NODE_OPTIONS: `--import ${WATCH}`, STARLANE_WATCHED: file, ...env },
      });
      await (await fetch(`${app.url}/chat/Ada`)).text();
      await app.stop();
      assert(existsSync(file));
      return readFileSync(file, "utf8");
    };
    assert.equal(await loaded({}), "");
    assert.equal(await loaded({ OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_SDK_DISABLED: "true" }), "");
    assert.match(await loaded({ OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url }), /^@opentelemetry\/sdk-trace$/m);
  });

  test("what was recorded is sent before serve ends, under the name that the environment gives", async () => {
    using folder = temporaryFolder();
    await using receiver = await otlpReceiver();
    await writeFiles(folder.path, { "app/starlane.yaml": CHATTY });
    const env = {
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      OTEL_SERVICE_NAME: "greetings",
      OTEL_RESOURCE_ATTRIBUTES: "deployment.environment.name=test",
    };
    await using app = await serve(["app", "--shards", "1"], { cwd: folder.path, env });
    await (await fetch(`${app.url}/chat/Ada`)).text();
    const said = lines(await app.stop()).find(({ message }) => message === "greeting");
    const note = receiver.spans.find(({ name }) => name === "note");
    assert.deepEqual([said?.["trace_id"], said?.["span_id"]], [note?.traceId, note?.spanId]);
    assert(receiver.logs.some(({ body }) => body === "greeting"));
    assert(receiver.points.some(({ name }) => name === "starlane.transactions"));
    assert(receiver.resources.length > 0);
    for (const resource of receiver.resources) {
      assert.deepEqual([resource["service.name"], resource["deployment.environment.name"]], ["greetings", "test"]);
    }
  });

  test("run and invoke begin a trace of their own", async () => {
    using folder = temporaryFolder();
    await using receiver = await otlpReceiver();
    await writeFiles(folder.path, { "app/starlane.yaml": CHATTY.replace(/triggers:[^]*/, "triggers: [ { cli: chat } ]\n") });
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_EXPORTER_OTLP_PROTOCOL: "http/json" };
    const ran = await starlane(["run", "app", "--name", "Ada"], { cwd: folder.path, env });
    assert.deepEqual([ran.status, ran.stdout], [0, '{"greeting":"Hello, Ada"}\n'], ran.stderr);
    assert.equal(ran.stderr, 'warn chat/note greeting "Hello, Ada"\n');
    const invoked = await starlane(["invoke", "app", "chat", "--name", "Ada"], { cwd: folder.path, env });
    assert.deepEqual([invoked.status, invoked.stdout], [0, '{"greeting":"Hello, Ada"}\n'], invoked.stderr);
    const roots = receiver.spans.filter(({ parentSpanId }) => parentSpanId === "");
    assert.deepEqual(
      roots.map(({ name, attributes }) => [name, attributes["starlane.trigger"]]),
      [
        ["chat", "cli"],
        ["chat", "cli"],
      ],
    );
    assert.notEqual(roots[0]?.traceId, roots[1]?.traceId);
  });

  test("a collector that never answers does not keep a command from ending", async () => {
    using folder = temporaryFolder();
    await writeFiles(folder.path, { "app/starlane.yaml": CHATTY });
    const silent = createServer(() => undefined)
      .listen(0, "127.0.0.1")
      .unref();
    await once(silent, "listening");
    const address = silent.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`, OTEL_EXPORTER_OTLP_TIMEOUT: "600000" };
    // The command is stopped after a minute: a status says that it ended by itself.
    const { status, stdout, stderr } = await starlane(["invoke", "app", "chat", "--name", "Ada"], { cwd: folder.path, env });
    assert.deepEqual([status, stdout], [0, '{"greeting":"Hello, Ada"}\n'], stderr);
    assert.match(stderr, /"message":"4 spans were lost in all"/);
    const failed = await starlane(["invoke", "app", "trap", "--s", "x"], { cwd: folder.path, env });
    assert.equal(failed.status, 1);
    assert.match(failed.stderr, /error\[engine\/trap\]/);
    silent.close();
  });

  test("what cannot be exported to is said before anything starts", async () => {
    using folder = temporaryFolder();
    await writeFiles(folder.path, { "app/starlane.yaml": CHATTY });
    const with4317 = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:4317" };
    for (const [more, message] of [
      [
        { OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" },
        /OTEL_EXPORTER_OTLP_PROTOCOL cannot be "grpc"\n.*http\/protobuf or http\/json.*4318/,
      ],
      [{ OTEL_TRACES_SAMPLER: "sometimes" }, /OTEL_TRACES_SAMPLER cannot be "sometimes"/],
      [{ OTEL_LOGS_EXPORTER: "console" }, /OTEL_LOGS_EXPORTER cannot be "console"/],
    ] as const) {
      const { status, stderr } = await starlane(["serve", "app", "--shards", "1", "--port", "0"], {
        cwd: folder.path,
        env: { ...with4317, ...more },
      });
      assert.equal(status, 2);
      assert.match(stderr, message);
    }
  });
});
