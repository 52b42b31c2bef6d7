// The client against real servers, well-behaved and not.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer as createHttp, type RequestListener, type Server } from "node:http";
import { createServer as createHttps } from "node:https";
import { createServer as createTcp, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import type { AddressRule } from "../sockets/host-pattern.ts";
import type { HttpTimeouts, SendOptions } from "./http-client.ts";
import { type HttpBody, HttpFailure, type HttpRequest, type HttpResponse } from "./http-message.ts";
import { undiciClient } from "./undici-client.ts";

const HERE: readonly AddressRule[] = [{ kind: "loopback" }];
const PATIENT: HttpTimeouts = { connectMs: 5000, firstByteMs: 5000, betweenBytesMs: 5000 };
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

const client = undiciClient();
after(() => client[Symbol.asyncDispose]());

function portOf(server: { address(): unknown }): number {
  const address = server.address();
  return typeof address === "object" && address !== null && "port" in address ? Number(address.port) : 0;
}

async function listening<Listener extends Server | ReturnType<typeof createTcp>>(server: Listener): Promise<string> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  after(() => {
    if ("closeAllConnections" in server) server.closeAllConnections();
    server.close();
  });
  return `127.0.0.1:${portOf(server)}`;
}

const http = (answer: RequestListener): Promise<string> => listening(createHttp(answer));

/** A server that says what it likes once the head of a request is there. */
function raw(say: (socket: Socket) => void): Promise<string> {
  return listening(
    createTcp((socket) => {
      socket.on("error", () => undefined);
      socket.once("data", () => say(socket));
    }),
  );
}

function send(authority: string, request: Partial<HttpRequest> = {}, options: Partial<SendOptions> = {}): Promise<HttpResponse> {
  return client.send(
    { method: "GET", scheme: "http", authority, path: "/", headers: [], ...request },
    { addresses: HERE, timeouts: PATIENT, signal: new AbortController().signal, ...options },
  );
}

async function textOf(body: HttpBody): Promise<string> {
  let text = "";
  for await (const chunk of body) text += new TextDecoder().decode(chunk);
  return text;
}

const failedWith =
  (...tags: string[]) =>
  (error: unknown) => {
    assert.ok(error instanceof HttpFailure, String(error));
    assert.ok(tags.includes(error.code.tag), error.code.tag);
    return true;
  };

async function* chunks(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield bytes(text);
}

/** Both ways that requests take: with a body of unknown length, and without. */
const KINDS: Readonly<Record<string, () => Partial<HttpRequest>>> = {
  "without a body": () => ({}),
  "with a body of unknown length": () => ({ method: "POST", body: chunks("a") }),
};

for (const [kind, request] of Object.entries(KINDS)) {
  test(`a request ${kind}: one connection serves one request after another`, async () => {
    let connections = 0;
    const server = createHttp((incoming, response) => void incoming.resume().on("end", () => response.end("ok")));
    server.on("connection", () => connections++);
    const authority = await listening(server);
    for (let i = 0; i < 3; i++) {
      assert.equal(await textOf((await send(authority, request())).body), "ok");
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.equal(connections, 1);
  });

  test(`a request ${kind}: trailers of the answer come after its body`, async () => {
    const authority = await http((_, response) => {
      response.writeHead(200, { trailer: "x-sum" });
      response.write("body");
      response.addTrailers({ "x-sum": "42" });
      response.end();
    });
    const { body, trailers } = await send(authority, request());
    assert.equal(await textOf(body), "body");
    assert.deepEqual(await trailers(), [["x-sum", bytes("42")]]);
  });

  test(`a request ${kind}: informational answers are passed over, an upgrade is not followed`, async () => {
    const early = await raw((socket) => {
      socket.write("HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n");
      socket.end("HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok");
    });
    const { status, body } = await send(early, request());
    assert.deepEqual([status, await textOf(body)], [200, "ok"]);
    const upgrading = await raw(
      (socket) => void socket.write("HTTP/1.1 101 Switching\r\nupgrade: x\r\nconnection: upgrade\r\n\r\nbytes"),
    );
    await assert.rejects(send(upgrading, request()), failedWith("HTTP-upgrade-failed", "connection-terminated"));
  });

  test(`a request ${kind}: what a server breaks is told`, async () => {
    const nonsense = await raw((socket) => void socket.end("SSH-2.0-OpenSSH\r\n"));
    await assert.rejects(send(nonsense, request()), failedWith("HTTP-protocol-error"));
    const silent = await raw((socket) => void socket.destroy());
    await assert.rejects(send(silent, request()), failedWith("connection-terminated"));
    const tooMuch = await raw((socket) => void socket.end(`HTTP/1.1 200 OK\r\n${`x: ${"y".repeat(1000)}\r\n`.repeat(80)}\r\n`));
    await assert.rejects(send(tooMuch, request()), failedWith("HTTP-response-header-section-size"));
    const cut = await raw((socket) => void socket.end("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello"));
    await assert.rejects(textOf((await send(cut, request())).body), failedWith("HTTP-response-incomplete"));
    const smuggling = await raw(
      (socket) => void socket.end("HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab"),
    );
    await assert.rejects(send(smuggling, request()), failedWith("HTTP-protocol-error", "HTTP-response-incomplete"));
  });

  test(`a request ${kind}: each wait has its limit`, async () => {
    const silent = await raw(() => undefined);
    const stalling = await raw((socket) => void socket.write("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello"));
    await assert.rejects(
      send(silent, request(), { timeouts: { ...PATIENT, firstByteMs: 20 } }),
      failedWith("connection-read-timeout"),
    );
    const { body } = await send(stalling, request(), { timeouts: { ...PATIENT, betweenBytesMs: 20 } });
    await assert.rejects(textOf(body), failedWith("connection-read-timeout"));
    const nowhere: Partial<SendOptions> = { timeouts: { ...PATIENT, connectMs: 20 }, addresses: [{ kind: "public" }] };
    await assert.rejects(
      send("192.0.2.1:9", request(), nowhere),
      failedWith("connection-timeout", "destination-IP-unroutable", "connection-refused"),
    );
  });

  test(`a request ${kind}: an abort ends it at every moment, and the server hears of it`, async () => {
    const { promise: gone, resolve } = Promise.withResolvers<void>();
    const authority = await raw((socket) => {
      socket.on("close", () => resolve());
      socket.write("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello");
    });
    await assert.rejects(send(authority, request(), { signal: AbortSignal.abort() }), failedWith("connection-terminated"));
    const controller = new AbortController();
    const { body } = await send(authority, request(), { signal: controller.signal });
    const reader = body[Symbol.asyncIterator]();
    await reader.next();
    const next = reader.next();
    controller.abort();
    await assert.rejects(next, failedWith("connection-terminated", "HTTP-response-incomplete"));
    await gone;
  });

  test(`a request ${kind}: a reader that leaves closes the connection`, async () => {
    const { promise: gone, resolve } = Promise.withResolvers<void>();
    const authority = await http((_, response) => {
      response.on("close", resolve);
      const write = (): void => {
        while (response.write(new Uint8Array(1 << 16)));
        response.once("drain", write);
      };
      write();
    });
    const { body } = await send(authority, request());
    const reader = body[Symbol.asyncIterator]();
    await reader.next();
    await reader.return?.();
    await gone;
  });
}

test("a server that answers nobody's reading is held up", async () => {
  let written = 0;
  const authority = await http((_, response) => {
    const write = (): void => {
      do written += 1 << 16;
      while (response.write(new Uint8Array(1 << 16)));
      response.once("drain", write);
    };
    write();
  });
  const { body } = await send(authority);
  const reader = body[Symbol.asyncIterator]();
  await reader.next();
  for (let turn = 0; turn < 300; turn++) await new Promise((resolve) => setImmediate(resolve));
  assert.ok(written < 32 << 20, `${written} bytes went out although nobody reads`);
  await reader.return?.();
});

test("a body of unknown length is chunked, its head goes out before its first byte, and its trailers come last", async () => {
  let push: (() => void) | undefined;
  const authority = await http((request, response) => {
    push?.();
    let text = "";
    request.on("data", (chunk: Buffer) => (text += chunk.toString()));
    request.on("end", () =>
      response.end(JSON.stringify([request.headers["transfer-encoding"], text, request.trailers["x-sum"]])),
    );
  });
  const headArrived = new Promise<void>((resolve) => (push = resolve));
  async function* body(): AsyncGenerator<Uint8Array> {
    await headArrived;
    yield bytes("late");
  }
  const response = await send(authority, {
    method: "POST",
    body: body(),
    trailers: () => Promise.resolve([["x-sum", bytes("42")]]),
  });
  assert.deepEqual(JSON.parse(await textOf(response.body)), ["chunked", "late", "42"]);
});

test("a body that fails breaks the request off, and its code is what the sender hears", async () => {
  const headers = [["content-length", bytes("100")]] as const;
  const trailers = (): Promise<never> => Promise.reject(new HttpFailure({ tag: "loop-detected" }));
  for (const [request, whole] of [
    [{}, false],
    [{ headers }, false],
    [{ trailers }, true],
  ] as const) {
    // prettier-ignore
    const [arrived, closed] = [Promise.withResolvers<void>(), Promise.withResolvers<boolean>()];
    const authority = await http((incoming) => {
      incoming.on("error", () => undefined).on("close", () => closed.resolve(incoming.complete));
      incoming.once("data", () => arrived.resolve());
    });
    async function* body(): AsyncGenerator<Uint8Array> {
      yield bytes("part");
      await arrived.promise;
      if (!whole) throw new HttpFailure({ tag: "loop-detected" });
    }
    await assert.rejects(send(authority, { method: "POST", body: body(), ...request }), failedWith("loop-detected"));
    assert.equal(await closed.promise, false);
  }
});

test("answers that have no body end at once, whatever length they tell", async () => {
  const authority = await raw((socket) => void socket.write("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n"));
  assert.equal(await textOf((await send(authority, { method: "HEAD" })).body), "");
  const nothing = await raw((socket) => void socket.write("HTTP/1.1 204 No Content\r\n\r\n"));
  assert.equal(await textOf((await send(nothing)).body), "");
});

test("values keep their bytes, in both directions", async () => {
  const authority = await http((request, response) => {
    response.writeHead(200, ["x-back", request.headers["x-sent"] ?? ""]).end();
  });
  const value = Uint8Array.of(0x21, 0x80, 0xff, 0x09, 0x7e);
  const { headers, body } = await send(authority, { headers: [["x-sent", value]] });
  assert.deepEqual(headers.find(([name]) => name === "x-back")?.[1], value);
  await textOf(body);
});

const OPENSSL = "openssl";

/** A certificate for `name.example`, and its key, which nobody else trusts. */
function certificate(): { key: string; cert: string } | undefined {
  const folder = mkdtempSync(join(tmpdir(), "starlane-"));
  try {
    const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
    const subject = ["-subj", "/CN=name.example", "-addext", "subjectAltName=DNS:name.example,IP:127.0.0.1"];
    const args = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
    execFileSync(OPENSSL, [...args, "-keyout", key, "-out", cert, ...subject], { stdio: "ignore" });
    return { key: readFileSync(key, "utf8"), cert: readFileSync(cert, "utf8") };
  } catch {
    return undefined;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const pair = certificate();

test(
  "HTTPS trusts what it is told to, for the names of the certificate only",
  { skip: pair === undefined && "there is no openssl" },
  async () => {
    if (pair === undefined) return;
    const server = createHttps(pair, (request, response) => void request.resume().on("end", () => response.end("secret")));
    const port = (await listening(server)).replace(/.*:/, "");
    const resolve = () => Promise.resolve([{ address: "127.0.0.1", family: 4 }]);
    const trusting = undiciClient({ ca: pair.cert, resolve });
    const strict = undiciClient({ resolve });
    for (const request of Object.values(KINDS)) {
      const sendWith = (sender: typeof client, host: string) =>
        sender.send(
          { method: "GET", scheme: "https", authority: `${host}:${port}`, path: "/", headers: [], ...request() },
          { addresses: HERE, timeouts: PATIENT, signal: new AbortController().signal },
        );
      assert.equal(await textOf((await sendWith(trusting, "name.example")).body), "secret");
      assert.equal(await textOf((await sendWith(trusting, "127.0.0.1")).body), "secret");
      await assert.rejects(sendWith(trusting, "other.example"), failedWith("TLS-certificate-error"));
      await assert.rejects(sendWith(strict, "name.example"), failedWith("TLS-certificate-error"));
    }
    const plain = await http((_, response) => void response.end());
    await assert.rejects(send(plain, { scheme: "https" }), failedWith("TLS-protocol-error"));
    await trusting[Symbol.asyncDispose]();
    await strict[Symbol.asyncDispose]();
  },
);

test("a closed client ends what is open", async () => {
  const closing = undiciClient();
  const silent = await raw(() => undefined);
  const request = { method: "GET", scheme: "http", authority: silent, path: "/", headers: [] };
  const answer = closing.send(request, { addresses: HERE, timeouts: PATIENT, signal: new AbortController().signal });
  const failed = assert.rejects(answer, HttpFailure);
  await new Promise((resolve) => setImmediate(resolve));
  await closing[Symbol.asyncDispose]();
  await failed;
});
