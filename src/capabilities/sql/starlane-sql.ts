// `starlane:sql`: see `wit/sql/sql.wit`.

import type { Imports } from "../../engine/engine.ts";
import { mayWait } from "../../engine/may-wait.ts";
import { answerError, guestInterface, madeByHost } from "../guest.ts";
import { rejected } from "../resources/resource.ts";
import { type Sessions, sqlPayload } from "./sessions.ts";
import type { SqlColumn, SqlPart, SqlRow, SqlRows, SqlSession, SqlValue } from "./sql.ts";

const STREAM_ROWS = 100;

type Query = (statement: string, parameters: readonly SqlValue[]) => Promise<SqlRows>;

let queryOf: (database: Database) => { readonly sessions: Sessions; readonly query: Query };

class Database {
  readonly #sessions: Sessions;
  readonly #name: string;

  static {
    queryOf = (database) => ({
      sessions: database.#sessions,
      query: async (statement, parameters) => await database.#session().query(statement, parameters),
    });
  }

  constructor(sessions: Sessions, name: string) {
    this.#sessions = sessions;
    this.#name = name;
  }

  query(statement: string, parameters: readonly SqlValue[]): Promise<Rows> {
    return this.#answer(async (session) => new Rows(this.#sessions, await session.query(statement, parameters)));
  }

  execute(statement: string, parameters: readonly SqlValue[]): Promise<bigint> {
    return this.#answer(async (session) => await session.execute(statement, parameters));
  }

  begin(): Promise<Transaction> {
    return this.#answer(async (session) => new Transaction(this.#sessions, await session.begin()));
  }

  #session(): SqlSession {
    const session = this.#sessions.of(this.#name);
    if (session === undefined) throw rejected("there is no transaction yet");
    return session;
  }

  async #answer<T>(work: (session: SqlSession) => Promise<T>): Promise<T> {
    return await this.#sessions.answer(() => work(this.#session()), sqlPayload);
  }
}

class Rows {
  readonly #sessions: Sessions;
  readonly #rows: SqlRows;

  constructor(sessions: Sessions, rows: SqlRows) {
    this.#sessions = sessions;
    this.#rows = rows;
  }

  columns(): readonly SqlColumn[] {
    return this.#rows.columns;
  }

  next(limit: number): Promise<readonly SqlRow[]> {
    return this.#sessions.answer(() => this.#rows.next(limit), sqlPayload);
  }

  [Symbol.dispose](): void {
    closeQuietly(this.#rows);
  }
}

function closeQuietly(rows: SqlRows): void {
  void Promise.resolve()
    .then(() => rows.close())
    .catch(() => undefined);
}

let partOf: (transaction: Transaction) => { readonly sessions: Sessions; readonly part: SqlPart };

class Transaction {
  readonly #sessions: Sessions;
  readonly #part: SqlPart;
  #isOver = false;

  static {
    partOf = (transaction) => {
      transaction.#isOver = true;
      return { sessions: transaction.#sessions, part: transaction.#part };
    };
  }

  constructor(sessions: Sessions, part: SqlPart) {
    this.#sessions = sessions;
    this.#part = part;
  }

  static commit(transaction: Transaction): Promise<void> {
    const { sessions, part } = partOf(transaction);
    return sessions.answer(() => part.commit(), sqlPayload);
  }

  static rollback(transaction: Transaction): Promise<void> {
    const { sessions, part } = partOf(transaction);
    return sessions.answer(() => part.rollback(), sqlPayload);
  }

  [Symbol.dispose](): void {
    if (this.#isOver) return;
    // Begins now, and stands before whatever statement comes next.
    const undone = this.#part.rollback();
    if (undone instanceof Promise) undone.catch(() => undefined);
  }
}

mayWait(Transaction.commit);
mayWait(Transaction.rollback);

const RowsFace = madeByHost(Rows, ["next"]);
const TransactionFace = madeByHost(Transaction);

/** The rows one by one, and afterwards whether all of them came. */
function streamed(rows: SqlRows): [readonly SqlColumn[], AsyncIterable<SqlRow>, Promise<unknown>] {
  const { promise, resolve } = Promise.withResolvers<unknown>();
  const stream = async function* (): AsyncGenerator<SqlRow> {
    try {
      for (;;) {
        const some = await rows.next(STREAM_ROWS);
        if (some.length === 0) break;
        yield* some;
      }
      resolve({ tag: "ok" });
    } catch (error) {
      resolve({ tag: "err", val: payloadOf(error) });
    } finally {
      // Where the guest let go of the stream, this is the end of it as well.
      resolve({ tag: "ok" });
      closeQuietly(rows);
    }
  };
  return [rows.columns, stream(), promise];
}

function payloadOf(error: unknown): unknown {
  return error instanceof Error && "code" in error
    ? sqlPayload(error as Parameters<typeof sqlPayload>[0])
    : { tag: "unavailable" };
}

/** The imports of one binding. */
export function starlaneSql(sessions: Sessions): Imports {
  const DatabaseFace = madeByHost(Database, ["query", "execute", "begin"]);
  const open = (name: string): Database => {
    const found = sessions.look(name);
    if (found === "missing") throw answerError({ tag: "no-such-database" });
    if (found === "denied") throw answerError({ tag: "access-denied", val: "there is no transaction yet" });
    return new Database(sessions, name);
  };
  Object.defineProperty(DatabaseFace, "open", { value: open });
  const query = async (database: Database, statement: string, parameters: readonly SqlValue[]): Promise<unknown> => {
    const known = queryOf(database);
    return await known.sessions.answer(async () => streamed(await known.query(statement, parameters)), sqlPayload);
  };
  return {
    "starlane:sql/types@0.1.0": NO_FUNCTIONS,
    "starlane:sql/database@0.1.0": {
      __proto__: null,
      Database: DatabaseFace,
      Rows: RowsFace,
      Transaction: TransactionFace,
    },
    "starlane:sql/streaming@0.1.0": { __proto__: null, query },
  };
}

const NO_FUNCTIONS = guestInterface({});
