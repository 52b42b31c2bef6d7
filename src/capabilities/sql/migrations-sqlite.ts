// Migrations of a SQLite file; the write lock keeps other processes out.

import { untilAborted } from "../resources/answering.ts";
import type { AppliedMigration, MigrationTarget } from "./migrations.ts";
import type { SqliteDatabase } from "./sqlite.ts";

const SCHEMA = `CREATE TABLE IF NOT EXISTS starlane_migrations (
  number INTEGER PRIMARY KEY, name TEXT NOT NULL, digest TEXT NOT NULL, applied_ms INTEGER NOT NULL
) STRICT`;
const TURN_MS = 60_000;

export function sqliteMigrations({ writer, turns }: SqliteDatabase): MigrationTarget {
  return {
    applyOne: async (choose) => {
      const release = await turns.take();
      try {
        await begin(writer);
        writer.trusted(SCHEMA);
        const chosen = choose(writer.host("SELECT number, name, digest FROM starlane_migrations").map(toApplied));
        if (chosen !== undefined) {
          writer.trusted(chosen.sql);
          const { number, name, digest } = chosen;
          writer.host("INSERT INTO starlane_migrations VALUES (?, ?, ?, ?)", [number, name, digest, Date.now()]);
        }
        writer.trusted("COMMIT");
        return chosen;
      } finally {
        if (writer.database.isTransaction) writer.trusted("ROLLBACK");
        release();
      }
    },
  };
}

/** A migration of another process may take a while. */
async function begin(writer: SqliteDatabase["writer"]): Promise<void> {
  const limit = AbortSignal.timeout(TURN_MS);
  while (!writer.begins(true)) await untilAborted(new Promise((resume) => setTimeout(resume, 20)), limit);
}

function toApplied(row: Readonly<Record<string, unknown>>): AppliedMigration {
  return { number: Number(row["number"]), name: String(row["name"]), digest: String(row["digest"]) };
}
