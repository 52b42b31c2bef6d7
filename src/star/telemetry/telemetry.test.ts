// Traces, metrics and logs of real apps, as a real receiver of OTLP gets them.

import assert from "node:assert/strict";
import { once } from "node:events";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingHttpHeaders } from "node:http";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { after, test } from "node:test";
import type { LogRecord } from "../../base/log.ts";
import type { HttpServer } from "../../triggers/http/server.ts";
import { serve } from "../serve.ts";
import { secretMask } from "../record/secret-texts.ts";
import { loadTarget, type Loaded } from "../star.ts";
import type { TransactionUsage } from "../call-guest.ts";
import { runTransaction } from "../transaction.ts";
import { otlpReceiver, type Receiver, type ReceivedSpan } from "./fixtures/receiver.ts";
import { startExporting, type Exporting } from "./start.ts";
import { TransactionMetrics } from "./transaction-metrics.ts";
import { OperationTelemetry } from "./transaction-telemetry.ts";

const folder = mkdtempSync(join(tmpdir(), "starlane-telemetry-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const GUESTS = join(import.meta.dirname, "../../../guests");
const FIXTURES = join(import.meta.dirname, "../../capabilities/fixtures/http");

interface Heard {
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
}

/** A server behind the guests, which tells what it was asked. */
async function upstream(): Promise<AsyncDisposable & { readonly authority: string; readonly heard: readonly Heard[] }> {
  const heard: Heard[] = [];
  const server = createServer((request, response) => {
    heard.push({ url: request.url ?? "", headers: request.headers });
    response.writeHead(200, { "content-type": "application/json" }).end('{"place":"Porto","celsius":21,"sky":"clear"}');
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  return {
    authority: `127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`,
    heard,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

interface Served extends AsyncDisposable {
  readonly url: string;
  readonly records: readonly LogRecord[];
  readonly metrics: TransactionMetrics;
  /** Sends everything that was noted to the receiver. */
  flush(): Promise<boolean>;
}

interface ServeSettings {
  readonly env?: Readonly<Record<string, string>>;
  readonly secrets?: ReadonlySet<string>;
}

async function served(
  loaded: Loaded,
  receiver: Pick<Receiver, "url">,
  { env = {}, secrets }: ServeSettings = {},
): Promise<Served> {
  const records: LogRecord[] = [];
  const metrics = new TransactionMetrics();
  const running: { server?: HttpServer } = {};
  const exporting: Exporting | undefined = await startExporting(
    { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_EXPORTER_OTLP_PROTOCOL: "http/json", ...env },
    {
      service: loaded.target.name,
      version: "0.0.0",
      mask: secretMask(secrets ?? loaded.secrets),
      log: (record) => records.push(record),
      metrics: { transactions: metrics, http: () => running.server?.metrics() },
    },
  );
  const log = (record: LogRecord): void => {
    records.push(record);
    exporting?.log?.(record);
  };
  const server = await serve([loaded.target], {
    port: 0,
    telemetry: { log, metrics, tracer: exporting?.tracer },
    httpTelemetry: exporting?.http,
    log: ({ level, message, error, transaction }) => log({ level, message, error, transaction }),
  });
  running.server = server;
  const { addresses, drain } = server;
  let ended: Promise<boolean> | undefined;
  const flush = (): Promise<boolean> => (ended ??= exporting?.end(10_000) ?? Promise.resolve(true));
  return {
    url: `http://127.0.0.1:${addresses[0]?.port}`,
    records,
    metrics,
    flush,
    async [Symbol.asyncDispose]() {
      await drain({ deadlineMs: 0 });
      await flush();
      await loaded.close();
    },
  };
}

let count = 0;

async function load(manifest: string, files: Readonly<Record<string, string>> = {}): Promise<Loaded> {
  const place = join(folder, String(count++));
  mkdirSync(place);
  writeFileSync(join(place, "starlane.yaml"), manifest);
  for (const [name, from] of Object.entries(files)) copyFileSync(from, join(place, name));
  return await loadTarget(place, { use: "run" });
}

function hello(extra = ""): Promise<Loaded> {
  return load(
    `starlane: v1
name: acme/hello
version: 2.1.0
components: { text: ./text.wasm, greeter: ./greeter.wasm }
operations:
  greet:
    input: { name: { type: string, max: 80 } }
    output: { greeting: string }
    nodes:
      greet: { uses: "greeter::greet" }
      note: { uses: "core::log", with: { message: said, level: warn } }
    flow: |
      <>.name -> text::capitalize -> greet.name
      "en" -> greet.lang
      greet -> note -> <>.greeting
triggers:
  - { http: { port: 8080 }, routes: [ "GET /greet/{name} -> greet" ] }
${extra}`,
    { "text.wasm": join(GUESTS, "c/text.wasm"), "greeter.wasm": join(GUESTS, "assemblyscript/greeter.wasm") },
  );
}

const PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/** Calls by the short names of their functions. */
function short(name: string): string {
  return name.replace(/::.*#/, "::");
}

function named(spans: readonly ReceivedSpan[], name: string): ReceivedSpan {
  const found = spans.filter((span) => short(span.name) === name);
  assert.equal(found.length, 1, `one span ${name} among ${spans.map((span) => span.name).join(", ")}`);
  const [span] = found;
  assert(span !== undefined);
  return span;
}

/** `name < parent`, sorted; a parent from outside is its id. */
function tree(spans: readonly ReceivedSpan[]): string[] {
  const names = new Map(spans.map(({ spanId, name }) => [spanId, name]));
  return spans.map(({ name, parentSpanId }) => `${short(name)} < ${short(names.get(parentSpanId) ?? parentSpanId)}`).toSorted();
}

test("a request, its transaction, its nodes and their calls are spans of the trace that the client began", async () => {
  await using receiver = await otlpReceiver();
  await using app = await served(await hello(), receiver);
  const answer = await fetch(`${app.url}/greet/ada?token=hidden`, { headers: { traceparent: PARENT, tracestate: "a=1,b=2" } });
  assert.equal(answer.status, 200);
  await answer.text();
  await app.flush();
  assert.deepEqual(tree(receiver.spans), [
    "GET /greet/{name} < b7ad6b7169203331",
    "capitalize < greet",
    "greet < GET /greet/{name}",
    "greet < greet",
    "greeter::greet < greet",
    "note < greet",
    "text::capitalize < capitalize",
  ]);
  assert.deepEqual(new Set(receiver.spans.map(({ traceId }) => traceId)), new Set(["0af7651916cd43dd8448eb211c80319c"]));
  assert(receiver.spans.every(({ traceState, status }) => traceState === "a=1,b=2" && status.code !== 2));
  const server = named(receiver.spans, "GET /greet/{name}");
  assert.equal(server.kind, 2);
  const { "user_agent.original": agent, "starlane.request.id": request, ...attributes } = server.attributes;
  assert.deepEqual([typeof agent, typeof request], ["string", "string"]);
  assert.deepEqual(attributes, {
    "http.request.method": "GET",
    "http.route": "/greet/{name}",
    "url.path": "/greet/ada",
    "url.scheme": "http",
    "server.address": "127.0.0.1",
    "server.port": Number(new URL(app.url).port),
    "client.address": "127.0.0.1",
    "http.response.status_code": 200,
  });
  const transaction = receiver.spans.find(({ parentSpanId }) => parentSpanId === server.spanId);
  const {
    "starlane.transaction.id": id,
    "starlane.fuel": fuel,
    "starlane.memory.peak": memory,
    ...told
  } = transaction?.attributes ?? {};
  assert.match(String(id), /^[0-9a-f-]{36}$/);
  assert(Number(fuel) > 0 && Number(memory) > 0);
  assert.deepEqual(told, {
    "starlane.app": "acme/hello",
    "starlane.operation": "greet",
    "starlane.trigger": "http",
    "starlane.outcome": "done",
    "starlane.calls": 2,
  });
  const call = named(receiver.spans, "text::capitalize").attributes;
  assert.deepEqual([call["starlane.component"], short(`::${String(call["starlane.operation"])}`)], ["text", "::capitalize"]);
  assert(Number(call["starlane.fuel"]) > 0 && Number(call["starlane.fuel"]) < Number(fuel));
  const node = named(receiver.spans, "note").attributes;
  assert.deepEqual(
    [node["starlane.node"], node["starlane.component"], node["starlane.operation"]],
    ["greet/note", "core", "log"],
  );
});

test("what nodes and the transaction log is a record with its ids, and reaches the receiver as part of the span it was said in", async () => {
  await using receiver = await otlpReceiver();
  await using app = await served(await hello(), receiver);
  await (await fetch(`${app.url}/greet/ada`)).text();
  await app.flush();
  const [record, ...others] = app.records;
  assert.equal(others.length, 0);
  assert(record !== undefined);
  const { transaction, request, traceId, spanId, ...rest } = record;
  assert.deepEqual(rest, {
    level: "warn",
    message: "said",
    app: "acme/hello",
    operation: "greet",
    node: "greet/note",
    value: "Hello, Ada",
  });
  const note = named(receiver.spans, "note");
  assert.deepEqual([traceId, spanId], [note.traceId, note.spanId]);
  const server = named(receiver.spans, "GET /greet/{name}");
  assert.equal(request, server.attributes["starlane.request.id"]);
  const [log] = receiver.logs;
  assert.deepEqual([log?.severity, log?.body, log?.traceId, log?.spanId], ["WARN", "said", note.traceId, note.spanId]);
  assert.equal(log?.attributes["starlane.transaction.id"], transaction);
  assert.equal(log?.attributes["starlane.value"], '"Hello, Ada"');
});

test("a client that did not sample its trace is not traced, and neither is what no client asked for when the ratio is 0", async () => {
  await using receiver = await otlpReceiver();
  const env = { OTEL_TRACES_SAMPLER: "parentbased_traceidratio", OTEL_TRACES_SAMPLER_ARG: "0" };
  await using app = await served(await hello(), receiver, { env });
  const ask = async (name: string, traceparent?: string): Promise<void> => {
    await (await fetch(`${app.url}/greet/${name}`, { headers: traceparent === undefined ? {} : { traceparent } })).text();
  };
  await ask("none");
  await ask("unsampled", PARENT.replace(/01$/, "00"));
  await ask("sampled", PARENT);
  await app.flush();
  assert.deepEqual(
    new Set(receiver.spans.map(({ attributes }) => attributes["url.path"]).filter((path) => path !== undefined)),
    new Set(["/greet/sampled"]),
  );
  // What is logged names the trace, recorded or not.
  assert.equal(app.records.length, 3);
  assert.equal(app.records[1]?.traceId, "0af7651916cd43dd8448eb211c80319c");
  assert.equal(
    app.records.every(({ traceId }) => /^[0-9a-f]{32}$/.test(traceId ?? "")),
    true,
  );
});

test("HTTP in, a guest, HTTP out: one trace, which the guest does not see, and the server behind is told of it", async () => {
  await using receiver = await otlpReceiver();
  await using behind = await upstream();
  const manifest = `starlane: v1
name: acme/weather
components: { weather: ./weather.wasm }
resources: { kept: { keyvalue: "memory:" } }
grants:
  weather:
    http: [ "http://${behind.authority}" ]
    config: { service: "http://${behind.authority}" }
    keyvalue: { reports: kept }
operations:
  current: { input: { place: { type: string } }, flow: "<>.place -> weather::current -> <>.report" }
triggers:
  - { http: { port: 8080 }, routes: [ "GET /weather/{place} -> current" ] }
`;
  const loaded = await load(manifest, { "weather.wasm": join(GUESTS, "assemblyscript/weather.wasm") });
  await using app = await served(loaded, receiver);
  const answer = await fetch(`${app.url}/weather/Porto`, { headers: { traceparent: PARENT, tracestate: "a=1" } });
  assert.equal(answer.status, 200);
  await answer.text();
  await app.flush();
  const client = named(receiver.spans, "GET");
  assert.deepEqual(tree(receiver.spans), [
    "GET /weather/{place} < b7ad6b7169203331",
    "GET < weather::current",
    "current < GET /weather/{place}",
    "current < current",
    "weather::current < current",
  ]);
  assert.equal(client.kind, 3);
  const port = Number(behind.authority.split(":")[1]);
  assert.deepEqual(client.attributes, {
    "http.request.method": "GET",
    "server.address": "127.0.0.1",
    "server.port": port,
    "url.full": `http://${behind.authority}/current`,
    "http.response.status_code": 200,
  });
  const [asked] = behind.heard;
  assert.equal(asked?.headers["traceparent"], `00-${client.traceId}-${client.spanId}-01`);
  assert.equal(asked?.headers["tracestate"], "a=1");
});

for (const version of ["0.2", "0.3"]) {
  test(`a wasi:http ${version} component that sends a request on is part of the trace; one without telemetry passes on what it got`, async () => {
    await using receiver = await otlpReceiver();
    await using behind = await upstream();
    const manifest = `starlane: v1
name: acme/relay
components: { relay: ./relay.wasm }
grants: { relay: { http: [ "http://${behind.authority}" ] } }
triggers:
  - { http: { port: 8080 }, routes: [ "/* -> component: relay" ] }
`;
    const headers = { "x-authority": behind.authority, "x-path": "/there?secret=1", traceparent: PARENT };
    const files = { "relay.wasm": join(FIXTURES, `guest-${version}.wasm`) };
    {
      await using app = await served(await load(manifest, files), receiver);
      await (await fetch(`${app.url}/send`, { headers })).text();
      await app.flush();
    }
    const client = named(receiver.spans, "GET");
    assert.equal(client.attributes["url.full"], `http://${behind.authority}/there`);
    // The one for 0.3 sends the fields on that it got: what a guest has set stays, and shows here what it was given.
    const span = version === "0.2" ? client : named(receiver.spans, "GET /*");
    assert.equal(behind.heard[0]?.headers["traceparent"], `00-${span.traceId}-${span.spanId}-01`);
    {
      await using app = await served(await load(manifest, files), receiver, { env: { OTEL_SDK_DISABLED: "true" } });
      await (await fetch(`${app.url}/send`, { headers })).text();
    }
    assert.equal(behind.heard[1]?.headers["traceparent"], PARENT);
    {
      await using app = await served(await load(manifest, files), receiver, { env: { OTEL_SDK_DISABLED: "true" } });
      const { traceparent: _, ...without } = headers;
      await (await fetch(`${app.url}/send`, { headers: without })).text();
    }
    assert.equal(behind.heard[2]?.headers["traceparent"], undefined);
    assert.equal(receiver.spans.filter(({ name }) => name === "GET").length, 1);
  });
}

test("failures are recorded with their codes, up to the request, and what is secret nowhere", async () => {
  await using receiver = await otlpReceiver();
  const manifest = `starlane: v1
name: acme/fails
operations:
  check:
    input: { word: { type: string } }
    nodes: { right: { uses: "core::assert", with: { that: "value == 'x'", message: "the word is not swordfish-99" } } }
    flow: <>.word -> right -> <>.word
triggers:
  - { http: { port: 8080 }, routes: [ "GET /check/{word} -> check" ] }
`;
  await using app = await served(await load(manifest), receiver, { secrets: new Set(["swordfish-99"]) });
  const answer = await fetch(`${app.url}/check/swordfish-99`);
  assert.equal(answer.status, 500);
  await answer.text();
  await app.flush();
  const shown = receiver.spans.map(
    ({ name, status, attributes }) => `${name} ${status.code} ${String(attributes["error.type"])}`,
  );
  assert.deepEqual(shown.toSorted(), [
    "GET /check/{word} 2 flow/assertion-failed",
    "check 2 flow/assertion-failed",
    "right 2 flow/assertion-failed",
  ]);
  const transaction = named(receiver.spans, "check");
  assert.equal(transaction.attributes["starlane.outcome"], "failed");
  assert.equal(transaction.status.message, "the word is not ***");
  const everything = JSON.stringify([receiver.spans, receiver.logs, receiver.points]);
  assert(!everything.includes("swordfish"), everything);
  const [record] = app.records;
  assert.equal(record?.transaction, transaction.attributes["starlane.transaction.id"]);
  assert.equal(receiver.logs[0]?.attributes["error.type"], "flow/assertion-failed");
});

test("a node that is tried again is one span with an event for each retry, and a call below it for each attempt", async () => {
  await using receiver = await otlpReceiver();
  const manifest = `starlane: v1
name: acme/retries
components: { flaky: ./flaky.wasm }
operations:
  ask:
    input: { name: { type: string } }
    nodes: { there: { uses: "flaky::lookup", retry: { attempts: 3, backoff: 1ms } } }
    flow: |
      <>.name -> there.key
      100 -> there.percent
      there ?? "nothing" -> <>.found
triggers:
  - { http: { port: 8080 }, routes: [ "GET /ask/{name} -> ask" ] }
`;
  const loaded = await load(manifest, { "flaky.wasm": join(GUESTS, "c/flaky.wasm") });
  await using app = await served(loaded, receiver);
  await (await fetch(`${app.url}/ask/missing`)).text();
  await app.flush();
  const node = named(receiver.spans, "there");
  assert.deepEqual(node.events, ["retry", "retry"]);
  assert.equal(
    receiver.spans.filter(({ parentSpanId, name }) => parentSpanId === node.spanId && short(name) === "flaky::lookup").length,
    3,
  );
});

test("the flow of an app inside an app stands below the node that uses it", async () => {
  await using receiver = await otlpReceiver();
  const inner = await hello();
  const place = String(inner.files.find((file) => file.endsWith("starlane.yaml")));
  const manifest = `starlane: v1
name: acme/outer
components: { inner: ../${basename(dirname(place))}/starlane.yaml }
operations:
  outer: { nodes: { ask: { uses: "inner::greet" } }, flow: "<>.name -> ask -> <>.greeting" }
triggers:
  - { http: { port: 8080 }, routes: [ "GET /outer/{name} -> outer" ] }
`;
  await inner.close();
  await using app = await served(await load(manifest), receiver);
  await (await fetch(`${app.url}/outer/ada`)).text();
  await app.flush();
  assert.deepEqual(tree(receiver.spans), [
    "GET /outer/{name} < ",
    "ask < outer",
    "capitalize < ask",
    "greet < ask",
    "greeter::greet < greet",
    "note < ask",
    "outer < GET /outer/{name}",
    "text::capitalize < capitalize",
  ]);
  assert.equal(named(receiver.spans, "note").attributes["starlane.node"], "outer/ask/greet/note");
  assert.deepEqual([app.records[0]?.operation, app.records[0]?.node], ["outer", "outer/ask/greet/note"]);
});

test("what guests without grants compute does not depend on whether they are watched", async () => {
  await using receiver = await otlpReceiver();
  const manifest = `starlane: v1
name: acme/luck
components: { flaky: ./flaky.wasm }
operations:
  try:
    input: { text: { type: string } }
    nodes: { once: { uses: "flaky::deliver", retry: { attempts: 9, backoff: 0s } } }
    flow: |
      <>.text -> once.text
      50 -> once.percent
      once -> <>.text
      once! -> <>.why
`;
  const loaded = await load(manifest, { "flaky.wasm": join(GUESTS, "c/flaky.wasm") });
  const operation = loaded.target.operations.get("try");
  assert(operation !== undefined);
  const exporting = await startExporting(
    { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_EXPORTER_OTLP_PROTOCOL: "http/json" },
    { service: "luck", version: "0.0.0", mask: (text) => text, metrics: { http: () => undefined } },
  );
  const telemetry = new OperationTelemetry({ tracer: exporting?.tracer, log: () => undefined }, "acme/luck", "try", "cli");
  for (let seed = 0; seed < 20; seed++) {
    const outcomes: unknown[] = [];
    for (const watched of [undefined, telemetry]) {
      let usage: unknown;
      const settings = {
        seed,
        timestampMs: 0,
        telemetry: watched,
        onUsage: (used: TransactionUsage) => (usage = [used.fuel, used.calls]),
      };
      const answer = await Promise.resolve(runTransaction(operation, ["x"], settings)).catch((error: Error) => error.message);
      outcomes.push([answer, JSON.stringify(usage)]);
    }
    assert.deepEqual(outcomes[0], outcomes[1]);
  }
  await exporting?.end(10_000);
  assert(receiver.spans.length > 60);
  await loaded.close();
});

test("a trace of more spans than a thousand says how many are left out, and what is called goes on as part of the last one", async () => {
  await using receiver = await otlpReceiver();
  const exporting = await startExporting(
    { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_EXPORTER_OTLP_PROTOCOL: "http/json" },
    { service: "many", version: "0.0.0", mask: (text) => text, metrics: { http: () => undefined } },
  );
  const root = exporting?.tracer?.begin("root", "internal", undefined);
  assert(root !== undefined);
  for (let i = 0; i < 1004; i++) {
    const child = root.child(`child ${i}`, "internal");
    if (i === 1003)
      assert.deepEqual([child.isRecording, child.traceparent, child.child("x", "client")], [false, root.traceparent, child]);
    child.end();
  }
  root.end();
  await exporting?.end(10_000);
  assert.equal(receiver.spans.length, 1001);
  assert.equal(named(receiver.spans, "root").attributes["starlane.spans.left_out"], 4);
});

test("metrics carry requests by route and status, and transactions by operation and outcome", async () => {
  await using receiver = await otlpReceiver();
  await using app = await served(await hello(), receiver);
  for (const name of ["a", "b", "x".repeat(90)]) await (await fetch(`${app.url}/greet/${name}`)).text();
  const text = await (await fetch(`${app.url}/metrics`)).text();
  assert.match(text, /^starlane_transactions_total\{app="acme\/hello",operation="greet",outcome="done"\} 2$/m);
  assert.match(text, /^starlane_transactions_total\{app="acme\/hello",operation="greet",outcome="failed"\} 0$/m);
  assert.match(text, /^starlane_transaction_duration_seconds_count\{app="acme\/hello",operation="greet"\} 3$/m);
  assert.match(text, /^starlane_transaction_fuel_total\{app="acme\/hello",operation="greet"\} [1-9]\d*$/m);
  await app.flush();
  const valueOf = (name: string, attributes: Readonly<Record<string, unknown>>): number | undefined =>
    receiver.points.find(
      (point) => point.name === name && Object.entries(attributes).every(([key, value]) => point.attributes[key] === value),
    )?.value;
  const route = { "http.route": "/greet/{name}", "http.request.method": "GET", "url.scheme": "http" };
  assert.equal(valueOf("http.server.request.duration", { ...route, "http.response.status_code": 200 }), 2);
  assert.equal(valueOf("http.server.request.duration", { ...route, "http.response.status_code": 400 }), 1);
  const operation = { "starlane.app": "acme/hello", "starlane.operation": "greet" };
  assert.equal(valueOf("starlane.transactions", { ...operation, "starlane.outcome": "done" }), 2);
  assert.equal(valueOf("starlane.transactions", { ...operation, "starlane.outcome": "error" }), 1);
  assert.equal(valueOf("starlane.transaction.duration", operation), 3);
  assert.equal(valueOf("starlane.transactions.running", operation), 0);
  assert(Number(valueOf("starlane.transaction.fuel", operation)) > 0);
  assert(Number(valueOf("starlane.transaction.memory.peak", operation)) > 0);
  const [resource] = receiver.resources;
  assert.deepEqual([resource?.["service.name"], resource?.["telemetry.sdk.language"]], ["acme/hello", "nodejs"]);
});

test("a collector that is down disturbs no request; what was lost is said once, with how much it was", async () => {
  const gone = await otlpReceiver();
  const { url } = gone;
  await gone[Symbol.asyncDispose]();
  const env = {
    OTEL_BSP_SCHEDULE_DELAY: "20",
    OTEL_BLRP_SCHEDULE_DELAY: "20",
    OTEL_METRICS_EXPORTER: "none",
    OTEL_LOGS_EXPORTER: "none",
  };
  process.env["OTEL_EXPORTER_OTLP_TIMEOUT"] = "200";
  try {
    await using app = await served(await hello(), { url }, { env });
    for (let i = 0; i < 5; i++) assert.equal((await fetch(`${app.url}/greet/ada`)).status, 200);
    await app.flush();
    const warnings = app.records.filter(({ app: of }) => of === undefined).map(({ message }) => message);
    assert.match(warnings[0] ?? "", /^spans cannot be sent to http:\/\/127\.0\.0\.1:\d+\/v1\/traces: .*ECONNREFUSED/);
    assert.equal(warnings.at(-1), "35 spans were lost in all");
    assert.equal(warnings.length, 2, warnings.join("\n"));
  } finally {
    delete process.env["OTEL_EXPORTER_OTLP_TIMEOUT"];
  }
});

test("more spans than can be sent are dropped, and counted", async () => {
  await using receiver = await otlpReceiver();
  const env = { OTEL_BSP_MAX_QUEUE_SIZE: "4", OTEL_BSP_SCHEDULE_DELAY: "100000" };
  await using app = await served(await hello(), receiver, { env });
  for (let i = 0; i < 20; i++) await (await fetch(`${app.url}/greet/ada`)).text();
  await app.flush();
  const lost = app.records.find(({ message }) => message.endsWith("were lost in all"))?.message ?? "0 ";
  assert.equal(receiver.spans.length + Number.parseInt(lost, 10), 140);
  assert.equal(app.records.filter(({ message }) => message.startsWith("more spans come")).length, 1);
});

test("protobuf is what is sent where nothing else is asked for, compressed where that is", async () => {
  await using receiver = await otlpReceiver();
  process.env["OTEL_EXPORTER_OTLP_HEADERS"] = "x-team=blue";
  process.env["OTEL_EXPORTER_OTLP_COMPRESSION"] = "gzip";
  try {
    await using app = await served(await hello(), receiver, { env: { OTEL_EXPORTER_OTLP_PROTOCOL: "" } });
    await (await fetch(`${app.url}/greet/ada`)).text();
    await app.flush();
  } finally {
    delete process.env["OTEL_EXPORTER_OTLP_HEADERS"];
    delete process.env["OTEL_EXPORTER_OTLP_COMPRESSION"];
  }
  assert.deepEqual(new Set(receiver.requests.map(({ path }) => path)), new Set(["/v1/traces", "/v1/logs", "/v1/metrics"]));
  for (const { headers } of receiver.requests) {
    assert.deepEqual(
      [headers["content-type"], headers["content-encoding"], headers["x-team"]],
      ["application/x-protobuf", "gzip", "blue"],
    );
  }
});
