// Which SQL transaction a component works in: one per database and Starlane transaction, shared by all components that the
// transaction calls. It is committed when all of it is done, and rolled back when it failed.

import type { StarlaneError } from "../../base/errors.ts";
import type { Maybe } from "../../engine/async/maybe.ts";
import type { CapabilityTransaction, TransactionOutcome, WholeTransaction } from "../capability.ts";
import { deniedName } from "../denial.ts";
import { answerError } from "../guest.ts";
import { untilAborted } from "../resources/answering.ts";
import { isResourceError } from "../resources/resource.ts";
import { type SqlDatabase, sqlProblem, type SqlSession } from "./sql.ts";

/** The databases by the names that components know them by. */
export type SqlGrant = ReadonlyMap<string, SqlDatabase>;

/** The sessions of one binding; where it is part of no larger transaction they end with its `finish`. */
export class Sessions {
  readonly #grant: SqlGrant;
  readonly #alone = new Map<SqlDatabase, SqlSession>();
  #transaction: CapabilityTransaction | undefined;

  constructor(grant: SqlGrant) {
    this.#grant = grant;
  }

  prepare(transaction: CapabilityTransaction): void {
    this.#alone.clear();
    this.#transaction = transaction;
  }

  async finish(outcome: TransactionOutcome): Promise<void> {
    const ended = [...this.#alone.values()];
    this.#alone.clear();
    await endAll(ended, outcome);
  }

  /** Whether a database may be opened by that name, and if not why. */
  look(name: string): "open" | "denied" | "missing" {
    if (!this.#grant.has(name)) {
      this.#transaction?.denied?.(deniedName("database", name, "sql"));
      return "missing";
    }
    return this.#transaction === undefined ? "denied" : "open";
  }

  /** The session of the transaction that runs now. */
  of(name: string): SqlSession | undefined {
    const database = this.#grant.get(name);
    const transaction = this.#transaction;
    if (database === undefined || transaction === undefined) return undefined;
    const { whole } = transaction;
    if (whole !== undefined) return sharedSession(whole, database, transaction.signal);
    let session = this.#alone.get(database);
    if (session === undefined) this.#alone.set(database, (session = database.session(transaction.signal)));
    return session;
  }

  /** Waits no longer than the transaction lives; what went wrong becomes an error of the interface. */
  async answer<T>(work: () => Maybe<T>, toPayload: (error: StarlaneError) => unknown): Promise<T> {
    try {
      return await untilAborted(Promise.resolve(work()), this.#transaction?.signal);
    } catch (error) {
      throw isResourceError(error) ? answerError(toPayload(error)) : error;
    }
  }
}

function sharedSession(whole: WholeTransaction, database: SqlDatabase, signal: AbortSignal | undefined): SqlSession {
  // The database is the key: what stands under it is the session that was put there below.
  const kept = whole.kept.get(database) as SqlSession | undefined;
  if (kept !== undefined) return kept;
  const session = database.session(signal);
  whole.kept.set(database, session);
  whole.onEnd((outcome) => endAll([session], outcome));
  return session;
}

/** Ends all, also where one of them fails; then the first failure is the transaction's. */
async function endAll(sessions: readonly SqlSession[], outcome: TransactionOutcome): Promise<void> {
  const how = outcome === "done" ? "commit" : "rollback";
  const ended = await Promise.allSettled(sessions.map(async (session) => await session.end(how)));
  for (const end of ended) if (end.status === "rejected" && how === "commit") throw end.reason;
}

/** An error as `starlane:sql` has it. */
export function sqlPayload(error: StarlaneError): unknown {
  const problem = sqlProblem(error);
  switch (problem) {
    case "denied":
      return { tag: "access-denied", val: error.message };
    case "busy":
    case "unavailable":
      return { tag: problem };
    default:
      return { tag: problem, val: error.message };
  }
}
