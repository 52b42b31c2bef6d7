// What crosses to the process that runs statements on a SQLite file, and what comes back: one request at a time, each with one answer.

import type { ErrorCode } from "../../base/error-codes.ts";
import type { SqlColumn, SqlRow, SqlValue } from "./sql.ts";

/** A value of a statement of the host itself. */
export type HostValue = string | number;

export type SqliteRequest =
  /** The first one. `volatile`: nothing of it has to survive. */
  | { readonly kind: "open"; readonly path: string; readonly allowRecursion: boolean; readonly volatile: boolean }
  /** Begins to write; where another process does and `mayWait`, that is no error. */
  | { readonly kind: "begin"; readonly mayWait: boolean }
  | { readonly kind: "commit" | "rollback" }
  /** Statements of the host on the connection that writes. */
  | { readonly kind: "trusted"; readonly sql: string }
  | { readonly kind: "host"; readonly sql: string; readonly values: readonly HostValue[] }
  /** A statement of a guest. `rows`: the number under which its answer stays open; absent where only changes are counted. */
  | {
      readonly kind: "run";
      readonly on: "reader" | "writer";
      readonly sql: string;
      readonly parameters: readonly SqlValue[];
      readonly rows?: number | undefined;
    }
  | { readonly kind: "fetch"; readonly rows: number; readonly limit: number }
  | { readonly kind: "close"; readonly rows: number };

export type SqliteAnswer =
  | { readonly kind: "done" }
  | { readonly kind: "begun"; readonly isBegun: boolean }
  | { readonly kind: "found"; readonly rows: readonly Readonly<Record<string, unknown>>[] }
  /** A statement that writes is not run on a connection that reads. */
  | { readonly kind: "writes" }
  | { readonly kind: "changed"; readonly count: bigint }
  /** `columns` with the first of them. */
  | {
      readonly kind: "rows";
      readonly columns: readonly SqlColumn[];
      readonly rows: readonly SqlRow[];
      readonly hasEnded: boolean;
    }
  | {
      readonly kind: "failed";
      readonly code: ErrorCode;
      readonly message: string;
      readonly data?: Readonly<Record<string, unknown>>;
    };
