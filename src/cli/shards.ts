// Several processes that serve the same ports, one beside the other. The first one finds out whether the apps can be served at all, and at
// which ports; then the others start. One that ends is replaced, and it is said how it ended; the others go on.

import { fork, type ChildProcess } from "node:child_process";
import cluster from "node:cluster";
import type { Log } from "../base/log.ts";
import { REUSES_PORTS } from "../star/one-process.ts";
import type { Address } from "../triggers/http/server.ts";
import { isMetricsMessage, MetricsExchange } from "./shard-metrics.ts";
import { tellServed, type Served } from "./tell-served.ts";

/** A shard that ends sooner than this after its start is not replaced at once: it would end again. */
const STABLE_MS = 1000;
const RETRY_MS = 500;
/** Shards that never became ready, one after the other, before all is given up. */
const MOST_FAILURES = 5;

/** What a shard says when it serves. */
export interface Ready extends Served {
  readonly addresses: readonly Address[];
  /** What would be there once for each process. */
  readonly inMemory: string | undefined;
}

export interface ShardCount {
  readonly shards: number;
  /** Written by the user, so that it holds whatever the apps keep in memory. */
  readonly isAsked: boolean;
}

/** The status to end with. */
export async function superviseShards({ shards, isAsked }: ShardCount, log: Log): Promise<number> {
  const supervisor = new Supervisor(log);
  process.on("SIGINT", () => supervisor.stop());
  process.on("SIGTERM", () => supervisor.stop());
  const first = await supervisor.start(0);
  if (first === undefined) return await supervisor.ended;
  const { inMemory } = first;
  if (inMemory !== undefined && first.addresses.length > 0) {
    const told = isAsked
      ? `${inMemory}: each of the ${shards} processes has its own`
      : `one process serves all, because ${inMemory}`;
    log({ level: isAsked ? "warn" : "info", message: told });
  }
  const canBeMany = first.addresses.length > 0 && (inMemory === undefined || isAsked);
  const count = canBeMany ? shards : 1;
  await Promise.all(Array.from({ length: count - 1 }, (_, i) => supervisor.start(i + 1)));
  if (!supervisor.isStopping) tellServed(first, count, log);
  return await supervisor.ended;
}

class Supervisor {
  readonly ended: Promise<number>;
  isStopping = false;
  readonly #log: Log;
  readonly #running = new Map<number, ChildProcess>();
  readonly #metrics = new MetricsExchange(this.#running);
  readonly #end: (status: number) => void;
  #ports: readonly number[] | undefined;
  #status = 0;
  #failures = 0;

  constructor(log: Log) {
    this.#log = log;
    const { promise, resolve } = Promise.withResolvers<number>();
    this.ended = promise;
    this.#end = resolve;
  }

  /** Lets all of them finish what they have begun, and the second time end at once; resolves `ended` when the last one has. */
  stop(): void {
    if (!this.isStopping) this.#log({ level: "info", message: "finishing what has begun; once more stops at once" });
    // A terminal has sent SIGINT to all of them already; they would take a second one for the user's.
    const signal = this.isStopping ? "SIGINT" : "SIGTERM";
    this.isStopping = true;
    for (const shard of this.#running.values()) shard.kill(signal);
    if (this.#running.size === 0) this.#end(this.#status);
  }

  /** Resolves when it serves; with undefined where it ends before, and all are stopped then if none ever served. */
  async start(index: number): Promise<Ready | undefined> {
    const startedAt = performance.now();
    const shard = startProcess({
      STARLANE_SHARD: String(index),
      ...(this.#ports === undefined ? {} : { STARLANE_SHARD_PORTS: JSON.stringify(this.#ports) }),
    });
    this.#running.set(index, shard);
    const { promise, resolve } = Promise.withResolvers<Ready | undefined>();
    let isReady = false;
    shard.on("message", (message) => {
      if (isMetricsMessage(message)) return this.#metrics.take(message, index);
      if (!isReadyMessage(message)) return;
      isReady = true;
      this.#failures = 0;
      this.#ports ??= message.ready.addresses.map(({ port }) => port);
      resolve(message.ready);
    });
    shard.on("exit", (status, signal) => {
      this.#running.delete(index);
      resolve(undefined);
      if (this.isStopping) this.#stopped(status);
      else if (this.#ports === undefined || (!isReady && ++this.#failures >= MOST_FAILURES)) this.#giveUp(status);
      else this.#replace(index, signal ?? `status ${status}`, performance.now() - startedAt);
    });
    return await promise;
  }

  #stopped(status: number | null): void {
    this.#status = Math.max(this.#status, status ?? 0);
    if (this.#running.size === 0) this.#end(this.#status);
  }

  /** It would not start, and has said why. */
  #giveUp(status: number | null): void {
    this.isStopping = true;
    this.#status = status ?? 1;
    for (const shard of this.#running.values()) shard.kill("SIGTERM");
    if (this.#running.size === 0) this.#end(this.#status);
  }

  #replace(index: number, how: string, ranMs: number): void {
    this.#log({ level: "warn", message: `the process ended with ${how}: it is replaced`, shard: index });
    setTimeout(
      () => {
        if (!this.isStopping) void this.start(index);
      },
      ranMs < STABLE_MS ? RETRY_MS : 0,
    );
  }
}

function startProcess(environment: Readonly<Record<string, string>>): ChildProcess {
  const [, script = "", ...words] = process.argv;
  if (REUSES_PORTS) return fork(script, words, { env: { ...process.env, ...environment } });
  // The supervisor takes connections and hands them on.
  cluster.setupPrimary({ exec: script, args: words });
  return cluster.fork(environment).process;
}

function isReadyMessage(message: unknown): message is { readonly ready: Ready } {
  return typeof message === "object" && message !== null && "ready" in message;
}
