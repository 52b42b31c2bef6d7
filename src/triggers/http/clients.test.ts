// Clients as people have them, and some that nobody should have: curl, an EventSource, HTTP/2 done badly.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect, constants } from "node:http2";
import { connect as connectTls } from "node:tls";
import { test } from "node:test";
import { EventSource } from "undici";
import { certificate } from "./fixtures/certificate.ts";
import { curl, operation, serve, signature } from "./fixtures/client.ts";
import type { LimitOptions, Route } from "./http.ts";
import { startHttpServer, type HttpServer } from "./server.ts";

const hello = operation("GET /", signature({}, "string"), () => "hello");

async function serveSecurely(
  routes: readonly Route[],
  limits: LimitOptions = {},
): Promise<HttpServer & { readonly port: number }> {
  const tls = [certificate("x")];
  const server = await startHttpServer({ listeners: [{ port: 0, tls, limits, hosts: [{ hostnames: ["*"], routes }] }] });
  return { ...server, port: server.addresses[0]?.port ?? 0 };
}

test("curl opens a websocket, and sees the first message of it", async () => {
  await using server = await serve([
    {
      kind: "websocket",
      path: "/greetings",
      operation: "greetings",
      signature: signature({}, "stream<string>"),
      call: async function* () {
        yield await Promise.resolve(["hello"]);
      },
    },
  ]);
  const fields = [
    "connection: upgrade",
    "upgrade: websocket",
    "sec-websocket-version: 13",
    "sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==",
  ];
  const args = ["-sS", "-i", "-N", "--http1.1", ...fields.flatMap((field) => ["-H", field]), `${server.url}/greetings`];
  const child = spawn("curl", args, { stdio: ["ignore", "pipe", "inherit"] });
  let seen = "";
  for await (const chunk of child.stdout.setEncoding("latin1")) {
    seen += String(chunk);
    if (seen.includes('\x81\x07"hello"')) break;
  }
  assert.match(seen, /^HTTP\/1\.1 101 Switching Protocols\r\n/);
  child.kill();
});

test("an EventSource gets every event, and comes again when the stream has ended", async () => {
  let count = 0;
  await using server = await serve([
    operation("GET /events", signature({}, "stream<string>"), async function* () {
      const turn = ++count;
      yield await Promise.resolve([`${turn}a`, `${turn}b`]);
    }),
  ]);
  const source = new EventSource(`${server.url}/events`);
  const events: unknown[] = [];
  await new Promise<void>((resolve) => {
    source.addEventListener("message", (event) => {
      events.push(JSON.parse(String(event.data)));
      if (events.length === 4) resolve();
    });
  });
  source.close();
  assert.deepEqual(events, ["1a", "1b", "2a", "2b"]);
});

test("over HTTP/2 heads are bounded, too", async () => {
  await using server = await serveSecurely([hello]);
  const address = `https://127.0.0.1:${server.port}/`;
  const large = await curl("--http2", "-k", "-H", `x-large: ${"a".repeat(20_000)}`, address).then(
    ({ status }) => status,
    () => "refused",
  );
  assert.ok(large === 431 || large === "refused", String(large));
  const many = Array.from({ length: 150 }, (_, i) => ["-H", `x-${i}: 1`]).flat();
  const answer = await curl("--http2", "-k", ...many, address).then(
    ({ status }) => status,
    () => "refused",
  );
  assert.ok(answer === 431 || answer === "refused", String(answer));
  assert.equal((await curl("--http2", "-k", address)).body, '"hello"');
});

test("over HTTP/2 a client that opens streams only to reset them is sent away, and others are answered", async () => {
  await using server = await serveSecurely([hello]);
  const session = connect(`https://127.0.0.1:${server.port}`, { rejectUnauthorized: false });
  session.on("error", () => undefined);
  const closed = new Promise((resolve) => session.once("close", resolve));
  await once(session, "connect");
  const reset = (): void => {
    for (let i = 0; i < 100 && !session.destroyed && !session.closed; i++) {
      const stream = session.request({ ":path": "/" });
      stream.on("error", () => undefined);
      stream.close(constants.NGHTTP2_CANCEL);
    }
    if (!session.destroyed && !session.closed) setImmediate(reset);
  };
  reset();
  await closed;
  assert.equal((await curl("--http2", "-k", `https://127.0.0.1:${server.port}/`)).body, '"hello"');
});

test("a client of TLS that says nothing, or no HTTP, loses its connection", async () => {
  await using server = await serveSecurely([hello], { headTimeoutMs: 200, keepAliveMs: 200 });
  for (const [protocols, said] of [
    [["h2"], ""],
    [["h2"], "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
    [["h2"], "no HTTP at all, and far too long to be the beginning of some"],
    [["http/1.1"], "GET / HTTP/1.1\r\nx-slow: "],
  ] as const) {
    const socket = connectTls({ port: server.port, host: "127.0.0.1", rejectUnauthorized: false, ALPNProtocols: [...protocols] });
    socket.on("error", () => undefined);
    await once(socket, "secureConnect");
    socket.write(said);
    socket.resume();
    await once(socket, "close");
  }
});
