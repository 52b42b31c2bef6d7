import assert from "node:assert/strict";
import { execFileSync, fork } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { curl, exchange, gate, operation, RawConnection, serve, signature } from "./fixtures/client.ts";

const hello = operation("GET /", signature({}, "string"), () => "hello");
const take = operation("POST /take", signature({ data: "list<u8>" }, "u32"), ([data]) =>
  data instanceof Uint8Array ? data.length : 0,
);

/** The status lines of everything that came back. */
function statuses(text: string): number[] {
  return [...text.matchAll(/HTTP\/1\.1 (\d\d\d)/g)].map((match) => Number(match[1]));
}

test("shapes of requests that servers in between could read otherwise are refused, and the connection is closed", async () => {
  await using server = await serve([hello, take]);
  const head = "POST /take HTTP/1.1\r\nhost: x\r\n";
  const shapes: Readonly<Record<string, string>> = {
    "length and chunks": `${head}content-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\nGET / HTTP/1.1\r\nhost: x\r\n\r\n`,
    "two lengths": `${head}content-length: 4\r\ncontent-length: 5\r\n\r\nabcd`,
    "a list of lengths": `${head}content-length: 4, 4\r\n\r\nabcd`,
    "a signed length": `${head}content-length: +4\r\n\r\nabcd`,
    "a hexadecimal length": `${head}content-length: 0x4\r\n\r\nabcd`,
    "an unknown coding": `${head}transfer-encoding: xchunked\r\n\r\n0\r\n\r\n`,
    "chunks and then another coding": `${head}transfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n`,
    "a space before the colon": `${head}content-length : 4\r\n\r\nabcd`,
    "a folded field": `${head}x: a\r\n b\r\ntransfer-encoding:\r\n chunked\r\n\r\n0\r\n\r\n`,
    "a bare line feed in the head": `POST /take HTTP/1.1\nhost: x\ncontent-length: 0\n\n`,
    "a bare carriage return": `${head}x: a\rb\r\n\r\n`,
    "a NUL in a field": `${head}x: a\0b\r\n\r\n`,
    "a malformed chunk size": `${head}transfer-encoding: chunked\r\n\r\n4;\nabcd\r\n0\r\n\r\n`,
    "a chunk size with a sign": `${head}transfer-encoding: chunked\r\n\r\n+4\r\nabcd\r\n0\r\n\r\n`,
    "a chunk longer than it says": `${head}transfer-encoding: chunked\r\n\r\n2\r\nabcd\r\n0\r\n\r\n`,
    "no host": "GET / HTTP/1.1\r\n\r\n",
    "two hosts": "GET / HTTP/1.1\r\nhost: x\r\nhost: y\r\nconnection: close\r\n\r\n",
    "a malformed host": "GET / HTTP/1.1\r\nhost: a b\r\nconnection: close\r\n\r\n",
    "no HTTP at all": "\x16\x03\x01\x02\x00\x01\r\n\r\n",
    "HTTP/2 without TLS": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
  };
  for (const [name, bytes] of Object.entries(shapes)) {
    const text = await exchange(server.port, bytes);
    const answered = statuses(text);
    assert.ok(
      answered.length <= 1 && answered.every((status) => status >= 400 && status < 500),
      `${name}: ${JSON.stringify(text)}`,
    );
    assert.ok(!text.includes("hello"), name);
  }
});

test("a second request in one packet is answered after the first, once each", async () => {
  await using server = await serve([hello, take]);
  const text = await exchange(
    server.port,
    "POST /take HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\n\r\nabcGET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
  );
  assert.deepEqual(statuses(text), [200, 200]);
  assert.match(text, /\r\n\r\n3HTTP[^]*"hello"$/);
});

test("heads are bounded: their size, the number of fields, the length of the target", async () => {
  await using server = await serve([hello], { headBytes: 4096, headerCount: 20, targetLength: 1000 });
  const get = async (path: string, fields: string): Promise<number | undefined> =>
    statuses(await exchange(server.port, `GET ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n${fields}\r\n`))[0];
  assert.equal(await get("/", `x: ${"a".repeat(5000)}\r\n`), 431);
  assert.equal(await get("/", "x: a\r\n".repeat(30)), 431);
  assert.equal(await get(`/${"a".repeat(1001)}`, ""), 414);
  assert.equal(await get("/", "x: a\r\n".repeat(10)), 200);
});

test("bodies are bounded, announced or not, and the rest is not waited for", async () => {
  await using server = await serve([{ ...take, limits: { bodyBytes: 1000 } }]);
  const announced = await exchange(server.port, "POST /take HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999\r\n\r\nabc");
  assert.deepEqual(statuses(announced), [413]);
  const chunk = `200\r\n${"a".repeat(512)}\r\n`;
  const chunked = await exchange(
    server.port,
    `POST /take HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n${chunk.repeat(3)}`,
  );
  assert.deepEqual(statuses(chunked), [413]);
});

test("a client that asks first is let send only where the body is wanted", async () => {
  await using server = await serve([{ ...take, limits: { bodyBytes: 1000 } }]);
  const head = "POST /take HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\nconnection: close\r\n";
  const wanted = new RawConnection(server.port);
  wanted.socket.write(`${head}content-length: 3\r\n\r\n`);
  await wanted.until("100 Continue");
  wanted.socket.write("abc");
  assert.deepEqual(statuses(await wanted.closed), [100, 200]);
  assert.deepEqual(statuses(await exchange(server.port, `${head}content-length: 3000000\r\n\r\n`)), [413]);
  assert.deepEqual(
    statuses(
      await exchange(
        server.port,
        `POST /nope HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\nconnection: close\r\ncontent-length: 3\r\n\r\n`,
      ),
    ),
    [404],
  );
});

test("a head or a body that does not come in time ends the connection", async () => {
  await using server = await serve([hello, take], { headTimeoutMs: 100, bodyIdleMs: 100 });
  const nothing = await exchange(server.port, "");
  assert.deepEqual(statuses(nothing), [408]);
  const slow = await exchange(server.port, "GET / HTTP/1.1\r\nhost: x\r\nx-slow: ");
  assert.deepEqual(statuses(slow), [408]);
  const body = await exchange(
    server.port,
    "POST /take HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\nconnection: close\r\n\r\nabc",
  );
  assert.deepEqual(statuses(body), [408]);
});

test("a client that takes nothing of a response loses its connection", async () => {
  const returned = gate();
  const endless = operation("GET /endless", signature({}, "stream<u8>"), async function* () {
    try {
      for (;;) yield await Promise.resolve(new Uint8Array(65_536));
    } finally {
      returned.open();
    }
  });
  const large = operation("GET /large", signature({}, "list<u8>"), () => new Uint8Array(64 * 1024 * 1024));
  await using server = await serve([endless, large], { sendIdleMs: 200 });
  for (const path of ["/endless", "/large"]) {
    const connection = new RawConnection(server.port);
    connection.socket.write(`GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`);
    await connection.until("200 OK");
    connection.socket.pause();
    await closedAtServer(server.url);
    connection.socket.destroy();
  }
  await returned.promise;
});

/** Until the only connection is the one that asks. */
async function closedAtServer(url: string): Promise<void> {
  for (;;) {
    const response = await fetch(`${url}/metrics`, { headers: { connection: "close" } });
    if ((await response.text()).includes("\nstarlane_http_connections 1\n")) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

test("a client that closes its half of the connection has left: who works for it hears of it", async () => {
  const aborted = gate();
  const route = operation("GET /later", signature({}, "string"), (_args, { signal }) => {
    signal.addEventListener("abort", aborted.open);
    return new Promise(() => undefined);
  });
  await using server = await serve([route]);
  const connection = new RawConnection(server.port);
  connection.socket.end("GET /later HTTP/1.1\r\nhost: x\r\n\r\n");
  await aborted.promise;
  assert.equal(await connection.closed, "");
});

test("tunnels and targets in other forms", async () => {
  await using server = await serve([hello]);
  assert.deepEqual(statuses(await exchange(server.port, "CONNECT x:1 HTTP/1.1\r\nhost: x\r\n\r\n")), [405]);
  assert.match(
    await exchange(server.port, "GET http://other.example/ HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"),
    /"hello"$/,
  );
  assert.deepEqual(statuses(await exchange(server.port, "OPTIONS * HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")), [204]);
  assert.match(
    await exchange(server.port, "GET / HTTP/1.1\r\nhost: x\r\nconnection: upgrade, close\r\nupgrade: h2c\r\n\r\n"),
    /"hello"$/,
  );
  assert.match(await exchange(server.port, "GET / HTTP/1.0\r\n\r\n"), /"hello"$/);
});

test("ten thousand connections may stay open while others are answered", async (t) => {
  const count = 10_000;
  const most = Number(execFileSync("bash", ["-c", "ulimit -Hn"], { encoding: "utf8" }));
  if (most < count + 500) return t.skip(`only ${most} files may be open here`);
  await using server = await serve([hello]);
  const child = fork(new URL("./fixtures/open-connections.ts", import.meta.url), [String(server.port), String(count)]);
  const [answered]: unknown[] = await once(child, "message");
  assert.equal(answered, count);
  const metrics = await (await fetch(`${server.url}/metrics`)).text();
  assert.match(metrics, new RegExp(`starlane_http_connections ${count + 1}\n`));
  assert.match((await curl(server.url)).body, /hello/);
  child.kill();
  await once(child, "close");
});
