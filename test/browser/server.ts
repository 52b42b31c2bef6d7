// Serves the tests to the pages of a browser on this machine, and hears from them how the tests end.

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { CONTENT_SECURITY_POLICY, fileAt, folderAt, htmlOf, libraryAt, type Served } from "./served.ts";
import type { PageState, Report } from "./protocol.ts";

export interface Work {
  /** The file that a page is to run next. */
  next(state: PageState): string | undefined;
  report(report: Report): void;
}

export interface TestServer extends AsyncDisposable {
  /** Where a page is to begin. */
  readonly url: string;
}

export async function startServer(work: Work): Promise<TestServer> {
  const server = createServer((request, response) => {
    answer(request, work).then(
      (served) => send(response, served, request.method === "HEAD"),
      (error: unknown) => response.writeHead(500).end(String(error)),
    );
  });
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  return {
    url: `http://127.0.0.1:${address.port}/`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function answer(request: IncomingMessage, work: Work): Promise<Served | undefined> {
  const { pathname, searchParams } = new URL(request.url ?? "/", "http://127.0.0.1");
  const address = decodeURIComponent(pathname);
  if (request.method === "POST") return hear(address, JSON.parse(await text(request)), work);
  if (address === "/") return htmlOf("page");
  if (address === "/frame") return htmlOf("frame");
  if (address.startsWith("/libraries/")) return await libraryAt(address);
  if (searchParams.has("list")) return folderAt(address, searchParams.get("list") === "recursive");
  return fileAt(address, searchParams.has("raw"));
}

function hear(address: string, said: unknown, work: Work): Served | undefined {
  if (address === "/next") return { type: "application/json", body: JSON.stringify(work.next(said as PageState) ?? null) };
  if (address !== "/report") return undefined;
  work.report(said as Report);
  return { type: "text/plain", body: "" };
}

function send(response: ServerResponse, served: Served | undefined, isHead: boolean): void {
  if (served === undefined) {
    response.writeHead(404).end();
    return;
  }
  response.writeHead(200, {
    "content-type": served.type,
    "content-security-policy": CONTENT_SECURITY_POLICY,
    // Every frame loads the same modules; the profile of the browser ends with the run.
    "cache-control": "max-age=3600",
  });
  response.end(isHead ? undefined : served.body);
}
