// The process that runs statements on one SQLite file: nothing can interrupt a statement there, so whoever started this process ends it. It
// has one connection that writes, and others that read.

import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import { Worker } from "node:worker_threads";
import { StarlaneError } from "../../base/errors.ts";
import { overLimit, reachingNow } from "../resources/resource.ts";
import { openSqlite } from "../resources/sqlite.ts";
import { fetchLimit, LARGEST_FETCH_BYTES, sizeOf, type SqlColumn, type SqlRow } from "./sql.ts";
import { Connection, fromSqlite, LIMITS, type Prepared } from "./sqlite-connection.ts";
import type { SqliteAnswer, SqliteRequest } from "./sqlite-protocol.ts";

const RESOURCE = "the SQL database";
/** Connections that hold an answer which is read piece by piece. */
const LARGEST_READERS = 64;
const IDLE_READERS = 4;
const FIRST_ROWS = 100;
const FIRST_BYTES = 1 << 20;
const LARGEST_VOLATILE_BYTES = 256 << 20;
const PAGE_BYTES = 4096;

interface OpenRows {
  readonly connection: Connection;
  readonly columns: readonly SqlColumn[];
  readonly values: Iterator<unknown>;
  readonly onEnd: () => void;
}

type Run = Extract<SqliteRequest, { kind: "run" }>;

class Statements {
  readonly #path: string;
  readonly #allowRecursion: boolean;
  readonly #writer: Connection;
  readonly #idle: Connection[] = [];
  readonly #open = new Map<number, OpenRows>();
  #readers = 0;

  constructor({ path, allowRecursion, volatile }: Extract<SqliteRequest, { kind: "open" }>) {
    this.#path = path;
    this.#allowRecursion = allowRecursion;
    const database = openSqlite(path, { folder: ".", durability: volatile ? "none" : "full" });
    // From now on whoever asks waits, and others may read meanwhile.
    database.exec("PRAGMA busy_timeout = 0");
    if (volatile) database.exec(`PRAGMA max_page_count = ${LARGEST_VOLATILE_BYTES / PAGE_BYTES}`);
    this.#writer = new Connection(database, { allowRecursion });
  }

  answer(request: Exclude<SqliteRequest, { kind: "open" }>): SqliteAnswer {
    switch (request.kind) {
      case "begin":
        return { kind: "begun", isBegun: this.#writer.begins(request.mayWait) };
      case "commit":
        return this.#commit();
      case "rollback":
        return this.#rollback();
      case "trusted":
        this.#writer.trusted(request.sql);
        return { kind: "done" };
      case "host":
        return { kind: "found", rows: this.#writer.host(request.sql, request.values) };
      case "run":
        return request.on === "reader" ? this.#read(request) : this.#run(this.#writer, request, () => undefined);
      case "fetch": {
        const open = this.#open.get(request.rows);
        return open === undefined
          ? { kind: "rows", columns: [], rows: [], hasEnded: true }
          : this.#fetch(request.rows, open, fetchLimit(request.limit), LARGEST_FETCH_BYTES);
      }
      case "close":
        this.#end(request.rows);
        return { kind: "done" };
    }
  }

  #commit(): SqliteAnswer {
    try {
      this.#writer.trusted("COMMIT");
      return { kind: "done" };
    } catch (error) {
      this.#rollback();
      throw this.#writer.failure(error);
    }
  }

  #rollback(): SqliteAnswer {
    if (this.#writer.database.isTransaction) this.#writer.trusted("ROLLBACK");
    return { kind: "done" };
  }

  #read(request: Run): SqliteAnswer {
    const reader = this.#takeReader();
    let isKept = false;
    try {
      const answer = this.#run(reader, request, () => this.#giveBack(reader));
      isKept = answer.kind === "rows";
      return answer;
    } finally {
      if (!isKept) this.#giveBack(reader);
    }
  }

  #run(connection: Connection, { on, sql, parameters, rows }: Run, release: () => void): SqliteAnswer {
    const prepared = connection.prepare(sql);
    if (on === "reader" && prepared.writes) {
      connection.keep(sql, prepared);
      return { kind: "writes" };
    }
    try {
      const bound = prepared.bind(parameters) as SQLInputValue[];
      if (rows === undefined) return changedBy(prepared, bound);
      const values = prepared.statement.iterate(...bound)[Symbol.iterator]();
      const onEnd = (): void => {
        connection.keep(sql, prepared);
        release();
      };
      const open = { connection, columns: prepared.columns, values, onEnd };
      this.#open.set(rows, open);
      // Writes happen with the first step; and most answers end here, which gives the connection back.
      return this.#fetch(rows, open, FIRST_ROWS, FIRST_BYTES);
    } catch (error) {
      throw error instanceof Error && "errcode" in error ? connection.failure(error) : error;
    } finally {
      if (rows === undefined) connection.keep(sql, prepared);
    }
  }

  #fetch(id: number, { connection, columns, values }: OpenRows, count: number, limitBytes: number): SqliteAnswer {
    const rows: SqlRow[] = [];
    try {
      for (let bytes = 0; rows.length < count && bytes < limitBytes;) {
        const { done, value } = values.next();
        if (done === true) {
          this.#end(id);
          return { kind: "rows", columns, rows, hasEnded: true };
        }
        const cells: unknown[] = Array.isArray(value) ? value : [];
        const row = cells.map((one, i) => fromSqlite(one, columns[i]?.type ?? ""));
        rows.push(row);
        for (const one of row) bytes += sizeOf(one);
      }
      return { kind: "rows", columns, rows, hasEnded: false };
    } catch (error) {
      this.#end(id);
      throw connection.failure(error);
    }
  }

  #end(id: number): void {
    const open = this.#open.get(id);
    if (open === undefined) return;
    this.#open.delete(id);
    open.values.return?.();
    open.onEnd();
  }

  #takeReader(): Connection {
    const idle = this.#idle.pop();
    if (idle !== undefined) return idle;
    if (this.#readers >= LARGEST_READERS) throw overLimit("too many answers are open", LARGEST_READERS);
    const database = reachingNow(
      RESOURCE,
      () => new DatabaseSync(this.#path, { readOnly: true, defensive: true, limits: LIMITS }),
    );
    this.#readers++;
    return new Connection(database, { allowRecursion: this.#allowRecursion });
  }

  #giveBack(reader: Connection): void {
    if (this.#idle.length < IDLE_READERS) return void this.#idle.push(reader);
    this.#readers--;
    reader.database.close();
  }
}

function changedBy({ statement, writes }: Prepared, bound: readonly SQLInputValue[]): SqliteAnswer {
  const { changes } = statement.run(...bound);
  return { kind: "changed", count: writes ? BigInt(changes) : 0n };
}

function failed(error: unknown): SqliteAnswer {
  // Of statements that the author of the app wrote: those of guests have errors of their own.
  if (error instanceof Error && "errcode" in error)
    return { kind: "failed", code: "resource/rejected", message: error.message, data: { problem: "statement" } };
  if (!(error instanceof StarlaneError)) return { kind: "failed", code: "resource/unavailable", message: RESOURCE };
  const { code, message, data } = error;
  return { kind: "failed", code, message, ...(data === undefined ? {} : { data }) };
}

/** A statement that runs hears nothing: another thread looks whether there is still anybody to answer. */
function endWithParent(): void {
  const code = `const parent = process.ppid;
    setInterval(() => { if (process.ppid !== parent) process.kill(process.pid, "SIGKILL"); }, 1000);`;
  new Worker(code, { eval: true }).unref();
}

function serve(): void {
  let statements: Statements | undefined;
  process.on("message", (request: SqliteRequest) => {
    let answer: SqliteAnswer = { kind: "done" };
    try {
      if (request.kind === "open") statements = new Statements(request);
      else answer = statements?.answer(request) ?? failed(undefined);
    } catch (error) {
      answer = failed(error);
    }
    process.send?.(answer);
  });
  process.on("disconnect", () => process.exit());
  // Who is told to end finishes first what it has begun.
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => undefined);
  endWithParent();
}

if (process.send !== undefined) serve();
