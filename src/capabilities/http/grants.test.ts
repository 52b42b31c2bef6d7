// Ways around a grant of HTTP, tried against real servers: one that may be reached, and one that must never hear anything.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { after, test } from "node:test";
import fc from "fast-check";
import { StarlaneError } from "../../base/errors.ts";
import type { Denial } from "../capability.ts";
import type { HttpErrorCode } from "./errors.ts";
import { FieldList } from "./field-list.ts";
import { formatHttpGrant, isPlainPath, parseHttpGrant } from "./http-grant.ts";
import { HttpFailure, type HttpResponse } from "./http-message.ts";
import { HTTP_LIMITS, OutgoingHttp, type OutgoingMessage } from "./outgoing.ts";
import { type Method, methodOf, schemeOf } from "./target.ts";
import { undiciClient } from "./undici-client.ts";

interface Heard {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: readonly string[];
}

async function listening(answer: (url: string) => { status: number; headers?: Record<string, string> }, host = "127.0.0.1") {
  const heard: Heard[] = [];
  const server: Server = createServer((request, response) => {
    heard.push({ method: request.method, url: request.url, headers: request.rawHeaders });
    const { status, headers = {} } = answer(request.url ?? "");
    response.writeHead(status, headers).end("body");
  });
  server.on("connect", (request, socket) => {
    heard.push({ method: request.method, url: request.url, headers: [] });
    socket.destroy();
  });
  server.listen(0, host);
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { heard, port };
}

const forbidden = await listening(() => ({ status: 200 }));
const allowed = await listening((url) =>
  url.startsWith("/v1/away") ? { status: 302, headers: { location: `http://127.0.0.1:${forbidden.port}/` } } : { status: 200 },
);

/** Names that resolve to what their owner likes: this machine among it. */
const NAMES: Readonly<Record<string, readonly string[]>> = {
  "rebound.example": ["127.0.0.1"],
  "mixed.example": ["192.0.2.1", "127.0.0.1"],
  "mapped.example": ["::ffff:127.0.0.1"],
  "metadata.example": ["169.254.169.254"],
  "private.example": ["10.0.0.1", "fd00::1", "fe80::1", "0.0.0.0", "::", "100.64.0.1", "64:ff9b::7f00:1", "2002:7f00:1::"],
  "orders.internal": ["127.0.0.1"],
  "elsewhere.internal": ["192.0.2.5", "10.0.0.9"],
};
const client = undiciClient({
  resolve: (name) => {
    const found = NAMES[name] ?? (name === "localhost" ? ["127.0.0.1"] : []);
    if (found.length === 0) return Promise.reject(Object.assign(new Error("no such name"), { code: "ENOTFOUND" }));
    return Promise.resolve(found.map((address) => ({ address, family: address.includes(":") ? 6 : 4 })));
  },
});
after(() => client[Symbol.asyncDispose]());

function outgoing(...grants: string[]): OutgoingHttp {
  const made = new OutgoingHttp(client, grants.map(parseHttpGrant), {
    ...HTTP_LIMITS,
    timeouts: { connectMs: 10_000, firstByteMs: 10_000, betweenBytesMs: 10_000 },
  });
  made.prepare(undefined);
  return made;
}

interface Attempt {
  readonly method?: string;
  readonly scheme?: string | undefined;
  readonly authority?: string | undefined;
  readonly path?: string | undefined;
  readonly headers?: readonly (readonly [string, string])[];
}

function message(attempt: Attempt): OutgoingMessage {
  const { method = "GET", authority, path = "/v1/ok", headers = [] } = attempt;
  const scheme = "scheme" in attempt ? attempt.scheme : "http";
  const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
  return {
    method: methodOf(method),
    scheme: scheme === undefined ? undefined : schemeOf(scheme),
    authority,
    pathWithQuery: path,
    headers: headers.map(([name, value]) => [name, bytes(value)] as const),
  };
}

async function send(http: OutgoingHttp, attempt: Attempt): Promise<HttpResponse> {
  const response = await http.send(message(attempt), {}, () => undefined);
  for await (const _ of response.body);
  return response;
}

const failedWith = (tag: HttpErrorCode["tag"]) => (error: unknown) => {
  assert.ok(error instanceof HttpFailure, String(error));
  assert.equal(error.code.tag, tag);
  return true;
};

const A = `127.0.0.1:${allowed.port}`;
const B = `127.0.0.1:${forbidden.port}`;
const GRANTS = [
  `GET http://${A}/v1/*`,
  `POST http://${A}/form`,
  `http://*.wild.example:${forbidden.port}`,
  `http://rebound.example:${forbidden.port}`,
  `http://mapped.example:${forbidden.port}`,
  `http://metadata.example`,
  `http://private.example:${forbidden.port}`,
  `http://elsewhere.internal:${forbidden.port} at 10.1.0.0/16`,
];

test("what is granted is reached, and the head says what the guest said", async () => {
  const http = outgoing(...GRANTS);
  const { status } = await send(http, { authority: A, path: "/v1/ok?q=1", headers: [["X-A", "1"], ["x-a", "2"]] }); // prettier-ignore
  assert.equal(status, 200);
  const heard = allowed.heard.at(-1);
  assert.equal(heard?.url, "/v1/ok?q=1");
  assert.deepEqual(heard?.headers.slice(0, 2), ["host", A]);
  assert.ok(heard?.headers.join().includes("X-A,1,x-a,2"), heard?.headers.join());
  await send(http, { authority: A, method: "POST", path: "/form" });
  await send(http, { authority: A, path: "/v1" });
  await send(outgoing(`http://localhost:${allowed.port}`), { authority: `LOCALHOST:${allowed.port}` });
  await send(outgoing(`http://orders.internal:${allowed.port} at 127.0.0.0/8`), { authority: `orders.internal:${allowed.port}` });
});

type Refusal = readonly [way: string, attempt: Attempt, tag: HttpErrorCode["tag"]];

const REFUSED: readonly Refusal[] = [
  ["another port", { authority: B }, "HTTP-request-denied"],
  ["no port", { authority: "127.0.0.1" }, "HTTP-request-denied"],
  ["another scheme", { authority: A, scheme: "https" }, "HTTP-request-denied"],
  ["no scheme, which is HTTPS", { authority: A, scheme: undefined }, "HTTP-request-denied"],
  ["a scheme of its own", { authority: A, scheme: "ftp" }, "HTTP-request-URI-invalid"],
  ["no authority", { authority: undefined }, "HTTP-request-URI-invalid"],
  ["another path", { authority: A, path: "/secret" }, "HTTP-request-denied"],
  ["a path that only begins like it", { authority: A, path: "/v1secret" }, "HTTP-request-denied"],
  ["dots", { authority: A, path: "/v1/../secret" }, "HTTP-request-denied"],
  ["encoded dots", { authority: A, path: "/v1/%2e%2e/secret" }, "HTTP-request-denied"],
  ["half encoded dots", { authority: A, path: "/v1/.%2E/secret" }, "HTTP-request-denied"],
  ["dots encoded twice", { authority: A, path: "/v1/%252e%252e/secret" }, "HTTP-request-denied"],
  ["dots with parameters", { authority: A, path: "/v1/..;a=b/secret" }, "HTTP-request-denied"],
  ["dots at the end", { authority: A, path: "/v1/.." }, "HTTP-request-denied"],
  ["an encoded slash", { authority: A, path: "/v1/..%2fsecret" }, "HTTP-request-denied"],
  ["an encoded backslash", { authority: A, path: "/v1/..%5csecret" }, "HTTP-request-denied"],
  ["two slashes", { authority: A, path: "/v1//secret" }, "HTTP-request-denied"],
  ["an encoded NUL", { authority: A, path: "/v1/a%00" }, "HTTP-request-denied"],
  ["letters encoded", { authority: A, path: "/%761/secret" }, "HTTP-request-denied"],
  ["the path as a query", { authority: A, path: "/secret?/v1/" }, "HTTP-request-denied"],
  ["an absolute URL as path", { authority: A, path: `http://${B}/v1/` }, "HTTP-request-URI-invalid"],
  ["a path without slash, which would go on with the host", { authority: A, path: "@evil.example/" }, "HTTP-request-URI-invalid"],
  ["a whole server as path", { authority: A, path: "*", method: "OPTIONS" }, "HTTP-request-URI-invalid"],
  ["another method", { authority: A, method: "DELETE" }, "HTTP-request-denied"],
  ["the method of another path", { authority: A, method: "POST", path: "/v1/ok" }, "HTTP-request-denied"],
  ["the method in small letters", { authority: A, method: "get" }, "HTTP-request-denied"],
  ["a tunnel", { authority: A, method: "CONNECT" }, "HTTP-request-method-invalid"],
  ["a tunnel in small letters", { authority: A, method: "connect" }, "HTTP-request-method-invalid"],
  ["TRACE", { authority: A, method: "TRACE" }, "HTTP-request-method-invalid"],
  ["a user before the host", { authority: `${A}@${B}` }, "HTTP-request-URI-invalid"],
  ["a user and password", { authority: `a:b@${A}` }, "HTTP-request-URI-invalid"],
  ["IPv4 in octal", { authority: `0177.0.0.1:${allowed.port}` }, "HTTP-request-URI-invalid"],
  ["IPv4 in hexadecimal", { authority: `0x7f.0.0.1:${allowed.port}` }, "HTTP-request-URI-invalid"],
  ["IPv4 as one number", { authority: `2130706433:${allowed.port}` }, "HTTP-request-URI-invalid"],
  ["IPv4 in short", { authority: `127.1:${allowed.port}` }, "HTTP-request-URI-invalid"],
  ["IPv4 in hexadecimal as one number", { authority: `0x7f000001:${allowed.port}` }, "HTTP-request-URI-invalid"],
  ["IPv4 with a trailing dot", { authority: `127.0.0.1.:${allowed.port}` }, "HTTP-request-URI-invalid"],
  ["IPv4 in the clothes of IPv6", { authority: `[::ffff:127.0.0.1]:${allowed.port}` }, "HTTP-request-denied"],
  ["IPv6 with a zone", { authority: `[fe80::1%251]:${allowed.port}` }, "HTTP-request-URI-invalid"],
  ["IPv6 loopback for IPv4's", { authority: `[::1]:${allowed.port}` }, "HTTP-request-denied"],
  ["a name with a trailing dot", { authority: `rebound.example.:${forbidden.port}` }, "HTTP-request-URI-invalid"],
  ["a name with encoded letters", { authority: `%6cocalhost:${forbidden.port}` }, "HTTP-request-URI-invalid"],
  ["a name in wide letters", { authority: `１27.0.0.1:${allowed.port}` }, "HTTP-request-URI-invalid"],
  ["localhost for its address", { authority: `localhost:${allowed.port}` }, "HTTP-request-denied"],
  ["port 0", { authority: "127.0.0.1:0" }, "HTTP-request-URI-invalid"],
  ["a port beyond the last", { authority: `127.0.0.1:${65_536 + allowed.port}` }, "HTTP-request-URI-invalid"],
  ["the suffix of a wildcard itself", { authority: `wild.example:${forbidden.port}` }, "HTTP-request-denied"],
  ["a name that only ends like a wildcard", { authority: `evilwild.example:${forbidden.port}` }, "HTTP-request-denied"],
  ["a name that goes on behind it", { authority: `a.wild.example.evil.example:${forbidden.port}` }, "HTTP-request-denied"],
  ["a name that leads to this machine", { authority: `rebound.example:${forbidden.port}` }, "destination-IP-prohibited"],
  [
    "a name that leads here in the clothes of IPv6",
    { authority: `mapped.example:${forbidden.port}` },
    "destination-IP-prohibited",
  ],
  ["a name that leads to the metadata of a cloud", { authority: "metadata.example" }, "destination-IP-prohibited"],
  ["a name that leads to private networks", { authority: `private.example:${forbidden.port}` }, "destination-IP-prohibited"],
  [
    "a name that leads out of its own network",
    { authority: `elsewhere.internal:${forbidden.port}` },
    "destination-IP-prohibited",
  ],
  [
    "a body without the length that was promised",
    { authority: A, method: "POST", path: "/form", headers: [["content-length", "5"]] },
    "HTTP-request-body-size",
  ],
  [
    "two lengths",
    {
      authority: A,
      headers: [
        ["content-length", "0"],
        ["content-length", "1"],
      ],
    },
    "HTTP-protocol-error",
  ],
  ["a length that is no number", { authority: A, headers: [["content-length", "1, 1"]] }, "HTTP-protocol-error"],
  ["a head that ends in the midst of a value", { authority: A, headers: [["x", "a\r\nhost: b"]] }, "HTTP-protocol-error"],
  ["a head that ends in the midst of a name", { authority: A, headers: [["x: 1\r\nhost", "b"]] }, "HTTP-protocol-error"],
];

for (const [way, attempt, tag] of REFUSED) {
  test(`no way out: ${way}`, async () => {
    const before = [forbidden.heard.length, allowed.heard.length];
    await assert.rejects(send(outgoing(...GRANTS), attempt), failedWith(tag));
    assert.deepEqual([forbidden.heard.length, allowed.heard.length], before);
  });
}

test("no way out: of the addresses of a name only those that are allowed are tried", async () => {
  const timeouts = { connectMs: 50, firstByteMs: 0, betweenBytesMs: 0 };
  const http = new OutgoingHttp(client, [parseHttpGrant(`http://mixed.example:${forbidden.port}`)], { ...HTTP_LIMITS, timeouts });
  http.prepare(undefined);
  const before = forbidden.heard.length;
  await assert.rejects(send(http, { authority: `mixed.example:${forbidden.port}` }), HttpFailure);
  assert.equal(forbidden.heard.length, before);
});

test("what is denied is told to the author: the request, and the line that would allow it", async () => {
  const told: Denial[] = [];
  const name = `private.example:${forbidden.port}`;
  const inside = undiciClient({ resolve: () => Promise.resolve([{ address: "127.0.0.1", family: 4 }]) });
  const http = new OutgoingHttp(inside, [parseHttpGrant(`http://${name}/v1/*`)], HTTP_LIMITS);
  http.prepare(undefined, (denial) => told.push(denial));
  await assert.rejects(send(http, { authority: name, path: "/v1/a" }), failedWith("destination-IP-prohibited"));
  await assert.rejects(send(http, { authority: name, path: "/other?token=secret" }), failedWith("HTTP-request-denied"));
  await assert.rejects(send(http, { scheme: "https", authority: "a.example", path: "/" }), failedWith("HTTP-request-denied"));
  assert.deepEqual(told, [
    { target: `GET http://${name}/v1/a, which is in a private network`, grant: `http: ["http://${name} at RANGE"]` },
    { target: `GET http://${name}/other`, grant: `http: ["http://${name}"]` },
    { target: "GET https://a.example/", grant: 'http: ["https://a.example"]' },
  ]);
  await inside[Symbol.asyncDispose]();
});

test("no way out: a name is resolved once, and what it resolves to later leads nowhere", async () => {
  let asked = 0;
  const rebinding = undiciClient({
    resolve: () => Promise.resolve([{ address: ++asked === 1 ? "192.0.2.1" : "127.0.0.1", family: 4 }]),
  });
  const http = new OutgoingHttp(rebinding, [parseHttpGrant(`http://flips.example:${forbidden.port}`)], {
    ...HTTP_LIMITS,
    timeouts: { connectMs: 100, firstByteMs: 100, betweenBytesMs: 100 },
  });
  http.prepare(undefined);
  const before = forbidden.heard.length;
  await assert.rejects(send(http, { authority: `flips.example:${forbidden.port}` }), HttpFailure);
  assert.equal(asked, 1);
  await assert.rejects(send(http, { authority: `flips.example:${forbidden.port}` }), HttpFailure);
  assert.equal(forbidden.heard.length, before);
  await rebinding[Symbol.asyncDispose]();
});

test("no way out: a redirect is the guest's to follow, and it needs a grant for that", async () => {
  const before = forbidden.heard.length;
  const { status, headers } = await send(outgoing(...GRANTS), { authority: A, path: "/v1/away" });
  assert.equal(status, 302);
  assert.ok(headers.some(([name]) => name.toLowerCase() === "location"));
  assert.equal(forbidden.heard.length, before);
});

test("no way out: fields that belong to the connection are not sent, also where a received message is passed on", async () => {
  const received = new FieldList(() => new Error("too large")).receive(
    [["Host", "evil.example"], ["Connection", "upgrade"], ["Upgrade", "h2c"], ["Transfer-Encoding", "chunked"], ["HTTP2-Settings", "x"], ["X-Ok", "1"]].map(
      ([name = "", value = ""]) => [name, new TextEncoder().encode(value)] as const,
    ), // prettier-ignore
  );
  const http = outgoing(...GRANTS);
  const response = await http.send({ ...message({ authority: A }), headers: received.clone().plain() }, {}, () => undefined);
  for await (const _ of response.body);
  const head = allowed.heard.at(-1)?.headers.join("|").toLowerCase() ?? "";
  assert.match(head, /x-ok\|1/);
  assert.doesNotMatch(head, /evil|h2c|http2-settings|chunked/);
});

test("no way out: connections that one grant opened serve no other", async () => {
  await send(outgoing(`http://orders.internal:${allowed.port} at 127.0.0.0/8`), { authority: `orders.internal:${allowed.port}` });
  const http = outgoing(`http://orders.internal:${allowed.port}`);
  const before = allowed.heard.length;
  await assert.rejects(send(http, { authority: `orders.internal:${allowed.port}` }), failedWith("destination-IP-prohibited"));
  assert.equal(allowed.heard.length, before);
});

test("before the first transaction and after the last nothing is sent", async () => {
  const http = new OutgoingHttp(client, [parseHttpGrant(`http://${A}`)], HTTP_LIMITS);
  await assert.rejects(send(http, { authority: A }), failedWith("HTTP-request-denied"));
  http.prepare(undefined);
  await send(http, { authority: A });
  http.finish("done");
  await assert.rejects(send(http, { authority: A }), failedWith("HTTP-request-denied"));
});

test("no method, host or path that a guest can write reaches beyond the grant", async () => {
  const http = outgoing(...GRANTS);
  const piece = fc.constantFrom(
    "/",
    "..",
    ".",
    "%2e",
    "%2f",
    "%25",
    "\\",
    ";",
    "?",
    "#",
    "v1",
    "secret",
    "@",
    ":",
    "127.0.0.1",
    `${forbidden.port}`,
    " ",
    "\t",
  );
  const text = fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join(""));
  const before = forbidden.heard.length;
  await fc.assert(
    fc.asyncProperty(text, text, async (path, rest) => {
      const heardBefore = allowed.heard.length;
      const method: Method = { tag: "get" };
      await send(http, { path: `/v1/${path}`, authority: `127.0.0.1${rest}` }).catch(() => undefined);
      for (const { url = "" } of allowed.heard.slice(heardBefore)) {
        assert.ok(new URL(url, "http://x").pathname.startsWith("/v1/"), `${method.tag} ${url}`);
      }
    }),
    { numRuns: 300 },
  );
  assert.equal(forbidden.heard.length, before);
});

const GOOD = [
  "https://api.example.com",
  "GET,HEAD https://api.example.com/v1/*",
  "http://localhost:8080/health",
  "https://*.example.com",
  "http://[::1]:8080",
  "http://10.0.0.1:*",
  "http://orders.internal at 10.0.0.0/8,fd00::/8",
];

test("a grant is read, and written again the same", () => {
  for (const line of GOOD) assert.equal(formatHttpGrant(parseHttpGrant(line)), line);
  assert.equal(formatHttpGrant(parseHttpGrant("https://API.Example.com:443")), "https://api.example.com");
});

const BAD: readonly (readonly [line: string, says: RegExp])[] = [
  ["", /its URL has to be/],
  ["api.example.com", /its URL has to be/],
  ["ftp://api.example.com", /scheme "ftp"/],
  ["https://", /no host/],
  ["https://*", /no host/],
  ["https://*.com", /no host/],
  ["https://a.*.com", /no host/],
  ["https://user@example.com", /its URL has to be/],
  ["https://example.com.", /no host/],
  ["https://0x7f.1", /no host/],
  ["https://127.1", /no host/],
  ["https://[::1%25eth0]", /no host/],
  ["https://example.com:0", /port "0"/],
  ["https://example.com:99999", /port "99999"/],
  ["https://example.com/a?b", /no URL|path/],
  ["https://example.com/a#b", /no URL|path/],
  ["https://example.com/*/b", /path/],
  ["https://example.com/a/../b", /path/],
  ["https://example.com/%2e%2e/b", /path/],
  ["get https://example.com", /method in capitals/],
  ["CONNECT https://example.com", /never sent/],
  ["GET, POST https://example.com", /method in capitals|no URL/],
  ["https://example.com at", /range of addresses/],
  ["https://example.com at 10.0.0.1/8", /range of addresses/],
  ["https://10.0.0.1 at 10.0.0.0/8", /stands for itself/],
  ["https://example.com https://b.example", /goes on with/],
];

test("a grant that cannot be matched exactly is refused, saying why", () => {
  for (const [line, says] of BAD) {
    assert.throws(
      () => parseHttpGrant(line),
      (error: unknown) => {
        assert.ok(error instanceof StarlaneError && error.code === "grant/bad-value", line);
        assert.match(error.message, says);
        return true;
      },
      line,
    );
  }
});

test("a path is plain where a server cannot read it in two ways", () => {
  for (const path of ["/", "/a/b", "/a.b/..c", "/a%20b", "/...", "/a;b=c"]) assert.equal(isPlainPath(path), true, path);
  for (const path of ["/a/./b", "/%2E/", "/a//b", "/..", "/a\\b", "/%2f", "/%25"]) assert.equal(isPlainPath(path), false, path);
});
