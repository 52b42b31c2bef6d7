// The files of the page, and what stands there while they are not built. The page's policy lets nothing in that is not its own.

import { existsSync } from "node:fs";
import { join } from "node:path";
import type { HeaderPair, Middleware, PlainResponse, Route } from "../triggers/http/http.ts";
import { after } from "../triggers/http/middleware.ts";

const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
].join("; ");

const HEADERS: readonly HeaderPair[] = [
  ["content-security-policy", POLICY],
  ["x-content-type-options", "nosniff"],
  ["referrer-policy", "no-referrer"],
  ["cross-origin-opener-policy", "same-origin"],
  ["cross-origin-resource-policy", "same-origin"],
  ["x-frame-options", "DENY"],
];

/** `folder`: what the page was built into; undefined: it could not be. */
export function pageRoutes(folder: string | undefined, guard: Middleware): Route[] {
  const secured = after((response) => ({ ...response, headers: withOwn(response.headers) }));
  const middleware = [guard, secured];
  if (folder === undefined || !existsSync(join(folder, "index.html"))) {
    return [{ kind: "guest", path: "/{rest...}", methods: ["GET"], middleware, handle: notBuilt }];
  }
  return [
    { kind: "static", path: "/{path...}", folder, middleware },
    // Their names carry a digest of what is in them.
    {
      kind: "static",
      path: "/assets/{path...}",
      folder: join(folder, "assets"),
      cacheControl: "public, max-age=31536000, immutable",
      middleware,
    },
  ];
}

function withOwn(headers: readonly HeaderPair[]): readonly HeaderPair[] {
  const own = new Set(HEADERS.map(([name]) => name));
  return [...headers.filter(([name]) => !own.has(name.toLowerCase())), ...HEADERS];
}

function notBuilt(): PlainResponse {
  const body = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Starlane</title>
<h1>The page is not built</h1>
<p>In a checkout of Starlane, <code>npm run build</code> builds it; then start <code>starlane dev</code> again.</p>
<p>What it would show is at <a href="/api/v1/state">/api/v1/state</a>.</p>
</html>
`;
  return {
    status: 200,
    headers: [
      ["content-type", "text/html; charset=utf-8"],
      ["cache-control", "no-store"],
    ],
    body,
  };
}
