// One request from its route to its end: admitted, handled, answered, counted. Where a handler answers synchronously, no promise, timer
// or listener is made. The end comes once, whatever happens first: the response, the deadline, or the client leaving.

import { ServerResponse, type IncomingMessage } from "node:http";
import type { WebSocketServer } from "ws";
import { StarlaneError } from "../../base/errors.ts";
import { admit, leave } from "./admission.ts";
import type { Arrival } from "./arrival.ts";
import type { Deadlines, Expiring } from "./deadlines.ts";
import { clientLeft, deadlinePassed, type Exchange } from "./exchange.ts";
import { failureOf, type Log } from "./failure.ts";
import { rawField } from "./fields.ts";
import type { Gate } from "./gate.ts";
import type { HeaderPair, HttpLimits, HttpTelemetry, PlainResponse } from "./http.ts";
import type { HttpMetrics } from "./metrics.ts";
import { breakOff, discard, send } from "./respond.ts";
import type { ReadyRoute } from "./routes.ts";
import { isUpgrade, type UpgradeResponse } from "./websocket.ts";

/** What all requests of a server share. */
export interface Surroundings {
  readonly limits: HttpLimits;
  readonly log: Log | undefined;
  readonly telemetry: HttpTelemetry | undefined;
  readonly metrics: HttpMetrics;
  readonly gate: Gate;
  readonly webSockets: WebSocketServer;
  /** Of requests that became websockets and wait for their handshake. */
  readonly protocols: WeakMap<IncomingMessage, readonly string[]>;
  /** Those that were not answered at once. */
  readonly open: OpenRuns;
  readonly deadlines: Deadlines;
  /** Connections are to be closed with their next response. */
  readonly isClosing: () => boolean;
}

/** Runs that take their time, so that a server that stops can wait for them, or end them. */
export class OpenRuns {
  readonly #runs = new Set<Run>();
  readonly #whenIdle: (() => void)[] = [];

  add(run: Run): void {
    this.#runs.add(run);
  }

  delete(run: Run): void {
    if (!this.#runs.delete(run) || this.#runs.size > 0) return;
    for (const then of this.#whenIdle.splice(0)) then();
  }

  /** Resolves when none is open. */
  idle(): Promise<void> {
    return this.#runs.size === 0 ? Promise.resolve() : new Promise((resolve) => this.#whenIdle.push(resolve));
  }

  /** Ends all of them, or only the websockets. */
  end(which: "all" | "websockets"): void {
    const reason = new StarlaneError("http/stopping", "the server stops");
    for (const run of this.#runs) if (which === "all" || run.isWebSocket) run.exchange.end(reason);
  }

  /** Ends all of them, each with its connection where part of a response was sent, while the server goes on. */
  cut(): void {
    const reason = new StarlaneError("http/stopping", "what answers this is replaced by another version");
    for (const run of this.#runs) run.cut(reason);
  }
}

const NO_FIELDS: readonly HeaderPair[] = [];

export class Run implements Expiring {
  readonly exchange: Exchange;
  /** Undefined: the request found none. */
  readonly #route: ReadyRoute | undefined;
  readonly #arrival: Arrival;
  readonly #startedMs: number;
  readonly #around: Surroundings;
  /** How long it may take, while it is waited for. */
  #limitMs: number | undefined;
  #isAdmitted = false;
  #isWatched = false;
  #hasAnswer = false;
  #isOver = false;
  #error: unknown;
  isWebSocket = false;

  constructor(exchange: Exchange, route: ReadyRoute | undefined, arrival: Arrival, startedMs: number, around: Surroundings) {
    this.exchange = exchange;
    this.#route = route;
    this.#arrival = arrival;
    this.#startedMs = startedMs;
    this.#around = around;
  }

  /** Lets the route answer, as soon as it is the request's turn. */
  start(route: ReadyRoute): void {
    const { telemetry, gate } = this.#around;
    try {
      if (telemetry !== undefined) this.#trace(telemetry);
      const waiting = admit(gate, route, this.exchange);
      if (waiting === undefined) return this.#handle(route);
      this.#watch();
      waiting.then(
        () => this.#handle(route),
        (error: unknown) => this.#fail(error),
      );
    } catch (error) {
      this.#fail(error);
    }
  }

  #trace(telemetry: HttpTelemetry): void {
    this.exchange.span = telemetry.start(this.exchange.request, this.exchange);
  }

  #handle(route: ReadyRoute): void {
    this.#isAdmitted = true;
    // It may have left while it waited.
    if (this.exchange.hasEnded) return this.#finish(499);
    let answer: PlainResponse | Promise<PlainResponse>;
    try {
      answer = route.handle(this.exchange.request, this.exchange);
    } catch (error) {
      return this.#fail(error);
    }
    if (!(answer instanceof Promise)) return this.answer(answer);
    this.#watch();
    const { timeMs } = route.limits;
    this.#limitMs = timeMs;
    this.#around.deadlines.add(this, timeMs);
    answer.then(
      (value) => this.answer(value),
      (error: unknown) => this.#fail(error),
    );
  }

  /** Its time does not matter any more. */
  #takeTime(): void {
    if (this.#limitMs === undefined) return;
    this.#around.deadlines.delete(this, this.#limitMs);
    this.#limitMs = undefined;
  }

  expire(timeMs: number): void {
    const error = deadlinePassed(timeMs);
    this.#fail(error);
    this.exchange.end(error);
  }

  /** Hears of it when the client leaves. */
  #watch(): void {
    if (this.#isWatched) return;
    this.#isWatched = true;
    this.#around.open.add(this);
    const { exchange } = this;
    const { response } = exchange;
    const onClose = (): void => {
      if (!response.writableFinished) exchange.end(clientLeft());
    };
    response.on("close", onClose);
    // Node closes a stream of HTTP/2 that the client gave up only when its body has been read.
    if (!(response instanceof ServerResponse)) response.stream.on("aborted", onClose);
    exchange.onEnd(() => {
      if (this.#isAdmitted && !this.#hasAnswer) this.#finish(499);
    });
  }

  /** A client that has no response yet gets one; in the middle of one only a broken connection says that it is not whole. */
  cut(reason: StarlaneError): void {
    const isSending = this.#hasAnswer && !this.isWebSocket;
    this.#fail(reason);
    this.exchange.end(reason);
    if (isSending) breakOff(this.exchange);
  }

  #fail(thrown: unknown): void {
    if (this.#hasAnswer || this.#isOver) return;
    const { response, error } = failureOf(thrown, this.exchange);
    if (error !== undefined) this.#report(error);
    this.answer(response);
  }

  #report(error: unknown): void {
    this.#error ??= error;
    const { id, route, transaction, traceparent } = this.exchange;
    this.#around.log?.({ level: "error", message: "a request failed", requestId: id, route, transaction, traceparent, error });
  }

  /** Writes what the request is answered with, whoever answers first. */
  answer(answer: PlainResponse): void {
    if (this.#hasAnswer || this.#isOver) return discard(answer);
    this.#hasAnswer = true;
    this.#takeTime();
    const { failure } = this.exchange;
    if (failure !== undefined) this.#report(failure.error);
    if (isUpgrade(answer)) return this.#upgrade(answer);
    let sending: Promise<void> | undefined;
    try {
      sending = this.#send(answer);
    } catch (error) {
      discard(answer);
      this.#report(error);
      sending = this.#send(failureOf(error, this.exchange).response);
      return this.#finish(500, sending);
    }
    this.#finish(answer.status, sending);
  }

  #send(answer: PlainResponse): Promise<void> | undefined {
    const { limits, isClosing } = this.#around;
    const cors = this.#route?.cors;
    const further = cors === undefined ? NO_FIELDS : cors.fields(rawField(this.exchange.request.raw, "origin"));
    return send(this.exchange, answer, {
      isClosing: isClosing() || this.exchange.isUpgrade,
      sendIdleMs: limits.sendIdleMs,
      further,
    });
  }

  #finish(status: number, sending?: Promise<void>): void {
    if (sending === undefined) return this.#end(status);
    this.#watch();
    sending.then(
      () => this.#end(this.exchange.hasEnded ? 499 : status),
      (error: unknown) => {
        this.#report(error);
        this.#end(status);
      },
    );
  }

  #end(status: number): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#takeTime();
    const { metrics, gate, open } = this.#around;
    const durationMs = performance.now() - this.#startedMs;
    if (this.#isWatched) open.delete(this);
    if (this.#isAdmitted && this.#route !== undefined) leave(gate, this.#route);
    metrics.add(this.exchange.request.scheme, this.exchange.route, this.exchange.request.method, status, durationMs);
    this.exchange.span?.end({ status, durationMs, ...(this.#error === undefined ? {} : { error: this.#error }) });
  }

  /** Hands the connection over to the websocket; this run ends with it. */
  #upgrade(answer: UpgradeResponse): void {
    const { response } = this.exchange;
    const { upgrade } = this.#arrival;
    if (upgrade === undefined || !(response instanceof ServerResponse) || upgrade.socket.destroyed) return this.#end(499);
    const { req } = response;
    if (response.socket !== null) response.detachSocket(response.socket);
    this.isWebSocket = true;
    this.#watch();
    upgrade.socket.once("close", () => {
      this.exchange.end(clientLeft());
      this.#end(101);
    });
    this.#around.protocols.set(req, answer.protocols);
    this.#around.webSockets.handleUpgrade(req, upgrade.socket, upgrade.head, (socket) => {
      answer.run(socket).then(
        () => this.#end(101),
        (error: unknown) => {
          this.#report(error);
          socket.terminate();
        },
      );
    });
  }
}
