import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { connect, constants } from "node:http2";
import { test } from "node:test";
import { promisify } from "node:util";
import { certificate } from "./fixtures/certificate.ts";
import { curl, gate, operation, RawConnection, serve, signature } from "./fixtures/client.ts";
import type { HttpOutcome, PlainRequest } from "./http.ts";
import { startHttpServer } from "./server.ts";

const hello = operation("GET /", signature({}, "string"), () => "hello");

test("with certificates HTTP/2 and HTTP/1.1 are served, each name with its own", async () => {
  const tls = [certificate("a.example"), certificate("b.example")];
  const echo = operation("POST /echo", signature({ data: "stream<u8>" }, "stream<u8>"), ([data]) => data);
  const server = await startHttpServer({ listeners: [{ port: 0, tls, hosts: [{ hostnames: ["*"], routes: [hello, echo] }] }] });
  await using _ = server;
  const port = server.addresses[0]?.port ?? 0;
  const at = (name: string): readonly string[] => ["-k", "--resolve", `${name}:${port}:127.0.0.1`, `https://${name}:${port}/`];
  for (const [flag, version] of [
    ["--http2", "http/2 200"],
    ["--http1.1", "http/1.1 200"],
  ] as const) {
    const answer = await curl(flag, ...at("b.example"));
    assert.ok(answer.head.startsWith(version), answer.head);
    assert.equal(answer.body, '"hello"');
  }
  const posted = await curl("--http2", "-k", "--data-binary", "abc", `https://127.0.0.1:${port}/echo`);
  assert.deepEqual([posted.status, posted.body], [200, "abc"]);
  const { stderr } = await promisify(execFile)("curl", ["-v", ...at("b.example")]);
  assert.match(stderr, /subject: CN=b\.example/);
});

test("over HTTP/2 a client that resets its stream aborts the transaction; others go on", async () => {
  const [started, aborted] = [gate(), gate()];
  const slow = operation("GET /slow", signature({}, "string"), (_args, { signal }) => {
    started.open();
    signal.addEventListener("abort", aborted.open);
    return new Promise(() => undefined);
  });
  const server = await startHttpServer({
    listeners: [{ port: 0, tls: [certificate("x")], hosts: [{ hostnames: ["*"], routes: [hello, slow] }] }],
  });
  await using _ = server;
  const session = connect(`https://127.0.0.1:${server.addresses[0]?.port}`, { rejectUnauthorized: false });
  const stream = session.request({ ":path": "/slow" });
  stream.on("error", () => undefined);
  await started.promise;
  stream.close(constants.NGHTTP2_CANCEL);
  await aborted.promise;
  const other = session.request({ ":path": "/" });
  other.setEncoding("utf8");
  let text = "";
  for await (const chunk of other) text += String(chunk);
  assert.equal(text, '"hello"');
  session.close();
});

test("hosts are told apart by name; a name that nobody has is 421", async () => {
  const named = (name: string): typeof hello => ({ ...hello, call: () => name });
  const server = await startHttpServer({
    listeners: [
      {
        port: 0,
        hosts: [
          { hostnames: ["a.example"], routes: [named("a")] },
          { hostnames: ["*.example", "[::1]"], routes: [named("wild")] },
          { hostnames: ["*.b.example"], routes: [named("deep")] },
        ],
      },
    ],
  });
  await using _ = server;
  const get = async (host: string): Promise<string> => {
    const { status, body } = await curl(`http://127.0.0.1:${server.addresses[0]?.port}/`, "-H", `host: ${host}`);
    return status === 200 ? JSON.parse(body) : String(status);
  };
  assert.deepEqual(
    await Promise.all(
      ["a.example", "A.Example.:80", "q.example", "x.b.example", "b.example", "[::1]:9", "other", "exa mple", "a/b"].map(get),
    ),
    ["a", "a", "wild", "deep", "wild", "wild", "421", "400", "400"],
  );
  await server.replace([{ port: 0, hosts: [{ hostnames: ["*"], routes: [named("new")] }] }]);
  assert.equal(await get("other"), "new");
  const wrong = server.replace([{ port: 0, hosts: [{ hostnames: ["x", "x"], routes: [] }] }]);
  await assert.rejects(wrong, { code: "http/conflicting-routes" });
  assert.equal(await get("other"), "new");
});

test("a port that is in use is told; two listeners may share one where they say so", async () => {
  await using first = await serve([hello]);
  await assert.rejects(startHttpServer({ listeners: [{ port: first.port }] }), { code: "http/listen", message: /in use/ });
  const hosts = [{ hostnames: ["*"], routes: [hello] }];
  const one = await startHttpServer({ listeners: [{ port: 0, reusePort: true, hosts }] });
  const port = one.addresses[0]?.port ?? 0;
  const two = await startHttpServer({ listeners: [{ port, reusePort: true, hosts }] });
  assert.equal((await curl(`http://127.0.0.1:${port}/`)).status, 200);
  await one.drain();
  assert.equal((await curl(`http://127.0.0.1:${port}/`)).status, 200);
  await two.drain();
});

test("a server that drains refuses readiness and connections, finishes what it has, and then has none", async () => {
  const [started, release] = [gate(), gate()];
  const slow = operation("GET /slow", signature({}, "string"), () => {
    started.open();
    return release.promise.then(() => "finished");
  });
  const server = await startHttpServer({
    listeners: [
      { port: 0, hosts: [{ hostnames: ["*"], routes: [slow, hello] }] },
      { port: 0, serves: "admin" },
    ],
  });
  const [port = 0, admin = 0] = server.addresses.map((address) => address.port);
  assert.equal((await curl(`http://127.0.0.1:${port}/readyz`)).status, 404);
  assert.equal((await curl(`http://127.0.0.1:${admin}/readyz`)).status, 200);
  assert.equal((await curl(`http://127.0.0.1:${admin}/`)).status, 404);
  const idle = new RawConnection(port);
  idle.socket.write("GET / HTTP/1.1\r\nhost: x\r\n\r\n");
  await idle.until('"hello"');
  const busy = new RawConnection(port);
  busy.socket.write("GET /slow HTTP/1.1\r\nhost: x\r\n\r\n");
  await started.promise;
  const adminConnection = new RawConnection(admin);
  adminConnection.socket.write("GET /readyz HTTP/1.1\r\nhost: x\r\n");
  const drained = server.drain();
  await idle.closed;
  await assert.rejects(fetch(`http://127.0.0.1:${port}/`));
  adminConnection.socket.write("\r\n");
  assert.match(await adminConnection.closed, /503 Service Unavailable/);
  release.open();
  assert.match(await busy.closed, /connection: close[^]*"finished"$/);
  assert.equal(await drained, true);
});

test("what has not ended by the deadline of a drain is cut, and hears of it", async () => {
  const [started, aborted] = [gate(), gate()];
  const stuck = operation("GET /", signature({}, "string"), (_args, { signal }) => {
    started.open();
    signal.addEventListener("abort", aborted.open);
    return new Promise(() => undefined);
  });
  await using server = await serve([stuck]);
  const answer = curl(`${server.url}/`).catch(() => "cut");
  await started.promise;
  assert.equal(await server.server.drain({ deadlineMs: 20 }), false);
  await aborted.promise;
  assert.equal(await answer, "cut");
});

test("metrics count by route, method and status; names that clients invent make none", async () => {
  await using server = await serve([hello], {}, {}, {});
  await curl(`${server.url}/`);
  await curl(`${server.url}/`);
  await curl(`${server.url}/${"x".repeat(50)}`, "-X", "BREW").catch(() => undefined);
  await curl(`${server.url}/nope`, "-X", "PROPFIND");
  const { body, head } = await curl(`${server.url}/metrics`);
  assert.match(head, /text\/plain; version=0\.0\.4/);
  assert.match(body, /starlane_http_requests_total\{route="\/",method="GET",status="200"\} 2\n/);
  assert.match(body, /starlane_http_requests_total\{route="",method="OTHER",status="404"\} 1\n/);
  assert.match(body, /duration_seconds_bucket\{route="\/",method="GET",le="\+Inf"\} 2\n/);
  assert.match(body, /starlane_http_ready 1\n/);
  assert.ok(!body.includes("xxx"));
});

test("the trace of a client goes on, and telemetry hears of the beginning and the end", async () => {
  const outcomes: HttpOutcome[] = [];
  const starts: string[] = [];
  const shown = operation(
    "GET /{x}",
    signature({ x: "string" }, "string"),
    (_args, context) => `${context.traceparent ?? "-"} ${context.tracestate ?? "-"}`,
  );
  const start = (
    request: PlainRequest,
    context: { route: string },
  ): { traceparent?: string; end: (outcome: HttpOutcome) => void } => {
    starts.push(`${request.method} ${request.path} ${context.route}`);
    return { ...(request.path === "/mine" ? { traceparent: "mine" } : {}), end: (outcome) => outcomes.push(outcome) };
  };
  await using server = await serve([shown], {}, {}, {});
  const parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  const get = async (url: string, ...fields: string[]): Promise<string> =>
    JSON.parse((await curl(url, ...fields.flatMap((field) => ["-H", field]))).body);
  assert.equal(await get(`${server.url}/a`, `traceparent: ${parent}`, "tracestate: a=1"), `${parent} a=1`);
  assert.equal(
    await get(`${server.url}/a`, "traceparent: 00-00000000000000000000000000000000-b7ad6b7169203331-01", "tracestate: a=1"),
    "- -",
  );
  const traced = await startHttpServer({
    listeners: [{ port: 0, hosts: [{ hostnames: ["*"], routes: [shown] }] }],
    telemetry: { start },
  });
  await using _ = traced;
  assert.equal(await get(`http://127.0.0.1:${traced.addresses[0]?.port}/mine`), "mine -");
  assert.deepEqual(starts, ["GET /mine /{x}"]);
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    [200],
  );
});
