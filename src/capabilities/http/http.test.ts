import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { IoError } from "../io/error.ts";
import { BodyPipe, discard, IncomingBody, OutgoingBody } from "./body.ts";
import { httpErrorCode } from "./errors.ts";
import type { FieldEntry } from "./field-list.ts";
import { Fields } from "./fields.ts";
import { type HttpBody, HttpFailure, NO_BODY, NO_TRAILERS } from "./http-message.ts";
import { inertHttp } from "./inert.ts";
import {
  FutureIncomingResponse,
  IncomingRequest,
  IncomingResponse,
  OutgoingRequest,
  OutgoingResponse,
  RequestOptions,
  ResponseOutparam,
} from "./message.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const texts = (values: readonly Uint8Array[]): string[] => values.map((value) => new TextDecoder().decode(value));
const plain = (fields: Fields): [string, string][] => fields.entries().map(([name, value]) => [name, texts([value])[0] ?? ""]);
const headerError = (tag: string) => ({ payload: { tag } });
const PLAIN_ERROR = { payload: undefined };

test("fields keep names as written and find them without regard to case", () => {
  const fields = Fields.fromList([["Accept", bytes("a")], ["X-One", bytes("1")], ["accept", bytes("b")]]); // prettier-ignore
  assert.deepEqual(texts(fields.get("ACCEPT")), ["a", "b"]);
  assert.deepEqual(plain(fields), [["Accept", "a"], ["X-One", "1"], ["Accept", "b"]]); // prettier-ignore
  assert.equal(fields.has("x-one"), true);
  assert.deepEqual(fields.get("not there"), []);
  fields.set("ACCEPT", [bytes("c"), bytes("d")]);
  assert.deepEqual(plain(fields), [["ACCEPT", "c"], ["ACCEPT", "d"], ["X-One", "1"]]); // prettier-ignore
  fields.append("Z", bytes(""));
  fields.delete("x-ONE");
  assert.deepEqual(plain(fields), [["ACCEPT", "c"], ["ACCEPT", "d"], ["Z", ""]]); // prettier-ignore
});

test("fields refuse what HTTP does not allow, and the fields that belong to a connection", () => {
  const fields = new Fields();
  for (const name of ["", "a b", "a:b", "ä", "a\n", "\0"]) {
    assert.throws(() => fields.append(name, bytes("x")), headerError("invalid-syntax"));
    assert.throws(() => fields.delete(name), headerError("invalid-syntax"));
    assert.equal(fields.has(name), false);
  }
  for (const value of ["a\nb", "a\rb", "\0", "\x7f"])
    assert.throws(() => fields.set("a", [bytes(value)]), headerError("invalid-syntax"));
  for (const name of ["Host", "Transfer-Encoding", "connection", "UPGRADE"]) {
    assert.throws(() => Fields.fromList([[name, bytes("x")]]), headerError("forbidden"));
  }
  assert.deepEqual(fields.entries(), []);
});

test("a clone is a copy of its own, and values given out are copies too", () => {
  const fields = Fields.fromList([["a", bytes("1")]]);
  const copy = fields.clone();
  copy.append("b", bytes("2"));
  fields.get("a")[0]?.fill(0);
  assert.deepEqual(plain(fields), [["a", "1"]]);
  assert.deepEqual(plain(copy), [["a", "1"], ["b", "2"]]); // prettier-ignore
});

test("entries come back as they went in, in the writing of the first of a name, for every list that is accepted", () => {
  const name = fc.stringMatching(/^x[a-zA-Z0-9-]{0,10}$/);
  const value = fc.uint8Array({ maxLength: 20, min: 0x21, max: 0x7e });
  fc.assert(
    fc.property(fc.array(fc.tuple(name, value), { maxLength: 30 }), (entries: FieldEntry[]) => {
      const firstName = (name: string): string =>
        entries.find(([other]) => other.toLowerCase() === name.toLowerCase())?.[0] ?? "";
      const expected = entries.map(([written, bytesOfIt]) => [firstName(written), bytesOfIt]);
      assert.deepEqual(Fields.fromList(entries).entries(), expected);
    }),
  );
});

test("fields without bound stop the guest, whether few and long or many and empty", () => {
  const long = new Fields();
  assert.throws(() => long.append("a", new Uint8Array(200 << 10).fill(97)), { code: "capability/limit" });
  const many = new Fields();
  let count = 0;
  const fill = (): never => {
    for (;;) {
      many.append("a", new Uint8Array(0));
      count++;
    }
  };
  assert.throws(fill, { code: "capability/limit" });
  assert.ok(count < 5000);
  assert.throws(() => Fields.fromList(Array.from({ length: 100_000 }, () => ["a", bytes("")])), { code: "capability/limit" });
});

test("headers of a message cannot be changed, but a clone of them can", () => {
  const request = new OutgoingRequest(Fields.fromList([["a", bytes("1")]]), () => discard);
  const headers = request.headers();
  assert.throws(() => headers.set("a", []), headerError("immutable"));
  assert.throws(() => headers.append("b", bytes("2")), headerError("immutable"));
  assert.throws(() => headers.delete("a"), headerError("immutable"));
  headers.clone().append("b", bytes("2"));
  assert.deepEqual(plain(request.headers()), [["a", "1"]]);
});

test("a request starts as GET with nothing else, and keeps what is valid", () => {
  const request = new OutgoingRequest(new Fields(), () => discard);
  assert.deepEqual(
    [request.method(), request.pathWithQuery(), request.scheme(), request.authority()],
    [{ tag: "get" }, undefined, undefined, undefined],
  );
  request.setMethod({ tag: "other", val: "PURGE" });
  request.setPathWithQuery("/a%20b?c=d&e=ü");
  request.setScheme({ tag: "HTTPS" });
  for (const authority of ["example.com:8080", "[::1]:80", "user@example.com", "example.com:"]) request.setAuthority(authority);
  assert.deepEqual(
    [request.method(), request.pathWithQuery(), request.scheme(), request.authority()],
    [{ tag: "other", val: "PURGE" }, "/a%20b?c=d&e=ü", { tag: "HTTPS" }, "example.com:"],
  );
});

test("a request refuses methods, paths, schemes and authorities that no URI or request line could carry", () => {
  const request = new OutgoingRequest(new Fields(), () => discard);
  for (const val of ["", "GET /", "A\r\nB", "x".repeat(100_000)])
    assert.throws(() => request.setMethod({ tag: "other", val }), PLAIN_ERROR);
  for (const path of ["/a b", "/a#b", "/a\nb", "/" + "a".repeat(100_000)])
    assert.throws(() => request.setPathWithQuery(path), PLAIN_ERROR);
  for (const val of ["", "1http", "a b", "a:"]) assert.throws(() => request.setScheme({ tag: "other", val }), PLAIN_ERROR);
  for (const authority of ["", "a/b", "a b", "a:999999", "a:b", "[x]y", "a@b@c"])
    assert.throws(() => request.setAuthority(authority), PLAIN_ERROR);
});

test("a long hostile authority or path is refused in linear time", () => {
  const request = new OutgoingRequest(new Fields(), () => discard);
  assert.throws(() => request.setAuthority("a:".repeat(4000) + "@@"), PLAIN_ERROR);
  assert.throws(() => request.setPathWithQuery("/".repeat(8000) + " "), PLAIN_ERROR);
});

test("bodies and their streams are given out once", () => {
  const request = new OutgoingRequest(new Fields(), () => discard);
  const body = request.body();
  assert.throws(() => request.body(), PLAIN_ERROR);
  body.write();
  assert.throws(() => body.write(), PLAIN_ERROR);
  const response = new OutgoingResponse(new Fields(), () => discard);
  response.body();
  assert.throws(() => response.body(), PLAIN_ERROR);
});

test("a body that is shorter or longer than its Content-Length fails when it is finished", () => {
  const send = (text: string): void => {
    const request = new OutgoingRequest(Fields.fromList([["Content-Length", bytes("5")]]), () => discard);
    const body = request.body();
    void body.write().blockingWriteAndFlush(bytes(text));
    OutgoingBody.finish(body, undefined);
  };
  send("12345");
  assert.throws(() => send("1234"), { payload: { tag: "HTTP-request-body-size", val: 4n } });
  assert.throws(() => send("123456"), { payload: { tag: "HTTP-request-body-size", val: 6n } });
});

test("nothing can be written to a finished body", () => {
  const body = new OutgoingResponse(new Fields(), () => discard).body();
  const stream = body.write();
  OutgoingBody.finish(body, new Fields());
  assert.throws(() => stream.blockingWriteAndFlush(bytes("late")), { payload: { tag: "closed" } });
  assert.throws(() => OutgoingBody.finish(body, undefined), { code: "capability/misuse" });
});

test("a response has status 200 until it is given another that is one", () => {
  const response = new OutgoingResponse(new Fields(), () => discard);
  assert.equal(response.statusCode(), 200);
  response.setStatusCode(404);
  for (const status of [0, 99, 1000, 65535]) assert.throws(() => response.setStatusCode(status), PLAIN_ERROR);
  assert.equal(response.statusCode(), 404);
});

const bodyOf = (...chunks: string[]): HttpBody => ({
  async *[Symbol.asyncIterator]() {
    for (const chunk of chunks) yield bytes(chunk);
  },
});

test("a received request can be read whole: line, headers, body, trailers", async () => {
  const request = new IncomingRequest({
    method: "POST",
    path: "/a",
    scheme: "http",
    authority: "host",
    headers: [["Host", bytes("host")], ["Connection", bytes("close")]], // prettier-ignore
    body: bodyOf("hel", "lo"),
    trailers: () => Promise.resolve([["T", bytes("1")]]),
  });
  assert.deepEqual(
    [request.method(), request.pathWithQuery(), request.scheme(), request.authority()],
    [{ tag: "post" }, "/a", { tag: "HTTP" }, "host"],
  );
  assert.deepEqual(plain(request.headers()), [["Host", "host"]]);
  const body = request.consume();
  assert.throws(() => request.consume(), PLAIN_ERROR);
  const stream = body.stream();
  assert.throws(() => body.stream(), PLAIN_ERROR);
  assert.deepEqual(stream.read(100n), new Uint8Array(0));
  assert.deepEqual(texts([await stream.blockingRead(100n), await stream.blockingRead(100n)]), ["hel", "lo"]);
  const trailers = IncomingBody.finish(body);
  assert.equal(trailers.get(), undefined);
  await trailers.subscribe().block();
  const first = trailers.get();
  assert.ok(first?.tag === "ok" && first.val.tag === "ok" && first.val.val !== undefined);
  assert.deepEqual(plain(first.val.val), [["T", "1"]]);
  assert.deepEqual(trailers.get(), { tag: "err", val: undefined });
});

test("a body that fails tells the guest why, and nothing of the host", async () => {
  const failing: HttpBody = {
    // oxlint-disable-next-line require-yield -- it fails before its first chunk
    async *[Symbol.asyncIterator]() {
      throw new HttpFailure({ tag: "HTTP-response-incomplete" }, { cause: new Error("/secret/path") });
    },
  };
  const stream = new IncomingResponse({ status: 200, headers: [], body: failing, trailers: NO_TRAILERS }).consume().stream();
  await assert.rejects(
    async () => stream.blockingRead(1n),
    (error: { payload: { tag: string; val: IoError } }) => {
      assert.equal(error.payload.tag, "last-operation-failed");
      assert.deepEqual(httpErrorCode(error.payload.val), { tag: "HTTP-response-incomplete" });
      assert.doesNotMatch(error.payload.val.toDebugString(), /secret/);
      return true;
    },
  );
});

test("a response future gives its response once, and its error as a code", async () => {
  const received = { status: 204, headers: [], body: NO_BODY, trailers: NO_TRAILERS };
  const future = new FutureIncomingResponse(Promise.resolve(received), () => assert.fail("nobody cancels"));
  assert.equal(future.get(), undefined);
  await future.subscribe().block();
  const first = future.get();
  assert.ok(first?.tag === "ok" && first.val.tag === "ok");
  assert.equal(first.val.val.status(), 204);
  assert.deepEqual(future.get(), { tag: "err", val: undefined });
  const stream = first.val.val.consume().stream();
  await assert.rejects(async () => stream.blockingRead(1n), { payload: { tag: "closed" } });
  const failed = new FutureIncomingResponse(Promise.reject(new TypeError("/secret")), () => undefined);
  await failed.subscribe().block();
  assert.deepEqual(failed.get(), { tag: "ok", val: { tag: "err", val: { tag: "internal-error" } } });
});

test("a response that is dropped before it came is cancelled", () => {
  let cancelled = 0;
  const future = new FutureIncomingResponse(new Promise(() => undefined), () => cancelled++);
  future[Symbol.dispose]();
  assert.equal(cancelled, 1);
});

test("a response is handed to whoever waits for it, once", () => {
  const answers: unknown[] = [];
  const informational: unknown[] = [];
  const outparam = new ResponseOutparam({
    answer: (answer) => answers.push(answer),
    informational: (status) => informational.push(status),
    dropped: () => answers.push("dropped"),
    forget: () => undefined,
  });
  assert.throws(() => outparam.sendInformational(200, new Fields()), { payload: { tag: "HTTP-protocol-error" } });
  outparam.sendInformational(103, new Fields());
  ResponseOutparam.set(outparam, { tag: "err", val: { tag: "loop-detected" } });
  assert.throws(() => ResponseOutparam.set(outparam, { tag: "err", val: { tag: "loop-detected" } }), {
    code: "capability/misuse",
  });
  outparam[Symbol.dispose]();
  assert.deepEqual(answers, [{ tag: "err", val: { tag: "loop-detected" } }]);
  assert.deepEqual(informational, [103]);
});

test("what a guest writes waits in a bounded pipe until it is taken", async () => {
  const pipe = new BodyPipe();
  const body = new OutgoingResponse(new Fields(), () => pipe).body();
  const stream = body.write();
  let written = 0;
  for (let room = stream.checkWrite(); room > 0n; room = stream.checkWrite()) {
    stream.write(new Uint8Array(Number(room)));
    written += Number(room);
  }
  assert.equal(written, 1 << 16);
  assert.equal(stream.subscribe().ready(), false);
  const reader = pipe.body[Symbol.asyncIterator]();
  assert.equal((await reader.next()).value?.length, 1 << 16);
  assert.equal(stream.subscribe().ready(), true);
  OutgoingBody.finish(body, Fields.fromList([["t", bytes("1")]]));
  assert.equal((await reader.next()).done, true);
  assert.deepEqual(await pipe.trailers(), [["t", bytes("1")]]);
});

test("a body that is dropped unfinished fails for whoever reads it, and a reader that leaves fails the writer", async () => {
  const [unfinished, unread] = [new BodyPipe(), new BodyPipe()];
  new OutgoingResponse(new Fields(), () => unfinished).body()[Symbol.dispose]();
  await assert.rejects(unfinished.body[Symbol.asyncIterator]().next(), { code: { tag: "HTTP-protocol-error" } });
  const stream = new OutgoingResponse(new Fields(), () => unread).body().write();
  const reader = unread.body[Symbol.asyncIterator]();
  const waiting = reader.next();
  await reader.return?.();
  assert.deepEqual(await waiting, { done: true, value: undefined });
  assert.throws(
    () => stream.checkWrite(),
    (error: { payload: { tag: string; val: IoError } }) => {
      assert.deepEqual(httpErrorCode(error.payload.val), { tag: "connection-terminated" });
      return true;
    },
  );
});

test("request options keep the timeouts they are given", () => {
  const options = new RequestOptions();
  options.setConnectTimeout(1n);
  options.setFirstByteTimeout(2n);
  options.setBetweenBytesTimeout(3n);
  options.setConnectTimeout(undefined);
  assert.deepEqual([options.connectTimeout(), options.firstByteTimeout(), options.betweenBytesTimeout()], [undefined, 2n, 3n]);
});

test("sending a request is denied with the error code that HTTP has for it", () => {
  const { imports } = inertHttp.configure(undefined)();
  const { handle } = imports["wasi:http/outgoing-handler@0.2.0"] as {
    handle: (request: OutgoingRequest, options: undefined) => unknown;
  };
  assert.throws(() => handle(new OutgoingRequest(new Fields(), () => discard), undefined), {
    payload: { tag: "HTTP-request-denied" },
  });
});

test("an error of a stream tells its HTTP meaning where it has one", () => {
  assert.deepEqual(httpErrorCode(new IoError("x", { http: { tag: "connection-refused" } })), { tag: "connection-refused" });
  assert.equal(httpErrorCode(new IoError("x", { filesystem: "io" })), undefined);
});
