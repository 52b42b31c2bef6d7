// HTTP out of a test's script: each request is answered by the first exchange that it fits and that is not used up. A request that fits
// none fails as one to a host that cannot be reached, and is kept for the message of the test.

import { placeOf } from "../../base/diagnostics.ts";
import type { HttpClient, SendOptions } from "../../capabilities/http/http-client.ts";
import {
  type HttpBody,
  HttpFailure,
  type HttpRequest,
  type HttpResponse,
  NO_BODY,
  NO_TRAILERS,
} from "../../capabilities/http/http-message.ts";
import { compare, isMatcherName, isObject } from "../../manifest/expect.ts";
import type { GivenExchange } from "../../manifest/given.ts";
import type { Json } from "../../manifest/manifest.ts";
import type { FaultSchedule } from "./fault-schedule.ts";
import { bytesOf } from "./fill.ts";

/** Of a request in a test. */
const LARGEST_BODY_BYTES = 64 * 1024 * 1024;
const MOST_UNEXPECTED = 10;

interface Asked {
  readonly method: string;
  readonly url: string;
  /** Names in lower case; several of a name joined by commas. */
  readonly headers: { readonly [name: string]: string };
  readonly body: string;
}

export class ScriptedHttp implements HttpClient {
  readonly #exchanges: readonly { readonly exchange: GivenExchange; left: number }[];
  readonly #faults: FaultSchedule;
  readonly #unexpected: string[] = [];

  constructor(exchanges: readonly GivenExchange[], faults: FaultSchedule) {
    this.#exchanges = exchanges.map((exchange) => ({ exchange, left: exchange.times }));
    this.#faults = faults;
  }

  /** Requests that the script did not expect, and what of it was nearest. */
  get unexpected(): readonly string[] {
    return this.#unexpected;
  }

  async send(request: HttpRequest, { signal }: SendOptions): Promise<HttpResponse> {
    const fault = this.#faults.next("http");
    if (fault === undefined) return await this.#answer(request);
    const tag = fault.disconnect ? "connection-terminated" : "internal-error";
    const failure = (text: string): HttpFailure => new HttpFailure(tag === "internal-error" ? { tag, val: text } : { tag });
    const answer = await this.#faults.meet(fault, () => this.#answer(request), failure);
    signal.throwIfAborted();
    return answer;
  }

  async #answer(request: HttpRequest): Promise<HttpResponse> {
    const asked = await askedOf(request);
    const found = this.#exchanges.find(({ exchange, left }) => left > 0 && differences(exchange, asked).length === 0);
    if (found === undefined) {
      if (this.#unexpected.length < MOST_UNEXPECTED) this.#unexpected.push(this.#describe(asked));
      throw new HttpFailure({ tag: "destination-unavailable" });
    }
    found.left--;
    const { status, headers, body } = found.exchange.respond;
    const bytes = bytesOf(body);
    return {
      status,
      headers: headers.map(({ name, value }) => [name, new TextEncoder().encode(value)] as const),
      body: bytes.length === 0 ? NO_BODY : bodyOf(bytes),
      trailers: NO_TRAILERS,
    };
  }

  #describe(asked: Asked): string {
    const what = `unexpected request ${asked.method} ${asked.url}`;
    const nearest = this.#exchanges
      .map(({ exchange, left }) => ({ exchange, left, problems: differences(exchange, asked) }))
      .toSorted((a, b) => a.problems.length - b.problems.length)[0];
    if (nearest === undefined) return `${what}: the test gives no answers (\`given.http\`)`;
    const { exchange, left, problems } = nearest;
    const why =
      problems.length === 0 && left === 0
        ? `it was used ${exchange.times === 1 ? "already" : `${exchange.times} times`}`
        : problems.join("; ");
    const { method, url } = exchange.request;
    return `${what}; the nearest script is ${method} ${typeof url === "string" ? url : JSON.stringify(url)} (${placeOf(exchange.span)}): ${why}`;
  }
}

async function askedOf(request: HttpRequest): Promise<Asked> {
  const headers: Record<string, string> = {};
  for (const [name, value] of request.headers) {
    const key = name.toLowerCase();
    const text = new TextDecoder().decode(value);
    headers[key] = headers[key] === undefined ? text : `${headers[key]}, ${text}`;
  }
  const url = `${request.scheme}://${request.authority}${request.path}`;
  return { method: request.method, url, headers, body: request.body === undefined ? "" : await textOf(request.body) };
}

async function textOf(body: HttpBody): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of body) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > LARGEST_BODY_BYTES) throw new HttpFailure({ tag: "HTTP-request-body-size" });
  }
  return text + decoder.decode();
}

/** In how many ways, and which, a request is not the one of the script. */
function differences({ request }: GivenExchange, asked: Asked): string[] {
  const problems: string[] = [];
  if (request.method !== asked.method) problems.push(`the method is ${asked.method}, not ${request.method}`);
  problems.push(
    ...compare({ url: plainUrl(request.url) }, { url: asked.url }).map(({ message }) => message.replace(/^\$\./, "")),
  );
  for (const [name, value] of Object.entries(request.headers)) {
    const actual = asked.headers[name];
    if (actual === undefined) problems.push(`the header ${name} is missing`);
    else
      problems.push(
        ...compare({ header: value }, { header: actual }).map(({ message }) => message.replace(/^\$\.header/, `header ${name}`)),
      );
  }
  if (request.body !== undefined) problems.push(...bodyDifferences(request.body, asked.body));
  return problems;
}

/** As the request has it: without the port that its scheme has anyway, and with a path. */
function plainUrl(url: Json): Json {
  return typeof url === "string" && URL.canParse(url) ? new URL(url).href : url;
}

function bodyDifferences(expected: Json, text: string): string[] {
  const actual = isAboutText(expected) ? text : jsonOf(text);
  if (actual === undefined) return ["the body is no JSON"];
  return compare({ body: expected }, { body: actual }).map(({ message }) => message.replace(/^\$\./, ""));
}

/** A text, or a matcher that only texts can fit. */
function isAboutText(expected: Json): boolean {
  if (typeof expected === "string") return true;
  if (!isObject(expected)) return false;
  const names = Object.keys(expected);
  if (names.length === 0 || !names.every(isMatcherName)) return false;
  return names.every((name) => name === "matches" || name === "any" || (name !== "length" && typeof expected[name] === "string"));
}

function jsonOf(text: string): Json | undefined {
  try {
    const parsed: Json = JSON.parse(text);
    return parsed;
  } catch {
    return undefined;
  }
}

async function* bodyOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(bytes);
}
