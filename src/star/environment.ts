// Where `${env.NAME}` and `${secret.NAME}` come from: the environment of this process, and for secrets first the files of a folder, as
// Kubernetes and others mount them.

import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";

const SECRETS_FOLDER = "STARLANE_SECRETS";
const SECRET_PREFIX = "STARLANE_SECRET_";
const LARGEST_SECRET_BYTES = 64 * 1024;
const SECRET_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

export function environmentHere(name: string): string | undefined {
  return process.env[name];
}

/** The file `NAME` of the folder in STARLANE_SECRETS, without a last line feed; else the variable STARLANE_SECRET_NAME. */
export function secretHere(name: string): string | undefined {
  if (!SECRET_NAME.test(name)) return undefined;
  const folder = process.env[SECRETS_FOLDER];
  return (folder === undefined ? undefined : secretFile(join(folder, name))) ?? process.env[`${SECRET_PREFIX}${variable(name)}`];
}

/** `db-password` is `DB_PASSWORD` there. */
function variable(name: string): string {
  return name.toUpperCase().replaceAll(/[^A-Z0-9]/g, "_");
}

function secretFile(path: string): string | undefined {
  try {
    const stats = statSync(path);
    if (!stats.isFile() || stats.size > LARGEST_SECRET_BYTES) return undefined;
    return readFileSync(path, "utf8").replace(/\r?\n$/, "");
  } catch {
    return undefined;
  }
}
