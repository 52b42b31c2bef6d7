// A component that is prepared for a WIT and has no program yet: making it takes componentize-qjs a second or two, putting a program into it
// takes milliseconds. Its JavaScript, when asked to, imports the program and exports what that exports; then its memory is written down
// as in `snapshot.ts`. What is prepared is kept on disk for the same WIT and the same componentize-qjs.

import { hash, randomUUID } from "node:crypto";
import { closeSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decode } from "../../../component/decode.ts";
import { validate } from "../../../component/validate.ts";
import { camelCase, type WorldType } from "../../../wit/types.ts";
import { cacheFolder, makePrivateFolder, openPrivateFile } from "../../cache-folder.ts";
import { componentizeOf } from "./library.ts";
import type { QjsJob } from "./protocol.ts";
import type { WitFiles } from "./wit-files.ts";
import { worldName, writeExtendedWit } from "./wit-files.ts";

/** The export that loads the program. */
export const LOAD = "starlane-load";
/** What is imported for the program's first module. */
export const PROGRAM = "/program";

/** What a prepared component depends on. */
export function preparedKey(job: QjsJob, wit: WitFiles): string {
  const files = [...wit.files].toSorted(([a], [b]) => (a < b ? -1 : 1));
  return hash("sha256", JSON.stringify(["1", job.version, job.world, files]));
}

/** The bytes of one that was prepared before. */
export function readPrepared(key: string): Buffer | undefined {
  const file = fileOf(key);
  const opened = file === undefined ? undefined : openPrivateFile(file);
  if (opened === undefined) return undefined;
  try {
    return readFileSync(opened.fd);
  } catch {
    return undefined;
  } finally {
    closeSync(opened.fd);
  }
}

/**
 * Prepares one; `whole` is a component of the same world, which tells what it exports. Undefined where the world cannot be extended.
 * @throws what componentize-qjs throws
 */
export async function prepare(key: string, job: QjsJob, wit: WitFiles, whole: Uint8Array): Promise<Buffer | undefined> {
  const world = worldName(wit, job.world);
  if (world === undefined) return undefined;
  const componentize = await componentizeOf(job.library);
  const scratch = mkdtempSync(join(tmpdir(), "starlane-prepare-"));
  try {
    writeExtendedWit(wit, world, [`${LOAD}: async func() -> result<_, string>`], scratch);
    const { component } = await componentize({
      jsSource: loaderFor(validate(decode(whole))),
      witPath: scratch,
      sync: false,
      optSize: true,
    });
    const bytes = Buffer.from(component);
    keep(key, bytes);
    return bytes;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** JavaScript that exports what the program exports, once it is loaded. */
function loaderFor(world: WorldType): string {
  const names = [...new Set(world.exports.filter(({ type }) => type.kind !== "type").map(({ name }) => exportedName(name)))];
  const declared = names.map((_, i) => `let v${i};\n`).join("");
  const exported = names.map((name, i) => `v${i} as ${JSON.stringify(name)}`).join(", ");
  const assigned = names.map((name, i) => `v${i} = program[${JSON.stringify(name)}];`).join(" ");
  return `${declared}export { ${exported}${exported === "" ? "" : ", "}load as ${JSON.stringify(camelCase(LOAD))} };
async function load() {
  let program;
  try { program = await import(${JSON.stringify(PROGRAM)}); }
  catch (error) { throw error instanceof Error ? "Error: " + error.message + "\\n" + error.stack : String(error); }
  ${assigned}
}
`;
}

/** How the interpreter looks for an export: the last part of the name of an interface, without its version. */
function exportedName(name: string): string {
  return camelCase(name.slice(name.lastIndexOf("/") + 1).split("@", 1)[0] ?? name);
}

function keep(key: string, bytes: Buffer): void {
  const file = fileOf(key);
  if (file === undefined) return;
  const temporary = `${file}.${randomUUID()}`;
  try {
    writeFileSync(temporary, bytes, { flag: "wx", mode: 0o600 });
    renameSync(temporary, file);
  } catch {
    // Then it is prepared once more.
  }
}

function fileOf(key: string): string | undefined {
  const caches = cacheFolder(process.env);
  if (caches === undefined) return undefined;
  const folder = join(caches, "prepared");
  try {
    return makePrivateFolder(folder) ? join(folder, `${key}.wasm`) : undefined;
  } catch {
    return undefined;
  }
}
