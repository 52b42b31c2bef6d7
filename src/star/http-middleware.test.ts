// Apps with middleware, checked and served as a user's are, and asked by curl and websockets.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { WebSocket } from "ws";
import { DiagnosticsError, renderDiagnostic } from "../base/diagnostics.ts";
import { curl } from "../triggers/http/fixtures/client.ts";
import type { HttpLogEntry } from "../triggers/http/http.ts";
import { wat } from "../../test/wat.ts";
import { serve } from "./serve.ts";
import { loadTarget } from "./star.ts";

const folder = mkdtempSync(join(tmpdir(), "starlane-middleware-"));
after(() => rmSync(folder, { recursive: true, force: true }));
for (const name of ["c/text", "c/faults", "c/members", "c/safe-headers", "rust/sessions"])
  cpSync(join(import.meta.dirname, `../../guests/${name}.wasm`), join(folder, `${name.split("/")[1]}.wasm`));
// Gives the stream of messages back as it came.
writeFileSync(
  join(folder, "talk.wasm"),
  await wat(`(component
    (core module $memory (memory (export "mem") 1))
    (core instance $memory (instantiate $memory))
    (core module $m (func (export "echo") (param i32) (result i32) local.get 0))
    (core instance $i (instantiate $m))
    (func (export "echo") (param "lines" (stream string)) (result (stream string)) (canon lift (core func $i "echo"))))`),
);
mkdirSync(join(folder, "public"));
writeFileSync(join(folder, "public/a.txt"), "a file");

const COMPONENTS = `starlane: v1
components:
  text: ./text.wasm
  faults: ./faults.wasm
  members: ./members.wasm
  safe-headers: ./safe-headers.wasm
  sessions: ./sessions.wasm
  talk: ./talk.wasm
grants:
  sessions: { config: { key: some key, password: seagull } }
`;

interface Served extends AsyncDisposable {
  readonly url: string;
  readonly log: readonly HttpLogEntry[];
}

let count = 0;

async function serving(manifest: string): Promise<Served> {
  const file = join(folder, `app-${++count}.yaml`);
  writeFileSync(file, COMPONENTS + manifest);
  const loaded = await loadTarget(file, { use: "run" });
  const log: HttpLogEntry[] = [];
  const server = await serve([loaded.target], { port: 0, log: (entry) => log.push(entry) });
  return {
    url: `http://127.0.0.1:${server.addresses[0]?.port}`,
    log,
    async [Symbol.asyncDispose]() {
      await server.drain({ deadlineMs: 1000 });
      await loaded.close();
    },
  };
}

/** What `check` says of a manifest, without its frames. */
async function mistakes(manifest: string): Promise<readonly string[]> {
  const file = join(folder, `app-${++count}.yaml`);
  writeFileSync(file, COMPONENTS + manifest);
  try {
    const loaded = await loadTarget(file, { use: "check" });
    await loaded.close();
    return [];
  } catch (error) {
    assert(error instanceof DiagnosticsError, String(error));
    return error.diagnostics.map((one) => {
      const [first = "", ...rest] = renderDiagnostic(one).split("\n");
      return [first, rest.findLast((line) => line.startsWith("   = "))?.slice(5) ?? ""].join(" | ");
    });
  }
}

test("an operation lets a request through, refuses it by a status, or sends a browser elsewhere", async () => {
  await using server = await serving(`
operations:
  me: { input: { member: string, greeting: { type: string, default: Hello } }, flow: "<>.member -> <>.name\\n<>.greeting -> <>.greeting" }
triggers:
  - http: 0
    routes:
      - POST /sign-in -> sessions::sign-in
      - route: GET /me?greeting -> me
        before:
          - operation: sessions::check
            cookies: { session: token }
            as: member
            redirect: { signed-out: /sign-in }
            status: { 403: "*" }
      - route: GET /api/me -> me
        before: [ { operation: sessions::check-bearer, as: member, status: { 401: [ signed-out, expired ] } } ]
`);
  const { url } = server;
  const signedIn = await curl(`${url}/sign-in`, "-d", "name=Ada&password=seagull");
  const { token } = JSON.parse(signedIn.body);
  const me = await curl(`${url}/me?greeting=Hi`, "-b", `session=${token}`);
  assert.deepEqual([me.status, JSON.parse(me.body)], [200, { name: "Ada", greeting: "Hi" }]);
  const away = await curl(`${url}/me`);
  assert.equal(away.status, 303);
  assert.match(away.head, /\r\nlocation: \/sign-in\r\n/);
  const forged = await curl(`${url}/me`, "-b", `session=${token}0`);
  assert.deepEqual([forged.status, JSON.parse(forged.body).error], [403, "forged"]);
  assert.equal((await curl(`${url}/api/me`, "-H", `authorization: Bearer ${token}`)).status, 200);
  assert.equal((await curl(`${url}/api/me`)).status, 401);
  // Nobody says who they are by a parameter.
  assert.equal((await curl(`${url}/api/me?member=root`)).status, 401);
  const named = await curl(`${url}/me?member=root`, "-b", `session=${token}`);
  assert.equal(JSON.parse(named.body).name, "Ada");
  // A case without a status fails as anything else inside does.
  assert.equal((await curl(`${url}/api/me`, "-H", "authorization: Bearer x.y.z")).status, 500);
  assert.equal(server.log.length, 1);
});

test("a flow sees what a request is, by the names of its ports; what it sets takes the place of what the client sent", async () => {
  await using server = await serving(`
operations:
  look:
    input:
      request: "record { method: string, path: string, query: string, headers: list<tuple<string, string>> }"
      client: string
      route: string
      user-agent: { type: string, default: nobody }
      id: u32
    nodes:
      seen: { uses: "core::expr", with: { expr: 'method + " " + path + " " + query + " " + client + " " + route + " " + agent + " " + string(id)' } }
    flow: |
      <>.request.method -> seen.method
      <>.request.path -> seen.path
      <>.request.query -> seen.query
      <>.client -> seen.client
      <>.route -> seen.route
      <>.user-agent -> seen.agent
      <>.id -> seen.id
      seen -> <>.seen
  show: { input: { seen: string, header: string }, flow: "<>.seen -> <>.seen\\n<>.header -> <>.header" }
triggers:
  - http: 0
    routes:
      - route: GET /things/{id:u32} -> show
        headers: { x-seen: header }
        before: [ { operation: look, set: { x-seen: seen } } ]
`);
  const answer = await curl(`${server.url}/things/7?a=b%20c`, "-A", "me/1.0", "-H", "x-seen: forged");
  assert.equal(answer.status, 200, answer.body);
  const seen = "GET /things/7 a=b%20c 127.0.0.1 /things/{id:u32} me/1.0 7";
  assert.deepEqual(JSON.parse(answer.body), { seen, header: seen });
  assert.equal((await curl(`${server.url}/things/x`)).status, 400);
});

async function listening(upstream: Server): Promise<number> {
  upstream.listen(0, "127.0.0.1");
  await once(upstream, "listening");
  after(() => {
    upstream.closeAllConnections();
    upstream.close();
  });
  const address = upstream.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

const STAMPED = `
operations:
  stamp:
    input: { status: u16, content-type: { type: string, default: none }, method: string }
    nodes: { stamp: { uses: "core::expr", with: { expr: 'method + " " + string(status) + " " + kind' } } }
    flow: |
      <>.method -> stamp.method
      <>.status -> stamp.status
      <>.content-type -> stamp.kind
      stamp -> <>.stamp
  trap: { flow: "true -> faults::trap-if.trap\\n\\"x\\" -> trap-if.text\\ntrap-if -> <>.text" }
triggers:
  - http: 0
    before: [ { component: safe-headers } ]
    after: [ { operation: stamp, set: { x-stamp: stamp } } ]
    routes:
`;

test("what runs after sees every answer: of files, components, redirects, other servers, refusals and failures", async () => {
  const upstream = createServer((request, response) => {
    response.writeHead(203, { "content-type": "text/x-up" });
    request.pipe(response);
  });
  const port = await listening(upstream);
  await using server = await serving(`${STAMPED}
      - /files/* -> static: ./public
      - "/members/* -> component: members"
      - "/old -> redirect: /new"
      - "/up/* -> proxy: http://127.0.0.1:${port}"
      - GET /trap -> trap
      - { route: "/private/* -> static: ./public", before: [ { operation: sessions::check-bearer, as: member, status: { 401: "*" } } ] }
`);
  const stampOf = async (path: string, ...more: string[]): Promise<string> => {
    const { status, head } = await curl(`${server.url}${path}`, ...more);
    assert.match(head, /\r\ncontent-security-policy: default-src 'self'/, path);
    const [, stamp] = /\r\nx-stamp: ([^\r]*)/.exec(head) ?? [];
    assert.ok(stamp?.includes(` ${status} `) === true, `${path}: ${head}`);
    return stamp;
  };
  assert.equal(await stampOf("/files/a.txt"), "get 200 text/plain; charset=utf-8");
  assert.equal(await stampOf("/files/none"), "get 404 application/problem+json");
  assert.equal(await stampOf("/members/"), "get 200 text/html; charset=utf-8");
  assert.equal(await stampOf("/old"), "get 308 none");
  assert.equal(await stampOf("/private/a.txt"), "get 401 application/problem+json");
  assert.equal(await stampOf("/openapi.json"), "get 200 application/json");
  assert.equal(await stampOf("/trap"), "get 500 application/problem+json");
  const large = "x".repeat(100_000);
  const echoed = await curl(`${server.url}/up/echo`, "-d", large);
  assert.deepEqual([echoed.status, echoed.body === large], [203, true]);
  assert.equal(await stampOf("/up/echo", "-d", "hello"), "post 203 text/x-up");
  assert.equal(server.log.length, 1);
});

test("a stream of the operation streams through a component, and ends with the client", async () => {
  const chunks = Promise.withResolvers<void>();
  let closed = false;
  const upstream = createServer((_, response) => {
    response.on("close", () => (closed = true));
    response.write("first");
    void chunks.promise.then(() => response.write("second"));
  });
  const port = await listening(upstream);
  await using server = await serving(`${STAMPED}
      - "/up/* -> proxy: http://127.0.0.1:${port}"
`);
  const controller = new AbortController();
  const response = await fetch(`${server.url}/up/x`, { signal: controller.signal });
  const reader = response.body?.getReader();
  assert.equal(new TextDecoder().decode((await reader?.read())?.value), "first");
  chunks.resolve();
  assert.equal(new TextDecoder().decode((await reader?.read())?.value), "second");
  controller.abort();
  while (!closed) await new Promise((resolve) => setTimeout(resolve, 5));
});

test("a websocket passes middleware of both kinds before it is opened, and may be refused", async () => {
  await using server = await serving(`${STAMPED}
      - "/talk -> websocket: talk::echo"
      - route: "/private -> websocket: talk::echo"
        before: [ { operation: sessions::check-bearer, as: member, status: { 401: "*" } } ]
`);
  const address = server.url.replace("http", "ws");
  const socket = new WebSocket(`${address}/talk`);
  await once(socket, "open");
  socket.send('"hello"');
  const [message]: unknown[] = await once(socket, "message");
  assert.equal(String(message), '"hello"');
  socket.close();
  await once(socket, "close");
  const refused = new WebSocket(`${address}/private`);
  const [error]: unknown[] = await once(refused, "error");
  assert.match(String(error), /401/);
});

test("an error of any node of a flow has the status that the route gives to its case", async () => {
  await using server = await serving(`
operations:
  half:
    input: { text: string }
    flow: <>.text -> text::trim -> faults::parse-number -> faults::percentage -> <>.value
  refused: { flow: "60000 -> faults::allocate -> <>.pages" }
  trap: { flow: "true -> faults::trap-if.trap\\n\\"x\\" -> trap-if.text\\ntrap-if -> <>.text" }
triggers:
  - http: 0
    routes:
      - { route: "GET /half/{text} -> half", status: { 422: not-a-number, 416: out-of-range } }
      - { route: "GET /refused -> refused", status: { 409: "*" } }
      - { route: "GET /trap -> trap", status: { 409: "*" } }
      - { route: "GET /other/{text} -> half" }
`);
  const half = await curl(`${server.url}/half/ten`);
  assert.deepEqual(JSON.parse(half.body), {
    type: "about:blank",
    title: "not-a-number",
    status: 422,
    error: { "not-a-number": "ten" },
  });
  const range = await curl(`${server.url}/half/101`);
  assert.deepEqual([range.status, JSON.parse(range.body).error], [416, { "out-of-range": { given: 101, least: 0, most: 100 } }]);
  assert.equal((await curl(`${server.url}/half/50`)).body, '{"value":50}');
  assert.equal((await curl(`${server.url}/refused`)).status, 409);
  for (const path of ["trap", "other/ten"]) {
    const { status, body } = await curl(`${server.url}/${path}`);
    assert.equal(status, 500);
    assert.deepEqual(Object.keys(JSON.parse(body)).toSorted(), ["detail", "id", "status", "title", "type"]);
  }
});

test("the rules of ports stand in the OpenAPI document, and what middleware gives does not", async () => {
  await using server = await serving(`
operations:
  find:
    input:
      name: { type: string, min: 2, max: 40, pattern: "[a-z]+" }
      limit: { type: u32, default: 20, min: 1, max: 100 }
      tags: { type: "list<string>", max: 5, one-of: [ a, b ] }
      mail: { type: option<string>, format: email }
      member: string
    flow: |
      <>.name -> <>.name
      <>.limit -> drop
      <>.tags -> drop
      <>.mail -> drop
      <>.member -> drop
triggers:
  - http: 0
    routes:
      - route: GET /find/{name}?limit&tags&mail -> find
        before: [ { operation: sessions::check-bearer, as: member, status: { 401: "*" } } ]
`);
  const document = JSON.parse((await curl(`${server.url}/openapi.json`)).body);
  const schemas = document.paths["/find/{name}"].get.parameters.map((one: { name: string; schema: unknown }) => [
    one.name,
    one.schema,
  ]);
  assert.deepEqual(Object.fromEntries(schemas), {
    name: { type: "string", minLength: 2, maxLength: 40, pattern: "^(?:[a-z]+)$" },
    limit: { type: "integer", minimum: 1, maximum: 100, default: 20 },
    tags: { type: "array", items: { type: "string", enum: ["a", "b"] }, maxItems: 5 },
    mail: { type: "string", format: "email" },
  });
});

test("check tells what does not fit, each where it stands", async () => {
  const components = await mistakes(`
triggers:
  - http: 0
    before: [ { component: members }, { component: text } ]
    routes: [ GET /a -> text::upper ]
`);
  assert.deepEqual(components, [
    "error[manifest/bad-value]: members answers every request itself: it does not import wasi:http/handler, so nothing behind it would be reached | Use a component that exports and imports wasi:http/handler@0.3, or an operation, `component::operation`.",
    "error[manifest/bad-value]: text is no wasi:http middleware component | Use a component that exports and imports wasi:http/handler@0.3, or an operation, `component::operation`.",
  ]);
  const ports = await mistakes(`
operations:
  odd: { input: { request: "record { method: u8 }" }, flow: "1 -> <>.headers\\n<>.request -> drop" }
  needs: { input: { order: "record { id: u32 }" }, flow: "<>.order -> <>.order" }
  wants: { input: { status: string }, flow: "<>.status -> <>.lost" }
  answers: { flow: "\\"no\\" -> <>.answer" }
  me: { input: { member: u32 }, flow: "<>.member -> <>.member" }
triggers:
  - http: 0
    before: [ text::upper ]
    after: [ wants ]
    routes:
      - { route: GET /a -> me, before: [ { operation: sessions::check, cookies: { s: token }, as: member, status: { 401: signedout }, set: { x-a: nmae } } ] }
      - { route: GET /b -> text::upper, before: [ odd, needs, answers ] }
      - { route: GET /c -> me, before: [ { operation: sessions::check, headers: { a: tok } } ] }
`);
  assert.deepEqual(
    ports.toSorted(),
    [
      "error[manifest/type-mismatch]: `text::upper`: the result is a `string`, which has no name | Add `as: NAME`, or answer with an error what is to be refused.",
      "error[manifest/type-mismatch]: `wants`: the port `status` takes what that is of the answer, which is of the type `u16`, not `string` | Write `u16`, or say where the port takes its value.",
      "error[manifest/type-mismatch]: `wants`: nothing takes the output port `lost` | Name it under `set`, as in `set: { x-lost: lost }`.",
      "error[manifest/bad-value]: the error of `sessions::check` has no case `signedout` | Did you mean `signed-out`?",
      "error[manifest/unknown-port]: the operation `sessions::check` has no output port `nmae` | Its output ports are `member`.",
      "error[manifest/type-mismatch]: `me`: the value `member` of a middleware is of the type `string`, but the port takes `u32` | Give one of them another name, or say where the port takes its value.",
      "error[manifest/type-mismatch]: `odd`: the record of the port `request` is not one of the request at `.method`: `string` does not fit `u8` | Its fields can be `method`, `scheme`, `host`, `path`, `query`, `headers`, `cookies`, `client` and `route`.",
      "error[manifest/type-mismatch]: `odd`: the output port `headers` is of the type `s32` | Make it `list<tuple<string, string>>`.",
      "error[manifest/unfilled-port]: nothing fills the input port `order` of `needs`, which needs a value | Take it from a header or cookie, make it `request`, or give the port a `default`.",
      "error[manifest/type-mismatch]: `answers`: the output port `answer` is no answer to a request: it is a `string` | Make it `option<record { status: u16, headers: list<tuple<string, string>>, body: string }>`, as far as it is needed.",
      "error[manifest/unfilled-port]: nothing fills the input port `s` of `text::upper`, which needs a value | Take it from the query, `?s`, or the path, `/b/{s}`, or give the port a `default`.",
      "error[manifest/unknown-port]: the operation `sessions::check` has no input port `tok` | Its input ports are `token`.",
      "error[manifest/type-mismatch]: `sessions::check`: the result is a `string`, which has no name | Add `as: NAME`, or answer with an error what is to be refused.",
      "error[manifest/unfilled-port]: nothing fills the input port `member` of `me`, which needs a value | Take it from the query, `?member`, or the path, `/c/{member}`, or give the port a `default`.",
    ].toSorted(),
  );
});
