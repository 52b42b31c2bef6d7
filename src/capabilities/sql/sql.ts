// The contract of a SQL database. All that one session does is one transaction, which begins with its first statement and ends with
// `end`. Bounded: the size of statements, parameters and answers, and how many answers are open.

import { StarlaneError } from "../../base/errors.ts";
import type { Maybe } from "../../engine/async/maybe.ts";
import { type Address, type AddressForm, parseAddress } from "../resources/address.ts";
import { type OpenSettings, overLimit } from "../resources/resource.ts";

/** In UTF-16 units. */
export const LARGEST_STATEMENT = 100_000;
export const LARGEST_PARAMETERS = 1000;
export const LARGEST_VALUE_BYTES = 16 << 20;
/** What one `next` gives, and what is kept of an answer while other statements run. */
export const LARGEST_FETCH_ROWS = 1000;
export const LARGEST_FETCH_BYTES = 16 << 20;
export const LARGEST_OPEN_ROWS = 16;
export const LARGEST_DEPTH = 32;

/** As in `starlane:sql`. */
export type SqlValue =
  | { readonly tag: "null" }
  | { readonly tag: "boolean"; readonly val: boolean }
  | { readonly tag: "integer"; readonly val: bigint }
  | { readonly tag: "float"; readonly val: number }
  | { readonly tag: "text" | "decimal" | "date" | "time" | "timestamp"; readonly val: string }
  | { readonly tag: "blob"; readonly val: Uint8Array };

export type SqlRow = readonly SqlValue[];

export interface SqlColumn {
  readonly name: string;
  readonly type: string;
}

export interface SqlDatabase {
  /** Nothing is sent before the first statement. `signal` ends what it waits for. */
  session(signal?: AbortSignal): SqlSession;
  close(): Maybe<void>;
}

/**
 * One transaction. Methods throw or reject with StarlaneError `resource/…`; `sqlProblem` tells which kind. A statement that fails
 * changes nothing, and the transaction goes on.
 */
export interface SqlSession {
  query(statement: string, parameters: readonly SqlValue[]): Maybe<SqlRows>;
  /** How many rows it changed. */
  execute(statement: string, parameters: readonly SqlValue[]): Maybe<bigint>;
  begin(): Maybe<SqlPart>;
  /** Open answers are closed. A commit that fails has rolled back. A session that did nothing ends at once. */
  end(how: "commit" | "rollback"): Maybe<void>;
}

export interface SqlRows {
  readonly columns: readonly SqlColumn[];
  /** At most `limit` rows (1 to 1000), fewer where they are large; none after the last. */
  next(limit: number): Maybe<readonly SqlRow[]>;
  close(): Maybe<void>;
}

/** A part of a transaction; ending one that is not the innermost is an error. Ending twice does nothing. */
export interface SqlPart {
  commit(): Maybe<void>;
  rollback(): Maybe<void>;
}

export type SqlProblem = "denied" | "statement" | "constraint" | "busy" | "limit" | "unavailable";

export function sqlError(
  problem: "denied" | "statement" | "constraint" | "busy",
  message: string,
  cause?: unknown,
): StarlaneError {
  return new StarlaneError("resource/rejected", message, { cause, data: { problem } });
}

export function sqlProblem(error: StarlaneError): SqlProblem {
  if (error.code === "resource/limit") return "limit";
  const problem = error.code === "resource/rejected" ? error.data?.["problem"] : undefined;
  switch (problem) {
    case "denied":
    case "statement":
    case "constraint":
    case "busy":
      return problem;
    default:
      return "unavailable";
  }
}

export interface SqlSettings extends OpenSettings {
  /** A folder of numbered `.sql` files, relative to the manifest's folder, applied before the database is used. */
  readonly migrations?: string | undefined;
}

export type SqlAddress =
  | { readonly kind: "sqlite"; readonly path: string; readonly allowRecursion: boolean }
  | { readonly kind: "postgres"; readonly server: Address };

const FORMS: Readonly<Record<string, AddressForm>> = {
  memory: { kind: "bare", example: "memory:", options: ["recursion"] },
  sqlite: { kind: "path", example: "sqlite:./data/app.db", options: ["recursion"] },
  postgres: { kind: "server", example: "postgres://USER@HOST:5432/DATABASE", path: "required", options: ["ssl"] },
};

/** Checks an address without opening anything. @throws StarlaneError `resource/bad-address` */
export function parseSqlAddress(text: string): SqlAddress {
  const address = parseAddress(text, "a SQL database", FORMS);
  if (address.scheme === "postgres") return { kind: "postgres", server: address };
  const allowRecursion = address.options.get("recursion") === "allow";
  return { kind: "sqlite", path: address.scheme === "memory" ? ":memory:" : address.path, allowRecursion };
}

/** @throws StarlaneError `resource/limit` */
export function checkStatement(statement: string, parameters: readonly SqlValue[]): void {
  if (statement.length > LARGEST_STATEMENT) throw overLimit("a statement is too long", LARGEST_STATEMENT);
  if (parameters.length > LARGEST_PARAMETERS) throw overLimit("a statement has too many parameters", LARGEST_PARAMETERS);
  const bytes = parameters.reduce((sum, value) => sum + sizeOf(value), 0);
  if (bytes > LARGEST_VALUE_BYTES) throw overLimit("the parameters of a statement are too large", LARGEST_VALUE_BYTES);
}

/** About what a value takes in memory. */
export function sizeOf(value: SqlValue): number {
  if (value.tag === "blob") return value.val.length;
  return "val" in value && typeof value.val === "string" ? value.val.length * 2 : 16;
}

export function fetchLimit(limit: number): number {
  return Math.max(1, Math.min(limit, LARGEST_FETCH_ROWS));
}
