// Loaded apps that are served: their listeners and schedules, and how another version takes their place between two transactions. What has
// begun ends with the version it began with, whose resources are closed when its last transaction has ended.

import type { HttpLogEntry, HttpTelemetry, ListenerOptions } from "../triggers/http/http.ts";
import { type Address, type HttpServer, startHttpServer } from "../triggers/http/server.ts";
import { within } from "../triggers/http/within.ts";
import type { LoadedComponent } from "./app.ts";
import { planSchedules, startPlanned, type Schedules, type SchedulesOptions } from "./schedules.ts";
import { listenersOf } from "./serve.ts";
import type { Telemetry } from "./telemetry/telemetry.ts";

export interface ServiceOptions {
  readonly port?: number | undefined;
  readonly host?: string | undefined;
  readonly telemetry?: Telemetry | undefined;
  readonly httpTelemetry?: HttpTelemetry | undefined;
  readonly log?: ((entry: HttpLogEntry) => void) | undefined;
  readonly schedules?: Pick<SchedulesOptions, "log" | "clock" | "stateOf"> | undefined;
  /** Changes what listeners serve, before they do. */
  readonly adapt?: ((listeners: readonly ListenerOptions[]) => readonly ListenerOptions[]) | undefined;
  /** Transactions of a version that was replaced have this long to end. */
  readonly retireMs: number;
}

/** What one version is made of. */
export interface ServedVersion {
  readonly targets: readonly LoadedComponent[];
  /** Closes what its apps opened. */
  close(): Promise<void>;
}

/** After they were cut, transactions get this long to notice, before what they use is closed. */
const CUT_MS = 2000;

/** One version while it is served, and until its last transaction has ended. */
class Running {
  readonly version: ServedVersion;
  readonly telemetry: Telemetry;
  schedules: Schedules | undefined;
  #transactions = 0;
  readonly #whenIdle: (() => void)[] = [];

  constructor(version: ServedVersion, telemetry: Telemetry | undefined) {
    this.version = version;
    this.telemetry = {
      ...telemetry,
      observer: (beginning) => {
        const observed = telemetry?.observer?.(beginning);
        this.#transactions++;
        return (failure) => {
          if (--this.#transactions === 0) for (const then of this.#whenIdle.splice(0)) then();
          observed?.(failure);
        };
      },
    };
  }

  /** Resolves when no transaction of it runs. */
  idle(): Promise<void> {
    return this.#transactions === 0 ? Promise.resolve() : new Promise((resolve) => this.#whenIdle.push(resolve));
  }
}

export class Service {
  readonly #options: ServiceOptions;
  #server: HttpServer | undefined;
  #running: Running | undefined;
  #changing: Promise<unknown> = Promise.resolve();
  readonly #retiring = new Set<Promise<unknown>>();

  constructor(options: ServiceOptions) {
    this.#options = options;
  }

  get addresses(): readonly Address[] {
    return this.#server?.addresses ?? [];
  }

  get schedules(): number {
    return this.#running?.schedules?.count ?? 0;
  }

  /** For transactions that are begun elsewhere, of the version that is served now: it waits for them too. Undefined: there is none. */
  get current(): { readonly targets: readonly LoadedComponent[]; readonly telemetry: Telemetry } | undefined {
    const running = this.#running;
    return running === undefined ? undefined : { targets: running.version.targets, telemetry: running.telemetry };
  }

  /**
   * Serves this version from the next transaction on. Whatever goes wrong, the version before goes on, and this one is to be closed by the caller.
   * @throws StarlaneError `http/listen`, `http/bad-route`, `http/conflicting-routes`, `star/file`, `star/unknown-operation`, `cli/usage` (rejects)
   */
  replace(version: ServedVersion): Promise<void> {
    return this.#inTurn(async () => {
      const { port, host, httpTelemetry, schedules: options } = this.#options;
      const next = new Running(version, this.#options.telemetry);
      const { targets } = version;
      const { telemetry } = next;
      const plans = planSchedules(targets);
      const listeners = listenersOf(targets, { port, host, telemetry, httpTelemetry });
      await this.#listen(listeners, () => {
        const before = this.#running;
        const stopped = before?.schedules?.drain(this.#options.retireMs);
        next.schedules = startPlanned(plans, { ...options, telemetry }, before?.schedules);
        this.#running = next;
        return { before, stopped };
      });
    });
  }

  /** Serves something else while there is no version, or none any more. @throws StarlaneError `http/listen` (rejects) */
  serveInstead(listeners: readonly ListenerOptions[]): Promise<void> {
    return this.#inTurn(() =>
      this.#listen(listeners, () => {
        const before = this.#running;
        this.#running = undefined;
        return { before, stopped: before?.schedules?.drain(this.#options.retireMs) };
      }),
    );
  }

  #inTurn(change: () => Promise<void>): Promise<void> {
    const done = this.#changing.then(change);
    this.#changing = done.catch(() => undefined);
    return done;
  }

  /** `commit` is called when nothing can go wrong any more, in the same turn as requests reach what is new. */
  async #listen(
    listeners: readonly ListenerOptions[],
    commit: () => { readonly before: Running | undefined; readonly stopped: Promise<boolean> | undefined },
  ): Promise<void> {
    const { log, httpTelemetry: telemetry, retireMs, adapt } = this.#options;
    const adapted = adapt?.(listeners) ?? listeners;
    if (this.#server === undefined) {
      const metrics = this.#options.telemetry?.metrics;
      const admin = { furtherMetrics: () => metrics?.text() ?? "" };
      this.#server = await startHttpServer({ listeners: adapted, log, telemetry, admin });
      commit();
      return;
    }
    const replaced = await this.#server.replace(adapted);
    const { before, stopped } = commit();
    const idle = before === undefined ? undefined : within(before.idle(), retireMs);
    this.#retire(Promise.all([replaced.retire(retireMs), stopped, idle]), before);
  }

  #retire(ended: Promise<unknown>, before: Running | undefined): void {
    const retiring = ended
      .then(() => (before === undefined ? true : within(before.idle(), CUT_MS)))
      .then(() => before?.version.close())
      .catch((error: unknown) => {
        this.#options.log?.({ level: "error", message: "a version that was replaced could not be closed", error });
      })
      .finally(() => this.#retiring.delete(retiring));
    this.#retiring.add(retiring);
  }

  /** Refuses what is new, lets what runs end, and closes everything; whether all came to its end in time. */
  async drain(deadlineMs: number): Promise<boolean> {
    await this.#changing;
    const running = this.#running;
    const drained = await Promise.all([this.#server?.drain({ deadlineMs }), running?.schedules?.drain(deadlineMs)]);
    const idle = running === undefined || (await within(running.idle(), CUT_MS));
    await Promise.all(this.#retiring);
    await running?.version.close();
    this.#running = undefined;
    return idle && drained.every((inTime) => inTime !== false);
  }
}
