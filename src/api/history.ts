// The latest transactions, whatever began them, with what their guests printed. Bounds: MOST_KEPT transactions, LONGEST_OUTPUT each, MOST_OPEN
// that are followed at a time; what is told at once is bounded by MOST_A_SECOND.

import type { Log, LogRecord } from "../base/log.ts";
import { StarlaneError } from "../base/errors.ts";
import type { Beginning, Origin, TransactionObserver } from "../star/telemetry/telemetry.ts";
import { errorView } from "./answers.ts";
import type { TransactionView } from "./contract.ts";

const MOST_KEPT = 100;
const LONGEST_OUTPUT = 64 * 1024;
const MOST_OPEN = 1000;
const MOST_A_SECOND = 50;

interface Open {
  readonly beginning: Beginning;
  readonly startedMs: number;
  readonly begunAt: number;
  output: string;
}

export class History {
  readonly #onEnd: (view: TransactionView) => void;
  readonly #mask: () => (text: string) => string;
  readonly #open = new Map<string, Open>();
  readonly #kept: TransactionView[] = [];
  /** Of those that a person began, until they are asked for. */
  readonly #asked = new Map<string, TransactionView>();
  #second = 0;
  #told = 0;

  /** `onEnd` is told of each, but for those beyond a bound; `mask` takes secrets out of what is kept. */
  constructor(onEnd: (view: TransactionView) => void, mask: () => (text: string) => string) {
    this.#onEnd = onEnd;
    this.#mask = mask;
  }

  /** Oldest first. */
  get latest(): readonly TransactionView[] {
    return this.#kept;
  }

  /** One that a person began, when it has ended; to be asked for once. */
  take(id: string): TransactionView | undefined {
    const view = this.#asked.get(id);
    this.#asked.delete(id);
    return view;
  }

  readonly observer: TransactionObserver = (beginning) => {
    if (this.#open.size >= MOST_OPEN) return () => undefined;
    const { id } = beginning;
    this.#open.set(id, { beginning, startedMs: Date.now(), begunAt: performance.now(), output: "" });
    return (failure) => this.#ended(id, failure);
  };

  /** Takes what guests print and log. */
  readonly log: Log = (record) => {
    const open = record.transaction === undefined ? undefined : this.#open.get(record.transaction);
    if (open === undefined || record.error !== undefined || open.output.length >= LONGEST_OUTPUT) return;
    open.output = `${open.output}${lineOf(record)}\n`.slice(0, LONGEST_OUTPUT);
  };

  #ended(id: string, failure: unknown): void {
    const open = this.#open.get(id);
    if (open === undefined) return;
    this.#open.delete(id);
    // One that a person began is always told: the answer waits for it.
    if (open.beginning.trigger !== "api" && !this.#isWelcome()) return;
    const view = this.#view(open, failure);
    if (open.beginning.trigger === "api") this.#asked.set(id, view);
    this.#kept.push(view);
    if (this.#kept.length > MOST_KEPT) this.#kept.shift();
    this.#onEnd(view);
  }

  /** Thousands in a second nobody can look at. */
  #isWelcome(): boolean {
    const second = Math.floor(performance.now() / 1000);
    if (second !== this.#second) [this.#second, this.#told] = [second, 0];
    return ++this.#told <= MOST_A_SECOND;
  }

  #view({ beginning, startedMs, begunAt, output }: Open, failure: unknown): TransactionView {
    const { id, app, operation, trigger, origin } = beginning;
    const mask = this.#mask();
    const view = {
      id,
      app,
      operation,
      trigger: triggerText(trigger, origin),
      startedMs,
      durationMs: Math.round((performance.now() - begunAt) * 1000) / 1000,
      output: mask(output),
    };
    if (failure === undefined) return { ...view, outcome: "ok" };
    const told: TransactionView = { ...view, outcome: "failed", error: errorView(asFailure(failure, operation)) };
    const masked: TransactionView = JSON.parse(mask(JSON.stringify(told)));
    return masked;
  }
}

/** What an operation answers with in place of a result is an object with a payload. */
function asFailure(failure: unknown, operation: string): unknown {
  if (failure instanceof StarlaneError || typeof failure !== "object" || failure === null || !("payload" in failure))
    return failure;
  return new StarlaneError("star/operation-failed", `${operation} answered with an error: ${preview(failure.payload)}`);
}

const LONGEST_PREVIEW = 300;

function preview(payload: unknown): string {
  const json = JSON.stringify(payload, (_key, value: unknown) => (typeof value === "bigint" ? String(value) : value));
  return (json ?? "").slice(0, LONGEST_PREVIEW);
}

function triggerText(trigger: Beginning["trigger"], origin: Origin | undefined): string {
  switch (trigger) {
    case "http":
      return `${origin?.method ?? "HTTP"} ${origin?.route ?? ""}`.trim();
    case "api":
      return "page";
    case "schedule":
    case "cli":
      return trigger;
  }
}

function lineOf({ level, message, value, stream }: LogRecord): string {
  const told = value === undefined ? message : `${message} ${JSON.stringify(value)}`.trim();
  return stream === undefined ? `${level}: ${told}` : told;
}
