import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { IoError } from "../io/error.ts";
import { FutureTrailers, IncomingBody, OutgoingBody } from "./body.ts";
import { httpErrorCode } from "./errors.ts";
import { Fields, receivedFields, type FieldEntry } from "./fields.ts";
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

test("entries come back as they went in, for every list that is accepted", () => {
  const name = fc.stringMatching(/^x[a-zA-Z0-9-]{0,10}$/);
  const value = fc.uint8Array({ maxLength: 20, min: 0x21, max: 0x7e });
  fc.assert(
    fc.property(fc.array(fc.tuple(name, value), { maxLength: 30 }), (entries: FieldEntry[]) => {
      assert.deepEqual(Fields.fromList(entries).entries(), entries);
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
  const request = new OutgoingRequest(Fields.fromList([["a", bytes("1")]]));
  const headers = request.headers();
  assert.throws(() => headers.set("a", []), headerError("immutable"));
  assert.throws(() => headers.append("b", bytes("2")), headerError("immutable"));
  assert.throws(() => headers.delete("a"), headerError("immutable"));
  headers.clone().append("b", bytes("2"));
  assert.deepEqual(plain(request.headers()), [["a", "1"]]);
});

test("a request starts as GET with nothing else, and keeps what is valid", () => {
  const request = new OutgoingRequest(new Fields());
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
  const request = new OutgoingRequest(new Fields());
  for (const val of ["", "GET /", "A\r\nB", "x".repeat(100_000)])
    assert.throws(() => request.setMethod({ tag: "other", val }), PLAIN_ERROR);
  for (const path of ["/a b", "/a#b", "/a\nb", "/" + "a".repeat(100_000)])
    assert.throws(() => request.setPathWithQuery(path), PLAIN_ERROR);
  for (const val of ["", "1http", "a b", "a:"]) assert.throws(() => request.setScheme({ tag: "other", val }), PLAIN_ERROR);
  for (const authority of ["", "a/b", "a b", "a:999999", "a:b", "[x]y", "a@b@c"])
    assert.throws(() => request.setAuthority(authority), PLAIN_ERROR);
});

test("a long hostile authority or path is refused in linear time", () => {
  const request = new OutgoingRequest(new Fields());
  assert.throws(() => request.setAuthority("a:".repeat(4000) + "@@"), PLAIN_ERROR);
  assert.throws(() => request.setPathWithQuery("/".repeat(8000) + " "), PLAIN_ERROR);
});

test("bodies and their streams are given out once", () => {
  const request = new OutgoingRequest(new Fields());
  const body = request.body();
  assert.throws(() => request.body(), PLAIN_ERROR);
  body.write();
  assert.throws(() => body.write(), PLAIN_ERROR);
  const response = new OutgoingResponse(new Fields());
  response.body();
  assert.throws(() => response.body(), PLAIN_ERROR);
});

test("a body that is shorter or longer than its Content-Length fails when it is finished", () => {
  const send = (text: string): void => {
    const request = new OutgoingRequest(Fields.fromList([["Content-Length", bytes("5")]]));
    const body = request.body();
    body.write().blockingWriteAndFlush(bytes(text));
    OutgoingBody.finish(body, undefined);
  };
  send("12345");
  assert.throws(() => send("1234"), { payload: { tag: "HTTP-request-body-size", val: 4n } });
  assert.throws(() => send("123456"), { payload: { tag: "HTTP-request-body-size", val: 6n } });
});

test("nothing can be written to a finished body", () => {
  const body = new OutgoingResponse(new Fields()).body();
  const stream = body.write();
  OutgoingBody.finish(body, new Fields());
  assert.throws(() => stream.blockingWriteAndFlush(bytes("late")), { payload: { tag: "closed" } });
  assert.throws(() => OutgoingBody.finish(body, undefined), { code: "capability/misuse" });
});

test("a response has status 200 until it is given another that is one", () => {
  const response = new OutgoingResponse(new Fields());
  assert.equal(response.statusCode(), 200);
  response.setStatusCode(404);
  for (const status of [0, 99, 1000, 65535]) assert.throws(() => response.setStatusCode(status), PLAIN_ERROR);
  assert.equal(response.statusCode(), 404);
});

test("a received request can be read whole: line, headers, body, trailers", () => {
  const request = new IncomingRequest({
    method: { tag: "post" },
    pathWithQuery: "/a",
    scheme: { tag: "HTTP" },
    authority: "host",
    headers: receivedFields([["Host", bytes("host")]]),
    body: bytes("hello"),
    trailers: receivedFields([["T", bytes("1")]]),
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
  assert.deepEqual(texts([stream.blockingRead(100n)]), ["hello"]);
  const trailers = IncomingBody.finish(body);
  assert.equal(trailers.subscribe().ready(), true);
  const first = trailers.get();
  assert.ok(first?.tag === "ok" && first.val.tag === "ok" && first.val.val !== undefined);
  assert.deepEqual(plain(first.val.val), [["T", "1"]]);
  assert.deepEqual(trailers.get(), { tag: "err", val: undefined });
});

test("a response future gives its response once", () => {
  const response = new IncomingResponse({ status: 204, headers: new Fields(), body: bytes("") });
  const future = new FutureIncomingResponse({ tag: "ok", val: response });
  assert.equal(future.subscribe().ready(), true);
  assert.deepEqual(future.get(), { tag: "ok", val: { tag: "ok", val: response } });
  assert.deepEqual(future.get(), { tag: "err", val: undefined });
  assert.equal(response.status(), 204);
  assert.deepEqual(new FutureTrailers(undefined).get(), { tag: "ok", val: { tag: "ok", val: undefined } });
  assert.throws(() => response.consume().stream().read(1n), { payload: { tag: "closed" } });
});

test("a response is handed to whoever waits for it, once", () => {
  const answers: unknown[] = [];
  const outparam = new ResponseOutparam((answer) => answers.push(answer));
  assert.throws(() => outparam.sendInformational(200, new Fields()), { payload: { tag: "HTTP-protocol-error" } });
  assert.throws(() => outparam.sendInformational(103, new Fields()), /answered with an error/);
  ResponseOutparam.set(outparam, { tag: "err", val: { tag: "loop-detected" } });
  assert.throws(() => ResponseOutparam.set(outparam, { tag: "err", val: { tag: "loop-detected" } }), {
    code: "capability/misuse",
  });
  assert.deepEqual(answers, [{ tag: "err", val: { tag: "loop-detected" } }]);
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
  assert.throws(() => handle(new OutgoingRequest(new Fields()), undefined), { payload: { tag: "HTTP-request-denied" } });
});

test("an error of a stream tells its HTTP meaning where it has one", () => {
  assert.deepEqual(httpErrorCode(new IoError("x", { http: { tag: "connection-refused" } })), { tag: "connection-refused" });
  assert.equal(httpErrorCode(new IoError("x", { filesystem: "io" })), undefined);
});
