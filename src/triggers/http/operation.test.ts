import assert from "node:assert/strict";
import { test } from "node:test";
import { StarlaneError } from "../../base/errors.ts";
import { curl, gate, operation, serve, signature } from "./fixtures/client.ts";

test("path, query, header and cookie parts are read by the types of their ports", async () => {
  const types = signature(
    {
      id: "u32",
      status: "list<string>",
      limit: "u64",
      verbose: "bool",
      token: "string",
      theme: "option<string>",
    },
    "list<string>",
  );
  const route = operation(
    "GET /users/{id}/orders",
    types,
    (args) => args.map((arg) => (Array.isArray(arg) ? arg.join("+") : `${typeof arg}:${String(arg)}`)),
    {
      bindings: [
        { port: "id", from: "path" },
        { port: "status", from: "query" },
        { port: "limit", from: "query", default: 20n },
        { port: "verbose", from: "query" },
        { port: "token", from: "header", name: "X-Token" },
        { port: "theme", from: "cookie" },
      ],
    },
  );
  await using server = await serve([route]);
  const { status, body, head } = await curl(
    `${server.url}/users/7/orders?status=open&status=a%20b&verbose`,
    "-H",
    "x-token: t",
    "-b",
    "theme=dark",
  );
  assert.equal(status, 200);
  assert.deepEqual(JSON.parse(body), ["number:7", "open+a b", "bigint:20", "boolean:true", "string:t", "string:dark"]);
  assert.match(head, /content-type: application\/json/);
});

test("every mistake of a request is told at once", async () => {
  const types = signature({ id: "u8", limit: "u32", tags: "list<u8>", name: "string", age: "u16" }, "string");
  const route = operation("POST /users/{id}", types, () => "never", {
    bindings: [
      { port: "id", from: "path" },
      { port: "limit", from: "query" },
      { port: "tags", from: "query" },
      { port: "name", from: "field" },
      { port: "age", from: "field" },
    ],
  });
  await using server = await serve([route]);
  const answer = await curl(
    `${server.url}/users/300?limit=-1`,
    "-H",
    "content-type: application/json",
    "-d",
    '{"name": 5, "agee": 3}',
  );
  assert.equal(answer.status, 400);
  assert.match(answer.head, /application\/problem\+json/);
  const { mistakes } = JSON.parse(answer.body);
  assert.deepEqual(
    mistakes.map((mistake: { in: string; name: string }) => `${mistake.in} ${mistake.name}`),
    ["query limit", "query tags", "path id", "body agee", "body name", "body age"],
  );
});

test("bodies: JSON fields, forms, a whole record, text, bytes; everything else is 415", async () => {
  const show = (args: readonly unknown[]): string =>
    args.map((arg) => (arg instanceof Uint8Array ? `bytes:${arg.length}` : JSON.stringify(arg))).join("|");
  await using server = await serve([
    operation("POST /fields", signature({ name: "string", n: "u32" }, "string"), show),
    operation("POST /record", signature({ user: "record { name: string, is-new: bool }" }, "string"), show),
    operation("POST /text", signature({ text: "string" }, "string"), show, { bindings: [{ port: "text", from: "body" }] }),
    operation("POST /bytes", signature({ data: "list<u8>" }, "string"), show),
    operation("POST /png", signature({ data: "list<u8>" }, "string"), show, { body: { contentTypes: ["image/*"] } }),
  ]);
  const post = async (path: string, type: string, data: string): Promise<unknown> => {
    const { status, body } = await curl(`${server.url}${path}`, "-H", `content-type: ${type}`, "--data-binary", data);
    return status === 200 ? JSON.parse(body) : status;
  };
  assert.equal(await post("/fields", "application/json", '{"name":"a","n":1}'), '"a"|1');
  assert.equal(await post("/fields", "application/x-www-form-urlencoded", "name=a+%C3%A9&n=2"), '"a é"|2');
  assert.equal(
    await post("/record", "application/vnd.x+json; charset=UTF-8", '{"name":"a","is-new":true}'),
    '{"name":"a","isNew":true}',
  );
  assert.equal(await post("/text", "text/plain", "héé"), '"héé"');
  assert.equal(await post("/text", "application/json", '"x"'), '"x"');
  assert.equal(await post("/bytes", "image/png", "12345"), "bytes:5");
  assert.equal(await post("/png", "image/png", "12345"), "bytes:5");
  assert.equal(await post("/png", "text/plain", "12345"), 415);
  assert.equal(await post("/fields", "text/xml", "<a/>"), 415);
  assert.equal(await post("/fields", "application/json; charset=latin1", "{}"), 415);
  assert.equal(await post("/fields", "application/json", "{"), 400);
  assert.equal(await post("/record", "application/json", ""), 400);
  const encoded = await curl(`${server.url}/fields`, "-H", "content-encoding: gzip", "-d", "x");
  assert.equal(encoded.status, 415);
  assert.match(encoded.head, /accept-encoding: identity/);
});

test("results: JSON, text where it is asked for, bytes, nothing; what cannot be had is 406", async () => {
  const none = operation("GET /none", signature({}, "option<string>"), () => undefined);
  await using server = await serve([
    operation("GET /text", signature({}, "string"), () => "a\nb"),
    operation("GET /bytes", signature({}, "list<u8>"), () => new Uint8Array([1, 2])),
    operation("GET /html", signature({}, "string"), () => "<p>", { answer: { contentType: "text/html; charset=utf-8" } }),
    operation("GET /nothing", signature({}), () => undefined),
    operation(
      "GET /record",
      signature({}, "record { total-count: u64, tags: list<string>, body: string }"),
      () => ({ totalCount: 2n ** 60n, tags: ["a", "b"], body: "x" }),
      {
        answer: {
          status: 201,
          headers: [
            { name: "X-Total", port: "total-count" },
            { name: "X-Tag", port: "tags" },
          ],
        },
      },
    ),
    operation("GET /part", signature({}, "record { a: string, b: u8 }"), () => ({ a: "A", b: 1 }), { answer: { port: "b" } }),
    none,
    { ...none, methods: ["DELETE"] },
  ]);
  const get = async (path: string, ...args: string[]): Promise<string> => {
    const { status, body } = await curl(`${server.url}${path}`, ...args);
    return `${status} ${body}`;
  };
  assert.equal(await get("/text"), '200 "a\\nb"');
  assert.equal(await get("/text", "-H", "accept: text/plain"), "200 a\nb");
  assert.equal(await get("/text", "-H", "accept: application/json;q=0.1, text/*"), "200 a\nb");
  assert.match(await get("/text", "-H", "accept: image/png"), /^406 /);
  assert.match(await get("/text", "-H", "accept: application/json;q=0"), /^406 /);
  assert.equal(await get("/bytes"), "200 \x01\x02");
  assert.equal(await get("/bytes", "-H", "accept: application/json"), '200 "AQI="');
  assert.equal(await get("/html", "-H", "accept: text/html"), "200 <p>");
  assert.equal(await get("/nothing"), "204 ");
  assert.match(await get("/none"), /^404 /);
  assert.equal(await get("/none", "-X", "DELETE"), "204 ");
  assert.equal(await get("/part"), "200 1");
  const record = await curl(`${server.url}/record`);
  assert.equal(`${record.status} ${record.body}`, '201 {"body":"x"}');
  assert.match(record.head, /x-total: 1152921504606846976\r\nx-tag: a\r\nx-tag: b\r\n/);
});

test("the operation's own errors map to statuses; others, and traps, are a 500 with an id and nothing else", async () => {
  const error = "variant { not-found, too-old(u32), odd }";
  const types = signature({ what: "string" }, "string", error);
  const payloads: Readonly<Record<string, unknown>> = {
    a: { tag: "not-found" },
    b: { tag: "too-old", val: 9 },
    c: { tag: "odd" },
  };
  const call = ([what]: readonly unknown[]): unknown => {
    if (what === "trap") throw new StarlaneError("engine/trap", "secret /etc/path");
    if (what === "late") throw new StarlaneError("flow/deadline", "secret");
    if (what === "busy") throw new StarlaneError("engine/busy", "secret");
    if (what === "bug") throw new TypeError("secret");
    if (what === "rule") {
      throw new StarlaneError("star/invalid-input", "x", {
        data: { violations: [{ path: "what", rule: "max", message: "it is too long" }] },
      });
    }
    if (what === "wrong") return 5;
    throw Object.assign(new Error("own"), { payload: payloads[String(what)] });
  };
  const errorStatus = new Map([
    ["not-found", 404],
    ["too-old", 410],
  ]);
  await using server = await serve([
    operation("GET /sync/{what}", types, call, { answer: { errorStatus } }),
    operation("GET /async/{what}", types, async (args) => Promise.resolve().then(() => call(args)), { answer: { errorStatus } }),
  ]);
  for (const way of ["sync", "async"]) {
    const get = async (what: string): Promise<{ status: number; json: Record<string, unknown>; head: string }> => {
      const { status, body, head } = await curl(`${server.url}/${way}/${what}`);
      assert.ok(!body.includes("secret"), body);
      return { status, json: JSON.parse(body), head };
    };
    assert.deepEqual(await get("a").then(({ status, json }) => [status, json["title"], json["error"]]), [
      404,
      "not-found",
      "not-found",
    ]);
    assert.deepEqual(await get("b").then(({ status, json }) => [status, json["error"]]), [410, { "too-old": 9 }]);
    for (const what of ["c", "trap", "bug", "wrong"]) {
      const { status, json } = await get(what);
      assert.equal(status, 500, what);
      assert.equal(server.log.at(-1)?.requestId, json["id"]);
      assert.ok(server.log.at(-1)?.error !== undefined);
      assert.equal(json["error"], undefined);
    }
    assert.equal((await get("late")).status, 504);
    const busy = await get("busy");
    assert.equal(busy.status, 503);
    assert.match(busy.head, /retry-after: 1/);
    const rule = await get("rule");
    assert.deepEqual([rule.status, rule.json["mistakes"]], [400, [{ in: "path", name: "what", message: "it is too long" }]]);
  }
});

test("404, 405 with the methods there are, HEAD, and OPTIONS", async () => {
  await using server = await serve([
    operation("GET /a", signature({}, "string"), () => "hello"),
    operation("POST /a", signature({}, "string"), () => "posted"),
  ]);
  assert.equal((await curl(`${server.url}/b`)).status, 404);
  const wrong = await curl(`${server.url}/a`, "-X", "DELETE");
  assert.deepEqual([wrong.status, /\r\nallow: (.*)\r\n/.exec(wrong.head)?.[1]], [405, "get, head, post, options"]);
  const options = await curl(`${server.url}/a`, "-X", "OPTIONS");
  assert.deepEqual([options.status, /\r\nallow: (.*)\r\n/.exec(options.head)?.[1]], [204, "get, head, post, options"]);
  const head = await curl(`${server.url}/a`, "-I");
  assert.deepEqual([head.status, head.body], [200, ""]);
  assert.match(head.head, /content-length: 7/);
});

test("a request that takes too long is a 504, and whoever works for it hears of it", async () => {
  let reason: unknown;
  const aborted = gate();
  const route = operation(
    "GET /slow",
    signature({}, "string"),
    (_args, context) => {
      context.signal.addEventListener("abort", () => {
        reason = context.signal.reason;
        aborted.open();
      });
      return new Promise(() => undefined);
    },
    { limits: { timeMs: 50 } },
  );
  await using server = await serve([route]);
  assert.equal((await curl(`${server.url}/slow`)).status, 504);
  await aborted.promise;
  assert.ok(reason instanceof StarlaneError && reason.code === "http/deadline");
});

test("a client that leaves aborts the request it made", async () => {
  const started = gate();
  const aborted = gate();
  const route = operation("GET /slow", signature({}, "string"), (_args, context) => {
    started.open();
    context.signal.addEventListener("abort", aborted.open);
    return new Promise(() => undefined);
  });
  await using server = await serve([route]);
  const leave = new AbortController();
  const answer = fetch(`${server.url}/slow`, { signal: leave.signal }).catch(() => "left");
  await started.promise;
  leave.abort();
  assert.equal(await answer, "left");
  await aborted.promise;
});

test("requests beyond what a route takes wait, then are 429; beyond what a listener takes, 503", async () => {
  const release = gate();
  const slow = (path: string, limits: object): ReturnType<typeof operation> =>
    operation(`GET ${path}`, signature({}, "string"), () => release.promise.then(() => "done"), { limits });
  await using server = await serve([slow("/one", { concurrency: 1, queue: 1 }), slow("/other", {})], {
    concurrency: 3,
    queue: 0,
  });
  const first = curl(`${server.url}/one`);
  const second = curl(`${server.url}/one`);
  await settledInFlight(server.url, 2);
  const third = await curl(`${server.url}/one`);
  assert.equal(third.status, 429);
  assert.match(third.head, /retry-after: 1/);
  const fourth = curl(`${server.url}/other`);
  await settledInFlight(server.url, 3);
  const fifth = await curl(`${server.url}/other`);
  assert.equal(fifth.status, 503);
  assert.match(fifth.head, /retry-after: 1/);
  release.open();
  assert.deepEqual(
    (await Promise.all([first, second, fourth])).map(({ status }) => status),
    [200, 200, 200],
  );
});

async function settledInFlight(url: string, count: number): Promise<void> {
  while (!(await (await fetch(`${url}/metrics`)).text()).includes(`\nstarlane_http_requests_in_flight ${count}\n`)) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

test("one client may not come more often than a route allows", async () => {
  await using server = await serve([
    operation("GET /a", signature({}, "string"), () => "x", { limits: { rate: { requests: 2, perMs: 3_600_000 } } }),
  ]);
  const statuses = [await curl(`${server.url}/a`), await curl(`${server.url}/a`), await curl(`${server.url}/a`)];
  assert.deepEqual(
    statuses.map(({ status }) => status),
    [200, 200, 429],
  );
  assert.match(statuses[2]?.head ?? "", /retry-after: 1\d\d\d/);
});

test("a route that cannot be bound is refused when it is made", async () => {
  const types = signature({ id: "u32", data: "stream<u8>" }, "string");
  const wrong = [
    operation("GET /{nope}", types, () => ""),
    operation("POST /{id}", types, () => "", { bindings: [{ port: "id", from: "path" }] }),
    operation("POST /{id}", types, () => "", {
      bindings: [
        { port: "id", from: "path" },
        { port: "data", from: "query" },
      ],
    }),
    operation("POST /{id}", types, () => "", {
      bindings: [
        { port: "id", from: "path" },
        { port: "other", from: "body" },
      ],
    }),
    operation("TRACE /{id}", signature({ id: "u32" }), () => ""),
    operation("GET /", signature({}, "string"), () => "", { answer: { port: "x" } }),
  ];
  for (const route of wrong) await assert.rejects(serve([route]), { code: "http/bad-route" });
});
