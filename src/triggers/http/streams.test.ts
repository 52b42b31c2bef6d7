import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { test } from "node:test";
import { StarlaneError } from "../../base/errors.ts";
import type { PlainRequest } from "./http.ts";
import { after, before } from "./middleware.ts";
import { curl, exchange, gate, operation, RawConnection, serve, signature } from "./fixtures/client.ts";

/** Counts how often it is asked, and whether it was returned. */
function counted(chunk: (index: number) => unknown, count = Infinity) {
  const returned = gate();
  const state = { asked: 0, returned: returned.promise };
  const iterable: AsyncIterable<unknown> = {
    [Symbol.asyncIterator]: () => ({
      next: () =>
        Promise.resolve(state.asked < count ? { done: false, value: chunk(state.asked++) } : { done: true, value: undefined }),
      return: () => {
        returned.open();
        return Promise.resolve({ done: true, value: undefined });
      },
    }),
  };
  return { state, iterable };
}

test("a stream is NDJSON, or Server-Sent Events where those are asked for", async () => {
  await using server = await serve([
    operation(
      "GET /s",
      signature({}, "stream<tuple<u8, string>>"),
      () =>
        counted(
          (i) => [
            [i, "a\nb"],
            [i, "c"],
          ],
          2,
        ).iterable,
    ),
    operation("GET /bytes", signature({}, "stream<u8>"), () => counted((i) => Uint8Array.of(65 + i), 3).iterable),
  ]);
  assert.equal((await curl(`${server.url}/s`)).body, '[0,"a\\nb"]\n[0,"c"]\n[1,"a\\nb"]\n[1,"c"]\n');
  const events = await curl(`${server.url}/s`, "-H", "accept: text/event-stream");
  assert.match(events.head, /content-type: text\/event-stream/);
  assert.equal(events.body, 'data: [0,"a\\nb"]\n\ndata: [0,"c"]\n\ndata: [1,"a\\nb"]\n\ndata: [1,"c"]\n\n');
  const bytes = await curl(`${server.url}/bytes`);
  assert.equal(bytes.body, "ABC");
  assert.match(bytes.head, /application\/octet-stream/);
});

test("of a result with one port that is a stream the stream is sent; of several the one that is named, and the others are let go", async () => {
  const numbers = counted((i) => [i], 2);
  const others = counted((i) => [i]);
  const both = signature({}, "record { numbers: stream<u32>, others: stream<u32>, name: string }");
  const result = { numbers: numbers.iterable, others: others.iterable, name: "x" };
  await using server = await serve([
    operation("GET /one", signature({}, "record { numbers: stream<u32> }"), () => ({ numbers: counted((i) => [i], 2).iterable })),
    { ...operation("GET /named", both, () => result), answer: { port: "numbers" } },
  ]);
  assert.equal((await curl(`${server.url}/one`)).body, "0\n1\n");
  assert.equal((await curl(`${server.url}/named`)).body, "0\n1\n");
  await others.state.returned;
  await assert.rejects(serve([operation("GET /both", both, () => result)]), {
    code: "http/bad-route",
    message: /which of them is sent/,
  });
});

test("a line of a stream that is wrong is the client's mistake, also where a flow found it", async () => {
  const through = async ([lines]: readonly unknown[]): Promise<number> => {
    let count = 0;
    try {
      for await (const _ of lines as AsyncIterable<unknown>) count++;
    } catch (cause) {
      throw new StarlaneError("flow/node-failed", "a node failed", {
        cause: new StarlaneError("flow/node-failed", "inside", { cause }),
      });
    }
    return count;
  };
  await using server = await serve([operation("POST /count", signature({ lines: "stream<u32>" }, "u32"), through)]);
  const { status, body } = await curl(
    `${server.url}/count`,
    "-H",
    "content-type: application/x-ndjson",
    "--data-binary",
    "1\n-1\n",
  );
  assert.equal(status, 400);
  assert.match(body, /lines\[1\]/);
  assert.equal(server.log.length, 0);
});

test("events reach a client one by one, as the operation gives them", async () => {
  const steps = [gate(), gate(), gate()];
  await using server = await serve([
    operation("GET /events", signature({}, "stream<u32>"), async function* () {
      for (const [i, step] of steps.entries()) {
        await step.promise;
        yield [i];
      }
    }),
  ]);
  const response = await fetch(`${server.url}/events`, { headers: { accept: "text/event-stream" } });
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  for (const [i, step] of steps.entries()) {
    step.open();
    assert.deepEqual(await reader?.read(), { done: false, value: `data: ${i}\n\n` });
  }
  assert.equal((await reader?.read())?.done, true);
});

test("a producer is asked for no more than a slow client takes, and is returned when the client leaves", async () => {
  const { state, iterable } = counted(() => new Uint8Array(64 * 1024));
  await using server = await serve([operation("GET /big", signature({}, "stream<u8>"), () => iterable)]);
  const connection = new RawConnection(server.port);
  connection.socket.write("GET /big HTTP/1.1\r\nhost: x\r\n\r\n");
  await connection.until("200 OK");
  connection.socket.pause();
  let before = -1;
  while (before !== state.asked) {
    before = state.asked;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  assert.ok(state.asked > 0 && state.asked < 1000, `asked ${state.asked} times`);
  connection.socket.destroy();
  await state.returned;
});

test("a client that leaves an idle stream of events aborts the transaction", async () => {
  const aborted = gate();
  await using server = await serve([
    operation("GET /events", signature({}, "stream<u32>"), (_args, { signal }) => {
      signal.addEventListener("abort", aborted.open);
      return { [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => undefined) }) };
    }),
  ]);
  const leave = new AbortController();
  await fetch(`${server.url}/events`, { signal: leave.signal, headers: { accept: "text/event-stream" } });
  leave.abort();
  await aborted.promise;
});

test("a stream that fails breaks NDJSON off; events end with one that tells an id and no more", async () => {
  const failing = async function* (): AsyncGenerator<unknown> {
    yield [1];
    await Promise.resolve();
    throw new StarlaneError("engine/trap", "secret");
  };
  await using server = await serve([operation("GET /s", signature({}, "stream<u32>"), failing)]);
  const raw = await exchange(server.port, "GET /s HTTP/1.1\r\nhost: x\r\n\r\n");
  assert.match(raw, /1\n/);
  assert.ok(!raw.includes("0\r\n\r\n"), "the last chunk is missing");
  const { body } = await curl(`${server.url}/s`, "-H", "accept: text/event-stream");
  assert.match(body, /^data: 1\n\nevent: error\ndata: \{.*"status":500.*"id":".*\}\n\n$/);
  assert.ok(!body.includes("secret"));
  assert.equal(server.log.length, 2);
});

test("a stream in the body is read line by line, as the operation asks for it", async () => {
  const sum = async ([numbers]: readonly unknown[]): Promise<number> => {
    let total = 0;
    for await (const number of numbers as AsyncIterable<number>) total += number;
    return total;
  };
  const echo = ([bytes]: readonly unknown[]): unknown => bytes;
  await using server = await serve([
    operation("POST /sum", signature({ numbers: "stream<u32>" }, "u32"), sum),
    operation("POST /echo", signature({ bytes: "stream<u8>" }, "stream<u8>"), echo),
  ]);
  const lines = await curl(`${server.url}/sum`, "-H", "content-type: application/x-ndjson", "--data-binary", "1\n2\n\n39");
  assert.equal(lines.body, "42");
  const wrong = await curl(`${server.url}/sum`, "-H", "content-type: application/x-ndjson", "--data-binary", "1\nx\n");
  assert.equal(wrong.status, 400);
  assert.equal((await curl(`${server.url}/sum`, "-d", "1")).status, 415);
  const connection = new RawConnection(server.port);
  connection.socket.write("POST /echo HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n");
  await connection.until("abc");
  connection.socket.write("3\r\ndef\r\n0\r\n\r\n");
  await connection.until("def\r\n0\r\n\r\n");
  connection.socket.destroy();
});

test("a guest's request and response stream both ways, with fields, trailers and an answer before the body's end", async () => {
  let seen: PlainRequest | undefined;
  await using server = await serve([
    {
      kind: "guest",
      path: "/g/{rest...}",
      handle: (request) => {
        seen = request;
        return {
          status: 207,
          headers: [
            ["set-cookie", "a=1"],
            ["set-cookie", "b=2"],
            ["x-bytes", Uint8Array.of(0xe9)],
            ["connection", "close"],
          ],
          body: request.body,
          trailers: () => [["x-sum", String(request.trailers().length)]],
        };
      },
    },
  ]);
  const connection = new RawConnection(server.port);
  connection.socket.write(
    "PUT /g/a%20b?q=1 HTTP/1.1\r\nHost: h:1\r\nX-A: 1\r\nX-A: 2\r\nte: trailers\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n",
  );
  await connection.until("hi");
  connection.socket.write("0\r\nx-t: 1\r\n\r\n");
  await connection.until("x-sum: 1\r\n\r\n");
  assert.match(connection.text, /^HTTP\/1.1 207 Multi-Status\r\nset-cookie: a=1\r\nset-cookie: b=2\r\nx-bytes: \xe9\r\n/);
  connection.socket.destroy();
  assert.deepEqual([seen?.method, seen?.scheme, seen?.authority, seen?.path], ["PUT", "http", "h:1", "/g/a%20b?q=1"]);
  assert.deepEqual(
    seen?.headers.filter(([name]) => name === "X-A"),
    [
      ["X-A", "1"],
      ["X-A", "2"],
    ],
  );
});

test("a response that HTTP does not allow is a 500, or breaks off where it has begun", async () => {
  const bodies: Readonly<
    Record<string, () => { status: number; headers: [string, string][]; body?: AsyncIterable<Uint8Array> }>
  > = {
    injected: () => ({ status: 200, headers: [["x", "a\r\nset-cookie: b=1"]] }),
    status: () => ({ status: 99, headers: [] }),
    interim: () => ({ status: 101, headers: [] }),
    lengths: () => ({
      status: 200,
      headers: [
        ["content-length", "1"],
        ["content-length", "2"],
      ],
    }),
    short: () => ({ status: 200, headers: [["content-length", "10"]], body: Readable.from([Uint8Array.of(65)]) }),
    long: () => ({ status: 200, headers: [["content-length", "1"]], body: Readable.from([Uint8Array.of(65, 66)]) }),
  };
  await using server = await serve([
    {
      kind: "guest",
      path: "/{which}",
      handle: (_request, { params }) => bodies[params.get("which") ?? ""]?.() ?? { status: 404, headers: [] },
    },
  ]);
  for (const which of ["injected", "status", "interim", "lengths"])
    assert.equal((await curl(`${server.url}/${which}`)).status, 500, which);
  for (const which of ["short", "long"]) {
    const raw = await exchange(server.port, `GET /${which} HTTP/1.1\r\nhost: x\r\n\r\n`);
    assert.ok(!raw.includes("AB"), raw);
  }
  assert.equal(server.log.length, 6);
});

test("middleware answers, changes the request, changes the response, around any kind of route", async () => {
  const auth = before((request) => {
    const user = request.headers.find(([name]) => name.toLowerCase() === "x-user")?.[1];
    if (user === undefined) return { response: { status: 401, headers: [["www-authenticate", "Basic"]], body: "who?" } };
    return { request: { headers: [...request.headers, ["x-checked", String(user).toUpperCase()]] } };
  });
  const stamp = after((response) => ({ ...response, headers: [...response.headers, ["x-stamp", "1"]] }));
  const middleware = [stamp, auth];
  const bindings = [{ port: "user", from: "header", name: "x-checked" }] as const;
  await using server = await serve([
    operation("GET /op", signature({ user: "string" }, "string"), ([user]) => `hello ${String(user)}`, { middleware, bindings }),
    { kind: "redirect", path: "/r/{x}", location: "/to/{x}?a=1", middleware },
  ]);
  const refused = await curl(`${server.url}/op`);
  assert.deepEqual([refused.status, refused.body], [401, "who?"]);
  assert.match(refused.head, /x-stamp: 1/);
  const answered = await curl(`${server.url}/op`, "-H", "x-user: ada");
  assert.deepEqual([answered.status, answered.body], [200, '"hello ADA"']);
  assert.match(answered.head, /x-stamp: 1/);
  const redirected = await curl(`${server.url}/r/a%2Fb`, "-H", "x-user: ada");
  assert.equal(redirected.status, 308);
  assert.match(redirected.head, /location: \/to\/a%2fb\?a=1/);
});

test("pages of origins that are named may call, others may not; preflights run no middleware", async () => {
  const route = operation("PUT /a", signature({}, "string"), () => "x", { middleware: [() => ({ status: 401, headers: [] })] });
  await using server = await serve(
    [route],
    {},
    { cors: { origins: ["https://ok.example"], credentials: true, maxAgeSeconds: 60, exposeHeaders: ["etag"] } },
  );
  const preflight = await curl(
    `${server.url}/a`,
    "-X",
    "OPTIONS",
    "-H",
    "origin: https://ok.example",
    "-H",
    "access-control-request-method: PUT",
  );
  assert.equal(preflight.status, 204);
  assert.match(preflight.head, /access-control-allow-origin: https:\/\/ok.example/);
  assert.match(preflight.head, /access-control-allow-methods: put/);
  assert.match(preflight.head, /access-control-max-age: 60/);
  const actual = await curl(`${server.url}/a`, "-X", "PUT", "-H", "origin: https://ok.example");
  assert.equal(actual.status, 401);
  assert.match(actual.head, /access-control-allow-credentials: true/);
  const other = await curl(`${server.url}/a`, "-X", "PUT", "-H", "origin: https://evil.example");
  assert.ok(!other.head.includes("allow-origin"));
  assert.match(other.head, /vary: origin/);
});
