// What `starlane dev` adds to an app's own pages: a script in documents, and where that script hears how things stand. All on the listeners of the
// app itself, so that it works under every name and over TLS. Who is not at this machine hears only that something is wrong, not what.

import type { GuestRoute, Handle, ListenerOptions, PlainResponse, RequestContext, Route } from "../../triggers/http/http.ts";
import { hostnameOf } from "../../triggers/http/target.ts";
import { Broadcast, eventText } from "./broadcast.ts";
import type { Standing } from "./development.ts";
import { injecting } from "./inject.ts";
import { overlayScript } from "./overlay-script.ts";
import type { Problem } from "./problems.ts";

const SCRIPT_PATH = "/.starlane/dev/overlay.js";
const EVENTS_PATH = "/.starlane/dev/events";
const LIMITS = { mostClients: 200, mostWaitingBytes: 4 * 1024 * 1024, retryMs: 300 };

const HIDDEN: Problem = {
  severity: "error",
  code: "starlane/dev",
  message: "The last change has mistakes: they are told in the terminal and on the machine where the app runs.",
};

type Told = Pick<Standing, "status" | "version" | "problems">;

export class Overlay {
  /** Counts what pages would have to be loaded again for. */
  #revision = 1;
  #standing: Told = { status: "starting", version: 0, problems: [] };
  readonly #here = new Broadcast(LIMITS);
  readonly #elsewhere = new Broadcast(LIMITS);

  /** The same listeners, with the script in their documents. */
  around(listeners: readonly ListenerOptions[]): readonly ListenerOptions[] {
    const middleware = injecting(() => this.#script());
    const inject = (route: Route): Route => ({ ...route, middleware: [middleware, ...(route.middleware ?? [])] });
    return listeners.map((listener) => ({
      ...listener,
      hosts: listener.hosts?.map((host) => ({ ...host, routes: [...host.routes.map(inject), ...this.#routes()] })),
    }));
  }

  /** Where there is no version yet, the document itself shows the problems. */
  #script(): string {
    const isPage = this.#standing.version === 0 ? " data-page" : "";
    return `<script src="${SCRIPT_PATH}?v=${this.#revision}"${isPage} async></script>`;
  }

  tell(standing: Told): void {
    this.#standing = standing;
    this.#here.send(this.#event(true));
    this.#elsewhere.send(this.#event(false));
  }

  /** Pages that are open are to be loaded again. */
  reload(): void {
    this.#revision++;
    this.tell(this.#standing);
    // Whoever stays comes again, to what is served now.
    this.close();
  }

  close(): void {
    this.#here.end();
    this.#elsewhere.end();
  }

  #event(isHere: boolean): string {
    const { status, version, problems } = this.#standing;
    const isWrong = problems.some(({ severity }) => severity === "error");
    const told = isHere ? problems : isWrong ? [HIDDEN] : [];
    return eventText("state", { revision: this.#revision, status, version, problems: told });
  }

  #routes(): GuestRoute[] {
    const script: Handle = () => ({
      status: 200,
      headers: [
        ["content-type", "text/javascript; charset=utf-8"],
        ["cache-control", "no-store"],
        ["x-content-type-options", "nosniff"],
      ],
      body: overlayScript(EVENTS_PATH),
    });
    const events: Handle = (request, context) => this.#follow(isHere(context, request.authority));
    return [
      { kind: "guest", path: SCRIPT_PATH, methods: ["GET"], handle: script },
      { kind: "guest", path: EVENTS_PATH, methods: ["GET"], handle: events },
    ];
  }

  #follow(isHere: boolean): PlainResponse {
    const body = (isHere ? this.#here : this.#elsewhere).join([this.#event(isHere)]);
    if (body === undefined) return { status: 503, headers: [["retry-after", "5"]] };
    return {
      status: 200,
      headers: [
        ["content-type", "text/event-stream"],
        ["cache-control", "no-store"],
        ["x-accel-buffering", "no"],
        ["x-content-type-options", "nosniff"],
      ],
      body,
    };
  }
}

/** From this machine, and by a name that no other site can have taken for it. */
export function isHere({ clientAddress }: Pick<RequestContext, "clientAddress">, authority: string): boolean {
  return isLoopback(clientAddress) && isOwnName(hostnameOf(authority) ?? "");
}

function isLoopback(address: string): boolean {
  const bare = address.replace(/^::ffff:/i, "");
  return bare === "::1" || bare.startsWith("127.");
}

function isOwnName(hostname: string): boolean {
  return (
    hostname === "localhost" || hostname.endsWith(".localhost") || hostname.startsWith("[") || /^\d+(?:\.\d+){3}$/.test(hostname)
  );
}
