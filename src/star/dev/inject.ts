// Puts a script into HTML responses, and leaves every other response as it is: those that are encoded, those without the beginning of a document
// (fragments), and what is no HTML at all. Source: HTML standard (section 13.1, how a document begins). Bound: LONGEST_START bytes are looked at.

import type { HeaderPair, Middleware, PlainRequest, PlainResponse } from "../../triggers/http/http.ts";
import { pairField } from "../../triggers/http/fields.ts";
import { changed } from "../../triggers/http/middleware.ts";
import { dismiss, stop } from "../../triggers/http/respond.ts";

const LONGEST_START = 16 * 1024;

/** Middleware that adds `script()` to the head of documents. */
export function injecting(script: () => string): Middleware {
  return (request, next) => {
    if (!asksForDocument(request)) return next(request);
    // What a browser kept from another day has no script in it.
    const response = next(withoutConditions(request));
    const inject = (answer: PlainResponse): PlainResponse | Promise<PlainResponse> =>
      isHtml(answer) ? injected(answer, Buffer.from(script())) : answer;
    return response instanceof Promise ? response.then(inject) : inject(response);
  };
}

const DOCUMENTS: ReadonlySet<string> = new Set(["document", "iframe", "frame"]);

function asksForDocument({ method, headers }: PlainRequest): boolean {
  const destination = pairField(headers, "sec-fetch-dest");
  return method === "GET" && (destination === undefined || DOCUMENTS.has(destination));
}

const CONDITIONS: ReadonlySet<string> = new Set(["if-none-match", "if-modified-since", "if-range", "range"]);

function withoutConditions(request: PlainRequest): PlainRequest {
  const accept = pairField(request.headers, "accept");
  if (accept?.includes("text/html") !== true || !request.headers.some(([name]) => CONDITIONS.has(name.toLowerCase())))
    return request;
  return changed(request, { headers: request.headers.filter(([name]) => !CONDITIONS.has(name.toLowerCase())) });
}

function isHtml({ status, headers, body }: PlainResponse): boolean {
  if (body === undefined || status === 204 || status === 206 || status === 304) return false;
  const type = pairField(headers, "content-type")?.toLowerCase() ?? "";
  if (!type.startsWith("text/html") || type.includes("utf-16")) return false;
  const encoding = pairField(headers, "content-encoding");
  return encoding === undefined || encoding.toLowerCase() === "identity";
}

function injected(response: PlainResponse, script: Uint8Array): PlainResponse | Promise<PlainResponse> {
  const { body, headers } = response;
  if (body === undefined) return response;
  if (typeof body === "string" || body instanceof Uint8Array) {
    const bytes = typeof body === "string" ? Buffer.from(body) : Buffer.from(body.buffer, body.byteOffset, body.byteLength);
    const at = placeFor(bytes, true);
    if (typeof at !== "number") return response;
    return { ...response, headers: changedFields(headers, undefined), body: inserted(bytes, at, script) };
  }
  const length = pairField(headers, "content-length");
  if (length === undefined)
    return { ...response, headers: changedFields(headers, undefined), body: new InjectedBody(body, script) };
  return withLength(response, body, Number(length), script);
}

/** A body that says how long it is: its beginning is read before its head is sent. */
async function withLength(
  response: PlainResponse,
  body: AsyncIterable<Uint8Array>,
  length: number,
  script: Uint8Array,
): Promise<PlainResponse> {
  const rest = new InjectedBody(body, script);
  const hasScript = await rest.begin();
  if (!hasScript) return { ...response, body: rest };
  return { ...response, headers: changedFields(response.headers, length + script.length), body: rest };
}

/** It is no longer what was kept and tagged, and differs every time. */
function changedFields(headers: readonly HeaderPair[], length: number | undefined): readonly HeaderPair[] {
  const dropped = new Set(["content-length", "etag", "last-modified", "cache-control", "accept-ranges", "content-md5", "digest"]);
  const kept = headers.filter(([name]) => !dropped.has(name.toLowerCase()));
  return [...kept, ["cache-control", "no-store"], ...(length === undefined ? [] : [["content-length", String(length)] as const])];
}

function inserted(bytes: Uint8Array, at: number, script: Uint8Array): Uint8Array {
  return Buffer.concat([bytes.subarray(0, at), script, bytes.subarray(at)]);
}

const SPACE = /(?:[\s\u00ef\u00bb\u00bf]|<!--[^]*?-->)*/y;
const DOCTYPE = /<!doctype\b[^>]*>/iy;
const HTML = /<html\b[^>]*>/iy;
const HEAD = /<head\b[^>]*>/iy;
/** What could still become one of them. */
const UNFINISHED = /^<(?:!(?:-(?:-[^]*)?)?|!?[a-z]+(?:\s[^>]*)?)?$/i;

/** Where a script belongs in a document that begins like this; `unclear`: more of it must be seen; `none`: this is no whole document. */
export function placeFor(bytes: Uint8Array, isWhole: boolean): number | "unclear" | "none" {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, LONGEST_START)).toString("latin1");
  let at = 0;
  let isDocument = false;
  const skip = (pattern: RegExp): boolean => {
    pattern.lastIndex = at;
    const found = pattern.exec(text);
    if (found === null) return false;
    at += found[0].length;
    return true;
  };
  for (const part of [DOCTYPE, HTML, HEAD]) {
    skip(SPACE);
    if (skip(part)) isDocument = true;
    if (part === HEAD) break;
  }
  const rest = text.slice(at);
  const couldGoOn = rest === "" || UNFINISHED.test(rest);
  if (couldGoOn && !endsWithHead(text.slice(0, at)) && !isWhole && bytes.byteLength < LONGEST_START) return "unclear";
  return isDocument ? at : "none";
}

function endsWithHead(text: string): boolean {
  return /<head\b[^>]*>$/i.test(text);
}

/** A body with the script in it: its beginning is held back only as long as it could be that of a document. */
class InjectedBody implements AsyncIterable<Uint8Array>, AsyncDisposable {
  readonly #body: AsyncIterable<Uint8Array>;
  readonly #script: Uint8Array;
  #iterator: AsyncIterator<Uint8Array> | undefined;
  /** What is given out before the rest; undefined: the beginning was not read yet. */
  #begun: Uint8Array[] | undefined;

  constructor(body: AsyncIterable<Uint8Array>, script: Uint8Array) {
    this.#body = body;
    this.#script = script;
  }

  /** Reads the beginning; whether the script is in it. */
  async begin(): Promise<boolean> {
    const iterator = (this.#iterator ??= this.#body[Symbol.asyncIterator]());
    let start: Uint8Array = Buffer.alloc(0);
    for (;;) {
      const { done, value } = await iterator.next();
      if (done !== true) start = start.length === 0 ? value : Buffer.concat([start, value]);
      const at = placeFor(start, done === true);
      if (at === "unclear") continue;
      const hasScript = at !== "none";
      this.#begun = [hasScript ? inserted(start, at, this.#script) : start].filter(({ length }) => length > 0);
      return hasScript;
    }
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    const iterator = (this.#iterator ??= this.#body[Symbol.asyncIterator]());
    return {
      next: async () => {
        if (this.#begun === undefined) await this.begin();
        const value = this.#begun?.shift();
        return value === undefined ? await iterator.next() : { done: false, value };
      },
      return: async () => {
        await iterator.return?.();
        return { done: true, value: undefined };
      },
    };
  }

  [Symbol.asyncDispose](): Promise<void> {
    if (this.#iterator === undefined) dismiss(this.#body);
    else stop(this.#iterator, this.#body);
    return Promise.resolve();
  }
}
