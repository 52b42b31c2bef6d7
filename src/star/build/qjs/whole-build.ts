// A component made by componentize-qjs from nothing: about a second.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { withoutExports } from "./component-bytes.ts";
import { componentizeOf } from "./library.ts";
import { type QjsJob, SourceMistake } from "./protocol.ts";
import { importMistake, reachableSources, sourcesIn } from "./sources.ts";
import { readWit, withOwnNames, writeWit } from "./wit-files.ts";

/** @throws SourceMistake */
export async function buildWhole(job: QjsJob): Promise<Uint8Array> {
  const componentize = await componentizeOf(job.library);
  const sources = sourcesIn(job.root);
  const entry = relative(sources.root, job.entry).replaceAll("\\", "/");
  const witName = relative(job.root, job.wit);
  const wit = readWit(job.wit, witName);
  const found = reachableSources(sources, entry);
  const scratch = mkdtempSync(join(tmpdir(), "starlane-build-"));
  try {
    writeWit(wit, join(scratch, "wit"));
    const modules = join(scratch, "modules");
    for (const [path, text] of found) {
      mkdirSync(dirname(join(modules, path)), { recursive: true });
      writeFileSync(join(modules, path), text);
    }
    const { component } = await componentize({
      jsSource: found.get(entry) ?? "",
      jsPath: join(modules, entry),
      moduleRoot: modules,
      witPath: join(scratch, "wit"),
      world: job.world,
      sync: !wit.isAsync,
      optSize: true,
    });
    return withoutExports(withOwnNames(component, wit), [INIT]);
  } catch (error) {
    if (!(error instanceof Error) || error instanceof SourceMistake) throw error;
    const mistake = toldMistake(error.message.replaceAll(`${scratch}/modules/`, "").replaceAll(join(scratch, "wit"), witName));
    throw /not found|resolv/i.test(mistake.message) ? (importMistake(sources, found) ?? mistake) : mistake;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** What componentize-qjs itself starts a component with, and leaves in it. */
export const INIT = "init";

/** What the interpreter or the library says, without what they say of their own steps. */
export function toldMistake(text: string): SourceMistake {
  // Paths of modules start at the root folder.
  const local = text.replaceAll(/(^|[\s(])\/(?=[^\s/:]+(?:\/[^\s:]*)?:\d+)/gm, "$1");
  const [first = "", ...more] = local.trim().split("\n");
  const message = first.replaceAll(
    /(?:^[\s:]+|Failed to (?:evaluate|declare|finish|read) (?:user )?JavaScript module(?: evaluation)?: )/g,
    "",
  );
  const stack = more.map((line) => line.trim()).filter((line) => line !== "" && !line.includes("componentize-qjs:"));
  const at = stack.map((line) => /([^\s()]+:\d+:\d+)\)?$/.exec(line)?.[1]).find((place) => place !== undefined);
  return new SourceMistake(message.trim(), { at, output: stack.length > 1 ? stack.join("\n") : undefined });
}
