// `wasi:sql@0.2.0-draft`, as far as the draft goes: parameters are texts, and an answer is the list of its cells.

import type { StarlaneError } from "../../base/errors.ts";
import type { Imports } from "../../engine/engine.ts";
import { mayWait } from "../../engine/may-wait.ts";
import { answerError, guestInterface, madeByHost } from "../guest.ts";
import { guestText, overLimit } from "../resources/resource.ts";
import type { Sessions } from "./sessions.ts";
import { LARGEST_FETCH_BYTES, LARGEST_FETCH_ROWS, type SqlRows, sizeOf, sqlError, type SqlValue } from "./sql.ts";

const U32_MAX = 4_294_967_295n;

class SqlProblem {
  readonly #trace: string;

  constructor(trace: string) {
    this.#trace = trace;
  }

  trace(): string {
    return this.#trace;
  }
}

let textOf: (statement: Statement) => { readonly query: string; readonly parameters: readonly SqlValue[] };

class Statement {
  readonly #query: string;
  readonly #parameters: readonly SqlValue[];

  static {
    textOf = (statement) => ({ query: statement.#query, parameters: statement.#parameters });
  }

  constructor(query: string, parameters: readonly SqlValue[]) {
    this.#query = query;
    this.#parameters = parameters;
  }

  static prepare(query: string, parameters: readonly string[]): Statement {
    return new Statement(
      query,
      parameters.map((val) => ({ tag: "text", val })),
    );
  }
}

let nameOf: (connection: Connection) => string;

class Connection {
  readonly #name: string;

  static {
    nameOf = (connection) => connection.#name;
  }

  constructor(name: string) {
    this.#name = name;
  }
}

const shared = { Error: madeByHost(SqlProblem), Statement: madeByHost(Statement) };
const Known = guestInterface(shared);

function problem(error: StarlaneError): SqlProblem {
  return new SqlProblem(guestText(error));
}

/** The imports of one binding. */
export function wasiSql(sessions: Sessions): Imports {
  const ConnectionFace = madeByHost(Connection);
  const open = (name: string): Connection => {
    const found = sessions.look(name);
    if (found !== "open") throw answerError(new SqlProblem(found === "missing" ? "no such database" : "access denied"));
    return new Connection(name);
  };
  Object.defineProperty(ConnectionFace, "open", { value: open });
  const session = (connection: Connection) => {
    const found = sessions.of(nameOf(connection));
    if (found === undefined) throw sqlError("denied", "there is no transaction yet");
    return found;
  };
  const query = mayWait((connection: Connection, statement: Statement) => {
    const { query: text, parameters } = textOf(statement);
    return sessions.answer(async () => await cellsOf(await session(connection).query(text, parameters)), problem);
  });
  const exec = mayWait((connection: Connection, statement: Statement) => {
    const { query: text, parameters } = textOf(statement);
    const changed = async (): Promise<number> => {
      const count = await session(connection).execute(text, parameters);
      return Number(count > U32_MAX ? U32_MAX : count);
    };
    return sessions.answer(changed, problem);
  });
  return {
    "wasi:sql/types@0.2.0-draft": { __proto__: null, ...Known, Connection: ConnectionFace },
    "wasi:sql/readwrite@0.2.0-draft": { __proto__: null, query, exec },
  };
}

interface Cell {
  readonly fieldName: string;
  readonly value: unknown;
}

async function cellsOf(rows: SqlRows): Promise<readonly Cell[]> {
  const cells: Cell[] = [];
  for (let bytes = 0; ;) {
    const some = await rows.next(LARGEST_FETCH_ROWS);
    if (some.length === 0) return cells;
    for (const [i, value] of some.flatMap((row) => [...row.entries()])) {
      const fieldName = rows.columns[i]?.name ?? "";
      bytes += sizeOf(value) + fieldName.length * 2;
      cells.push({ fieldName, value: dataTypeOf(value) });
    }
    if (bytes > LARGEST_FETCH_BYTES) {
      await rows.close();
      throw overLimit("an answer is too large", LARGEST_FETCH_BYTES);
    }
  }
}

function dataTypeOf(value: SqlValue): unknown {
  switch (value.tag) {
    case "integer":
      return { tag: "int64", val: value.val };
    case "float":
      return { tag: "double", val: value.val };
    case "text":
    case "decimal":
      return { tag: "str", val: value.val };
    case "blob":
      return { tag: "binary", val: value.val };
    default:
      return value;
  }
}
