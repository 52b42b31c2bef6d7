// Reads the parts of a route to an operation: the body of the request, the answer, and the status of error results.

import { isLabel, kebabCase } from "../../wit/labels.ts";
import { listed, named, quoted, type Mistakes } from "../mistakes.ts";
import { readChoice, readEntries, readInteger, readItems, readKnown, readText, wrongKind } from "../reading.ts";
import type { Entry, Tree } from "../tree.ts";
import type { AnswerBinding, BodyBinding, HttpMethod } from "../triggers.ts";
import { readBindings, readPortName, readPortUse } from "./bindings.ts";
import { ANSWER_KEYS, BODY_KEYS } from "./keys.ts";
import type { TriggerSurroundings } from "./targets.ts";

/** RFC 9110, sections 9.3.1 and 9.3.2: content of these has no meaning; and OPTIONS, which has none that is defined. */
const WITHOUT_BODY: readonly HttpMethod[] = ["GET", "HEAD", "OPTIONS"];
/** RFC 9110, section 15.4: those that have a `location`. */
export const REDIRECTS = [301, 302, 303, 307, 308] as const;
const BODY_EXAMPLE = "body: { port: image, as: bytes, types: [ image/png ] }";

/** What is not written follows from the methods: `fields` where requests have bodies, else none. */
export function readBody(
  entry: Entry | undefined,
  methods: readonly HttpMethod[] | undefined,
  around: TriggerSurroundings,
): BodyBinding | undefined {
  const { mistakes } = around;
  const withoutBody = methods?.filter((method) => WITHOUT_BODY.includes(method)) ?? [];
  const hasBody = methods === undefined || withoutBody.length < methods.length;
  if (entry === undefined) {
    const isUsual = methods?.every((method) => WITHOUT_BODY.includes(method) || method === "DELETE") !== true;
    return isUsual ? { kind: "fields", fields: [] } : { kind: "none" };
  }
  const { value, keySpan } = entry;
  if (value.kind === "boolean" && !value.value) return { kind: "none" };
  if (!hasBody) {
    const message = `requests with ${withoutBody.join(" and ")} have no body`;
    mistakes.error(
      "manifest/bad-route",
      keySpan,
      message,
      "Take the values from the path, the query or headers, or use another method.",
    );
    return undefined;
  }
  if (value.kind === "text") {
    const port = readPortName(value, "the body", mistakes);
    return port === undefined ? undefined : { kind: "whole", port, as: "auto", span: value.span };
  }
  if (value.kind !== "map")
    return wrongKind(value, "`body` of a route", "the name of an input port, a mapping, or false", BODY_EXAMPLE, mistakes);
  return readBodyMapping(value, keySpan, around);
}

function readBodyMapping(
  value: Tree & { kind: "map" },
  keySpan: Entry["keySpan"],
  around: TriggerSurroundings,
): BodyBinding | undefined {
  const { mistakes } = around;
  const keys = readKnown(value, "`body` of a route", BODY_KEYS, mistakes);
  const [port, as, types, fields] = [keys.get("port"), keys.get("as"), keys.get("types"), keys.get("fields")];
  const contentTypes = types === undefined ? undefined : readContentTypes(types.value, mistakes);
  if (port !== undefined && fields !== undefined) {
    const message = "the body goes to one port whole, or its fields to several, not both";
    mistakes.error("manifest/bad-route", fields.keySpan, message, "Remove `port` or `fields`.");
    return undefined;
  }
  if (port === undefined) {
    if (as !== undefined) {
      const message = "`as` says how a whole body is read, but no port takes it whole";
      mistakes.error("manifest/bad-route", as.keySpan, message, `Name the port, as in \`${BODY_EXAMPLE}\`, or remove \`as\`.`);
    }
    return { kind: "fields", fields: readBindings(fields, "field", around), contentTypes };
  }
  const name = readPortName(port.value, "the body", mistakes);
  const kinds = ["auto", "json", "text", "bytes"] as const;
  const kind =
    as === undefined
      ? "auto"
      : readChoice(as.value, "`as` of a body", kinds, { binary: "bytes", string: "text", raw: "bytes" }, mistakes);
  if (name === undefined || kind === undefined) return undefined;
  return { kind: "whole", port: name, as: kind, contentTypes, span: keySpan };
}

/** RFC 9110, section 8.3.1; `*` for any subtype. */
const CONTENT_TYPE = /^[a-z0-9!#$&^_.+-]{1,100}\/(?:\*|[a-z0-9!#$&^_.+-]{1,100})$/;

function readContentTypes(tree: Tree, mistakes: Mistakes): readonly string[] {
  return readItems(tree, "`types` of a body", "a list of content types", "types: [ image/png ]", mistakes).flatMap((item) => {
    const text = readText(item, "a content type", "types: [ image/png ]", mistakes);
    const type = text?.value.toLowerCase();
    if (text === undefined || type === undefined) return [];
    if (CONTENT_TYPE.test(type)) return [type];
    const message = `${quoted(text.value)} is no content type that requests are compared with`;
    mistakes.error("manifest/bad-value", text.span, message, "Write it as in `image/png` or `image/*`, without parameters.");
    return [];
  });
}

/** `answer: page`, or its parts; and the errors of `status:`. */
export function readAnswer(answer: Entry | undefined, status: Entry | undefined, mistakes: Mistakes): AnswerBinding {
  const errors = status === undefined ? [] : readErrors(status.value, mistakes);
  if (answer === undefined) return { headers: [], errors };
  const { value } = answer;
  if (value.kind === "text") return { body: readPortUse(value, "the answer", mistakes), headers: [], errors };
  if (value.kind !== "map") {
    wrongKind(
      value,
      "`answer` of a route",
      "the name of an output port, or a mapping",
      "answer: { port: page, type: text/html }",
      mistakes,
    );
    return { headers: [], errors };
  }
  const keys = readKnown(value, "`answer` of a route", ANSWER_KEYS, mistakes);
  const [port, code, type, headers] = ["port", "status", "type", "headers"].map((key) => keys.get(key)?.value);
  return {
    status: code === undefined ? undefined : readSuccess(code, mistakes),
    body: port === undefined ? undefined : readPortUse(port, "the answer", mistakes),
    contentType: type === undefined ? undefined : readAnswerType(type, mistakes),
    headers:
      headers === undefined
        ? []
        : readSetHeaders(headers, "`headers` of an answer", "headers: { location: url }", false, mistakes),
    errors,
  };
}

/** A status of success, or one that sends browsers to the `location` that the operation names. */
function readSuccess(tree: Tree, mistakes: Mistakes): number | undefined {
  const isRedirect = tree.kind === "number" && REDIRECTS.some((status) => status === tree.value);
  if (tree.kind === "number" && isRedirect) return tree.value;
  return readInteger(tree, "`status` of an answer", 200, 299, "status: 201", mistakes);
}

function readAnswerType(tree: Tree, mistakes: Mistakes): string | undefined {
  const text = readText(tree, "`type` of an answer", "type: text/html", mistakes);
  if (text === undefined) return undefined;
  const [type = "", ...parameters] = text.value.split(";");
  const isGood =
    CONTENT_TYPE.test(type.trim().toLowerCase()) &&
    !type.includes("*") &&
    parameters.every((parameter) => /^ *[A-Za-z0-9-]{1,60}=[A-Za-z0-9._+-]{1,100} *$/.test(parameter));
  if (isGood) return text.value;
  const message = `${quoted(text.value)} is no content type`;
  mistakes.error("manifest/bad-value", text.span, message, "Write it as in `text/html` or `text/plain; charset=utf-8`.");
  return undefined;
}

/** What servers say themselves of a message, and of the connection that it goes over. */
const OWN_HEADERS = [
  "connection",
  "content-length",
  "date",
  "host",
  "keep-alive",
  "transfer-encoding",
  "upgrade",
  "trailer",
  "te",
];

/** Headers that come from output ports; `mayType`: `content-type` is one of them. */
export function readSetHeaders(
  tree: Tree,
  what: string,
  example: string,
  mayType: boolean,
  mistakes: Mistakes,
): AnswerBinding["headers"] {
  return readEntries(tree, what, example, mistakes).flatMap(({ key, keySpan, value }) => {
    const name = key.toLowerCase();
    const port = readPortName(value, `the header ${named(name)}`, mistakes);
    const isOwn = OWN_HEADERS.includes(name) || (name === "content-type" && !mayType);
    if (!/^[a-z0-9!#$%&'*+.^_`|~-]{1,256}$/.test(name) || isOwn) {
      const message = isOwn ? `the header ${named(name)} is set by the server` : `${named(key)} cannot be the name of a header`;
      const cure =
        name === "content-type"
          ? "Write `type` beside `headers`."
          : isOwn
            ? "Remove it."
            : "Use letters, digits and hyphens, as in `location`.";
      mistakes.error("manifest/bad-value", keySpan, message, cure);
      return [];
    }
    return port === undefined ? [] : [{ name, port, span: value.span }];
  });
}

const STATUS_EXAMPLE = "status: { 404: not-found, 409: [ taken, conflict ] }";

/** The status of error results, by their case. */
export function readErrors(tree: Tree, mistakes: Mistakes): AnswerBinding["errors"] {
  const seen = new Map<string, number>();
  return readEntries(tree, "`status` of a route", STATUS_EXAMPLE, mistakes).flatMap((entry) => {
    const status = Number(entry.key);
    if (!/^[0-9]{3}$/.test(entry.key) || status < 400 || status > 599) {
      statusMistake(entry, mistakes);
      return [];
    }
    const items = entry.value.kind === "list" ? entry.value.items : [entry.value];
    return items.flatMap((item) => {
      const name = readCase(item, entry.key, mistakes);
      if (name === undefined) return [];
      const other = seen.get(name);
      if (other !== undefined) {
        const message = `the error ${named(name)} has the status ${other} already`;
        mistakes.error("manifest/duplicate-name", item.span, message, "Remove one of them.");
        return [];
      }
      seen.set(name, status);
      return [{ status, case: name, span: item.span }];
    });
  });
}

function statusMistake({ key, keySpan, value }: Entry, mistakes: Mistakes): void {
  const isError = value.kind === "number" && value.value >= 400 && value.value <= 599 && isLabel(key);
  const isSuccess = /^2[0-9]{2}$/.test(key);
  const message = isSuccess
    ? `the status ${key} is one of success, and \`status\` is about error results`
    : `${named(key)} is no status of an error, which goes from 400 to 599`;
  const cure = isSuccess
    ? `Write \`answer: { status: ${key} }\`.`
    : isError
      ? `Write the status first: \`${value.value}: ${key.slice(0, 60)}\`.`
      : `Write it as in \`${STATUS_EXAMPLE}\`.`;
  mistakes.error("manifest/bad-value", keySpan, message, cure);
}

function readCase(tree: Tree, status: string, mistakes: Mistakes): string | undefined {
  const text = readText(tree, `the error for the status ${status}`, STATUS_EXAMPLE, mistakes);
  if (text === undefined || text.value === "*" || isLabel(text.value)) return text?.value;
  const kebab = kebabCase(text.value);
  const cure =
    kebab === undefined
      ? `Write the name of a case of the error, or ${listed(["*"])} for any other.`
      : `Write ${named(kebab)}, or \`"*"\` for any other.`;
  mistakes.error("manifest/bad-name", text.span, `${quoted(text.value)} is no case of an error result`, cure);
  return undefined;
}
