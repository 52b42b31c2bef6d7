// Migrations that an app brings: numbered `.sql` files, applied once, in order, each in a transaction of its own together with its
// record. Two processes that start at once take turns. A file that was applied must stay as it was.

import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { StarlaneError } from "../../base/errors.ts";

const LARGEST_FILES = 10_000;
const LARGEST_FILE_BYTES = 4 << 20;
const FILE_NAME = /^(\d{1,12})[-_.].*\.sql$/;

export interface Migration {
  readonly number: number;
  /** The file's name. */
  readonly name: string;
  readonly sql: string;
  /** SHA-256 of the file, lower-case hex. */
  readonly digest: string;
}

export interface AppliedMigration {
  readonly number: number;
  readonly name: string;
  readonly digest: string;
}

/** What a backend does for migrations. */
export interface MigrationTarget {
  /**
   * In one transaction that no other process runs at the same time: reads what was applied, runs what `choose` gives, records it, and
   * says what that was. Rolled back where anything fails.
   */
  applyOne(choose: (applied: readonly AppliedMigration[]) => Migration | undefined): Promise<Migration | undefined>;
}

/** Reads the folder. @throws StarlaneError `resource/migration` (rejects) */
export async function readMigrations(folder: string): Promise<readonly Migration[]> {
  const names = await readdir(folder).catch((error: unknown) => fail("the folder of migrations cannot be read", error));
  const files = names.filter((name) => name.endsWith(".sql"));
  if (files.length > LARGEST_FILES) fail(`there are more than ${LARGEST_FILES} migrations`);
  const migrations = await Promise.all(files.map((name) => readMigration(folder, name)));
  const ordered = migrations.toSorted((a, b) => a.number - b.number);
  for (const [i, one] of ordered.entries()) {
    const before = ordered[i - 1];
    if (before?.number === one.number) fail(`the migrations ${before.name} and ${one.name} have the same number`);
  }
  return ordered;
}

async function readMigration(folder: string, name: string): Promise<Migration> {
  const number = FILE_NAME.exec(name)?.[1] ?? fail(`the migration ${name} has no number in front (001-name.sql)`);
  const bytes = await readFile(join(folder, name)).catch((error: unknown) => fail(`the migration ${name} cannot be read`, error));
  if (bytes.length > LARGEST_FILE_BYTES) fail(`the migration ${name} is larger than ${LARGEST_FILE_BYTES} bytes`);
  const digest = createHash("sha256").update(bytes).digest("hex");
  return { number: Number(number), name, sql: bytes.toString(), digest };
}

/** Applies what is missing; the names of what was applied. @throws StarlaneError `resource/migration` (rejects) */
export async function migrate(target: MigrationTarget, migrations: readonly Migration[]): Promise<readonly string[]> {
  const done: string[] = [];
  for (;;) {
    let chosen: Migration | undefined;
    try {
      const applied = await target.applyOne((before) => (chosen = nextOf(migrations, before)));
      if (applied === undefined) return done;
      done.push(applied.name);
    } catch (error) {
      if (chosen === undefined || (error instanceof StarlaneError && error.code === "resource/migration")) throw error;
      const reason = error instanceof Error ? error.message : String(error);
      return fail(`the migration ${chosen.name} failed, and nothing of it was kept: ${reason}`, error);
    }
  }
}

/** The first that was not applied, after it was seen that what was applied is as it was. */
function nextOf(migrations: readonly Migration[], applied: readonly AppliedMigration[]): Migration | undefined {
  const known = new Map(migrations.map((one) => [one.number, one]));
  for (const one of applied) {
    const file = known.get(one.number);
    if (file === undefined) return fail(`the migration ${one.name} was applied, but its file is gone`);
    if (file.digest !== one.digest) {
      return fail(
        `the migration ${file.name} was changed after it was applied`,
        undefined,
        "undo the change, and write a new migration",
      );
    }
  }
  const last = Math.max(-1, ...applied.map((one) => one.number));
  const numbers = new Set(applied.map((one) => one.number));
  const next = migrations.find((one) => !numbers.has(one.number));
  if (next !== undefined && next.number < last) {
    return fail(`the migration ${next.name} comes before others that were applied`, undefined, "give it a higher number");
  }
  return next;
}

function fail(message: string, cause?: unknown, cure?: string): never {
  throw new StarlaneError("resource/migration", message, { cause, cure });
}
