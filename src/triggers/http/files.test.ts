import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { byteRange } from "./byte-range.ts";
import { curl, exchange, gate, serve } from "./fixtures/client.ts";
import type { StaticRoute } from "./http.ts";

function site(): { readonly folder: string; [Symbol.dispose](): void } {
  const root = mkdtempSync(join(tmpdir(), "starlane-site-"));
  const folder = join(root, "site");
  mkdirSync(join(folder, "sub"), { recursive: true });
  writeFileSync(join(root, "secret.txt"), "secret");
  writeFileSync(join(folder, "index.html"), "<h1>home</h1>");
  writeFileSync(join(folder, "sub/index.html"), "sub");
  writeFileSync(join(folder, "a b.txt"), "0123456789");
  writeFileSync(join(folder, ".hidden"), "secret");
  writeFileSync(join(folder, "app.html"), "app");
  symlinkSync(join(root, "secret.txt"), join(folder, "link.txt"));
  symlinkSync(root, join(folder, "up"));
  symlinkSync("a b.txt", join(folder, "inside.txt"));
  utimesSync(join(folder, "a b.txt"), 1_700_000_000, 1_700_000_000);
  return { folder, [Symbol.dispose]: () => rmSync(root, { recursive: true }) };
}

function files(folder: string, more: Partial<StaticRoute> = {}): StaticRoute {
  return { kind: "static", path: "/s/{path...}", folder, ...more };
}

test("files are served with their types; folders by their index, after a redirect to their slash", async () => {
  using at = site();
  await using server = await serve([files(at.folder), { kind: "static", path: "/app.html", folder: at.folder }]);
  const get = async (path: string): Promise<string> => {
    const { status, body } = await curl("--path-as-is", `${server.url}${path}`);
    return `${status} ${body}`;
  };
  assert.equal(await get("/s/"), "200 <h1>home</h1>");
  assert.equal(await get("/s/a%20b.txt"), "200 0123456789");
  assert.equal(await get("/s/inside.txt"), "200 0123456789");
  assert.equal(await get("/s/sub/"), "200 sub");
  assert.equal(await get("/app.html"), "200 app");
  const redirect = await curl(`${server.url}/s/sub?a=1`);
  assert.match(redirect.head, /^http\/1.1 308[^]*location: \/s\/sub\/\?a=1/);
  const file = await curl(`${server.url}/s/a%20b.txt`, "-I");
  assert.match(file.head, /content-type: text\/plain; charset=utf-8/);
  assert.match(file.head, /content-length: 10/);
  assert.match(file.head, /last-modified: tue, 14 nov 2023 22:13:20 gmt/);
  assert.match(file.head, /x-content-type-options: nosniff/);
});

test("no path leads out of the folder, through links neither, and dot files are not there", async () => {
  using at = site();
  await using server = await serve([files(at.folder)]);
  const paths = [
    "/s/../secret.txt",
    "/s/%2e%2e/secret.txt",
    "/s/..%2fsecret.txt",
    "/s/sub/..%5c..%5csecret.txt",
    "/s//etc/passwd",
    "/s/%2fetc/passwd",
    "/s/link.txt",
    "/s/up/secret.txt",
    "/s/up/",
    "/s/.hidden",
    "/s/a%20b.txt/",
    "/s/a%20b.txt%00",
    "/s/C:/x",
    `/s/${"a".repeat(3000)}`,
  ];
  for (const path of paths) {
    const text = await exchange(server.port, `GET ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`);
    assert.match(text, /^HTTP\/1.1 (400|404) /, path);
    assert.ok(!text.includes("secret") && !text.includes("root:"), path);
  }
});

test("conditions and ranges", async () => {
  using at = site();
  await using server = await serve([files(at.folder)]);
  const get = async (...args: string[]): Promise<string> => {
    const { status, body } = await curl(`${server.url}/s/a%20b.txt`, ...args);
    return `${status} ${status < 300 ? body : ""}`.trim();
  };
  const etag = /etag: (\S+)/.exec((await curl(`${server.url}/s/a%20b.txt`)).head)?.[1] ?? "";
  assert.equal(await get("-H", `if-none-match: "x", W/${etag}`), "304");
  assert.equal(await get("-H", `if-none-match: "x"`), "200 0123456789");
  assert.equal(await get("-H", "if-modified-since: Tue, 14 Nov 2023 22:13:20 GMT"), "304");
  assert.equal(await get("-H", "if-modified-since: Tue, 14 Nov 2023 22:13:19 GMT"), "200 0123456789");
  assert.equal(await get("-H", 'if-match: "x"'), "412");
  assert.equal(await get("-H", `if-match: ${etag}`), "200 0123456789");
  assert.equal(await get("-r", "2-4"), "206 234");
  assert.equal(await get("-r", "-3"), "206 789");
  assert.equal(await get("-r", "8-100"), "206 89");
  assert.equal(await get("-r", "10-"), "416");
  assert.equal(await get("-r", "1-2,4-5"), "200 0123456789");
  assert.equal(await get("-r", "1-2", "-H", 'if-range: "old"'), "200 0123456789");
  assert.equal(await get("-r", "1-2", "-H", `if-range: ${etag}`), "206 12");
  assert.match((await curl(`${server.url}/s/a%20b.txt`, "-r", "99-")).head, /content-range: bytes \*\/10/);
  assert.deepEqual(byteRange("bytes=-0", 10), "unsatisfiable");
  assert.deepEqual(byteRange("bytes=0-", 0), "unsatisfiable");
  assert.equal(byteRange("lines=1-2", 10), undefined);
});

test("a fallback answers for what is not there", async () => {
  using at = site();
  await using server = await serve([files(at.folder, { fallback: { file: "app.html", status: 200 } })]);
  const { status, body } = await curl(`${server.url}/s/route/of/the/page`);
  assert.deepEqual([status, body], [200, "app"]);
});

async function upstream(
  handle: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<{ url: string } & Disposable> {
  const server = createServer(handle);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" ? (address?.port ?? 0) : 0;
  const dispose = (): void => {
    server.close();
    server.closeAllConnections();
  };
  return { url: `http://127.0.0.1:${port}`, [Symbol.dispose]: dispose };
}

test("a proxy hands requests on and responses back, without what belongs to a connection", async () => {
  using behind = await upstream((request, response) => {
    response.setHeader("x-hop", "1");
    response.setHeader("set-cookie", ["a=1", "b=2"]);
    response.setHeader("connection", "x-hop");
    let body = "";
    request.on("data", (chunk: Buffer) => (body += chunk.toString()));
    request.on("end", () =>
      response.end(JSON.stringify({ method: request.method, url: request.url, headers: request.headers, body })),
    );
  });
  await using server = await serve([{ kind: "proxy", path: "/api/{rest...}", target: `${behind.url}/base/` }]);
  const answer = await curl(
    `${server.url}/api/a%2Fb?q=1`,
    "-d",
    "data",
    "-H",
    "x-secret: s",
    "-H",
    "connection: x-secret",
    "-H",
    "x-forwarded-for: 6.6.6.6",
    "-H",
    "te: trailers",
  );
  assert.equal(answer.status, 200);
  assert.ok(!answer.head.includes("x-hop"), answer.head);
  assert.match(answer.head, /set-cookie: a=1\r\nset-cookie: b=2/);
  const seen = JSON.parse(answer.body);
  assert.deepEqual([seen.method, seen.url, seen.body], ["POST", "/base/a%2Fb?q=1", "data"]);
  assert.equal(seen.headers["x-secret"], undefined);
  assert.equal(seen.headers["te"], undefined);
  assert.equal(seen.headers["x-forwarded-for"], "127.0.0.1");
  assert.equal(seen.headers["x-forwarded-host"], `127.0.0.1:${server.port}`);
  assert.equal(seen.headers["x-forwarded-proto"], "http");
  assert.equal(seen.headers["host"], new URL(behind.url).host);
  assert.equal(seen.headers["traceparent"], undefined);
});

test("a proxy without a server behind it is 502, with one that does not answer 504; a client that leaves is told to it", async () => {
  const left = gate();
  using silent = await upstream((request) => void request.on("close", left.open));
  await using server = await serve([
    { kind: "proxy", path: "/gone", target: "http://127.0.0.1:1" },
    { kind: "proxy", path: "/silent", target: silent.url, limits: { timeMs: 200 } },
  ]);
  assert.equal((await curl(`${server.url}/gone`)).status, 502);
  assert.equal((await curl(`${server.url}/silent`)).status, 504);
  await left.promise;
  await assert.rejects(serve([{ kind: "proxy", path: "/", target: "ftp://x" }]), { code: "http/bad-route" });
});

test("a body too large for a proxy is 413", async () => {
  using behind = await upstream((request, response) => {
    request.resume();
    request.on("end", () => response.end("ok"));
  });
  await using server = await serve([{ kind: "proxy", path: "/", target: behind.url, limits: { bodyBytes: 100 } }]);
  const chunk = `100\r\n${"a".repeat(256)}\r\n0\r\n\r\n`;
  const text = await exchange(
    server.port,
    `POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n${chunk}`,
  );
  assert.match(text, /^HTTP\/1.1 413 /);
});
