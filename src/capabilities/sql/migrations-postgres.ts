// Migrations of a Postgres database; an advisory lock keeps other processes out.

import { type Postgres, sqlStateOf } from "../resources/postgres.ts";
import { unavailable } from "../resources/resource.ts";
import type { AppliedMigration, MigrationTarget } from "./migrations.ts";

const SCHEMA = `CREATE TABLE IF NOT EXISTS starlane_migrations (
  number bigint PRIMARY KEY, name text NOT NULL, digest text NOT NULL, applied timestamptz NOT NULL DEFAULT now()
)`;
const LOCK = 7_381_294_002;

export function postgresMigrations(pool: Postgres): MigrationTarget {
  return {
    applyOne: async (choose) => {
      try {
        return await pool.begin(async (sql) => {
          await sql.unsafe(`SELECT pg_advisory_xact_lock(${LOCK})`);
          await sql.unsafe(SCHEMA);
          const applied = await sql<Record<string, unknown>[]>`SELECT number, name, digest FROM starlane_migrations`;
          const chosen = choose(applied.map(toApplied));
          if (chosen === undefined) return undefined;
          await sql.unsafe(chosen.sql);
          const { number, name, digest } = chosen;
          await sql`INSERT INTO starlane_migrations (number, name, digest) VALUES (${String(number)}, ${name}, ${digest})`;
          return chosen;
        });
      } catch (error) {
        const isLost =
          error instanceof Error && sqlStateOf(error) === undefined && "code" in error && error.code === "CONNECTION_CLOSED";
        throw isLost ? unavailable("the SQL database", error) : error;
      }
    },
  };
}

function toApplied(row: Readonly<Record<string, unknown>>): AppliedMigration {
  return { number: Number(row["number"]), name: String(row["name"]), digest: String(row["digest"]) };
}
