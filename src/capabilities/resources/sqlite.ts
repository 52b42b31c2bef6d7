// Opens SQLite files, and what the backends on them share. Runs on the caller's thread: only statements of our own, or of guests
// whose statements were checked, may run here.

import { mkdirSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { unavailable } from "./resource.ts";

/** How long a writer of another process is waited for; the thread stands still meanwhile. */
const BUSY_MS = 250;

export interface SqliteSettings {
  /** The manifest's folder, absolute. */
  readonly folder: string;
  /** `full` survives a power cut, `normal` a crash of the machine's programs, `none` only that of this process. */
  readonly durability: "full" | "normal" | "none";
  readonly busyMs?: number | undefined;
}

const SYNCHRONOUS = { full: "FULL", normal: "NORMAL", none: "OFF" };

/** `path`: relative to the folder, or `:memory:`. Folders on the way are made. @throws StarlaneError `resource/unavailable` */
export function openSqlite(path: string, settings: SqliteSettings): DatabaseSync {
  try {
    const file = path === ":memory:" ? path : resolve(settings.folder, path);
    if (file !== path) mkdirSync(dirname(file), { recursive: true });
    const database = new DatabaseSync(file, { timeout: settings.busyMs ?? BUSY_MS, defensive: true });
    database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = ${SYNCHRONOUS[settings.durability]}`);
    return database;
  } catch (error) {
    throw unavailable("the SQLite database", error);
  }
}

/** Runs `work` in a transaction that writes; rolled back where it throws. */
export function inTransaction<T>(database: DatabaseSync, work: () => T): T {
  database.exec("BEGIN IMMEDIATE");
  try {
    const result = work();
    database.exec("COMMIT");
    return result;
  } catch (error) {
    if (database.isTransaction) database.exec("ROLLBACK");
    throw error;
  }
}
