import assert from "node:assert/strict";
import { test } from "node:test";
import { partOf } from "./answer.ts";
import { curl, operation, serve, signature, type TestServer } from "./fixtures/client.ts";
import type { Binding, Middleware } from "./http.ts";
import { type BeforeOperation, operationAfter, operationBefore } from "./operation-middleware.ts";

const HEADERS = "list<tuple<string, string>>";

function before(result: string | undefined, call: BeforeOperation["call"], more: Partial<BeforeOperation> = {}): Middleware {
  return operationBefore({
    path: "/",
    signature: signature({}, result, "enum { no, gone }"),
    bindings: [],
    call,
    set: [],
    values: [],
    errorStatus: new Map(),
    redirects: new Map(),
    ...more,
  });
}

/** Serves the values and some headers that a route sees behind the middleware. */
async function serving(...middleware: readonly Middleware[]): Promise<TestServer> {
  const made: Binding = { port: "given", from: "made", make: (_request, { values }) => JSON.stringify([...values]) };
  const bindings: readonly Binding[] = [made, { port: "x-a", from: "header" }, { port: "x-b", from: "header" }];
  const types = signature({ given: "string", "x-a": "option<string>", "x-b": "option<string>" }, "list<string>");
  return await serve([
    operation("GET /", types, (args) => args.map((arg) => String(arg)), { bindings, middleware }),
    operation("GET /fails", signature({}, "string"), () => Promise.reject(new Error("inside")), { middleware }),
  ]);
}

test("what an operation gives is there for the route, and headers it sets take the place of those that were sent", async () => {
  const record = `record { user: string, trace: option<string>, headers: ${HEADERS} }`;
  const part = (port: string): ReturnType<typeof partOf> => partOf(signature({}, record).result, port);
  const look = before(
    record,
    () =>
      Promise.resolve({
        user: "Zoë",
        trace: undefined,
        headers: [
          ["X-B", "1"],
          ["x-b", "2"],
        ],
      }),
    {
      signature: signature({}, record),
      set: [
        { name: "x-a", part: part("user") },
        { name: "x-c", part: part("trace") },
      ],
      headers: part("headers"),
      values: [{ name: "user", part: part("user") }],
    },
  );
  await using server = await serving(look);
  const { body } = await curl(server.url, "-H", "x-a: forged", "-H", "x-b: forged", "-H", "x-c: forged");
  assert.deepEqual(JSON.parse(body), ['[["user","Zoë"]]', "Zoë", "1, 2"]);
});

test("an operation answers in place of the route, by a record or by its error", async () => {
  const record = `option<record { status: u16, headers: ${HEADERS}, body: string }>`;
  const part = partOf(signature({}, `record { answer: ${record} }`).result, "answer");
  const away = before(record, () => ({ answer: { status: 451, headers: [["x-why", "é"]], body: "no" } }), { answer: part });
  await using answering = await serving(away);
  const answered = await curl(answering.url);
  assert.deepEqual([answered.status, answered.body], [451, "no"]);
  assert.match(answered.head, /content-type: text\/plain; charset=utf-8/);
  const refuse = (payload: string): Middleware =>
    before(undefined, () => Promise.reject(Object.assign(new Error("own"), { payload })), {
      errorStatus: new Map([["no", 403]]),
      redirects: new Map([["gone", "/elsewhere?a=b"]]),
    });
  await using refusing = await serving(refuse("no"));
  assert.equal((await curl(refusing.url)).status, 403);
  await using sending = await serving(refuse("gone"));
  const sent = await curl(sending.url);
  assert.equal(sent.status, 303);
  assert.match(sent.head, /location: \/elsewhere\?a=b/);
});

test("headers that HTTP does not allow, or that are the connection's, are a failure and reach nobody", async () => {
  for (const pair of [
    ["x-a", "a\r\nx-evil: 1"],
    ["x a", "1"],
    ["content-length", "1"],
    ["Transfer-Encoding", "chunked"],
    ["host", "other"],
    ["x-long", "a".repeat(70_000)],
  ]) {
    const headers = partOf(signature({}, HEADERS).result, undefined);
    await using server = await serving(before(HEADERS, () => [pair], { headers }));
    const { status, head } = await curl(server.url);
    assert.equal(status, 500, String(pair[0]));
    assert.ok(!head.includes("evil"));
    assert.equal(server.log.length, 1);
  }
});

test("what runs after sees the status and the headers of failures too, and where it fails the answer is a 500", async () => {
  const types = signature({ status: "u16", "content-type": "option<string>" }, "string");
  const bindings: readonly Binding[] = [
    { port: "status", from: "made", make: (_request, _context, answer) => answer?.status },
    { port: "content-type", from: "header" },
  ];
  const after = (call: BeforeOperation["call"]): Middleware =>
    operationAfter({
      path: "/",
      signature: types,
      bindings,
      call,
      set: [{ name: "x-seen", part: partOf(types.result, undefined) }],
    });
  const seen = after(([status, type]) => Promise.resolve(`${String(status)} ${String(type)}`));
  await using server = await serving(seen);
  assert.match((await curl(server.url)).head, /x-seen: 200 application\/json/);
  const failed = await curl(`${server.url}/fails`);
  assert.equal(failed.status, 500);
  assert.match(failed.head, /x-seen: 500 application\/problem\+json/);
  assert.equal(server.log.length, 1);
  await using failing = await serving(after(() => Promise.reject(new Error("after"))));
  const { status, body } = await curl(failing.url);
  assert.equal(status, 500);
  assert.ok(!body.includes("after"));
});
