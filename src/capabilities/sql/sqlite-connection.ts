// A connection to a SQLite file that runs statements of guests: each is looked at by SQLite's authorizer when it is prepared, so that none
// reaches another file, ends a transaction or changes how the database works. Prepared statements are kept.

import { constants, type DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import { overLimit, unavailable } from "../resources/resource.ts";
import { LARGEST_STATEMENT, LARGEST_VALUE_BYTES, type SqlColumn, sqlError, type SqlValue } from "./sql.ts";
import { readStatement } from "./statement.ts";

const RESOURCE = "the SQL database";
const KEPT_STATEMENTS = 100;
const SQLITE_BUSY = 5;
const SQLITE_TOOBIG = 18;
const SQLITE_CONSTRAINT = 19;
const SQLITE_AUTH = 23;

/** For every connection. */
export const LIMITS = {
  length: LARGEST_VALUE_BYTES + 65_536,
  sqlLength: LARGEST_STATEMENT * 4,
  column: 500,
  exprDepth: 200,
  compoundSelect: 100,
  attach: 0,
  likePatternLength: 1000,
  triggerDepth: 32,
};

export interface SqliteOptions {
  /** Whether guests may write recursive queries; one that does not end stops this process. */
  readonly allowRecursion: boolean;
}

export interface Prepared {
  readonly statement: StatementSync;
  readonly columns: readonly SqlColumn[];
  readonly writes: boolean;
  bind(parameters: readonly SqlValue[]): SQLInputValue[] | [Record<string, SQLInputValue>];
}

/** A connection with the statements it prepared lately. */
export class Connection {
  readonly database: DatabaseSync;
  readonly #allowRecursion: boolean;
  readonly #kept = new Map<string, Prepared>();
  /** What the authorizer saw of the statement that is being prepared. */
  #seen = { writes: false, denied: "" };
  /** Statements of the host itself pass. */
  #trusted = false;

  constructor(database: DatabaseSync, { allowRecursion }: SqliteOptions) {
    this.database = database;
    this.#allowRecursion = allowRecursion;
    Object.assign(database.limits, LIMITS);
    database.setAuthorizer((action, first, second) => this.#authorize(action, first, second));
  }

  /** Runs statements of the host. */
  trusted(sql: string): void {
    this.#trustedly(() => this.database.exec(sql));
  }

  /** The rows of one statement of the host. */
  host(sql: string, values: readonly SQLInputValue[] = []): Record<string, unknown>[] {
    return this.#trustedly(() => this.database.prepare(sql).all(...values));
  }

  /** Begins to write; false where another process does, and `mayWait`. */
  begins(mayWait: boolean): boolean {
    try {
      this.trusted("BEGIN IMMEDIATE");
      return true;
    } catch (error) {
      const isBusy = error instanceof Error && "errcode" in error && error.errcode === SQLITE_BUSY;
      if (isBusy && mayWait) return false;
      throw this.failure(error);
    }
  }

  #trustedly<T>(work: () => T): T {
    this.#trusted = true;
    try {
      return work();
    } finally {
      this.#trusted = false;
    }
  }

  /** Takes a statement for one use; `keep` gives it back. */
  prepare(sql: string): Prepared {
    const kept = this.#kept.get(sql);
    if (kept !== undefined) {
      this.#kept.delete(sql);
      return kept;
    }
    const { style, parameterCount } = readStatement(sql, "sqlite");
    this.#seen = { writes: false, denied: "" };
    try {
      const statement = this.database.prepare(sql);
      statement.setReadBigInts(true);
      statement.setReturnArrays(true);
      const columns = statement.columns().map(({ name, type }) => ({ name, type: type ?? "" }));
      const bind = (values: readonly SqlValue[]): ReturnType<Prepared["bind"]> => bindAs(style, parameterCount, values);
      return { statement, columns, writes: this.#seen.writes, bind };
    } catch (error) {
      throw this.failure(error);
    }
  }

  keep(sql: string, prepared: Prepared): void {
    this.#kept.set(sql, prepared);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > KEPT_STATEMENTS && oldest !== undefined) this.#kept.delete(oldest);
  }

  /** An error of SQLite in our words. */
  failure(error: unknown): Error {
    if (!(error instanceof Error) || !("errcode" in error) || typeof error.errcode !== "number")
      return unavailable(RESOURCE, error);
    switch (error.errcode & 0xff) {
      case SQLITE_BUSY:
        return sqlError("busy", "another transaction is writing", error);
      case SQLITE_CONSTRAINT:
        return sqlError("constraint", error.message, error);
      case SQLITE_AUTH:
        return sqlError("denied", this.#seen.denied || "the statement is not allowed", error);
      case SQLITE_TOOBIG:
        return overLimit("a value or statement is too large", LARGEST_VALUE_BYTES);
      case 1:
      case 20:
      case 25:
        return sqlError("statement", error.message, error);
      default:
        return unavailable(RESOURCE, error);
    }
  }

  #authorize(action: number, first: string | null, second: string | null): number {
    if (this.#trusted) return constants.SQLITE_OK;
    const denied = this.#reasonAgainst(action, first, second);
    if (denied === undefined) return constants.SQLITE_OK;
    this.#seen.denied = denied;
    return constants.SQLITE_DENY;
  }

  #reasonAgainst(action: number, first: string | null, second: string | null): string | undefined {
    switch (action) {
      case constants.SQLITE_SELECT:
      case constants.SQLITE_READ:
        return undefined;
      case constants.SQLITE_FUNCTION:
        return second?.toLowerCase() === "load_extension" ? "extensions cannot be loaded" : undefined;
      case constants.SQLITE_RECURSIVE:
        return this.#allowRecursion ? undefined : "recursive queries have to be allowed in the address of the database";
      case constants.SQLITE_ATTACH:
      case constants.SQLITE_DETACH:
        return "a statement stays in its database";
      case constants.SQLITE_TRANSACTION:
      case constants.SQLITE_SAVEPOINT:
        return "transactions begin and end with the component's own";
      case constants.SQLITE_PRAGMA:
        return HARMLESS_PRAGMAS.has(first?.toLowerCase() ?? "") ? undefined : "this pragma is not allowed";
      case constants.SQLITE_CREATE_VTABLE:
        return HARMLESS_MODULES.has(second?.toLowerCase() ?? "") ? this.#note() : "this kind of table is not allowed";
      default:
        return this.#note();
    }
  }

  #note(): undefined {
    this.#seen.writes = true;
  }
}

/** They only tell of tables. */
const HARMLESS_PRAGMAS = new Set([
  "table_info", "table_xinfo", "table_list", "index_info", "index_xinfo", "index_list", "foreign_key_list",
]); // prettier-ignore
const HARMLESS_MODULES = new Set(["fts5", "rtree"]);

export function bindAs(
  style: "question" | "dollar" | undefined,
  count: number,
  values: readonly SqlValue[],
): SQLInputValue[] | [Record<string, SQLInputValue>] {
  if (values.length !== count)
    throw sqlError("statement", `the statement has ${count} parameters, but ${values.length} were given`);
  if (style !== "dollar") return values.map(toSqlite);
  return [Object.fromEntries(values.map((value, i) => [`$${i + 1}`, toSqlite(value)]))];
}

function toSqlite(value: SqlValue): SQLInputValue {
  switch (value.tag) {
    case "null":
      return null;
    case "boolean":
      return value.val ? 1n : 0n;
    default:
      return value.val;
  }
}

/** SQLite keeps five types; what a column was declared as says which of ours is meant. */
export function fromSqlite(value: unknown, declared: string): SqlValue {
  if (value === null || value === undefined) return { tag: "null" };
  if (value instanceof Uint8Array) return { tag: "blob", val: value };
  const type = declared.toLowerCase();
  const isDecimal = type.startsWith("decimal") || type.startsWith("numeric");
  if (typeof value === "bigint") {
    if (type.startsWith("bool") && (value === 0n || value === 1n)) return { tag: "boolean", val: value === 1n };
    return isDecimal ? { tag: "decimal", val: value.toString() } : { tag: "integer", val: value };
  }
  if (typeof value === "number") return isDecimal ? { tag: "decimal", val: String(value) } : { tag: "float", val: value };
  const text = typeof value === "string" ? value : "";
  if (isDecimal) return { tag: "decimal", val: text };
  if (type.startsWith("timestamp") || type.startsWith("datetime")) return { tag: "timestamp", val: text };
  if (type === "date" || type === "time") return { tag: type, val: text };
  return { tag: "text", val: text };
}
