import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request, type IncomingMessage } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { LoadedComponent } from "../star/app.ts";
import { loadTarget, type Loaded } from "../star/star.ts";
import type { ApiError, InvokeAnswer, State } from "./contract.ts";
import { History } from "./history.ts";
import { startApi, type Api } from "./server.ts";
import { stateOf } from "./state.ts";

const MANIFEST = `starlane: v1
name: test/api
version: 1.2.3
operations:
  greet:
    description: Greets.
    input:
      name: { type: string, min: 2, description: Who. }
      times: { type: u8, default: 1 }
    flow: |
      <> -> said -> <>.said
    nodes:
      said: { uses: "core::expr", with: { expr: "times > uint(1) ? name + name : name" } }
triggers:
  - http: { port: 8080 }
    routes: [ "GET /hello/{name} -> greet" ]
  - schedule: { cron: "0 0 6 * * *", operation: greet, zone: Europe/Berlin, input: { name: sun } }
`;

interface Answer {
  readonly status: number | undefined;
  readonly body: string;
  readonly headers: IncomingMessage["headers"];
}

describe("the API", () => {
  const folder = mkdtempSync(join(tmpdir(), "starlane-api-"));
  let loaded: Loaded;
  let api: Api;
  let current: { readonly targets: readonly LoadedComponent[] } | undefined;
  const history = new History(
    (view) => api.sendTransaction(view),
    () => mask,
  );
  const mask = (text: string): string => text.replaceAll("hunter2", "***");
  const state = (): State => stateOf({ version: 1, status: "ready", targets: current?.targets ?? [], problems: [] }, []);

  before(async () => {
    writeFileSync(join(folder, "starlane.yaml"), MANIFEST);
    loaded = await loadTarget(folder, { use: "run" });
    current = { targets: [loaded.target] };
    api = await startApi({
      port: 0,
      current: () =>
        current === undefined ? undefined : { ...current, telemetry: { observer: history.observer, log: history.log } },
      state,
      history,
      mask: () => mask,
    });
  });
  after(async () => {
    await api.close();
    await loaded.close();
    rmSync(folder, { recursive: true, force: true });
  });

  function ask(path: string, headers: Readonly<Record<string, string>> = {}, body?: string): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const sent = request(`${api.url}${path}`, { method: body === undefined ? "GET" : "POST", headers }, (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
        response.on("end", () => resolve({ status: response.statusCode, body: text, headers: response.headers }));
        response.on("error", reject);
      });
      sent.on("error", reject);
      sent.end(body);
    });
  }

  const JSON_TYPE = { "content-type": "application/json" };
  const port = (): string => new URL(api.url).port;

  async function invoke(
    body: unknown,
  ): Promise<{ readonly status: number | undefined; readonly answer: Partial<InvokeAnswer> & Partial<ApiError> }> {
    const { status, body: text } = await ask("/api/v1/invoke", JSON_TYPE, typeof body === "string" ? body : JSON.stringify(body));
    return { status, answer: JSON.parse(text) };
  }

  test("tells what is served: operations with their types, what starts them, and a flow as a graph", async () => {
    const { status, body, headers } = await ask("/api/v1/state");
    assert.deepEqual([status, headers["content-type"], headers["cache-control"]], [200, "application/json", "no-store"]);
    const told: State = JSON.parse(body);
    const [app] = told.apps;
    assert.deepEqual([app?.name, app?.version], ["test/api", "1.2.3"]);
    assert.deepEqual(app?.triggers, ["GET /hello/{name} -> greet", "schedule 0 0 6 * * * Europe/Berlin -> greet"]);
    const [name, times] = app?.operations[0]?.ports ?? [];
    assert.deepEqual(
      [name?.type, name?.isRequired, name?.schema],
      ["string", true, { type: "string", minLength: 2, description: "Who." }],
    );
    assert.deepEqual([times?.isRequired, times?.default, times?.sample], [false, 1, 1]);
    assert.ok(app?.operations[0]?.graph?.nodes.some(({ id }) => id === "said"));
  });

  test("answers only under its own name and port, and no page of another site", async () => {
    const own = `127.0.0.1:${port()}`;
    const refused: readonly Readonly<Record<string, string>>[] = [
      { host: "evil.example" },
      { host: `evil.example:${port()}` },
      { host: "127.0.0.1" },
      { host: "127.0.0.1:1" },
      { host: `127.0.0.1.evil.example:${port()}` },
      { host: own, origin: "https://evil.example" },
      { host: own, origin: "null" },
      { host: own, origin: `http://127.0.0.1:1` },
      { host: own, origin: `https://${own}` },
      { host: own, "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors" },
      { host: own, "sec-fetch-site": "same-site", "sec-fetch-mode": "cors" },
    ];
    for (const headers of refused) {
      for (const path of ["/api/v1/state", "/api/v1/events", "/", "/api/x"]) {
        const { status, body } = await ask(path, headers);
        assert.equal(status, 403, `${path} ${JSON.stringify(headers)}`);
        assert.doesNotMatch(body, /test\/api/);
      }
      assert.equal((await ask("/api/v1/invoke", { ...headers, ...JSON_TYPE }, "{}")).status, 403);
    }
    for (const host of [own, `localhost:${port()}`, `LOCALHOST:${port()}`, `[::1]:${port()}`]) {
      assert.equal(
        (await ask("/api/v1/state", { host, origin: `http://${host}`, "sec-fetch-site": "same-origin" })).status,
        200,
        host,
      );
    }
    // A link from elsewhere may open the page, and nothing more.
    assert.equal((await ask("/", { host: own, "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate" })).status, 200);
  });

  test("runs an operation; what is wrong with the input is told port by port", async () => {
    const good = await invoke({ app: "test/api", operation: "greet", input: { name: "Ada" } });
    assert.deepEqual([good.status, good.answer.result], [200, { said: "Ada" }]);
    assert.equal(good.answer.transaction?.trigger, "page");
    const wrong = await invoke({ app: "test/api", operation: "greet", input: { tims: 1, times: 300 } });
    assert.equal(wrong.status, 400);
    assert.deepEqual(
      wrong.answer.mistakes?.map(({ path, cure }) => [path, cure]),
      [
        ["tims", "did you mean times?"],
        ["name", undefined],
        ["times", undefined],
      ],
    );
    // A rule of a port is the operation's own.
    const short = await invoke({ app: "test/api", operation: "greet", input: { name: "A" } });
    assert.deepEqual(
      [short.status, short.answer.transaction?.outcome, short.answer.error?.code],
      [200, "failed", "star/invalid-input"],
    );
    assert.deepEqual(
      short.answer.error?.mistakes?.map(({ path }) => path),
      ["name"],
    );
    // What every object has is no port.
    assert.equal((await invoke('{"app":"test/api","operation":"greet","input":{"name":"Ada","__proto__":1}}')).status, 400);
    assert.equal((await invoke({ app: "test/api", operation: "greet", input: {} })).answer.mistakes?.[0]?.path, "name");
  });

  test("a request that is none is refused as what it is", async () => {
    for (const body of [
      "",
      "{",
      "[]",
      "null",
      '"x"',
      "{}",
      '{"app":1,"operation":"greet"}',
      '{"app":"test/api","operation":"greet","input":[]}',
      '{"app":"test/api","operation":"greet","component":5}',
    ]) {
      const { status, answer } = await invoke(body);
      assert.deepEqual([status, answer.code], [400, "api/bad-request"], body);
    }
    assert.equal((await invoke({ app: "nope", operation: "greet" })).status, 404);
    assert.equal((await invoke({ app: "test/api", component: "toString", operation: "greet" })).status, 404);
    assert.equal((await invoke({ app: "test/api", operation: "gret" })).status, 404);
    const body = JSON.stringify({ app: "test/api", operation: "greet", input: { name: "Ada" } });
    for (const type of [
      "text/plain",
      "application/x-www-form-urlencoded",
      "multipart/form-data; boundary=x",
      "application/json5",
      "",
    ]) {
      assert.equal((await ask("/api/v1/invoke", type === "" ? {} : { "content-type": type }, body)).status, 415, type);
    }
    assert.equal((await ask("/api/v1/invoke")).status, 404);
    assert.equal((await ask("/api/v2/state")).status, 404);
    const large = JSON.stringify({ app: "test/api", operation: "greet", input: { name: "x".repeat(9 * 1024 * 1024) } });
    const refused = await ask("/api/v1/invoke", JSON_TYPE, large).catch(() => undefined);
    assert.ok(refused === undefined || refused.status === 413);
  });

  test("secrets stay out of what it tells", async () => {
    const { answer } = await invoke({ app: "test/api", operation: "greet", input: { name: "hunter2" } });
    assert.deepEqual(answer.result, { said: "***" });
    const events = await follow();
    assert.doesNotMatch(events.text(), /hunter2/);
    events.end();
  });

  test("while nothing is served it runs nothing", async () => {
    const before = current;
    current = undefined;
    assert.equal((await invoke({ app: "test/api", operation: "greet" })).status, 503);
    current = before;
  });

  interface Following {
    readonly text: () => string;
    readonly until: (part: string) => Promise<void>;
    readonly end: () => void;
    readonly ended: Promise<unknown>;
  }

  async function follow(): Promise<Following> {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      request(`${api.url}/api/v1/events`, resolve).on("error", reject).end();
    });
    assert.equal(response.statusCode, 200);
    let text = "";
    response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
    response.on("error", () => undefined);
    const until = async (part: string): Promise<void> => {
      while (!text.includes(part)) await new Promise((resolve) => response.once("data", resolve));
    };
    await until("event: state");
    return {
      text: () => text,
      until,
      end: () => response.destroy(),
      ended: new Promise((resolve) => response.once("close", resolve)),
    };
  }

  test("events tell the state, the latest transactions, and each as it ends", async () => {
    await invoke({ app: "test/api", operation: "greet", input: { name: "Before" } });
    const events = await follow();
    await events.until("event: transaction");
    const { answer } = await invoke({ app: "test/api", operation: "greet", input: { name: "Now" } });
    await events.until(answer.transaction?.id ?? "?");
    events.end();
  });

  test("who follows and takes nothing is dropped; there is room for so many", async () => {
    const slow = connect(Number(port()), "127.0.0.1");
    slow.write(`GET /api/v1/events HTTP/1.1\r\nhost: 127.0.0.1:${port()}\r\nconnection: close\r\n\r\n`);
    await new Promise((resolve) => slow.once("data", resolve));
    slow.pause();
    const quick = await follow();
    const closed = new Promise((resolve) => slow.once("close", resolve));
    const large: State = { ...state(), problems: [{ severity: "error", code: "x", message: "y".repeat(1024 * 1024) }] };
    for (let i = 0; i < 64; i++) {
      api.sendState(large);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    slow.resume();
    await closed;
    api.sendTransaction({
      id: "last",
      app: "a",
      operation: "o",
      trigger: "t",
      startedMs: 0,
      durationMs: 0,
      outcome: "ok",
      output: "",
    });
    await quick.until('"id":"last"');
    quick.end();
    await quick.ended;
    const all = [];
    for (let i = 0; i < 40; i++) {
      const one = await follow().catch(() => undefined);
      if (one === undefined) break;
      all.push(one);
    }
    assert.equal(all.length, 32);
    assert.equal((await ask("/api/v1/events")).status, 503);
    for (const one of all) one.end();
  });

  test("without its files the page says how they come to be, and lets nothing in", async () => {
    const { status, body, headers } = await ask("/");
    assert.equal(status, 200);
    assert.match(body, /npm run build/);
    assert.match(String(headers["content-security-policy"]), /default-src 'none'.*frame-ancestors 'none'/);
    assert.equal(headers["x-frame-options"], "DENY");
  });

  test("where its port is in use the next one is taken", async () => {
    const next = await startApi({ port: Number(port()), current: () => undefined, state, history, mask: () => mask });
    assert.notEqual(next.url, api.url);
    assert.ok(Number(new URL(next.url).port) > Number(port()));
    await next.close();
  });
});
