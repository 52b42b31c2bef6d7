import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { WebSocket } from "ws";
import { curl, exchange, gate, serve, signature } from "./fixtures/client.ts";
import type { WebSocketRoute } from "./http.ts";
import { before } from "./middleware.ts";

const chat = signature({ room: "string", said: "stream<record { text: string }>" }, "stream<string>");

async function* shout([room, said]: readonly unknown[]): AsyncGenerator<string[]> {
  yield [`welcome to ${String(room)}`];
  for await (const message of said as AsyncIterable<{ text: string }>) yield [message.text.toUpperCase()];
}

function route(more: Partial<WebSocketRoute> = {}): WebSocketRoute {
  return {
    kind: "websocket",
    path: "/chat/{room}",
    operation: "chat::join",
    signature: chat,
    messages: "said",
    call: shout,
    ...more,
  };
}

async function closeOf(socket: WebSocket): Promise<string> {
  const [code, reason]: unknown[] = await once(socket, "close");
  return `${String(code)} ${String(reason)}`.trim();
}

async function next(socket: WebSocket): Promise<string> {
  const [data]: unknown[] = await once(socket, "message");
  return String(data);
}

test("messages go into the stream of a port, the stream of the result comes back as messages", async () => {
  await using server = await serve([route({ protocols: ["v1"] })]);
  const socket = new WebSocket(`ws://127.0.0.1:${server.port}/chat/lobby`, ["v0", "v1"]);
  assert.equal(await next(socket), '"welcome to lobby"');
  assert.equal(socket.protocol, "v1");
  for (const text of ["hi", "there"]) {
    socket.send(JSON.stringify({ text }));
    assert.equal(await next(socket), JSON.stringify(text.toUpperCase()));
  }
  socket.close();
  await once(socket, "close");
});

test("a message of another type closes with 1007, a failure with 1011 and an id, the end of the stream with 1000", async () => {
  const failing = route({
    path: "/fail",
    signature: signature({}, "stream<string>"),
    messages: undefined,
    call: () => Promise.reject(new Error("secret")),
  });
  const ending = route({
    path: "/end",
    signature: signature({}, "stream<u8>"),
    messages: undefined,
    call: async function* () {
      yield await Promise.resolve(Uint8Array.of(1, 2));
    },
  });
  await using server = await serve([route(), failing, ending]);
  const wrong = new WebSocket(`ws://127.0.0.1:${server.port}/chat/a`);
  await next(wrong);
  wrong.send('{"text":5}');
  assert.match(await closeOf(wrong), /^1007 /);
  const failed = new WebSocket(`ws://127.0.0.1:${server.port}/fail`);
  const reason = await closeOf(failed);
  assert.match(reason, /^1011 failed: \S+$/);
  assert.equal(`1011 failed: ${server.log.at(-1)?.requestId}`, reason);
  const ended = new WebSocket(`ws://127.0.0.1:${server.port}/end`);
  ended.on("message", (data: Buffer, isBinary: boolean) => assert.deepEqual([[...data], isBinary], [[1, 2], true]));
  assert.equal(await closeOf(ended), "1000");
});

test("what is no handshake gets an ordinary answer: 426, 400, 403, 401, 404", async () => {
  const guarded = route({
    path: "/guarded",
    signature: signature({}, "stream<string>"),
    messages: undefined,
    middleware: [before(() => ({ response: { status: 401, headers: [] } }))],
  });
  await using server = await serve([route(), guarded]);
  const plain = await curl(`${server.url}/chat/a`);
  assert.equal(plain.status, 426);
  const shake = (path: string, fields: string): Promise<string> =>
    exchange(
      server.port,
      `GET ${path} HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n${fields}\r\n`,
    );
  const key = "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
  assert.match(await shake("/chat/a", `${key}origin: http://evil.example\r\n`), /^HTTP\/1.1 403 /);
  assert.match(await shake("/guarded", key), /^HTTP\/1.1 401 /);
  assert.match(await shake("/chat/a", ""), /^HTTP\/1.1 400 /);
  assert.match(await shake("/nope", `${key}connection: close\r\n`), /^HTTP\/1.1 404 /);
  assert.match((await curl(`${server.url}/metrics`)).body, /requests_in_flight 0\n/);
});

test("a client that leaves ends the stream of messages and aborts the transaction", async () => {
  const [aborted, ended] = [gate(), gate()];
  const call: WebSocketRoute["call"] = async ([, said], { signal }) => {
    signal.addEventListener("abort", aborted.open);
    for await (const _ of said as AsyncIterable<unknown>);
    ended.open();
  };
  await using server = await serve([route({ call })]);
  const socket = new WebSocket(`ws://127.0.0.1:${server.port}/chat/a`);
  await once(socket, "open");
  socket.terminate();
  await Promise.all([aborted.promise, ended.promise]);
});

test("messages that nobody reads stay at the client, and those too large close with 1009", async () => {
  const release = gate();
  let read = 0;
  const call: WebSocketRoute["call"] = async ([, said]) => {
    await release.promise;
    for await (const _ of said as AsyncIterable<unknown>) read++;
  };
  await using server = await serve([route({ call })], { messageBytes: 100_000 });
  const socket = new WebSocket(`ws://127.0.0.1:${server.port}/chat/a`);
  await once(socket, "open");
  const text = "x".repeat(90_000);
  for (let i = 0; i < 500; i++) socket.send(JSON.stringify({ text }));
  await new Promise((resolve) => setTimeout(resolve, 200));
  assert.ok(socket.bufferedAmount > 20_000_000, `${socket.bufferedAmount} bytes wait`);
  release.open();
  socket.close();
  await once(socket, "close");
  while (read < 500) await new Promise((resolve) => setTimeout(resolve, 5));
  const large = new WebSocket(`ws://127.0.0.1:${server.port}/chat/a`);
  await once(large, "open");
  large.send("x".repeat(200_000));
  assert.match(await closeOf(large), /^1009/);
});

test("a server that drains closes websockets with 1001", async () => {
  await using server = await serve([route()]);
  const socket = new WebSocket(`ws://127.0.0.1:${server.port}/chat/a`);
  await next(socket);
  const closed = closeOf(socket);
  assert.equal(await server.server.drain(), true);
  assert.match(await closed, /^1001 /);
});
