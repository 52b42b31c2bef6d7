// A record: everything from outside that one transaction saw, in the order in which it saw it, so that it can be run again without any of
// it. One JSON file. Components without grants see nothing of the outside, so nothing of them is kept.

import type { Json } from "../../wit/json.ts";

export const RECORD_FORMAT = "record-v1";
/** What is kept of one transaction; later events are left out, and the record says so. */
export const LARGEST_RECORD_BYTES = 64 * 1024 * 1024;

export interface TransactionRecord {
  readonly starlane: typeof RECORD_FORMAT;
  /** The path of the target, as it was given. */
  readonly target: string;
  readonly operation: string;
  /** The component of the target that has it: `shop/cart` for one of an app inside; absent: the target itself. */
  readonly component?: string | undefined;
  /** What the target consisted of: paths from its folder. */
  readonly files: readonly RecordedFile[];
  /** By port; ports that took their default are left out. */
  readonly input: { readonly [port: string]: Json };
  /** In place of `input` where that holds resources: all ports, as values of the first call. */
  readonly handed?: readonly Json[] | undefined;
  /** The ports of the input that hold streams. */
  readonly streamed?: { readonly [port: string]: HeldValue } | undefined;
  readonly seed: number;
  readonly timestampMs: number;
  readonly timeoutMs?: number | undefined;
  /** Variables of the environment that the manifest asked for. */
  readonly environment: { readonly [name: string]: string };
  /** What components with grants did while they were initialized, by their names (`shop/cart` for one of an app inside). */
  readonly initial: { readonly [component: string]: readonly RecordEvent[] };
  /** Calls of components with grants, in the order in which they began. */
  readonly calls: readonly RecordedCall[];
  /** Waiting of the flow itself: timeouts, pauses between attempts, `core::delay`. */
  readonly sleeps: readonly RecordedSleep[];
  /** Why the transaction could not be concluded although its operation answered. */
  readonly conclusion?: RecordedFailure | undefined;
  readonly outcome: RecordedOutcome;
  /** Events are missing: the record became too large. */
  readonly incomplete?: boolean | undefined;
}

export interface RecordedFile {
  readonly file: string;
  readonly sha256: string;
}

export type RecordedOutcome =
  | { readonly result: Json }
  /** A result with resources or streams. */
  | { readonly held: HeldValue }
  | { readonly error: { readonly code: string; readonly message: string; readonly payload?: Json | undefined } };

/** A value with resources or streams, by ids that are its own; `streams` as far as they were read and kept. */
export interface HeldValue {
  readonly value: Json;
  readonly streams: { readonly [id: string]: RecordedStream };
}

export interface RecordedStream {
  /** Lists of elements. */
  readonly chunks: readonly Json[];
  /** `open`: nobody read it to its end. */
  readonly end: "done" | "open" | RecordedFailure;
}

export interface RecordedFailure {
  readonly code: string;
  readonly message: string;
  readonly data?: Json | undefined;
}

export interface RecordedCall {
  /** `operation/node`; "": the operation that was asked for. */
  readonly node: string;
  /** How often the node was called before. */
  readonly count: number;
  readonly component: string;
  readonly events: readonly RecordEvent[];
}

/** `at` counts everything that came later than it was asked for, in the whole transaction; `ms` is when, after its beginning. */
export interface Arrival {
  readonly at: number;
  readonly ms: number;
}

export interface RecordedSleep extends Arrival {
  /** The how manieth wait it was, from 0. */
  readonly sleep: number;
}

/** What a function answered: its value, the error of its result, or why it stopped the component. */
export type RecordedAnswer = { readonly ok: Json } | { readonly error: Json } | { readonly failed: RecordedFailure };

/**
 * Values are written by their WIT types (`values.ts`); what has an identity (resources, streams, futures) is `#1`, `#2` … in each call.
 * `later`: the answer comes in an `answer` of that number.
 */
export type RecordEvent =
  | ({ readonly call: string; readonly args: readonly Json[] } & (RecordedAnswer | { readonly later: number }))
  | ({ readonly answer: number } & RecordedAnswer & Arrival)
  /** A stream of the host: what it gave, and its end. */
  | ({ readonly chunk: string; readonly value: Json } & Arrival)
  | ({ readonly end: string; readonly failed?: RecordedFailure | undefined } & Arrival)
  /** A future of the host. */
  | ({ readonly future: string } & ({ readonly ok: Json } | { readonly failed: RecordedFailure }) & Arrival)
  /** A stream of the component: the host asked for more, got it (without `value`: its end), or stopped. */
  | ({ readonly ask: string } & Arrival)
  | ({ readonly got: string; readonly value?: Json | undefined } & Arrival)
  | ({ readonly stop: string } & Arrival)
  /** What the component printed. */
  | { readonly print: "stdout" | "stderr" | "log"; readonly text: Json }
  /** The call was ended from outside, or the component stopped. */
  | ({ readonly stopped: RecordedFailure } & Arrival);
