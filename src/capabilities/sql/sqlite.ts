// A SQL database in a SQLite file. One connection writes, for one transaction after another; reads before a transaction's first write
// go to others and see what is committed. Statements of guests pass an authorizer: none reaches another file, ends a transaction or
// changes how the database works. Nothing can interrupt a statement here, so recursion has to be allowed in the address.

import { resolve } from "node:path";
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import { untilAborted } from "../resources/answering.ts";
import { overLimit, reachingNow } from "../resources/resource.ts";
import { openSqlite } from "../resources/sqlite.ts";
import { Connection, fromSqlite, LIMITS, type Prepared, type SqliteOptions } from "./sqlite-connection.ts";
import { Turns } from "./turns.ts";
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

const RESOURCE = "the SQL database";
/** Connections that hold an answer which is read piece by piece. */
const LARGEST_READERS = 64;
const IDLE_READERS = 4;
/** How long a writer of another process is waited for, and how often it is tried meanwhile. */
const BUSY_MS = 5000;
const BUSY_STEP_MS = 10;

/** @throws StarlaneError `resource/unavailable` */
export function sqliteDatabase(path: string, folder: string, options: SqliteOptions): SqliteDatabase {
  const writer = openSqlite(path, { folder, durability: "full", busyMs: 0 });
  return new SqliteDatabase(path === ":memory:" ? path : resolve(folder, path), writer, options);
}

export class SqliteDatabase implements SqlDatabase {
  readonly #path: string;
  readonly #options: SqliteOptions;
  /** Whose turn it is to write. */
  readonly turns = new Turns();
  readonly writer: Connection;
  readonly #idle: Connection[] = [];
  #readers = 0;

  constructor(path: string, writer: DatabaseSync, options: SqliteOptions) {
    this.#path = path;
    this.#options = options;
    this.writer = new Connection(writer, options);
  }

  /** A database in memory has one connection, so whoever reads waits for a turn too. */
  get hasReaders(): boolean {
    return this.#path !== ":memory:";
  }

  session(signal?: AbortSignal): SqlSession {
    return new SqliteSession(this, signal);
  }

  takeReader(): Connection {
    const idle = this.#idle.pop();
    if (idle !== undefined) return idle;
    if (this.#readers >= LARGEST_READERS) throw overLimit("too many answers are open", LARGEST_READERS);
    const database = reachingNow(
      RESOURCE,
      () => new DatabaseSync(this.#path, { readOnly: true, defensive: true, limits: LIMITS }),
    );
    this.#readers++;
    return new Connection(database, this.#options);
  }

  giveBack(reader: Connection): void {
    if (this.#idle.length < IDLE_READERS && reader.database.isOpen) return void this.#idle.push(reader);
    this.#readers--;
    if (reader.database.isOpen) reader.database.close();
  }

  close(): void {
    for (const reader of this.#idle.splice(0)) reader.database.close();
    if (this.writer.database.isOpen) this.writer.database.close();
  }
}

class SqliteSession implements SqlSession {
  readonly #database: SqliteDatabase;
  readonly #signal: AbortSignal | undefined;
  readonly #rows = new Set<SqliteRows>();
  #release: (() => void) | undefined;
  #depth = 0;
  #ended = false;

  constructor(database: SqliteDatabase, signal: AbortSignal | undefined) {
    this.#database = database;
    this.#signal = signal;
  }

  async query(sql: string, parameters: readonly SqlValue[]): Promise<SqlRows> {
    checkStatement(sql, parameters);
    if (this.#rows.size >= LARGEST_OPEN_ROWS) throw overLimit("too many answers are open", LARGEST_OPEN_ROWS);
    const { connection, prepared, release } = await this.#prepare(sql);
    const close = (rows: SqliteRows): void => {
      this.#rows.delete(rows);
      connection.keep(sql, prepared);
      release();
    };
    try {
      const values = prepared.statement.iterate(...(prepared.bind(parameters) as SQLInputValue[]));
      const rows = new SqliteRows(connection, prepared.columns, values[Symbol.iterator](), close);
      this.#rows.add(rows);
      // Writes happen with the first step; and most answers end here, which gives the connection back.
      rows.fetchAhead();
      return rows;
    } catch (error) {
      release();
      throw error instanceof Error && "errcode" in error ? connection.failure(error) : error;
    }
  }

  async execute(sql: string, parameters: readonly SqlValue[]): Promise<bigint> {
    checkStatement(sql, parameters);
    const { connection, prepared, release } = await this.#prepare(sql);
    try {
      const { changes } = prepared.statement.run(...(prepared.bind(parameters) as SQLInputValue[]));
      connection.keep(sql, prepared);
      return prepared.writes ? BigInt(changes) : 0n;
    } catch (error) {
      throw error instanceof Error && "errcode" in error ? connection.failure(error) : error;
    } finally {
      release();
    }
  }

  async begin(): Promise<SqlPart> {
    const writer = await this.#write();
    if (this.#depth >= LARGEST_DEPTH) throw overLimit("too many parts of a transaction are open", LARGEST_DEPTH);
    const level = ++this.#depth;
    writer.trusted(`SAVEPOINT part${level}`);
    const end = (sql: string): void => {
      if (this.#ended || this.#depth < level) return;
      if (this.#depth > level) throw sqlError("statement", "a part that was begun later has to end first");
      reachingNow(RESOURCE, () => writer.trusted(sql));
      this.#depth--;
    };
    return {
      commit: () => end(`RELEASE part${level}`),
      rollback: () => end(`ROLLBACK TO part${level}; RELEASE part${level}`),
    };
  }

  end(how: "commit" | "rollback"): void {
    if (this.#ended) return;
    this.#ended = true;
    for (const rows of this.#rows) rows.close();
    if (this.#release === undefined) return;
    const { writer } = this.#database;
    try {
      if (how === "commit") writer.trusted("COMMIT");
    } catch (error) {
      throw writer.failure(error);
    } finally {
      if (writer.database.isTransaction) writer.trusted("ROLLBACK");
      this.#release();
    }
  }

  /** The statement on the connection it belongs to: the writer from the transaction's first write on. */
  async #prepare(sql: string): Promise<{ connection: Connection; prepared: Prepared; release: () => void }> {
    this.#checkOpen();
    if (this.#release === undefined && this.#database.hasReaders) {
      const connection = this.#database.takeReader();
      let prepared: Prepared | undefined;
      try {
        prepared = connection.prepare(sql);
        if (!prepared.writes) return { connection, prepared, release: () => this.#database.giveBack(connection) };
      } finally {
        if (prepared === undefined || prepared.writes) this.#database.giveBack(connection);
      }
    }
    const connection = await this.#write();
    return { connection, prepared: connection.prepare(sql), release: () => undefined };
  }

  /** Waits for the turn to write, in this process and among others, and begins. */
  async #write(): Promise<Connection> {
    this.#checkOpen();
    const { writer, turns } = this.#database;
    if (this.#release !== undefined) return writer;
    const turn = turns.take();
    const release = turn instanceof Promise ? await turns.wait(turn, this.#signal) : turn;
    try {
      for (let waitedMs = 0; ; waitedMs += BUSY_STEP_MS) {
        if (writer.begins(waitedMs < BUSY_MS)) break;
        await untilAborted(new Promise((resume) => setTimeout(resume, BUSY_STEP_MS)), this.#signal);
      }
      this.#checkOpen();
    } catch (error) {
      if (writer.database.isTransaction) writer.trusted("ROLLBACK");
      release();
      throw error;
    }
    this.#release = release;
    return writer;
  }

  #checkOpen(): void {
    if (this.#ended) throw sqlError("statement", "the transaction has ended");
  }
}

/** An answer that is stepped through as it is read. */
class SqliteRows implements SqlRows {
  readonly columns: readonly SqlColumn[];
  readonly #connection: Connection;
  readonly #values: Iterator<unknown>;
  readonly #onClose: (rows: SqliteRows) => void;
  #ahead: SqlRow[] = [];
  #state: "open" | "ended" | "closed" = "open";

  constructor(
    connection: Connection,
    columns: readonly SqlColumn[],
    values: Iterator<unknown>,
    onClose: (rows: SqliteRows) => void,
  ) {
    this.#connection = connection;
    this.columns = columns;
    this.#values = values;
    this.#onClose = onClose;
  }

  fetchAhead(): void {
    this.#ahead = this.#read(fetchLimit(100), 1 << 20);
  }

  next(limit: number): readonly SqlRow[] {
    if (this.#state === "closed") throw sqlError("statement", "the answer is closed");
    const count = fetchLimit(limit);
    if (this.#ahead.length > 0) return this.#ahead.splice(0, count);
    return this.#state === "ended" ? [] : this.#read(count, LARGEST_FETCH_BYTES);
  }

  close(): void {
    if (this.#state === "open") this.#end();
    this.#state = "closed";
    this.#ahead = [];
  }

  #read(count: number, limitBytes: number): SqlRow[] {
    const rows: SqlRow[] = [];
    try {
      for (let bytes = 0; rows.length < count && bytes < limitBytes;) {
        const { done, value } = this.#values.next();
        if (done === true) {
          this.#end();
          break;
        }
        const cells: unknown[] = Array.isArray(value) ? value : [];
        const row = cells.map((one, i) => fromSqlite(one, this.columns[i]?.type ?? ""));
        rows.push(row);
        for (const one of row) bytes += sizeOf(one);
      }
      return rows;
    } catch (error) {
      if (this.#state === "open") this.#end();
      throw this.#connection.failure(error);
    }
  }

  #end(): void {
    this.#state = "ended";
    this.#values.return?.();
    this.#onClose(this);
  }
}
