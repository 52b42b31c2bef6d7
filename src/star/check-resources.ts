// Whether the resources of an app can be used, before anything is opened: their addresses are read, and what they name on this machine is
// looked for. What would be made when it is opened may be missing: databases, the folders above them, folders of blobs.

import { resolve } from "node:path";
import type { Diagnostic, Span } from "../base/diagnostics.ts";
import type { ErrorCode } from "../base/error-codes.ts";
import { StarlaneError } from "../base/errors.ts";
import type { ResourceDeclaration } from "../manifest/manifest.ts";
import { type FileProblem, folderProblem, madeFileProblem, madeFolderProblem } from "./files.ts";
import { STORAGE } from "./storage.ts";

export interface ResourceCheck {
  /** The manifest's. */
  readonly folder: string;
  /** Look for what they name: left out where it is opened anyway, which tells the same. */
  readonly places: boolean;
}

/** The mistakes in an app's resources, in their order. */
export async function checkResources(resources: readonly ResourceDeclaration[], check: ResourceCheck): Promise<Diagnostic[]> {
  const found = await Promise.all(
    resources.map(async (resource) => [
      ...(await addressMistakes(resource, check)),
      ...(check.places ? await migrationMistakes(resource, check) : []),
    ]),
  );
  return found.flat();
}

async function addressMistakes(resource: ResourceDeclaration, { folder, places }: ResourceCheck): Promise<Diagnostic[]> {
  const { kind, address, addressSpan } = resource;
  // What a reference puts there is only known where the app is started.
  if (address.includes("${")) return [];
  if (kind !== "files") {
    const mistakes = mistakesOf(addressSpan, await STORAGE[kind].address(), address);
    if (mistakes.length > 0) return mistakes;
  }
  const problem = places ? placeProblem(resource, folder) : undefined;
  return problem === undefined ? [] : [toldOf(resource, "resource/missing", addressSpan, problem)];
}

/** Why what an address names here could not be opened. */
function placeProblem({ kind, address }: ResourceDeclaration, folder: string): FileProblem | undefined {
  if (kind === "files") return address === "memory:" ? undefined : folderProblem(resolve(folder, address));
  const path = /^(?:sqlite|folder):([^?]*)/.exec(address)?.[1];
  if (path === undefined) return undefined;
  return kind === "blobs" ? madeFolderProblem(resolve(folder, path)) : madeFileProblem(resolve(folder, path));
}

async function migrationMistakes(resource: ResourceDeclaration, { folder }: ResourceCheck): Promise<Diagnostic[]> {
  const { migrations, addressSpan, migrationsSpan = addressSpan } = resource;
  if (migrations === undefined) return [];
  const path = resolve(folder, migrations);
  const problem = folderProblem(path);
  if (problem !== undefined) return [toldOf(resource, "resource/missing", migrationsSpan, problem)];
  const { readMigrations } = await import("../capabilities/sql/migrations.ts");
  try {
    await readMigrations(path);
    return [];
  } catch (error) {
    if (!(error instanceof StarlaneError)) throw error;
    return [toldOf(resource, error.code, migrationsSpan, { problem: error.message, cure: error.cure })];
  }
}

function toldOf({ name }: ResourceDeclaration, code: ErrorCode, span: Span, { problem, cure }: FileProblem): Diagnostic {
  return { code, severity: "error", message: `the resource \`${name}\`: ${problem}`, span, cure };
}

/** What reading a text throws, where the text stands. */
export function mistakesOf(span: Span, read: (text: string) => unknown, text: string): Diagnostic[] {
  if (text.includes("${")) return [];
  try {
    read(text);
    return [];
  } catch (error) {
    if (!(error instanceof StarlaneError)) throw error;
    return [{ code: error.code, severity: "error", message: error.message, span, cure: error.cure }];
  }
}
