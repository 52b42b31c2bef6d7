// The HTTP server: its listeners over one dispatcher, and how it stops without cutting anything short.

import { adminPages } from "./admin.ts";
import type { Shared } from "./dispatcher.ts";
import type { HttpServerOptions, VirtualHost } from "./http.ts";
import { Listener } from "./listener.ts";
import { HttpMetrics } from "./metrics.ts";
import { OpenRuns } from "./run.ts";

export interface DrainOptions {
  /** How long readiness is refused before connections are: for load balancers to see it. Default 0. */
  readonly noticeMs?: number | undefined;
  /** What has not ended after this long is cut. Default 30 000. */
  readonly deadlineMs?: number | undefined;
}

export interface HttpServer extends AsyncDisposable {
  /** In the order of the listeners. */
  readonly addresses: readonly { readonly host: string; readonly port: number; readonly isSecure: boolean }[];
  /**
   * What a listener serves from the next request on; requests that are being answered keep what they have.
   * @throws StarlaneError `http/bad-route`, `http/conflicting-routes`: nothing changes then
   */
  setHosts(listener: number, hosts: readonly VirtualHost[]): void;
  /** Refuses readiness, then connections; finishes what it has; answers whether everything ended in time. */
  drain(options?: DrainOptions): Promise<boolean>;
}

/** Starts to listen. @throws StarlaneError `http/listen`, `http/bad-route`, `http/conflicting-routes` (as a rejection) */
export async function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const state = new State(options);
  await state.listen();
  let draining: Promise<boolean> | undefined;
  const drain = (drainOptions: DrainOptions = {}): Promise<boolean> => (draining ??= state.drain(drainOptions));
  return {
    addresses: state.listeners.map((listener) => listener.address),
    setHosts: (listener, hosts) => state.listeners[listener]?.dispatcher.setHosts(hosts),
    drain,
    [Symbol.asyncDispose]: async () => {
      await drain({ deadlineMs: 0 });
    },
  };
}

class State {
  readonly listeners: readonly Listener[];
  readonly #open = new OpenRuns();
  /** Requests are no longer welcome; those that come are answered. */
  #isUnready = false;
  /** Connections are closed with their next response. */
  #isClosing = false;

  constructor({ listeners, admin = {}, log, telemetry }: HttpServerOptions) {
    const isReady = (): boolean => !this.#isUnready && admin.isReady?.() !== false;
    const sum = (of: (listener: Listener) => number): number =>
      this.listeners.reduce((total, listener) => total + of(listener), 0);
    const metrics = new HttpMetrics(() => ({
      inFlight: sum((listener) => listener.dispatcher.gate.inside),
      connections: sum((listener) => listener.connections),
      isReady: isReady(),
    }));
    const shared: Shared = {
      log,
      telemetry,
      metrics,
      open: this.#open,
      admin: adminPages(admin, metrics, isReady),
      adminIsApart: listeners.some((listener) => listener.serves === "admin"),
      isClosing: () => this.#isClosing,
    };
    this.listeners = listeners.map((listener) => new Listener(listener, shared));
  }

  async listen(): Promise<void> {
    try {
      for (const listener of this.listeners) await listener.listen();
    } catch (error) {
      await Promise.all(this.listeners.map((listener) => listener.close()));
      throw error;
    }
  }

  async drain({ noticeMs = 0, deadlineMs = 30_000 }: DrainOptions): Promise<boolean> {
    this.#isUnready = true;
    if (noticeMs > 0) await new Promise((resolve) => setTimeout(resolve, noticeMs));
    this.#isClosing = true;
    // Operators see until the end how it goes.
    const [admin, apps] = [true, false].map((isAdmin) => this.listeners.filter((listener) => listener.isAdmin === isAdmin));
    const inTime = await this.#close(apps ?? [], deadlineMs);
    await this.#close(admin ?? [], 0);
    await Promise.all(this.listeners.map((listener) => listener.dispatcher.closeHosts()));
    return inTime;
  }

  async #close(listeners: readonly Listener[], deadlineMs: number): Promise<boolean> {
    const closed = Promise.all(listeners.map((listener) => listener.close()));
    this.#open.end("websockets");
    const ended = this.#open
      .idle()
      .then(() => listeners.forEach((listener) => listener.closeIdle()))
      .then(() => closed);
    const inTime = await within(ended, deadlineMs);
    if (inTime) return true;
    this.#open.end("all");
    listeners.forEach((listener) => listener.destroyAll());
    await closed;
    return false;
  }
}

async function within(work: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), ms);
  });
  try {
    return await Promise.race([work.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}
