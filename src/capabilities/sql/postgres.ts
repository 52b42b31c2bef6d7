// A SQL database in Postgres. Each session has a connection of its own from its first statement to its end, in one transaction.
// Every statement stands in a savepoint, so that one that fails changes nothing and the transaction goes on. Values travel as text
// and are read by the type of their column.

import type { Address } from "../resources/address.ts";
import { untilAborted } from "../resources/answering.ts";
import { connectPostgres, type Postgres, sqlStateOf } from "../resources/postgres.ts";
import { isResourceError, overLimit, unavailable } from "../resources/resource.ts";
import type { PendingQuery, ReservedSql, Row } from "postgres";
import {
  checkStatement,
  fetchLimit,
  LARGEST_DEPTH,
  LARGEST_FETCH_BYTES,
  LARGEST_OPEN_ROWS,
  sizeOf,
  type SqlColumn,
  type SqlDatabase,
  sqlError,
  type SqlPart,
  type SqlRow,
  type SqlRows,
  type SqlSession,
  type SqlValue,
} from "./sql.ts";
import { readStatement } from "./statement.ts";

const RESOURCE = "the SQL database";
const CONNECTIONS = 16;
const FETCH_ROWS = 500;

/** Statements that end transactions, or change the session that others get after this one. */
const DENIED = new Set([
  "BEGIN", "START", "COMMIT", "END", "ROLLBACK", "ABORT", "SAVEPOINT", "RELEASE", "PREPARE", "EXECUTE", "DEALLOCATE",
  "SET", "RESET", "DISCARD", "LISTEN", "UNLISTEN", "NOTIFY", "LOAD", "COPY", "DECLARE", "FETCH", "MOVE", "CLOSE",
]); // prettier-ignore

/** @throws StarlaneError `resource/unavailable` (rejects) */
export async function postgresDatabase(server: Address): Promise<PostgresDatabase> {
  return new PostgresDatabase(await connectPostgres(server, { connections: CONNECTIONS, reserves: true, asText: true }));
}

export class PostgresDatabase implements SqlDatabase {
  readonly pool: Postgres;

  constructor(pool: Postgres) {
    this.pool = pool;
  }

  session(signal?: AbortSignal): SqlSession {
    return new PostgresSession(this.pool, signal);
  }

  async close(): Promise<void> {
    await this.pool.end({ timeout: 5 });
  }
}

class PostgresSession implements SqlSession {
  readonly #pool: Postgres;
  readonly #signal: AbortSignal | undefined;
  #connection: ReservedSql | undefined;
  readonly #rows = new Set<PostgresRows>();
  /** Statements one after another: what a guest asks for at once must not meet in the middle of a savepoint. */
  #last: Promise<unknown> = Promise.resolve();
  #depth = 0;
  #hasSavepoint = false;
  #state: "new" | "open" | "ended" = "new";

  constructor(pool: Postgres, signal: AbortSignal | undefined) {
    this.#pool = pool;
    this.#signal = signal;
  }

  async query(sql: string, parameters: readonly SqlValue[]): Promise<SqlRows> {
    const { text, values } = readGuests(sql, parameters);
    if (this.#rows.size >= LARGEST_OPEN_ROWS) throw overLimit("too many answers are open", LARGEST_OPEN_ROWS);
    return await this.#inTurn(async () => {
      const rows = new PostgresRows(this.#run(text, values), (closed) => this.#rows.delete(closed));
      this.#rows.add(rows);
      await this.#protect(() => rows.start(this.#signal));
      return rows;
    });
  }

  async execute(sql: string, parameters: readonly SqlValue[]): Promise<bigint> {
    const { text, values } = readGuests(sql, parameters);
    return await this.#inTurn(async () => {
      const run = this.#run(text, values);
      const result = await this.#protect(() => cancelling(run, this.#signal));
      return /^(SELECT|WITH|VALUES|TABLE|SHOW|EXPLAIN)$/.test(result.command) ? 0n : BigInt(result.count ?? 0);
    });
  }

  async begin(): Promise<SqlPart> {
    if (this.#depth >= LARGEST_DEPTH) throw overLimit("too many parts of a transaction are open", LARGEST_DEPTH);
    const level = await this.#inTurn(async () => {
      await this.#release();
      const next = this.#depth + 1;
      await this.#connected().unsafe(`SAVEPOINT part${next}`);
      this.#depth = next;
      return next;
    });
    const end = async (sql: string): Promise<void> => {
      if (this.#state === "ended" || this.#depth < level) return;
      await this.#inTurn(async () => {
        if (this.#depth > level) throw sqlError("statement", "a part that was begun later has to end first");
        await this.#release();
        await this.#connected().unsafe(sql);
        this.#depth--;
      });
    };
    return {
      commit: () => end(`RELEASE part${level}`),
      rollback: () => end(`ROLLBACK TO part${level}; RELEASE part${level}`),
    };
  }

  async end(how: "commit" | "rollback"): Promise<void> {
    if (this.#state === "ended") return;
    await this.#last.catch(() => undefined);
    this.#state = "ended";
    const connection = this.#connection;
    if (connection === undefined) return;
    try {
      for (const rows of this.#rows) await rows.close();
      await connection.unsafe(how === "commit" ? "COMMIT" : "ROLLBACK");
      // What a guest set for its session must not be there for the next one.
      await connection.unsafe("DISCARD ALL");
    } catch (error) {
      throw failure(error);
    } finally {
      connection.release();
    }
  }

  /** Waits for what was asked before, with a connection in a transaction; rows that are still on the wire are taken in first. */
  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last
      .catch(() => undefined)
      .then(async () => {
        if (this.#state === "ended") throw sqlError("statement", "the transaction has ended");
        if (this.#state === "new") await this.#open();
        for (const rows of this.#rows) await rows.takeIn();
        return await work();
      });
    this.#last = turn.catch(() => undefined);
    try {
      return await turn;
    } catch (error) {
      throw failure(error);
    }
  }

  async #open(): Promise<void> {
    const reserving = this.#pool.reserve();
    try {
      this.#connection = await untilAborted(reserving, this.#signal);
    } catch (error) {
      reserving.then((connection) => connection.release()).catch(() => undefined);
      throw error;
    }
    this.#state = "open";
    await this.#connection.unsafe("BEGIN");
  }

  #connected(): ReservedSql {
    if (this.#connection === undefined) throw sqlError("statement", "the transaction has ended");
    return this.#connection;
  }

  #run(text: string, values: readonly (string | null)[]): PendingQuery<Row[]> {
    return this.#connected().unsafe(text, [...values], { prepare: false, simple: false } as Parameters<Postgres["unsafe"]>[2]);
  }

  async #protect<T>(work: () => Promise<T>): Promise<T> {
    await this.#release();
    await this.#connected().unsafe("SAVEPOINT statement");
    this.#hasSavepoint = true;
    try {
      return await work();
    } catch (error) {
      this.#hasSavepoint = false;
      if (sqlStateOf(error) !== undefined) await this.#connected().unsafe("ROLLBACK TO statement; RELEASE statement");
      throw error;
    }
  }

  async #release(): Promise<void> {
    if (!this.#hasSavepoint) return;
    this.#hasSavepoint = false;
    await this.#connected().unsafe("RELEASE statement");
  }
}

function readGuests(sql: string, parameters: readonly SqlValue[]): { text: string; values: (string | null)[] } {
  checkStatement(sql, parameters);
  const { keyword, numbered, parameterCount, style } = readStatement(sql, "postgres");
  if (DENIED.has(keyword)) throw sqlError("denied", `${keyword} is not allowed: transactions and sessions belong to the host`);
  const text = style === "question" ? numbered : sql;
  if (parameterCount !== parameters.length) {
    throw sqlError("statement", `the statement has ${parameterCount} parameters, but ${parameters.length} were given`);
  }
  return { text, values: parameters.map(toText) };
}

/** Rejects when the signal aborts, and asks the server to stop. */
async function cancelling<T>(query: PendingQuery<Row[]> & Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  const cancel = (): void => query.cancel();
  signal?.addEventListener("abort", cancel, { once: true });
  try {
    return await query;
  } finally {
    signal?.removeEventListener("abort", cancel);
  }
}

/** An error of Postgres in our words; codes of appendix A of its manual. */
function failure(error: unknown): unknown {
  const state = sqlStateOf(error);
  if (state === undefined) return isResourceError(error) || isAbort(error) ? error : unavailable(RESOURCE, error);
  const message = error instanceof Error ? error.message : "";
  if (state.startsWith("23")) return sqlError("constraint", message, error);
  if (state === "42501") return sqlError("denied", message, error);
  if (/^(22|42|0A|21|25|2B|2D|3[4-9DF]|44|P0|54)/.test(state)) return sqlError("statement", message, error);
  if (/^(40|55P03)/.test(state)) return sqlError("busy", message, error);
  return unavailable(RESOURCE, error);
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && ("code" in error ? String(error.code).startsWith("flow/") : error.name === "AbortError");
}

function toText(value: SqlValue): string | null {
  switch (value.tag) {
    case "null":
      return null;
    case "boolean":
      return value.val ? "t" : "f";
    case "integer":
      return value.val.toString();
    case "float":
      return String(value.val);
    case "blob":
      return `\\x${Buffer.from(value.val).toString("hex")}`;
    default:
      return value.val;
  }
}

/** By the numbers of types in Postgres' catalog (pg_type). */
const NAMES: Readonly<Record<number, string>> = {
  16: "bool", 17: "bytea", 20: "int8", 21: "int2", 23: "int4", 25: "text", 26: "oid", 114: "json", 700: "float4", 701: "float8",
  1042: "char", 1043: "varchar", 1082: "date", 1083: "time", 1114: "timestamp", 1184: "timestamptz", 1186: "interval",
  1266: "timetz", 1700: "numeric", 2950: "uuid", 3802: "jsonb",
}; // prettier-ignore

function fromText(bytes: unknown, type: string): SqlValue {
  if (!Buffer.isBuffer(bytes)) return { tag: "null" };
  const text = bytes.toString();
  switch (type) {
    case "bool":
      return { tag: "boolean", val: text === "t" };
    case "int2":
    case "int4":
    case "int8":
    case "oid":
      return { tag: "integer", val: BigInt(text) };
    case "float4":
    case "float8":
      return { tag: "float", val: Number(text) };
    case "bytea":
      return { tag: "blob", val: Uint8Array.from(Buffer.from(text.slice(2), "hex")) };
    case "numeric":
      return { tag: "decimal", val: text };
    case "date":
      return { tag: "date", val: text };
    case "time":
    case "timetz":
      return { tag: "time", val: text };
    case "timestamp":
      return { tag: "timestamp", val: text.replace(" ", "T") };
    case "timestamptz":
      // Connections are set to UTC.
      return { tag: "timestamp", val: text.replace(" ", "T").replace(/\+00$/, "Z") };
    default:
      return { tag: "text", val: text };
  }
}

/** An answer that comes in pieces while it is read, and whole as soon as another statement needs the connection. */
class PostgresRows implements SqlRows {
  columns: readonly SqlColumn[] = [];
  readonly #query: PendingQuery<Row[]>;
  readonly #onClose: (rows: PostgresRows) => void;
  #pieces: AsyncIterator<readonly (readonly unknown[])[]> | undefined;
  readonly #there: SqlRow[] = [];
  #bytes = 0;
  #failure: Error | undefined;

  constructor(query: PendingQuery<Row[]>, onClose: (rows: PostgresRows) => void) {
    this.#query = query;
    this.#onClose = onClose;
  }

  async start(signal: AbortSignal | undefined): Promise<void> {
    const cancel = (): void => this.#query.cancel();
    signal?.addEventListener("abort", cancel, { once: true });
    this.#pieces = this.#query.raw().cursor(FETCH_ROWS)[Symbol.asyncIterator]();
    try {
      await this.#take();
    } catch (error) {
      this.#end();
      throw error;
    } finally {
      signal?.removeEventListener("abort", cancel);
    }
  }

  async next(limit: number): Promise<readonly SqlRow[]> {
    if (this.#there.length === 0) {
      await this.#take().catch((error: unknown) => {
        throw failure(error);
      });
    }
    if (this.#failure !== undefined) throw this.#failure;
    const rows = this.#there.splice(0, fetchLimit(limit));
    for (const row of rows) this.#bytes -= sizeOfRow(row);
    return rows;
  }

  /** Reads the rest, so that the connection is free. What is too large fails this answer only, when it is read. */
  async takeIn(): Promise<void> {
    while (this.#pieces !== undefined) {
      if (this.#bytes > LARGEST_FETCH_BYTES) {
        this.#failure = overLimit("the rest of an answer is too large to keep while other statements run", LARGEST_FETCH_BYTES);
        return await this.close();
      }
      await this.#take();
    }
  }

  async close(): Promise<void> {
    const pieces = this.#pieces;
    this.#end();
    await pieces?.return?.();
  }

  async #take(): Promise<void> {
    if (this.#pieces === undefined) return;
    const { done, value } = await this.#pieces.next().catch((error: unknown) => {
      this.#end();
      throw error;
    });
    if (this.columns.length === 0) this.columns = columnsOf(this.#query);
    if (done === true || value === undefined) return this.#end();
    for (const one of value) {
      const row = this.columns.map((column, i) => fromText(one[i], column.type));
      this.#there.push(row);
      this.#bytes += sizeOfRow(row);
    }
  }

  #end(): void {
    this.#pieces = undefined;
    this.#onClose(this);
  }
}

/** The library tells the columns of an answer without rows in no documented place. */
function columnsOf(query: object): SqlColumn[] {
  const statement: unknown = Reflect.get(query, "statement");
  if (typeof statement !== "object" || statement === null || !("columns" in statement)) return [];
  const columns = Array.isArray(statement.columns) ? (statement.columns as readonly { name: string; type: number }[]) : [];
  return columns.map(({ name, type }) => ({ name, type: NAMES[type] ?? "" }));
}

function sizeOfRow(row: SqlRow): number {
  return row.reduce((sum, value) => sum + sizeOf(value), 0);
}
