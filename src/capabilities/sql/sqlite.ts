// A SQL database in a SQLite file. One connection writes, for one transaction after another; reads before a transaction's first write
// go to others and see what is committed. Statements run in a process of their own, because nothing else can interrupt one;
// only lookups by a key, which are over at once, run here.

import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { untilAborted } from "../resources/answering.ts";
import { overLimit, reachingNow, unavailable } from "../resources/resource.ts";
import type { SqliteOptions } from "./sqlite-connection.ts";
import { type Asker, SqliteHost } from "./sqlite-host.ts";
import { type FoundRow, Lookups } from "./sqlite-lookups.ts";
import type { SqliteAnswer, SqliteRequest } from "./sqlite-protocol.ts";
import {
  checkStatement,
  fetchLimit,
  LARGEST_DEPTH,
  LARGEST_OPEN_ROWS,
  type SqlColumn,
  type SqlDatabase,
  sqlError,
  type SqlPart,
  type SqlRow,
  type SqlRows,
  type SqlSession,
  type SqlValue,
} from "./sql.ts";
import { Turns } from "./turns.ts";

const RESOURCE = "the SQL database";
/** How long a writer of another process is waited for, and how often it is tried meanwhile. */
const BUSY_MS = 5000;
const BUSY_STEP_MS = 10;
const MOST_WRITING = 500;

/** `path`: relative to the folder, or `:memory:`. Folders on the way are made. @throws StarlaneError `resource/unavailable` (rejects) */
export async function sqliteDatabase(path: string, folder: string, options: SqliteOptions): Promise<SqliteDatabase> {
  const volatile = path === ":memory:" ? reachingNow(RESOURCE, () => mkdtempSync(join(tmpdir(), "starlane-sql-"))) : undefined;
  const file = volatile === undefined ? resolve(folder, path) : join(volatile, "memory.db");
  try {
    if (volatile === undefined) reachingNow(RESOURCE, () => mkdirSync(dirname(file), { recursive: true }));
    const { allowRecursion } = options;
    const host = new SqliteHost({ kind: "open", path: file, allowRecursion, volatile: volatile !== undefined });
    await host.open();
    return new SqliteDatabase(host, new Lookups(file), volatile);
  } catch (error) {
    remove(volatile);
    throw error;
  }
}

function remove(folder: string | undefined): void {
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
}

export class SqliteDatabase implements SqlDatabase {
  readonly host: SqliteHost;
  readonly lookups: Lookups;
  /** Whose turn it is to write. */
  readonly turns = new Turns();
  /** A database in memory lies in a folder that goes with it: so it outlives the process that runs its statements. */
  readonly #volatile: string | undefined;
  /** Statements that are known to write: they need not be tried on a connection that reads. */
  readonly writing = new Set<string>();
  #rows = 0;

  constructor(host: SqliteHost, lookups: Lookups, volatile: string | undefined) {
    this.host = host;
    this.lookups = lookups;
    this.#volatile = volatile;
  }

  session(signal?: AbortSignal): SqlSession {
    return new SqliteSession(this, signal);
  }

  /** The number of an answer that stays open. */
  nextRows(): number {
    return ++this.#rows;
  }

  async close(): Promise<void> {
    this.lookups.close();
    await this.host.close();
    remove(this.#volatile);
  }
}

/** The answer of the kind that was asked for. */
function expected<K extends SqliteAnswer["kind"]>(answer: SqliteAnswer, kind: K): Extract<SqliteAnswer, { kind: K }> {
  if (answer.kind === kind) return answer as Extract<SqliteAnswer, { kind: K }>;
  throw unavailable(RESOURCE, new Error(`answered with ${answer.kind}, not ${kind}`));
}

class SqliteSession implements SqlSession {
  readonly #database: SqliteDatabase;
  readonly #signal: AbortSignal | undefined;
  readonly #asker: Asker = { life: undefined };
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
    this.#checkOpen();
    const found = this.#release === undefined ? this.#database.lookups.find(sql, parameters) : undefined;
    if (found !== undefined) return new FoundRows(found);
    const id = this.#database.nextRows();
    const answer = expected(await this.#run({ kind: "run", on: "reader", sql, parameters, rows: id }), "rows");
    const { host } = this.#database;
    const ask = async (request: Extract<SqliteRequest, { kind: "fetch" | "close" }>): Promise<SqliteAnswer> =>
      await untilAborted(host.ask(request, { life: rows.life }), this.#signal);
    const rows = new SqliteRows(id, answer, host.life, ask, () => this.#rows.delete(rows));
    if (!answer.hasEnded) this.#rows.add(rows);
    return rows;
  }

  async execute(sql: string, parameters: readonly SqlValue[]): Promise<bigint> {
    checkStatement(sql, parameters);
    return expected(await this.#run({ kind: "run", on: "reader", sql, parameters }), "changed").count;
  }

  async begin(): Promise<SqlPart> {
    await this.#write();
    if (this.#depth >= LARGEST_DEPTH) throw overLimit("too many parts of a transaction are open", LARGEST_DEPTH);
    const level = ++this.#depth;
    await this.#ask({ kind: "trusted", sql: `SAVEPOINT part${level}` });
    const end = async (sql: string): Promise<void> => {
      if (this.#ended || this.#depth < level) return;
      if (this.#depth > level) throw sqlError("statement", "a part that was begun later has to end first");
      this.#depth--;
      await this.#ask({ kind: "trusted", sql });
    };
    return {
      commit: () => end(`RELEASE part${level}`),
      rollback: () => end(`ROLLBACK TO part${level}; RELEASE part${level}`),
    };
  }

  async end(how: "commit" | "rollback"): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    const { host } = this.#database;
    // What still runs has nobody who waits for it.
    host.giveUp(this.#asker);
    const open = [...this.#rows];
    try {
      for (const rows of open) await rows.close().catch(() => undefined);
      if (this.#release !== undefined) await host.ask({ kind: how }, this.#asker);
    } catch (error) {
      // What was not committed is undone with the process that it was done in.
      if (how === "commit") throw error;
    } finally {
      this.#release?.();
    }
  }

  async #ask(request: Exclude<SqliteRequest, { kind: "open" }>): Promise<SqliteAnswer> {
    const { host } = this.#database;
    try {
      return await untilAborted(host.ask(request, this.#asker), this.#signal);
    } catch (error) {
      if (this.#signal?.aborted === true) host.giveUp(this.#asker);
      throw error;
    }
  }

  /** On the connection that the statement belongs to: the writer from the transaction's first write on. */
  async #run(request: Extract<SqliteRequest, { kind: "run" }>): Promise<SqliteAnswer> {
    this.#checkOpen();
    const { writing } = this.#database;
    if (this.#release === undefined && !writing.has(request.sql)) {
      const answer = await this.#ask(request);
      if (answer.kind !== "writes") return answer;
      if (writing.size >= MOST_WRITING) writing.clear();
      writing.add(request.sql);
    }
    await this.#write();
    return await this.#ask({ ...request, on: "writer" });
  }

  /** Waits for the turn to write, in this process and among others, and begins. */
  async #write(): Promise<void> {
    this.#checkOpen();
    if (this.#release !== undefined) return;
    const { host, turns } = this.#database;
    const turn = turns.take();
    const release = turn instanceof Promise ? await turns.wait(turn, this.#signal) : turn;
    try {
      for (let waitedMs = 0; ; waitedMs += BUSY_STEP_MS) {
        const mayWait = waitedMs < BUSY_MS;
        if (expected(await this.#ask({ kind: "begin", mayWait }), "begun").isBegun) break;
        await untilAborted(new Promise((resume) => setTimeout(resume, BUSY_STEP_MS)), this.#signal);
      }
      this.#asker.life = host.life;
      this.#checkOpen();
    } catch (error) {
      await host.ask({ kind: "rollback" }).catch(() => undefined);
      release();
      throw error;
    }
    this.#release = release;
  }

  #checkOpen(): void {
    if (this.#ended) throw sqlError("statement", "the transaction has ended");
  }
}

/** An answer that is there. */
class FoundRows implements SqlRows {
  readonly columns: readonly SqlColumn[];
  #rows: SqlRow[] | undefined;

  constructor({ columns, rows }: FoundRow) {
    this.columns = columns;
    this.#rows = [...rows];
  }

  next(limit: number): readonly SqlRow[] {
    if (this.#rows === undefined) throw sqlError("statement", "the answer is closed");
    return this.#rows.splice(0, fetchLimit(limit));
  }

  close(): void {
    this.#rows = undefined;
  }
}

/** An answer that is read piece by piece. */
class SqliteRows implements SqlRows {
  readonly columns: readonly SqlColumn[];
  /** Of the process in which it is open. */
  readonly life: number;
  readonly #id: number;
  readonly #ask: (request: Extract<SqliteRequest, { kind: "fetch" | "close" }>) => Promise<SqliteAnswer>;
  readonly #onEnd: () => void;
  #ahead: SqlRow[];
  #state: "open" | "ended" | "closed";

  constructor(
    id: number,
    { columns, rows, hasEnded }: Extract<SqliteAnswer, { kind: "rows" }>,
    life: number,
    ask: (request: Extract<SqliteRequest, { kind: "fetch" | "close" }>) => Promise<SqliteAnswer>,
    onEnd: () => void,
  ) {
    this.columns = columns;
    this.life = life;
    this.#id = id;
    this.#ask = ask;
    this.#onEnd = onEnd;
    this.#ahead = [...rows];
    this.#state = hasEnded ? "ended" : "open";
  }

  async next(limit: number): Promise<readonly SqlRow[]> {
    if (this.#state === "closed") throw sqlError("statement", "the answer is closed");
    const count = fetchLimit(limit);
    if (this.#ahead.length > 0) return this.#ahead.splice(0, count);
    if (this.#state === "ended") return [];
    const { rows, hasEnded } = expected(await this.#ask({ kind: "fetch", rows: this.#id, limit: count }), "rows");
    if (hasEnded) this.#end();
    return rows;
  }

  async close(): Promise<void> {
    const wasOpen = this.#state === "open";
    this.#state = "closed";
    this.#ahead = [];
    this.#onEnd();
    if (wasOpen) await this.#ask({ kind: "close", rows: this.#id });
  }

  #end(): void {
    if (this.#state === "open") this.#state = "ended";
    this.#onEnd();
  }
}
