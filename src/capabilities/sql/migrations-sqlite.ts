// Migrations of a SQLite file; the write lock keeps other processes out.

import { untilAborted } from "../resources/answering.ts";
import type { AppliedMigration, MigrationTarget } from "./migrations.ts";
import type { SqliteDatabase } from "./sqlite.ts";
import type { SqliteHost } from "./sqlite-host.ts";

const SCHEMA = `CREATE TABLE IF NOT EXISTS starlane_migrations (
  number INTEGER PRIMARY KEY, name TEXT NOT NULL, digest TEXT NOT NULL, applied_ms INTEGER NOT NULL
) STRICT`;
const TURN_MS = 60_000;

export function sqliteMigrations({ host, turns }: SqliteDatabase): MigrationTarget {
  return {
    applyOne: async (choose) => {
      const release = await turns.take();
      try {
        await begin(host);
        await host.ask({ kind: "trusted", sql: SCHEMA });
        const found = await host.ask({
          kind: "host",
          sql: "SELECT number, name, digest FROM starlane_migrations",
          values: [],
        });
        const chosen = choose(found.kind === "found" ? found.rows.map(toApplied) : []);
        if (chosen !== undefined) {
          await host.ask({ kind: "trusted", sql: chosen.sql });
          const { number, name, digest } = chosen;
          const values = [number, name, digest, Date.now()];
          await host.ask({ kind: "host", sql: "INSERT INTO starlane_migrations VALUES (?, ?, ?, ?)", values });
        }
        await host.ask({ kind: "commit" });
        return chosen;
      } finally {
        // After a commit there is nothing to undo.
        await host.ask({ kind: "rollback" }).catch(() => undefined);
        release();
      }
    },
  };
}

/** A migration of another process may take a while. */
async function begin(host: SqliteHost): Promise<void> {
  const limit = AbortSignal.timeout(TURN_MS);
  for (;;) {
    const answer = await host.ask({ kind: "begin", mayWait: true });
    if (answer.kind === "begun" && answer.isBegun) return;
    await untilAborted(new Promise((resume) => setTimeout(resume, 20)), limit);
  }
}

function toApplied(row: Readonly<Record<string, unknown>>): AppliedMigration {
  return { number: Number(row["number"]), name: String(row["name"]), digest: String(row["digest"]) };
}
