// Until when the times of schedules have been seen to, in a SQLite file of this user: it outlives the process, and several processes may use it.

import { mkdirSync } from "node:fs";
import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { ScheduleState } from "../triggers/schedule.ts";

const BUSY_MS = 2000;

/** Opened when it is first used: what cannot be opened is told by the schedule, and stops nothing. */
export class ScheduleStates implements Disposable {
  readonly #folder: string;
  #database: DatabaseSync | undefined;

  constructor(folder: string = stateFolder(process.env)) {
    this.#folder = folder;
  }

  of(schedule: string): ScheduleState {
    return {
      read: () => {
        const row = this.#open().prepare("SELECT until_ms FROM schedules WHERE name = ?").get(schedule);
        const until = row?.["until_ms"];
        return typeof until === "number" && Number.isSafeInteger(until) ? until : undefined;
      },
      write: (untilMs) => {
        const sql = "INSERT INTO schedules VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET until_ms = excluded.until_ms";
        this.#open().prepare(sql).run(schedule, Math.floor(untilMs));
      },
    };
  }

  [Symbol.dispose](): void {
    this.#database?.close();
    this.#database = undefined;
  }

  #open(): DatabaseSync {
    if (this.#database !== undefined) return this.#database;
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    const database = new DatabaseSync(join(this.#folder, "schedules.db"), { timeout: BUSY_MS });
    database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
    database.exec("CREATE TABLE IF NOT EXISTS schedules (name TEXT PRIMARY KEY, until_ms INTEGER NOT NULL) STRICT");
    this.#database = database;
    return database;
  }
}

/** `STARLANE_STATE`, or where the system keeps what programs remember. */
function stateFolder(env: NodeJS.ProcessEnv): string {
  const { STARLANE_STATE: wanted, XDG_STATE_HOME: state, LOCALAPPDATA: local } = env;
  if (wanted !== undefined && isAbsolute(wanted)) return wanted;
  if (state !== undefined && isAbsolute(state)) return join(state, "starlane");
  if (process.platform === "win32" && local !== undefined) return join(local, "starlane");
  return join(env["HOME"] ?? homedir(), ".local/state/starlane");
}
