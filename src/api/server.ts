// Serves the contract, and the page that talks to it, on a listener of its own. Bounds: bodies of MOST_BODY bytes, so many clients that listen, each
// with so much that it has not yet taken.

import { StarlaneError } from "../base/errors.ts";
import type { LoadedComponent } from "../star/app.ts";
import { Broadcast, eventText } from "../star/dev/broadcast.ts";
import type { Telemetry } from "../star/telemetry/telemetry.ts";
import { pairField } from "../triggers/http/fields.ts";
import type { Handle, ListenerOptions, Middleware, PlainRequest, RequestContext, Route } from "../triggers/http/http.ts";
import { mediaTypeOf } from "../triggers/http/negotiate.ts";
import { startHttpServer } from "../triggers/http/server.ts";
import { apiError, errorView, jsonAnswer } from "./answers.ts";
import type { InvokeAnswer, State, TransactionView } from "./contract.ts";
import { refusal } from "./guard.ts";
import type { History } from "./history.ts";
import { argumentsOf, choose, invoke, readInvokeRequest } from "./invoke.ts";
import { pageRoutes } from "./page.ts";

export interface ApiOptions {
  /** The first one to try; of the next ones the first that is free is taken. 0: any. */
  readonly port: number;
  /** Of the built page. */
  readonly page?: string | undefined;
  /** What is served now; undefined: nothing. */
  readonly current: () => { readonly targets: readonly LoadedComponent[]; readonly telemetry: Telemetry } | undefined;
  readonly state: () => State;
  /** Watches what `current` runs. */
  readonly history: Pick<History, "latest" | "take">;
  /** Takes secrets out of texts. */
  readonly mask: () => (text: string) => string;
  readonly log?: ((message: string, error: unknown) => void) | undefined;
}

export interface Api extends AsyncDisposable {
  readonly url: string;
  /** To everyone who listens. */
  sendState(state: State): void;
  sendTransaction(view: TransactionView): void;
  close(): Promise<void>;
}

const HOST = "127.0.0.1";
const PORTS_TRIED = 20;
const MOST_BODY = 8 * 1024 * 1024;
const INVOKE_MS = 70_000;
const MOST_AT_ONCE = 16;
const CLIENTS = { mostClients: 32, mostWaitingBytes: 16 * 1024 * 1024, retryMs: 500 };

/** @throws StarlaneError `http/listen` (rejects) */
export async function startApi(options: ApiOptions): Promise<Api> {
  const events = new Broadcast(CLIENTS);
  let port = 0;
  const guard: Middleware = (request, next) => refusal(request, port) ?? next(request);
  const routes = [...apiRoutes(options, events, guard), ...pageRoutes(options.page, guard)];
  const server = await listenNear(options.port, (wanted) =>
    startHttpServer({
      listeners: [listenerAt(wanted, routes)],
      admin: { healthPath: null, readyPath: null, metricsPath: null },
      log: ({ level, message, error }) => {
        if (level === "error") options.log?.(message, error);
      },
    }),
  );
  port = server.addresses[0]?.port ?? 0;
  const send = (name: string, data: unknown): void => {
    if (events.size > 0) events.send(options.mask()(eventText(name, data)));
  };
  const close = async (): Promise<void> => {
    events.end();
    await server.drain({ deadlineMs: 500 });
  };
  return {
    url: `http://${HOST}:${port}`,
    sendState: (state) => send("state", state),
    sendTransaction: (view) => send("transaction", view),
    close,
    [Symbol.asyncDispose]: close,
  };
}

function listenerAt(port: number, routes: readonly Route[]): ListenerOptions {
  const limits = { connections: 256, concurrency: 128, route: { bodyBytes: MOST_BODY } };
  return { address: HOST, port, limits, hosts: [{ hostnames: ["*"], routes }] };
}

async function listenNear<T>(first: number, listen: (port: number) => Promise<T>): Promise<T> {
  for (let port = first; ; port++) {
    try {
      return await listen(port);
    } catch (error) {
      const isTaken = error instanceof StarlaneError && error.code === "http/listen";
      if (!isTaken || first === 0 || port >= Math.min(first + PORTS_TRIED, 65_535)) throw error;
    }
  }
}

function apiRoutes(options: ApiOptions, events: Broadcast, guard: Middleware): Route[] {
  const middleware = [guard];
  const masked = (name: string, data: unknown): string => options.mask()(eventText(name, data));
  const state: Handle = () => jsonAnswer(options.mask()(JSON.stringify(options.state())));
  const follow: Handle = () => {
    const first = [masked("state", options.state()), ...options.history.latest.map((view) => masked("transaction", view))];
    const body = events.join(first);
    if (body === undefined)
      return apiError(503, { code: "api/too-many", message: `more than ${CLIENTS.mostClients} pages listen` });
    return {
      status: 200,
      headers: [
        ["content-type", "text/event-stream"],
        ["cache-control", "no-store"],
        ["x-content-type-options", "nosniff"],
        ["cross-origin-resource-policy", "same-origin"],
      ],
      body,
    };
  };
  const missing: Handle = () => apiError(404, { code: "api/unknown-path", message: "the API has nothing here" });
  return [
    { kind: "guest", path: "/api/v1/state", methods: ["GET"], middleware, handle: state },
    { kind: "guest", path: "/api/v1/events", methods: ["GET"], middleware, handle: follow },
    {
      kind: "guest",
      path: "/api/v1/invoke",
      methods: ["POST"],
      middleware,
      limits: { timeMs: INVOKE_MS, concurrency: MOST_AT_ONCE },
      handle: (request, context) => answerInvoke(options, request, context),
    },
    { kind: "guest", path: "/api/{rest...}", middleware, handle: missing },
  ];
}

async function answerInvoke(
  options: ApiOptions,
  request: PlainRequest,
  context: RequestContext,
): Promise<ReturnType<typeof jsonAnswer>> {
  // A form of another site cannot send this without asking first.
  if (mediaTypeOf(pairField(request.headers, "content-type") ?? "")?.type !== "application/json") {
    return apiError(415, { code: "api/bad-request", message: "send application/json" });
  }
  const current = options.current();
  if (current === undefined) return apiError(503, { code: "api/not-ready", message: "no version of the app is served yet" });
  try {
    const asked = readInvokeRequest(await bodyJson(request));
    const chosen = choose(current.targets, asked);
    const { args, mistakes } = argumentsOf(chosen.operation, asked.input);
    if (mistakes.length > 0) {
      return apiError(400, { code: "star/invalid-input", message: "the input does not fit the operation", mistakes });
    }
    const { id, result, error } = await invoke(asked.app, chosen, args, current.telemetry, context.signal);
    const transaction = options.history.take(id);
    if (transaction === undefined)
      return apiError(500, error ?? { code: "starlane/internal", message: "the transaction was not followed" });
    const told = error === undefined ? transaction : ({ ...transaction, outcome: "failed", error } as const);
    const answer: InvokeAnswer = { transaction: told, ...(error === undefined ? {} : { error }) };
    const text = JSON.stringify(answer);
    // The result is text already, and may be long.
    const whole = result === undefined ? text : `${text.slice(0, -1)},"result":${result}}`;
    return jsonAnswer(options.mask()(whole));
  } catch (error) {
    if (!(error instanceof StarlaneError)) throw error;
    return apiError(error.code === "star/unknown-operation" ? 404 : 400, errorView(error));
  }
}

async function bodyJson(request: PlainRequest): Promise<unknown> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of request.body) chunks.push(chunk);
  try {
    const json: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(chunks)));
    return json;
  } catch (cause) {
    throw new StarlaneError("api/bad-request", "the body is no JSON in UTF-8", { cause });
  }
}
