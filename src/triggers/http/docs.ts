// The page where the operations of a host can be tried: its HTML, and the style and script that it loads from beside it. Nothing comes
// from elsewhere, and its policy lets nothing else in.

import type { Handle, HeaderPair } from "./http.ts";
import { DOCS_SCRIPT } from "./docs-script.ts";
import { DOCS_STYLE } from "./docs-style.ts";

const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data: blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** Handlers by path: the page at `docsPath`, and its parts below it. */
export function docsHandles(
  docsPath: string,
  documentPath: string,
  title: string,
): readonly (readonly [path: string, handle: Handle])[] {
  const folder = docsPath.replace(/\/+$/, "");
  return [
    [docsPath, file("text/html; charset=utf-8", pageOf(folder, documentPath, title))],
    [`${folder}/page.css`, file("text/css; charset=utf-8", DOCS_STYLE)],
    [`${folder}/page.js`, file("text/javascript; charset=utf-8", DOCS_SCRIPT)],
  ];
}

function file(type: string, body: string): Handle {
  const headers: readonly HeaderPair[] = [
    ["content-type", type],
    ["content-security-policy", POLICY],
    ["x-content-type-options", "nosniff"],
    ["referrer-policy", "no-referrer"],
    ["cache-control", "no-cache"],
  ];
  return () => ({ status: 200, headers, body });
}

function pageOf(folder: string, documentPath: string, title: string): string {
  return `<!doctype html>
<html lang="en" data-document="${escaped(documentPath)}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escaped(title)}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="${escaped(folder)}/page.css">
<script type="module" src="${escaped(folder)}/page.js"></script>
</head>
<body>
<a class="skip" href="#operations">Skip to the operations</a>
<header>
<div><h1>${escaped(title)}</h1><p id="about"></p></div>
<label class="search"><span>Find an operation</span><input id="search" type="search" placeholder="Press / to search" autocomplete="off"></label>
</header>
<main id="operations" tabindex="-1"><noscript>This page needs JavaScript. The document is at <a href="${escaped(documentPath)}">${escaped(documentPath)}</a>.</noscript></main>
<footer><a href="${escaped(documentPath)}">OpenAPI document</a></footer>
</body>
</html>
`;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
