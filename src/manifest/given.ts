// What a test gives to the capabilities of its app: scripted answers, contents of stores, faults. Plain frozen data, read by `read-given.ts`.
// In tests every store is in memory and nothing reaches the network; the clock starts at the test's `timestamp` and moves only by sleeping.

import type { Span } from "../base/diagnostics.ts";
import type { Json } from "./manifest.ts";

export interface Given {
  /** Tried in order; a request that none fits fails as one to a host that cannot be reached. */
  readonly http: readonly GivenExchange[];
  /** By bucket as the guest knows it. */
  readonly keyvalue: readonly GivenStore[];
  /** By container as the guest knows it. */
  readonly blobs: readonly GivenStore[];
  readonly sql: readonly GivenDatabase[];
  readonly files: readonly GivenFile[];
  readonly faults: readonly GivenFault[];
  readonly span: Span;
}

export interface GivenExchange {
  readonly request: GivenRequest;
  readonly respond: GivenResponse;
  /** How many requests it answers; 1 where it is not written. */
  readonly times: number;
  readonly span: Span;
}

/** Values may be matchers, as in `expect`. */
export interface GivenRequest {
  /** Upper case. */
  readonly method: string;
  /** Whole, with its query, or a matcher. */
  readonly url: Json;
  /** Names in lower case; other headers may be there too. */
  readonly headers: { readonly [name: string]: Json };
  /** Undefined: any. A text or a matcher of text is about the text, anything else about the JSON of the body. */
  readonly body?: Json | undefined;
}

export interface GivenResponse {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: readonly { readonly name: string; readonly value: string }[];
  readonly body: GivenBytes;
}

/** A text (encoded as UTF-8), or bytes in base64. */
export type GivenBytes = { readonly kind: "text"; readonly text: string } | { readonly kind: "base64"; readonly base64: string };

export interface GivenStore {
  readonly name: string;
  readonly entries: readonly { readonly key: string; readonly value: GivenBytes }[];
  readonly span: Span;
}

/** Statements that are run, in order, before the test, after the migrations. */
export interface GivenDatabase {
  /** As the guest knows it; undefined: the only one that is granted. */
  readonly name?: string | undefined;
  readonly statements: readonly { readonly text: string; readonly span: Span }[];
  readonly span: Span;
}

/** In a folder that is granted, by the path that the guest sees. */
export interface GivenFile {
  readonly path: string;
  readonly value: GivenBytes;
  readonly span: Span;
}

export type FaultPlace = "http" | "keyvalue" | "blobs" | "sql" | "files" | "messaging" | "sockets" | "calls";

/** Something goes wrong in a capability. At least one of `latencyMs`, `error` and `disconnect` is there; the last two never together. */
export interface GivenFault {
  readonly capability: FaultPlace;
  /** How many calls go well first. */
  readonly after: number;
  /** How many calls it happens to; undefined: all that follow. */
  readonly times?: number | undefined;
  /** In virtual time. */
  readonly latencyMs?: number | undefined;
  /** The call fails with the capability's general error and this text. */
  readonly error?: string | undefined;
  /** The connection breaks: the call fails, and what is open is lost. */
  readonly disconnect: boolean;
  readonly span: Span;
}
