// Reads of one row by its key, on this thread: they cost less than telling another process of them. Only what is bounded whatever the
// database holds: one table, found by its whole primary key or a whole unique index, without functions, views and joins. Everything else
// is left to the process that can be ended.

import { constants, DatabaseSync, type SQLInputValue } from "node:sqlite";
import { bindAs, fromSqlite, LIMITS } from "./sqlite-connection.ts";
import { readStatement } from "./statement.ts";
import type { SqlColumn, SqlRow, SqlValue } from "./sql.ts";

const LONGEST_STATEMENT = 10_000;
const MOST_KNOWN = 500;
/** Names, numbers, parameters, `=`: with these alone no expression can take long. */
const HARMLESS = /^\s*select\s[\w\s,.*=?$"`]+$/i;
const BY_ROWID = /^SEARCH \S+ USING INTEGER PRIMARY KEY \(rowid=\?\)$/;
const BY_INDEX = /^SEARCH \S+ USING (?:COVERING )?INDEX (\S+) \(([^()]*)\)$/;
const INDEX = `SELECT l."unique" AS isUnique, (SELECT count(*) FROM pragma_index_info(?1)) AS columns
  FROM sqlite_schema AS s, pragma_index_list(s.tbl_name) AS l WHERE s.type = 'index' AND s.name = ?1 AND l.name = ?1 AND l.partial = 0`;

export interface FoundRow {
  readonly columns: readonly SqlColumn[];
  /** One, or none. */
  readonly rows: readonly SqlRow[];
}

type Lookup = (parameters: readonly SqlValue[]) => FoundRow;

export class Lookups {
  readonly #path: string;
  #database: DatabaseSync | undefined;
  #schemaVersion: (() => unknown) | undefined;
  #version: unknown;
  readonly #known = new Map<string, Lookup | undefined>();
  /** Statements of our own pass the authorizer. */
  #isOurs = false;

  constructor(path: string) {
    this.#path = path;
  }

  /** Undefined: it is no lookup, or it failed, which the process will tell in its own words. */
  find(sql: string, parameters: readonly SqlValue[]): FoundRow | undefined {
    if (sql.length > LONGEST_STATEMENT || !HARMLESS.test(sql)) return undefined;
    try {
      return this.#lookup(sql)?.(parameters);
    } catch {
      return undefined;
    }
  }

  close(): void {
    this.#known.clear();
    if (this.#database?.isOpen === true) this.#database.close();
    this.#database = undefined;
  }

  #lookup(sql: string): Lookup | undefined {
    const database = this.#open();
    // Where tables and indexes changed, what was a lookup may be a long search.
    const version = this.#schemaVersion?.();
    if (version !== this.#version) {
      this.#known.clear();
      this.#version = version;
    }
    if (this.#known.has(sql)) return this.#known.get(sql);
    if (this.#known.size >= MOST_KNOWN) this.#known.clear();
    const lookup = this.#make(database, sql);
    this.#known.set(sql, lookup);
    return lookup;
  }

  #make(database: DatabaseSync, sql: string): Lookup | undefined {
    const { style, parameterCount } = readStatement(sql, "sqlite");
    const plan = database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all();
    const detail = plan.length === 1 ? String(plan[0]?.["detail"]) : "";
    if (!BY_ROWID.test(detail) && !this.#isUnique(database, BY_INDEX.exec(detail))) return undefined;
    const statement = database.prepare(sql);
    statement.setReadBigInts(true);
    statement.setReturnArrays(true);
    const columns = statement.columns().map(({ name, type }) => ({ name, type: type ?? "" }));
    return (parameters) => {
      const bound = bindAs(style, parameterCount, parameters) as SQLInputValue[];
      const rows = statement.all(...bound) as unknown as readonly (readonly unknown[])[];
      return { columns, rows: rows.map((row) => row.map((one, i) => fromSqlite(one, columns[i]?.type ?? ""))) };
    };
  }

  /** Whether a search gives every column of a unique index a value. */
  #isUnique(database: DatabaseSync, search: RegExpExecArray | null): boolean {
    if (search === null) return false;
    const [, name = "", terms = ""] = search;
    const parts = terms.split(" AND ");
    if (!parts.every((part) => part.endsWith("=?"))) return false;
    const found = this.#ours(() => database.prepare(INDEX).get(name));
    return found?.["isUnique"] === 1 && found["columns"] === parts.length;
  }

  #open(): DatabaseSync {
    if (this.#database !== undefined) return this.#database;
    const database = new DatabaseSync(this.#path, { readOnly: true, defensive: true, limits: LIMITS });
    database.setAuthorizer((action, _table, _column, _database, view) => {
      const isPlain = action === constants.SQLITE_SELECT || (action === constants.SQLITE_READ && view === null);
      return this.#isOurs || isPlain ? constants.SQLITE_OK : constants.SQLITE_DENY;
    });
    const version = this.#ours(() => database.prepare("PRAGMA schema_version"));
    this.#schemaVersion = () => this.#ours(() => version.get()?.["schema_version"]);
    return (this.#database = database);
  }

  #ours<T>(work: () => T): T {
    this.#isOurs = true;
    try {
      return work();
    } finally {
      this.#isOurs = false;
    }
  }
}
