// The HTTP server: its listeners over one dispatcher, and how it stops without cutting anything short.

import { StarlaneError } from "../../base/errors.ts";
import { adminPages } from "./admin.ts";
import type { Dispatcher, Shared } from "./dispatcher.ts";
import type { HttpServerOptions, ListenerOptions } from "./http.ts";
import { Listener } from "./listener.ts";
import { HttpMetrics, type HttpReading } from "./metrics.ts";
import { within } from "./within.ts";

export interface DrainOptions {
  /** How long readiness is refused before connections are: for load balancers to see it. Default 0. */
  readonly noticeMs?: number | undefined;
  /** What has not ended after this long is cut. Default 30 000. */
  readonly deadlineMs?: number | undefined;
}

export interface HttpServer extends AsyncDisposable {
  /** In the order of the listeners. */
  readonly addresses: readonly Address[];
  /** The numbers that `/metrics` shows. */
  readonly metrics: () => HttpReading;
  /**
   * Serves something else from the next request on: listeners with the same address and port stay, others open and close. Requests that are being
   * answered keep what they have. (A listener that changes between HTTP and HTTPS, or its `headBytes`, is closed and opened again.)
   * @throws StarlaneError `http/listen`, `http/bad-route`, `http/conflicting-routes` (rejects): nothing has changed then
   */
  replace(listeners: readonly ListenerOptions[]): Promise<Replaced>;
  /** Refuses readiness, then connections; finishes what it has; answers whether everything ended in time. */
  drain(options?: DrainOptions): Promise<boolean>;
}

export interface Address {
  readonly host: string;
  readonly port: number;
  readonly isSecure: boolean;
}

/** What was served before. */
export interface Replaced {
  /** Waits for the requests that it still answers, and cuts what has not ended after that time; whether all came to their end. */
  retire(deadlineMs: number): Promise<boolean>;
}

/** Starts to listen. @throws StarlaneError `http/listen`, `http/bad-route`, `http/conflicting-routes` (as a rejection) */
export async function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const state = new State(options);
  await state.listen();
  let draining: Promise<boolean> | undefined;
  const drain = (drainOptions: DrainOptions = {}): Promise<boolean> => (draining ??= state.drain(drainOptions));
  return {
    get addresses() {
      return state.listeners.map((listener) => listener.address);
    },
    metrics: () => state.metrics.read(),
    replace: (listeners) => state.replace(listeners),
    drain,
    [Symbol.asyncDispose]: async () => {
      await drain({ deadlineMs: 0 });
    },
  };
}

class State {
  listeners: readonly Listener[];
  readonly metrics: HttpMetrics;
  readonly #shared: Shared;
  /** Who still answers requests that came before others took their place. */
  readonly #retiring = new Set<Dispatcher>();
  #replacing: Promise<unknown> = Promise.resolve();
  /** Requests are no longer welcome; those that come are answered. */
  #isUnready = false;
  /** Connections are closed with their next response. */
  #isClosing = false;

  constructor({ listeners, admin = {}, log, telemetry }: HttpServerOptions) {
    const isReady = (): boolean => !this.#isUnready && admin.isReady?.() !== false;
    this.metrics = new HttpMetrics(() => ({
      inFlight: this.#dispatchers().reduce((total, { gate }) => total + gate.inside, 0),
      queued: this.#dispatchers().reduce((total, { gate }) => total + gate.waiting, 0),
      connections: this.listeners.reduce((total, listener) => total + listener.connections, 0),
      isReady: isReady(),
    }));
    this.#shared = {
      log,
      telemetry,
      metrics: this.metrics,
      admin: adminPages(admin, this.metrics, isReady),
      adminIsApart: listeners.some((listener) => listener.serves === "admin"),
      isClosing: () => this.#isClosing,
    };
    this.listeners = listeners.map((listener) => new Listener(listener, this.#shared));
  }

  #dispatchers(): Dispatcher[] {
    return [...this.listeners.map(({ dispatcher }) => dispatcher), ...this.#retiring];
  }

  async listen(): Promise<void> {
    await listenAll(this.listeners);
  }

  /** One after another: each starts from what the one before left. */
  replace(listeners: readonly ListenerOptions[]): Promise<Replaced> {
    const replaced = this.#replacing.then(() => this.#replace(listeners));
    this.#replacing = replaced.catch(() => undefined);
    return replaced;
  }

  async #replace(wanted: readonly ListenerOptions[]): Promise<Replaced> {
    if (this.#isUnready) throw new StarlaneError("http/stopping", "the server stops: it takes nothing new");
    const left = new Set(this.listeners);
    const steps = wanted.map((options) => {
      const kept = [...left].find((listener) => listener.canBecome(options));
      if (kept === undefined) return { listener: new Listener(options, this.#shared), options, next: undefined };
      left.delete(kept);
      return { listener: kept, options, next: kept.prepare(options) };
    });
    const opened = steps.flatMap(({ listener, next }) => (next === undefined ? [listener] : []));
    await this.#open(opened, [...left]);
    const before = [...left].map(({ dispatcher }) => dispatcher);
    for (const { listener, options, next } of steps) if (next !== undefined) before.push(listener.become(options, next));
    for (const dispatcher of before) this.#retiring.add(dispatcher);
    this.listeners = steps.map(({ listener }) => listener);
    for (const listener of left) {
      listener.dispatcher.leave();
      void listener.close();
    }
    return { retire: (deadlineMs) => this.#retire(before, [...left], deadlineMs) };
  }

  /** Those that want the port of one that goes can listen only when that has closed; it listens again where they cannot. */
  async #open(opened: readonly Listener[], left: readonly Listener[]): Promise<void> {
    const inTheWay = left.filter((listener) =>
      opened.some(({ wantedPort }) => wantedPort !== 0 && wantedPort === listener.wantedPort),
    );
    const [later, atOnce] = [true, false].map((isLater) =>
      opened.filter(({ wantedPort }) => inTheWay.some((listener) => listener.wantedPort === wantedPort) === isLater),
    );
    await listenAll(atOnce ?? []);
    for (const listener of inTheWay) listener.stopListening();
    try {
      await listenAll(later ?? []);
    } catch (error) {
      await Promise.all((atOnce ?? []).map((listener) => listener.close()));
      await listenAll(inTheWay);
      throw error;
    }
  }

  async #retire(dispatchers: readonly Dispatcher[], left: readonly Listener[], deadlineMs: number): Promise<boolean> {
    const ended = await Promise.all(dispatchers.map((dispatcher) => dispatcher.retire(deadlineMs)));
    for (const dispatcher of dispatchers) this.#retiring.delete(dispatcher);
    for (const listener of left) listener.closeIdle();
    return ended.every(Boolean);
  }

  async drain({ noticeMs = 0, deadlineMs = 30_000 }: DrainOptions): Promise<boolean> {
    this.#isUnready = true;
    if (noticeMs > 0) await new Promise((resolve) => setTimeout(resolve, noticeMs));
    this.#isClosing = true;
    await this.#replacing;
    // Operators see until the end how it goes.
    const [admin, apps] = [true, false].map((isAdmin) => this.listeners.filter((listener) => listener.isAdmin === isAdmin));
    const inTime = await this.#close(apps ?? [], deadlineMs);
    await this.#close(admin ?? [], 0);
    await Promise.all(this.#dispatchers().map((dispatcher) => dispatcher.closeHosts()));
    return inTime;
  }

  async #close(listeners: readonly Listener[], deadlineMs: number): Promise<boolean> {
    const closed = Promise.all(listeners.map((listener) => listener.close()));
    const dispatchers = this.#dispatchers();
    for (const { open } of dispatchers) open.end("websockets");
    const ended = Promise.all(dispatchers.map(({ open }) => open.idle()))
      .then(() => listeners.forEach((listener) => listener.closeIdle()))
      .then(() => closed);
    const inTime = await within(ended, deadlineMs);
    if (inTime) return true;
    for (const { open } of dispatchers) open.end("all");
    listeners.forEach((listener) => listener.destroyAll());
    await closed;
    return false;
  }
}

/** All of them, or none. @throws StarlaneError `http/listen` (rejects) */
async function listenAll(listeners: readonly Listener[]): Promise<void> {
  try {
    for (const listener of listeners) await listener.listen();
  } catch (error) {
    await Promise.all(listeners.map((listener) => listener.close()));
    throw error;
  }
}
