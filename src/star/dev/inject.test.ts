import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { HeaderPair, PlainRequest, PlainResponse, RequestContext } from "../../triggers/http/http.ts";
import { pairField } from "../../triggers/http/fields.ts";
import { injecting, placeFor } from "./inject.ts";

const SCRIPT = "<script src=x></script>";
const inject = injecting(() => SCRIPT);

const context: RequestContext = {
  id: "1",
  deadlineMs: 0,
  hasEnded: false,
  signal: new AbortController().signal,
  traceparent: undefined,
  tracestate: undefined,
  clientAddress: "127.0.0.1",
  method: "GET",
  route: "/",
  params: new Map(),
  values: new Map(),
  failed: () => undefined,
};

function request(headers: readonly HeaderPair[] = [], method = "GET"): PlainRequest {
  const body: AsyncIterable<Uint8Array> = {
    [Symbol.asyncIterator]: () => ({ next: () => Promise.resolve({ done: true, value: undefined }) }),
  };
  return { method, scheme: "http", authority: "x", path: "/", headers, hasBody: false, body, trailers: () => [] };
}

async function through(response: PlainResponse, from = request()): Promise<PlainResponse & { readonly text: string }> {
  const answer = await inject(from, () => response, context);
  const { body } = answer;
  if (body === undefined || typeof body === "string") return { ...answer, text: body ?? "" };
  if (body instanceof Uint8Array) return { ...answer, text: Buffer.from(body).toString() };
  return { ...answer, text: Buffer.concat(await Array.fromAsync(body)).toString() };
}

const html = (body: PlainResponse["body"], more: readonly HeaderPair[] = []): PlainResponse => ({
  status: 200,
  headers: [["Content-Type", "text/html; charset=utf-8"], ...more],
  body,
});

async function* chunks(...texts: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield await Promise.resolve(Buffer.from(text));
}

const DOCUMENTS: readonly (readonly [string, string])[] = [
  ["<!doctype html><html><head><title>t</title>", "<!doctype html><html><head>|<title>t</title>"],
  [
    "\ufeff<!-- c --><!DOCTYPE HTML>\n<HTML lang=en>\n<HEAD class='a'>\n<title>",
    "\ufeff<!-- c --><!DOCTYPE HTML>\n<HTML lang=en>\n<HEAD class='a'>|\n<title>",
  ],
  ["<!doctype html><title>ü</title><p>x", "<!doctype html>|<title>ü</title><p>x"],
  ["<html><body>x", "<html>|<body>x"],
  ["<html>\n<!-- <head> -->\n<body>", "<html>\n<!-- <head> -->\n|<body>"],
  ["<head></head>", "<head>|</head>"],
  ["<header>x</header>", "<header>x</header>"],
  ["<p>a fragment</p>", "<p>a fragment</p>"],
  ["text <head>", "text <head>"],
  ["<!-- never ends <head>", "<!-- never ends <head>"],
  ["", ""],
];

test("a document gets the script at the start of its head, and a fragment none", async () => {
  for (const [before, after] of DOCUMENTS) {
    const expected = after.replace("|", SCRIPT);
    assert.equal((await through(html(before))).text, expected);
    assert.equal((await through(html(Buffer.from(before)))).text, expected);
  }
});

test("a streamed document gets it wherever its chunks are cut; what is no document is not held back", async () => {
  const cuts = fc.tuple(fc.constantFrom(...DOCUMENTS), fc.array(fc.nat(80), { maxLength: 6 }));
  const property = fc.asyncProperty(cuts, async ([[before, after], places]) => {
    const bytes = Buffer.from(before);
    const ends = [...places.map((place) => Math.min(place, bytes.length)).toSorted((a, b) => a - b), bytes.length];
    const parts = ends.map((end, i) => bytes.subarray(ends[i - 1] ?? 0, end));
    const streamed = html(
      (async function* () {
        for (const part of parts) yield await Promise.resolve(part);
      })(),
    );
    assert.equal((await through(streamed)).text, after.replace("|", SCRIPT));
  });
  await fc.assert(property, { numRuns: 200 });
  for (const start of ["<p>", "<b", "text", "<body>"]) {
    const isDecided = placeFor(Buffer.from(start), false) !== "unclear";
    assert.equal(isDecided, start !== "<b", start);
  }
  const answer = await inject(request(), () => html(chunks("<p>1</p>", "<p>2</p>")), context);
  const { body } = answer;
  assert.ok(typeof body === "object" && !(body instanceof Uint8Array));
  const first = await body[Symbol.asyncIterator]().next();
  assert.equal(String(first.value), "<p>1</p>");
});

test("a length is that of what is sent; tags and dates of what was kept are gone", async () => {
  const fields: readonly HeaderPair[] = [
    ["content-length", "21"],
    ["etag", '"1"'],
    ["last-modified", "x"],
    ["cache-control", "max-age=9"],
    ["x-own", "1"],
  ];
  const answer = await through(html(chunks("<html><head>", "</head>xx"), fields));
  assert.equal(answer.text, `<html><head>${SCRIPT}</head>xx`);
  assert.equal(pairField(answer.headers, "content-length"), String(21 + SCRIPT.length));
  assert.deepEqual(
    ["etag", "last-modified", "cache-control", "x-own"].map((name) => pairField(answer.headers, name)),
    [undefined, undefined, "no-store", "1"],
  );
  const fragment = await through(
    html(chunks("<p>", "</p>"), [
      ["content-length", "7"],
      ["etag", '"1"'],
    ]),
  );
  assert.deepEqual(
    [fragment.text, pairField(fragment.headers, "content-length"), pairField(fragment.headers, "etag")],
    ["<p></p>", "7", '"1"'],
  );
});

test("responses that are encoded, in part, no HTML, or for no document stay what they are", async () => {
  const whole = "<!doctype html><head>";
  for (const response of [
    html(whole, [["content-encoding", "gzip"]]),
    { ...html(whole), status: 206 },
    { ...html(whole), headers: [["content-type", "text/plain"]] as const },
    { ...html(whole), headers: [] },
    { status: 304, headers: [] },
    { ...html(whole), headers: [["content-type", "text/html; charset=utf-16le"]] as const },
  ] satisfies PlainResponse[]) {
    assert.deepEqual(await inject(request(), () => response, context), response);
  }
  for (const from of [request([["sec-fetch-dest", "empty"]]), request([], "POST"), request([], "HEAD")]) {
    assert.equal((await through(html(whole), from)).text, whole);
  }
  assert.equal((await through(html(whole), request([["sec-fetch-dest", "iframe"]]))).text, whole + SCRIPT);
});

test("a browser that kept a document gets it whole; other requests keep their conditions", async () => {
  const seen: (readonly string[])[] = [];
  const ask = async (headers: readonly HeaderPair[]): Promise<void> => {
    await inject(request(headers), (asked) => (seen.push(asked.headers.map(([name]) => name)), html("")), context);
  };
  await ask([
    ["accept", "text/html"],
    ["if-none-match", '"1"'],
    ["If-Modified-Since", "x"],
    ["cookie", "a"],
  ]);
  await ask([
    ["accept", "*/*"],
    ["if-none-match", '"1"'],
    ["range", "bytes=0-1"],
  ]);
  assert.deepEqual(seen, [
    ["accept", "cookie"],
    ["accept", "if-none-match", "range"],
  ]);
});

test("a body that nobody reads to its end is given back", async () => {
  let isReturned = false;
  const body = (async function* () {
    try {
      yield await Promise.resolve(Buffer.from("<!doctype html><head>"));
      yield Buffer.from("more");
    } finally {
      isReturned = true;
    }
  })();
  const answer = await inject(request(), () => html(body), context);
  assert.ok(typeof answer.body === "object" && !(answer.body instanceof Uint8Array));
  const iterator = answer.body[Symbol.asyncIterator]();
  await iterator.next();
  await iterator.return?.();
  assert.equal(isReturned, true);
});
