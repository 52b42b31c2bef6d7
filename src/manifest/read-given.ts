// Reads `given:` of a test: what capabilities answer, hold and fail with in it.

import type {
  FaultPlace,
  Given,
  GivenBytes,
  GivenDatabase,
  GivenExchange,
  GivenFault,
  GivenFile,
  GivenRequest,
  GivenResponse,
  GivenStore,
} from "./given.ts";
import { checkMatchers } from "./expect-shape.ts";
import { isGuestPath } from "./files-grant.ts";
import { FORMATS } from "./formats.ts";
import { isGuestName } from "./grant-names.ts";
import { EXCHANGE_KEYS, FAULT_KEYS, GIVEN_KEYS, GIVEN_REQUEST_KEYS, GIVEN_RESPONSE_KEYS, GIVEN_VALUE_KEYS } from "./keys.ts";
import type { Json } from "./manifest.ts";
import { named, quoted, type Mistakes } from "./mistakes.ts";
import {
  missingKey,
  readBoolean,
  readChoice,
  readDuration,
  readEntries,
  readInteger,
  readItems,
  readKnown,
  readText,
  readWritten,
  wrongKind,
} from "./reading.ts";
import { isBroken, toJson, type Entry, type Tree } from "./tree.ts";

const MOST_TIMES = 1_000_000;

export function readGiven(tree: Tree, mistakes: Mistakes): Given | undefined {
  if (tree.kind !== "map")
    return wrongKind(tree, "`given`", "a mapping", "given: { keyvalue: { default: { greeting: Hello } } }", mistakes);
  const keys = readKnown(tree, "`given`", GIVEN_KEYS, mistakes);
  const [http, keyvalue, blobs, sql, files, faults] = ["http", "keyvalue", "blobs", "sql", "files", "faults"].map(
    (key) => keys.get(key)?.value,
  );
  return {
    http: http === undefined ? [] : readExchanges(http, mistakes),
    keyvalue:
      keyvalue === undefined
        ? []
        : readStores(keyvalue, "keyvalue", "a bucket", "keyvalue: { default: { greeting: Hello } }", mistakes),
    blobs:
      blobs === undefined ? [] : readStores(blobs, "blobs", "a container", "blobs: { images: { logo.svg: <svg/> } }", mistakes),
    sql: sql === undefined ? [] : readDatabases(sql, mistakes),
    files: files === undefined ? [] : readFiles(files, mistakes),
    faults: faults === undefined ? [] : readFaults(faults, mistakes),
    span: tree.span,
  };
}

const EXCHANGE = "{ request: GET https://api.example.com/today, respond: { json: { sunny: true } } }";

function readExchanges(tree: Tree, mistakes: Mistakes): readonly GivenExchange[] {
  return readItems(tree, "`http` of `given`", "a list of requests and answers", `http: [ ${EXCHANGE} ]`, mistakes).flatMap(
    (item) => {
      if (item.kind !== "map") return wrongKind(item, "an item of `http`", "a mapping", EXCHANGE, mistakes) ?? [];
      const keys = readKnown(item, "an item of `http`", EXCHANGE_KEYS, mistakes);
      const [request, respond, times] = [keys.get("request"), keys.get("respond"), keys.get("times")];
      const start = item.entries[0]?.keySpan ?? item.span;
      if (request === undefined)
        missingKey("request", "an item of `http`", start, "request: GET https://api.example.com/today", mistakes);
      if (respond === undefined)
        missingKey("respond", "an item of `http`", start, "respond: { status: 200, body: Hello }", mistakes);
      const asked = request === undefined ? undefined : readRequest(request.value, mistakes);
      const answer = respond === undefined ? undefined : readResponse(respond.value, mistakes);
      const count =
        times === undefined ? 1 : readInteger(times.value, "`times` of an item of `http`", 1, MOST_TIMES, "times: 3", mistakes);
      return asked === undefined || answer === undefined || count === undefined
        ? []
        : [{ request: asked, respond: answer, times: count, span: start }];
    },
  );
}

function readRequest(tree: Tree, mistakes: Mistakes): GivenRequest | undefined {
  const example = "request: { method: POST, url: https://api.example.com/orders }";
  if (tree.kind === "text") {
    const [, method = "GET", url = ""] = /^(?:(\S+)\s+)?(\S+)$/.exec(tree.value.trim()) ?? [];
    const at = tree.value.indexOf(url);
    if (url === "") {
      const message = `${quoted(tree.value)} is no request`;
      mistakes.error("manifest/bad-value", tree.span, message, "Write it as in `GET https://api.example.com/today`.");
      return undefined;
    }
    const isMethod = checkMethod(method, tree.place(0, at === 0 ? url.length : method.length), mistakes);
    return checkUrl(url, tree.place(at, at + url.length), mistakes) && isMethod ? { method, url, headers: {} } : undefined;
  }
  if (tree.kind !== "map") return wrongKind(tree, "`request`", "a text, or a mapping with `url`", example, mistakes);
  const keys = readKnown(tree, "`request`", GIVEN_REQUEST_KEYS, mistakes);
  const [method, url, headers, body] = ["method", "url", "headers", "body"].map((key) => keys.get(key)?.value);
  if (url === undefined)
    missingKey("url", "`request`", tree.entries[0]?.keySpan ?? tree.span, "url: https://api.example.com/today", mistakes);
  const before = mistakes.errorCount;
  const word = method === undefined ? undefined : readText(method, "`method` of `request`", "method: POST", mistakes);
  if (word !== undefined) checkMethod(word.value, word.span, mistakes);
  const address = url === undefined ? undefined : readUrl(url, mistakes);
  const fields = headers === undefined ? {} : readRequestHeaders(headers, mistakes);
  if (body !== undefined) checkMatchers(body, mistakes);
  if (address === undefined || mistakes.errorCount > before) return undefined;
  return { method: word?.value ?? "GET", url: address, headers: fields, body: body === undefined ? undefined : toJson(body) };
}

function checkMethod(method: string, span: Tree["span"], mistakes: Mistakes): boolean {
  if (/^[A-Z][A-Z-]{0,31}$/.test(method)) return true;
  const upper = method.toUpperCase();
  const cure = /^[A-Z][A-Z-]{0,31}$/.test(upper) ? `Write \`${upper}\`.` : "Write it as in `GET` or `POST`.";
  mistakes.error("manifest/bad-value", span, `${named(method)} is no method of a request`, cure);
  return false;
}

function checkUrl(url: string, span: Tree["span"], mistakes: Mistakes): boolean {
  if (/^https?:\/\/[^/?#]/.test(url) && FORMATS.uri.has(url) && !url.includes("#")) return true;
  const cure = "Write the whole URL, as in `https://api.example.com/today?units=c`, or a matcher: `{ matches: '…' }`.";
  mistakes.error("manifest/bad-value", span, `${quoted(url)} is no URL that a request can be sent to`, cure);
  return false;
}

function readUrl(tree: Tree, mistakes: Mistakes): Json | undefined {
  if (tree.kind === "text") return checkUrl(tree.value, tree.span, mistakes) ? tree.value : undefined;
  if (tree.kind !== "map")
    return wrongKind(tree, "`url` of `request`", "a text, or a matcher", "url: https://api.example.com/today", mistakes);
  checkMatchers(tree, mistakes);
  return toJson(tree);
}

const HEADER = /^[a-z0-9!#$%&'*+.^_`|~-]{1,256}$/;

function isHeader({ key, keySpan }: Entry, mistakes: Mistakes): boolean {
  if (HEADER.test(key.toLowerCase())) return true;
  mistakes.error(
    "manifest/bad-name",
    keySpan,
    `${named(key)} cannot be the name of a header`,
    "Use letters, digits and hyphens.",
  );
  return false;
}

function readRequestHeaders(tree: Tree, mistakes: Mistakes): { readonly [name: string]: Json } {
  const entries = readEntries(tree, "`headers` of `request`", "headers: { accept: application/json }", mistakes);
  const good = entries.filter((entry) => {
    checkMatchers(entry.value, mistakes);
    return isHeader(entry, mistakes);
  });
  return Object.fromEntries(good.map(({ key, value }) => [key.toLowerCase(), toJson(value)]));
}

function readResponse(tree: Tree, mistakes: Mistakes): GivenResponse | undefined {
  const example = "respond: { status: 200, json: { sunny: true } }";
  if (tree.kind === "number") {
    const status = readStatus(tree, mistakes);
    return status === undefined ? undefined : { status, headers: [], body: { kind: "text", text: "" } };
  }
  if (tree.kind !== "map") return wrongKind(tree, "`respond`", "a status, or a mapping", example, mistakes);
  const keys = readKnown(tree, "`respond`", GIVEN_RESPONSE_KEYS, mistakes);
  const [status, headers] = [keys.get("status")?.value, keys.get("headers")?.value];
  const given = headers === undefined ? [] : readResponseHeaders(headers, mistakes);
  const bodies = (["body", "json", "base64"] as const).filter((key) => keys.has(key));
  const [first, second] = bodies;
  const secondEntry = second === undefined ? undefined : keys.get(second);
  if (secondEntry !== undefined) {
    const message = `an answer has one body, and this one is given as \`${first ?? ""}\` and \`${second ?? ""}\``;
    mistakes.error("manifest/bad-value", secondEntry.keySpan, message, "Remove one of them.");
  }
  const entry = first === undefined ? undefined : keys.get(first);
  const body = entry === undefined ? { kind: "text" as const, text: "" } : readBody(entry, mistakes);
  const code = status === undefined ? 200 : readStatus(status, mistakes);
  if (code === undefined || body === undefined) return undefined;
  const isTyped = first !== "json" || given.some(({ name }) => name === "content-type");
  return { status: code, headers: isTyped ? given : [{ name: "content-type", value: "application/json" }, ...given], body };
}

function readStatus(tree: Tree, mistakes: Mistakes): number | undefined {
  return readInteger(tree, "`status` of `respond`", 200, 599, "status: 404", mistakes);
}

function readResponseHeaders(tree: Tree, mistakes: Mistakes): GivenResponse["headers"] {
  const example = "headers: { content-type: text/plain }";
  return readEntries(tree, "`headers` of `respond`", example, mistakes).flatMap((entry) => {
    const value = readWritten(entry.value, `the header ${named(entry.key)}`, example, mistakes);
    if (!isHeader(entry, mistakes) || value === undefined) return [];
    if (!/[\r\n\0]/.test(value)) return [{ name: entry.key.toLowerCase(), value }];
    const message = `the header ${named(entry.key)} has a line break, which no header can carry`;
    mistakes.error("manifest/bad-value", entry.value.span, message, "Write it on one line.");
    return [];
  });
}

function readBody({ key, value }: Entry, mistakes: Mistakes): GivenBytes | undefined {
  if (key === "json") return isBroken(value) ? undefined : { kind: "text", text: JSON.stringify(toJson(value)) };
  if (key === "base64") return readBase64(value, "`base64`", mistakes);
  const text = readWritten(value, "`body` of `respond`", "body: Hello", mistakes);
  return text === undefined ? undefined : { kind: "text", text };
}

function readBase64(tree: Tree, what: string, mistakes: Mistakes): GivenBytes | undefined {
  const text = readText(tree, what, "base64: SGVsbG8=", mistakes);
  if (text === undefined) return undefined;
  const base64 = text.value.replaceAll(/\s/g, "");
  if (base64.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(base64)) return { kind: "base64", base64 };
  const cure = "Write groups of four letters, digits, `+` and `/`, the last one filled up with `=`.";
  mistakes.error("manifest/bad-value", text.span, `${what} is no base64`, cure);
  return undefined;
}

/** A text as it is, or a mapping that says what it is. */
function readValue(tree: Tree, what: string, mistakes: Mistakes): GivenBytes | undefined {
  if (tree.kind === "list") return wrongKind(tree, what, "a text, or `{ json: … }`", "{ json: [ 1, 2 ] }", mistakes);
  if (tree.kind !== "map") {
    const text = readWritten(tree, what, "greeting: Hello", mistakes);
    return text === undefined ? undefined : { kind: "text", text };
  }
  const keys = readKnown(tree, what, GIVEN_VALUE_KEYS, mistakes);
  const [json, base64] = [keys.get("json"), keys.get("base64")];
  if (json !== undefined && base64 === undefined) return readBody(json, mistakes);
  if (base64 !== undefined && json === undefined) return readBase64(base64.value, what, mistakes);
  if (keys.size > 1 || tree.entries.length === 0)
    mistakes.error(
      "manifest/bad-value",
      tree.span,
      `${what} must be either \`json\` or \`base64\``,
      "Write one of them, or a text alone.",
    );
  return undefined;
}

function readStores(tree: Tree, key: string, noun: string, example: string, mistakes: Mistakes): readonly GivenStore[] {
  return readEntries(tree, `\`${key}\` of \`given\``, example, mistakes).flatMap((store) => {
    if (!isGuestName(store.key, store.keySpan, `name of ${noun}`, mistakes)) return [];
    const entries = readEntries(store.value, `${noun} of \`given\``, example, mistakes).flatMap((entry) => {
      const value = readValue(entry.value, `the value of ${named(entry.key)}`, mistakes);
      return value === undefined ? [] : [{ key: entry.key, value }];
    });
    return [{ name: store.key, entries, span: store.keySpan }];
  });
}

function readDatabases(tree: Tree, mistakes: Mistakes): readonly GivenDatabase[] {
  if (tree.kind === "map") {
    return tree.entries.flatMap(({ key, keySpan, value }) => {
      if (!isGuestName(key, keySpan, "name of a database", mistakes)) return [];
      return [{ name: key, statements: readStatements(value, mistakes), span: keySpan }];
    });
  }
  return [{ statements: readStatements(tree, mistakes), span: tree.span }];
}

function readStatements(tree: Tree, mistakes: Mistakes): GivenDatabase["statements"] {
  const example = "sql: [ \"insert into links values ('a', 'https://example.com')\" ]";
  if (tree.kind === "text") {
    mistakes.error(
      "manifest/wrong-kind",
      tree.span,
      "`sql` must be a list of statements, also of one",
      `Write it as in \`${example}\`.`,
    );
    return [];
  }
  return readItems(tree, "`sql` of `given`", "a list of statements", example, mistakes).flatMap((item) => {
    const text = readText(item, "a statement", example, mistakes);
    if (text === undefined) return [];
    if (text.value.trim() !== "") return [{ text: text.value, span: text.span }];
    mistakes.error("manifest/bad-value", text.span, "a statement is empty", "Remove it.");
    return [];
  });
}

function readFiles(tree: Tree, mistakes: Mistakes): readonly GivenFile[] {
  const example = 'files: { "/data/names.txt": Ada }';
  return readEntries(tree, "`files` of `given`", example, mistakes).flatMap(({ key, keySpan, value }) => {
    const bytes = readValue(value, `the file ${named(key)}`, mistakes);
    if (!isGuestPath(key, keySpan, mistakes) || bytes === undefined) return [];
    if (key !== "/") return [{ path: key, value: bytes, span: keySpan }];
    mistakes.error("manifest/bad-path", keySpan, "`/` is a folder, not a file", "Write it as in `/data/names.txt`.");
    return [];
  });
}

const FAULT_PLACES: readonly FaultPlace[] = ["http", "keyvalue", "blobs", "sql", "files", "messaging", "sockets", "calls"];
const FAULT_SYNONYMS: Readonly<Record<string, FaultPlace>> = {
  kv: "keyvalue",
  "key-value": "keyvalue",
  blobstore: "blobs",
  database: "sql",
  db: "sql",
  filesystem: "files",
  network: "sockets",
  https: "http",
};
const FAULT = "{ capability: http, after: 1, latency: 2s, error: connection refused }";

function readFaults(tree: Tree, mistakes: Mistakes): readonly GivenFault[] {
  return readItems(tree, "`faults` of `given`", "a list of faults", `faults: [ ${FAULT} ]`, mistakes).flatMap((item) => {
    if (item.kind !== "map") return wrongKind(item, "a fault", "a mapping", FAULT, mistakes) ?? [];
    const before = mistakes.errorCount;
    const fault = readFault(item, mistakes);
    return mistakes.errorCount === before && fault !== undefined ? [fault] : [];
  });
}

function readFault(item: Tree & { kind: "map" }, mistakes: Mistakes): GivenFault | undefined {
  const keys = readKnown(item, "a fault", FAULT_KEYS, mistakes);
  const [capability, after, times, latency, error, disconnect] = [
    "capability",
    "after",
    "times",
    "latency",
    "error",
    "disconnect",
  ].map((key) => keys.get(key)?.value);
  const span = item.entries[0]?.keySpan ?? item.span;
  if (capability === undefined) missingKey("capability", "a fault", span, "capability: http", mistakes);
  const place =
    capability === undefined
      ? undefined
      : readChoice(capability, "`capability` of a fault", FAULT_PLACES, FAULT_SYNONYMS, mistakes);
  const fault = {
    after: after === undefined ? 0 : readInteger(after, "`after` of a fault", 0, MOST_TIMES, "after: 2", mistakes),
    times: times === undefined ? undefined : readInteger(times, "`times` of a fault", 1, MOST_TIMES, "times: 1", mistakes),
    latencyMs: latency === undefined ? undefined : readDuration(latency, "`latency` of a fault", "latency: 2s", 0, mistakes),
    error: error === undefined ? undefined : readText(error, "`error` of a fault", "error: connection refused", mistakes)?.value,
    disconnect:
      disconnect === undefined ? false : readBoolean(disconnect, "`disconnect` of a fault", "disconnect: true", mistakes),
  };
  if (latency === undefined && error === undefined && disconnect === undefined)
    mistakes.error(
      "manifest/bad-value",
      span,
      "the fault says where, but not what goes wrong",
      "Add `latency`, `error` or `disconnect`.",
    );
  const both = keys.get("disconnect");
  if (error !== undefined && fault.disconnect === true && both !== undefined)
    mistakes.error(
      "manifest/bad-value",
      both.keySpan,
      "a call cannot both fail with an error and lose its connection",
      "Remove one of them.",
    );
  const { after: first, disconnect: breaks } = fault;
  return place === undefined || first === undefined || breaks === undefined
    ? undefined
    : { capability: place, ...fault, after: first, disconnect: breaks, span };
}
