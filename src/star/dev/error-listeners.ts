// What is served while there is no version of an app at all: every request is answered with what is wrong, as the client likes to read it.

import { resolve } from "node:path";
import { parseManifest } from "../../manifest/parse.ts";
import type { HttpTrigger } from "../../manifest/triggers.ts";
import type { Handle, HeaderPair, ListenerOptions } from "../../triggers/http/http.ts";
import { negotiate } from "../../triggers/http/negotiate.ts";
import { pairField } from "../../triggers/http/fields.ts";
import { problemResponse } from "../../triggers/http/problem.ts";
import { findComponentFile, readManifestFile } from "../files.ts";
import { DEFAULT_HOST, DEFAULT_PORT } from "../serve.ts";
import { isHere } from "./overlay.ts";
import { PROBLEMS_STYLE } from "./overlay-style.ts";
import type { Standing } from "./development.ts";
import type { Problem } from "./problems.ts";

export interface WantedAddress {
  readonly address: string;
  readonly port: number;
}

/** Where targets would listen, as far as their manifests can be read: people look there. */
export function wantedAddresses(
  targets: readonly string[],
  { port, host }: { readonly port?: number | undefined; readonly host?: string | undefined },
): readonly WantedAddress[] {
  const found = targets.flatMap(triggersOf).map((trigger) => ({
    address: host ?? trigger.host ?? DEFAULT_HOST,
    port: port ?? trigger.port,
  }));
  const all = found.length > 0 ? found : [{ address: host ?? DEFAULT_HOST, port: port ?? DEFAULT_PORT }];
  return [...new Map(all.map((one) => [`${one.address}:${one.port}`, one])).values()];
}

function triggersOf(target: string): readonly HttpTrigger[] {
  try {
    const found = findComponentFile(resolve(target));
    if (!("kind" in found) || found.kind === "wasm") return [];
    const { manifest, draft } = parseManifest({ file: found.path, text: readManifestFile(found.path) });
    return (manifest ?? draft)?.triggers.filter((trigger) => trigger.kind === "http") ?? [];
  } catch {
    // What is wrong with it is told elsewhere.
    return [];
  }
}

export function errorListeners(
  addresses: readonly WantedAddress[],
  standing: () => Pick<Standing, "status" | "problems">,
): readonly ListenerOptions[] {
  const handle: Handle = (request, context) => {
    const { status, problems } = standing();
    const told = isHere(context, request.authority) ? problems : [];
    const detail = status === "broken" ? "the app has mistakes, and no version of it was served yet" : "the app is being built";
    const accept = pairField(request.headers, "accept") ?? "*/*";
    const chosen = negotiate(accept, ["application/json", "text/html", "text/plain"]);
    if (chosen === "text/html") return answer("text/html; charset=utf-8", errorPage(told, status));
    if (chosen === "text/plain")
      return answer("text/plain; charset=utf-8", `${told.length === 0 ? detail : told.map(plainText).join("\n\n")}\n`);
    const members = { problems: told.map((problem) => ({ ...withoutUndefined(problem) })) };
    return problemResponse(503, { detail, members, headers: [["retry-after", "1"]] });
  };
  return addresses.map(({ address, port }) => ({
    address,
    port,
    hosts: [{ hostnames: ["*"], routes: [{ kind: "guest", path: "/{rest...}", label: "", handle }] }],
  }));
}

function answer(type: string, body: string): { status: number; headers: HeaderPair[]; body: string } {
  const headers: HeaderPair[] = [
    ["content-type", type],
    ["cache-control", "no-store"],
    ["retry-after", "1"],
    ["x-content-type-options", "nosniff"],
  ];
  return { status: 503, headers, body };
}

function withoutUndefined({ severity, code, message, at, frame, cure }: Problem): Record<string, string> {
  const entries = Object.entries({ severity, code, message, at, frame, cure });
  return Object.fromEntries(entries.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
}

function plainText({ severity, code, message, at, frame, cure }: Problem): string {
  return [`${severity}[${code}]: ${message}`, at, frame, cure].filter((part) => part !== undefined).join("\n");
}

function errorPage(problems: readonly Problem[], status: Standing["status"]): string {
  const errors = problems.filter(({ severity }) => severity === "error");
  const title =
    status !== "broken"
      ? "The app is being built"
      : errors.length === 0
        ? "Nothing is served yet"
        : errors.length === 1
          ? "The app has a mistake"
          : `The app has ${errors.length} mistakes`;
  const about =
    status === "broken" ? "This page loads itself again when a file changes." : "This page loads itself again when it is served.";
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${title}</title>
<style>html { color-scheme: light dark; background: light-dark(#f6f7f9, #0f1318); } body { margin: 0; }${PROBLEMS_STYLE}</style>
</head>
<body>
<main class="problems page">
<div class="head"><div><h1>${title}</h1><p class="about">${about}</p></div></div>
<ol>
${problems.map(itemOf).join("\n")}
</ol>
</main>
</body>
</html>
`;
}

function itemOf({ severity, code, message, at, frame, cure }: Problem): string {
  const place = `<p class="at">${at === undefined ? "" : escaped(at)} <span class="code">${escaped(code)}</span></p>`;
  const more = frame === undefined ? "" : `<pre>${escaped(frame)}</pre>`;
  const help = cure === undefined ? "" : `<p class="cure">${prose(cure)}</p>`;
  return `<li class="${severity}"><p class="message">${prose(message)}</p>${place}${more}${help}</li>`;
}

/** What stands between backticks is code. */
function prose(text: string): string {
  return escaped(text).replaceAll(/`([^`]*)`/g, "<code>$1</code>");
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
