// Reads the settings of an http trigger: where it listens, for which names, with which certificate and bounds.

import { FORMATS } from "../formats.ts";
import { named, quoted, type Mistakes } from "../mistakes.ts";
import { normalizePath, pathProblem } from "../paths.ts";
import { missingKey, readDuration, readInteger, readItems, readKnown, readSize, readText, wrongKind } from "../reading.ts";
import { checkReferences } from "../references.ts";
import type { Entry, Tree } from "../tree.ts";
import type { HttpLimits, HttpTrigger, TlsDeclaration } from "../triggers.ts";
import { LISTENER_KEYS, LISTENER_LIMIT_KEYS, ROUTE_LIMIT_KEYS, TLS_KEYS } from "./keys.ts";
import type { TriggerSurroundings } from "./targets.ts";

type Listener = Pick<HttpTrigger, "port" | "host" | "tls" | "hostnames" | "limits">;

const MOST_HOSTNAMES = 1000;

/** Undefined where its port is not known. */
export function readListener(entry: Entry, around: TriggerSurroundings): Listener | undefined {
  const { mistakes } = around;
  const { value } = entry;
  if (value.kind === "text") return textPort(value.value, value, mistakes);
  if (value.kind !== "map") {
    const port = value.kind === "number" ? readPort(value, "`http`", "http: 8080", mistakes) : undefined;
    if (value.kind !== "number") wrongKind(value, "`http`", "a port, or a mapping with `port`", "http: 8080", mistakes);
    return port === undefined ? undefined : { port, hostnames: [], limits: {} };
  }
  const keys = readKnown(value, "`http`", LISTENER_KEYS, mistakes);
  const [portTree, hostTree, tls, hostnames] = ["port", "host", "tls", "hostnames"].map((key) => keys.get(key)?.value);
  if (portTree === undefined) missingKey("port", "`http`", entry.keySpan, "port: 8080", mistakes);
  const port = portTree === undefined ? undefined : readPort(portTree, "`port` of `http`", "port: 8080", mistakes);
  const listener = {
    host: hostTree === undefined ? undefined : readHost(hostTree, mistakes),
    tls: tls === undefined ? undefined : readTls(tls, around),
    hostnames: hostnames === undefined ? [] : readHostnames(hostnames, mistakes),
    limits: readHttpLimits(keys.get("limits"), "listener", mistakes),
  };
  return port === undefined ? undefined : { port, ...listener };
}

function textPort(text: string, tree: Tree, mistakes: Mistakes): undefined {
  const [, host = "", port = ""] = /^(?:https?:\/\/)?([^/:]*):([0-9]{1,5})\/?$/.exec(text) ?? [];
  const cure =
    port === ""
      ? /^[0-9]{1,5}$/.test(text)
        ? `Write it without quotes: \`http: ${text}\`.`
        : "Write it as in `http: 8080`."
      : host === ""
        ? `Write \`http: ${port}\`.`
        : `Write \`http: { port: ${port}, host: ${host.slice(0, 60)} }\`.`;
  mistakes.error(
    "manifest/wrong-kind",
    tree.span,
    `\`http\` must be a port, or a mapping with \`port\`, not the text ${quoted(text)}`,
    cure,
  );
}

function readPort(tree: Tree, what: string, example: string, mistakes: Mistakes): number | undefined {
  return readInteger(tree, what, 0, 65_535, example, mistakes);
}

function readHost(tree: Tree, mistakes: Mistakes): string | undefined {
  const text = readText(tree, "`host` of `http`", "host: 127.0.0.1", mistakes);
  if (text === undefined) return undefined;
  const host = text.value.replace(/^\[(.*)\]$/, "$1");
  if (isHost(host)) return host.toLowerCase();
  const message = `${quoted(text.value)} is no address to listen at`;
  mistakes.error(
    "manifest/bad-value",
    text.span,
    message,
    "Write an address of this machine, as in `127.0.0.1`, `::1` or `localhost`.",
  );
  return undefined;
}

function readHostnames(tree: Tree, mistakes: Mistakes): readonly string[] {
  const example = 'hostnames: [ api.example.com, "*.example.com" ]';
  const items = readItems(tree, "`hostnames`", "a list of names", example, mistakes);
  if (items.length > MOST_HOSTNAMES)
    mistakes.error(
      "manifest/bad-value",
      tree.span,
      `\`hostnames\` may have ${MOST_HOSTNAMES} names`,
      "Use `*.` for the names below one.",
    );
  const names: string[] = [];
  for (const item of items.slice(0, MOST_HOSTNAMES)) {
    const text = readText(item, "a name of `hostnames`", example, mistakes);
    if (text === undefined) continue;
    const name = text.value.toLowerCase();
    const bare = name.replace(/^[a-z]+:\/\//, "").replace(/[:/].*$/, "");
    if (names.includes(name))
      mistakes.error("manifest/duplicate-name", item.span, `the name ${named(name)} is there twice`, "Remove one of them.");
    else if (isHost(name.replace(/^\*\./, "")) && !name.includes(":")) names.push(name);
    else {
      const cure =
        name === "*"
          ? "Leave `hostnames` out: then any name will do."
          : bare !== name && isHost(bare)
            ? `Write \`${bare}\`.`
            : "Write it as in `api.example.com` or `*.example.com`.";
      mistakes.error("manifest/bad-value", item.span, `${quoted(text.value)} is no name that requests can be for`, cure);
    }
  }
  return names;
}

function readTls(tree: Tree, around: TriggerSurroundings): TlsDeclaration | undefined {
  const { mistakes } = around;
  const example = "tls: { cert: ./tls/cert.pem, key: ./tls/key.pem }";
  if (tree.kind !== "map") return wrongKind(tree, "`tls`", "a mapping with `cert` and `key`", example, mistakes);
  const keys = readKnown(tree, "`tls`", TLS_KEYS, mistakes);
  const [cert, key] = (["cert", "key"] as const).map((name) => {
    const entry = keys.get(name);
    if (entry === undefined)
      missingKey(name, "`tls`", tree.entries[0]?.keySpan ?? tree.span, `${name}: ./tls/${name}.pem`, mistakes);
    return entry === undefined ? undefined : readPem(entry, around);
  });
  return cert === undefined || key === undefined ? undefined : { cert, key, span: tree.span };
}

/** A path, or references that give a path or the PEM text. */
function readPem({ key, value }: Entry, { scope, mistakes }: TriggerSurroundings): string | undefined {
  const text = readText(value, `\`${key}\` of \`tls\``, `${key}: ./tls/${key}.pem`, mistakes);
  if (text === undefined) return undefined;
  if (text.value.includes("${")) {
    checkReferences(text, scope, mistakes);
    return text.value;
  }
  if (text.value.includes("-----BEGIN")) {
    const message = `\`${key}\` of \`tls\` stands in the manifest itself`;
    mistakes.error(
      "manifest/bad-value",
      { ...text.span, end: text.span.start + 10 },
      message,
      `Write the path of its file, or \`"\${secret.tls-${key}}"\`.`,
    );
    return undefined;
  }
  const problem = pathProblem(text.value);
  if (problem === undefined) return normalizePath(text.value);
  mistakes.error("manifest/bad-path", text.span, `\`${key}\` of \`tls\`: ${problem.message}`, problem.cure);
  return undefined;
}

/** Bounds of a listener, or those of a route. */
export function readHttpLimits(entry: Entry | undefined, place: "listener" | "route", mistakes: Mistakes): HttpLimits {
  if (entry === undefined || entry.value.kind === "null") return {};
  const { value } = entry;
  const what = place === "listener" ? "`limits` of `http`" : "`limits` of a route";
  if (value.kind !== "map") {
    wrongKind(value, what, "a mapping", "limits: { body: 1MiB, time: 10s, concurrency: 100 }", mistakes);
    return {};
  }
  const keys = readKnown(value, what, place === "listener" ? LISTENER_LIMIT_KEYS : ROUTE_LIMIT_KEYS, mistakes);
  const at = <T>(key: string, reader: (tree: Tree, what: string) => T): T | undefined => {
    const tree = keys.get(key)?.value;
    return tree === undefined ? undefined : reader(tree, `\`${key}\` of ${what}`);
  };
  return {
    bodyBytes: at("body", (tree, name) => readSize(tree, name, "body: 1MiB", "0B", "1TiB", mistakes)),
    timeMs: at("time", (tree, name) => readDuration(tree, name, "time: 10s", 1, mistakes)),
    concurrency: at("concurrency", (tree, name) => readInteger(tree, name, 1, 1_000_000, "concurrency: 100", mistakes)),
    headersBytes: at("headers", (tree, name) => readSize(tree, name, "headers: 16KiB", "1KiB", "1MiB", mistakes)),
    connections: at("connections", (tree, name) => readInteger(tree, name, 1, 1_000_000, "connections: 10000", mistakes)),
    idleMs: at("idle", (tree, name) => readDuration(tree, name, "idle: 60s", 1, mistakes)),
  };
}

function isHost(text: string): boolean {
  return FORMATS.hostname.has(text) || FORMATS.ip.has(text);
}
