// Opens a SQL database by its address, and applies its migrations first.

import { resolve } from "node:path";
import type { Address } from "../resources/address.ts";
import { type MigrationTarget, migrate, readMigrations } from "./migrations.ts";
import { parseSqlAddress, type SqlDatabase, type SqlSettings } from "./sql.ts";

/** @throws StarlaneError `resource/bad-address`, `resource/unavailable`, `resource/migration` (rejects) */
export async function openSql(address: string, settings: SqlSettings): Promise<SqlDatabase> {
  const place = parseSqlAddress(address);
  const migrations = settings.migrations === undefined ? [] : await readMigrations(resolve(settings.folder, settings.migrations));
  const { database, target } = place.kind === "sqlite" ? await openSqlite(place, settings) : await openPostgres(place.server);
  try {
    if (settings.migrations !== undefined) await migrate(target, migrations);
    return database;
  } catch (error) {
    await database.close();
    throw error;
  }
}

interface Opened {
  readonly database: SqlDatabase;
  readonly target: MigrationTarget;
}

async function openSqlite(place: { path: string; allowRecursion: boolean }, settings: SqlSettings): Promise<Opened> {
  const { sqliteDatabase } = await import("./sqlite.ts");
  const { sqliteMigrations } = await import("./migrations-sqlite.ts");
  const database = await sqliteDatabase(place.path, settings.folder, place);
  return { database, target: sqliteMigrations(database) };
}

async function openPostgres(server: Address): Promise<Opened> {
  const { postgresDatabase } = await import("./postgres.ts");
  const { postgresMigrations } = await import("./migrations-postgres.ts");
  const database = await postgresDatabase(server);
  return { database, target: postgresMigrations(database.pool) };
}
