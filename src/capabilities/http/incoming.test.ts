// Guests that serve HTTP, well and badly, and send requests on to real servers: the same for both versions of `wasi:http`.

import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { after, test } from "node:test";
import { StarlaneError } from "../../base/errors.ts";
import { compile } from "../../engine/compile.ts";
import type { CapabilityTransaction } from "../capability.ts";
import { linkInert } from "../inert.ts";
import { grantedHttp } from "./granted.ts";
import { HttpFailure, type HttpBody, type HttpRequest, type HttpResponse } from "./http-message.ts";
import { httpHandlerOf } from "./handler.ts";
import { type GuestCall, type GuestResponse, handleWithGuest } from "./incoming.ts";
import type { HttpLimits } from "./outgoing.ts";
import { undiciClient } from "./undici-client.ts";

const guest = (version: string) => compile(readFileSync(new URL(`../fixtures/http/guest-${version}.wasm`, import.meta.url)));
const GUESTS = { "0.2": await guest("0.2"), "0.3": await guest("0.3") };
type Version = keyof typeof GUESTS;

const client = undiciClient();
after(() => client[Symbol.asyncDispose]());

async function listening(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  const server = createServer(answer);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  after(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  return `127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
}

interface Served {
  readonly response: Promise<GuestResponse>;
  readonly controller: AbortController;
  readonly finish: () => void;
}

interface ServeOptions {
  readonly grants?: readonly string[];
  readonly limits?: Partial<HttpLimits>;
  readonly request?: Partial<HttpRequest>;
}

/** One transaction: an instance of its own answers one request. */
async function serve(
  version: Version,
  path: string,
  { grants = [], limits = {}, request = {} }: ServeOptions = {},
): Promise<Served> {
  const compiled = GUESTS[version];
  const handler = httpHandlerOf(compiled.functions.keys());
  assert.equal(handler?.version, version);
  const http = grantedHttp(client, limits).configure(grants)();
  const instance = await compiled.instantiate({ ...linkInert().imports, ...http.imports });
  const controller = new AbortController();
  http.prepare?.({ seed: 1, timestampMs: 0, signal: controller.signal });
  const whole: HttpRequest = { method: "GET", scheme: "http", authority: "localhost", path, headers: [], ...request };
  const { signal } = controller;
  // oxlint-disable-next-line require-await -- a rejection, not a throw
  const response = (async () =>
    handleWithGuest((name, args) => instance.call(name, args, { signal }), handler, whole, { signal }))();
  response.catch(() => undefined);
  return { response, controller, finish: () => void http.finish?.("done") };
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

async function textOf(body: HttpBody): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of body) text += decoder.decode(chunk, { stream: true });
  return text + decoder.decode();
}

function field(response: HttpResponse, wanted: string): string | undefined {
  const found = response.headers.find(([name]) => name.toLowerCase() === wanted);
  return found === undefined ? undefined : new TextDecoder().decode(found[1]);
}

const failedWith = (tag: string) => (error: unknown) => {
  assert.ok(error instanceof HttpFailure, String(error));
  assert.equal(error.code.tag, tag);
  return true;
};

const hasCode = (code: string) => (error: unknown) => error instanceof StarlaneError && error.code === code;

/** Yields chunks as the test lets go of them. */
function gated(): { body: HttpBody; push: (text: string) => void; end: () => void; asked: () => number } {
  const waiting: ((step: IteratorResult<Uint8Array, undefined>) => void)[] = [];
  const ready: IteratorResult<Uint8Array, undefined>[] = [];
  let asked = 0;
  const give = (step: IteratorResult<Uint8Array, undefined>): void => {
    const next = waiting.shift();
    if (next === undefined) ready.push(step);
    else next(step);
  };
  return {
    body: {
      [Symbol.asyncIterator]: () => ({
        next: () => {
          asked++;
          const step = ready.shift();
          return step === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(step);
        },
        return: () => Promise.resolve({ done: true, value: undefined }),
      }),
    },
    push: (text) => give({ done: false, value: bytes(text) }),
    end: () => give({ done: true, value: undefined }),
    asked: () => asked,
  };
}

const sendTo = (authority: string, path = "/", more: readonly (readonly [string, string])[] = []): Partial<HttpRequest> => ({
  headers: [["x-authority", authority], ["x-path", path], ...more].map(([name = "", value = ""]) => [name, bytes(value)] as const), // prettier-ignore
});

for (const version of ["0.2", "0.3"] as const) {
  test(`${version}: a guest answers with status, headers and body`, async () => {
    const { response } = await serve(version, "/hello");
    const answered = await response;
    assert.equal(answered.status, 200);
    assert.equal(field(answered, "content-length"), "5");
    assert.equal(await textOf(answered.body), "hello");
    assert.equal(await answered.trailers(), undefined);
    await answered.finished;
  });

  test(`${version}: the head is there before the body, and both bodies stream at once`, async () => {
    const sent = gated();
    const { response } = await serve(version, "/echo", { request: { method: "POST", body: sent.body } });
    const answered = await response;
    assert.equal(answered.status, 200);
    const body = answered.body[Symbol.asyncIterator]();
    for (const word of ["one", "two", "three"]) {
      const next = body.next();
      sent.push(word);
      assert.equal(new TextDecoder().decode((await next).value), word);
    }
    sent.end();
    assert.equal((await body.next()).done, true);
    await answered.finished;
  });

  test(`${version}: a client that does not read holds up the guest, and the guest the sender`, async () => {
    let given = 0;
    const endless: HttpBody = {
      async *[Symbol.asyncIterator]() {
        for (;;) {
          given += 1 << 14;
          yield new Uint8Array(1 << 14);
          await new Promise((resolve) => setImmediate(resolve));
        }
      },
    };
    const { response, controller } = await serve(version, "/echo", { request: { method: "POST", body: endless } });
    await response;
    for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setImmediate(resolve));
    assert.ok(given <= 1 << 18, `${given} bytes were taken although nobody reads`);
    controller.abort(new Error("enough"));
  });

  test(`${version}: trailers come after the body`, async () => {
    const { response } = await serve(version, "/trailers");
    const answered = await response;
    assert.equal(await textOf(answered.body), "body");
    assert.deepEqual(await answered.trailers(), [["x-sum", bytes("42")]]);
    await answered.finished;
  });

  test(`${version}: a guest that answers with an error code, and one that is stopped, are told apart`, async () => {
    await assert.rejects((await serve(version, "/error")).response, failedWith("loop-detected"));
    await assert.rejects((await serve(version, "/trap")).response, hasCode("engine/trap"));
  });

  test(`${version}: a guest that is stopped after it answered fails the body, and says why to the host alone`, async () => {
    const answered = await (await serve(version, "/trap-late")).response;
    assert.equal(answered.status, 200);
    await assert.rejects(textOf(answered.body), (error: unknown) => {
      assert.ok(error instanceof HttpFailure && error.code.tag === "internal-error", String(error));
      assert.ok(hasCode("engine/trap")(error.cause), String(error.cause));
      return true;
    });
    await answered.finished.catch(hasCode("engine/trap"));
  });

  test(`${version}: a body that is shorter or longer than its content-length fails`, async () => {
    for (const path of ["/short", "/long"]) {
      const answered = await (await serve(version, path)).response;
      await assert.rejects(textOf(answered.body), failedWith("HTTP-response-body-size"), path);
    }
  });

  test(`${version}: a client that goes away ends a guest that would write for ever`, async () => {
    const { response } = await serve(version, "/endless");
    const answered = await response;
    const body = answered.body[Symbol.asyncIterator]();
    assert.ok(((await body.next()).value?.length ?? 0) > 0);
    await body.return?.();
    await answered.finished;
  });

  test(`${version}: the end of the transaction ends the answer`, async () => {
    const { response, controller } = await serve(version, "/endless");
    const answered = await response;
    const body = answered.body[Symbol.asyncIterator]();
    await body.next();
    controller.abort(new Error("time is over"));
    await assert.rejects(async () => {
      for (;;) if ((await body.next()).done === true) throw new Error("it ended as if it were whole");
    }, HttpFailure);
    await answered.finished.catch(() => undefined);
  });

  test(`${version}: too many fields are refused before the guest sees them`, async () => {
    const headers = Array.from({ length: 5000 }, (_, i) => [`x-${i}`, bytes("1")] as const);
    await assert.rejects(
      (await serve(version, "/hello", { request: { headers } })).response,
      failedWith("HTTP-request-header-section-size"),
    );
  });

  test(`${version}: a guest sends a request where it may, and streams the answer on`, async () => {
    let end: (() => void) | undefined;
    const authority = await listening((request, response) => {
      response.writeHead(201, { "x-url": request.url ?? "" });
      response.write("first");
      end = () => response.end("last");
    });
    const { response, finish } = await serve(version, "/send", {
      grants: [`http://${authority}`],
      request: sendTo(authority, "/a?b=c"),
    });
    const answered = await response;
    assert.equal(answered.status, 201);
    const body = answered.body[Symbol.asyncIterator]();
    assert.equal(new TextDecoder().decode((await body.next()).value), "first");
    end?.();
    assert.equal(new TextDecoder().decode((await body.next()).value), "last");
    assert.equal((await body.next()).done, true);
    await answered.finished;
    finish();
  });

  test(`${version}: a guest streams a request body to a server`, async () => {
    const authority = await listening((request, response) => void request.pipe(response));
    const sent = gated();
    const { response, finish } = await serve(version, "/send", {
      grants: [`http://${authority}`],
      request: { ...sendTo(authority, "/", [["x-upload", "1"]]), method: "POST", body: sent.body }, // prettier-ignore
    });
    for (const word of ["one ", "two ", "three"]) sent.push(word);
    sent.end();
    const answered = await response;
    assert.equal(await textOf(answered.body), "one two three");
    await answered.finished;
    finish();
  });

  test(`${version}: what goes wrong on the way is an error code`, async () => {
    const broken = await listening((_, response) => {
      response.writeHead(200, { "content-length": "100" }).write("part");
      setImmediate(() => response.destroy());
    });
    const dead = await listening(() => undefined);
    const closed = createServer().listen(0, "127.0.0.1");
    await once(closed, "listening");
    const address = closed.address();
    const refusing = `127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
    closed.close();
    await once(closed, "close");
    const grants = [`http://${broken}`, `http://${dead}`, `http://${refusing}`];
    const send = async (authority: string, limits: Partial<HttpLimits> = {}) =>
      (await serve(version, "/send", { grants, limits, request: sendTo(authority) })).response;
    await assert.rejects(send("127.0.0.1:1"), failedWith("HTTP-request-denied"));
    await assert.rejects(send(refusing), failedWith("connection-refused"));
    const timeouts = { connectMs: 1000, firstByteMs: 30, betweenBytesMs: 30 };
    await assert.rejects(send(dead, { timeouts }), failedWith("connection-read-timeout"));
    await assert.rejects(send(dead, { openRequests: 0 }), failedWith("connection-limit-reached"));
    const answered = await send(broken);
    if (version === "0.3")
      await assert.rejects(
        textOf(answered.body).then(() => answered.trailers()),
        failedWith("HTTP-response-incomplete"),
      );
  });

  test(`${version}: the end of the transaction breaks off what the guest waits for`, async () => {
    let closed: Promise<unknown> | undefined;
    const { promise: heard, resolve } = Promise.withResolvers<void>();
    const authority = await listening((request) => {
      closed = new Promise((done) => request.on("error", () => undefined).on("close", done));
      resolve();
    });
    const { response, controller } = await serve(version, "/send", {
      grants: [`http://${authority}`],
      request: sendTo(authority),
    });
    await heard;
    controller.abort(new Error("the client went away"));
    await assert.rejects(response);
    await closed;
  });

  test(`${version}: an answer that is too long is broken off`, async () => {
    const authority = await listening((_, response) => void response.end("x".repeat(100_000)));
    const { response } = await serve(version, "/send", {
      grants: [`http://${authority}`],
      limits: { responseBodyBytes: 1000 },
      request: sendTo(authority),
    });
    const answered = await response;
    if (version === "0.3") {
      await assert.rejects(
        textOf(answered.body).then(() => answered.trailers()),
        failedWith("HTTP-response-body-size"),
      );
    } else assert.ok((await textOf(answered.body)).length <= 1000);
  });
}

for (const version of ["0.2", "0.3"] as const) {
  test(`${version}: instances serve one request after another, and an answer that is passed on outlives its transaction`, async () => {
    const authority = await listening((request, response) => {
      response.write("first ");
      setTimeout(() => response.end(request.url), 5);
    });
    const bind = grantedHttp(client).configure([`http://${authority}`]);
    const pool = await GUESTS[version].pool<CapabilityTransaction>({ imports: bind });
    const handler = httpHandlerOf(GUESTS[version].functions.keys());
    assert.ok(handler !== undefined);
    for (const path of ["/one", "/two", "/three"]) {
      const { signal } = new AbortController();
      const call: GuestCall = (name, args) => pool.call(name, args, { signal, transaction: { seed: 1, timestampMs: 0, signal } });
      const request = { method: "GET", scheme: "http", authority: "localhost", path: "/send", ...sendTo(authority, path) };
      const answered = await handleWithGuest(call, handler, { headers: [], ...request }, { signal });
      await new Promise((resolve) => setTimeout(resolve, 2));
      assert.equal(await textOf(answered.body), `first ${path}`);
      await answered.finished;
    }
    // One for attempts, which end at the request, and one on a stack that can wait.
    assert.equal(pool.state.instances, 2);
    pool.close();
  });
}

test("0.2: a guest that ends without an answer, or gives the chance away, is told so", async () => {
  for (const path of ["/never", "/dropped"])
    await assert.rejects((await serve("0.2", path)).response, hasCode("capability/no-response"));
});

test("0.2: a body that was never finished is not taken for a whole one", async () => {
  const answered = await (await serve("0.2", "/unfinished")).response;
  await assert.rejects(textOf(answered.body), failedWith("HTTP-protocol-error"));
});

test("0.3: trailers that resolve to an error fail the message", async () => {
  const answered = await (await serve("0.3", "/broken-trailers")).response;
  assert.equal(await textOf(answered.body), "body");
  await assert.rejects(answered.trailers(), failedWith("loop-detected"));
});

test("a component that serves both versions is served by the newer, one that serves none by neither", () => {
  const [older, newer] = ["wasi:http/incoming-handler@0.2.3#handle", "wasi:http/handler@0.3.0#handle"];
  assert.deepEqual(httpHandlerOf([older, newer]), { version: "0.3", name: newer });
  assert.deepEqual(httpHandlerOf([older]), { version: "0.2", name: older });
  assert.equal(httpHandlerOf(["run", "wasi:http/incoming-handler@0.2.0-rc-2023-11-10#handle"]), undefined);
});
