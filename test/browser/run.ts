// Runs test files in a browser: one server, a page for each core of the machine, a frame for each file; says of each test how it ended.

import { availableParallelism } from "node:os";
import { startChromium } from "./chromium.ts";
import type { PageState, Report } from "./protocol.ts";
import { startServer } from "./server.ts";

/** Pages that say nothing for so long are stuck in loops: tests that wait too long are ended by the page itself. */
const SILENCE_MS = 100_000;

export interface Listener {
  /** A browser has started; told once. */
  browser(state: PageState): void;
  report(report: Report): void;
}

/**
 * Ends when all files have run.
 * @throws Error when the browser, or a page of it, is gone or stuck before that
 */
export async function runInBrowser(program: string, files: readonly string[], listener: Listener): Promise<void> {
  const { promise: finished, resolve, reject } = Promise.withResolvers<void>();
  const waiting = [...files];
  const atWork = new Map<string, string>();
  let left = files.length;
  let isKnown = false;
  const where = (): string => [...atWork].map(([file, test]) => `${file}: ${test}`).join(", ") || "no test";
  const stuck = (): void => reject(new Error(`nothing was heard for ${SILENCE_MS / 1000} s, while running ${where()}`));
  const watch = setTimeout(stuck, SILENCE_MS);
  await using server = await startServer({
    next(state) {
      if (!isKnown) listener.browser(state);
      isKnown = true;
      return waiting.shift();
    },
    report(report) {
      watch.refresh();
      if (report.kind === "test-started") atWork.set(report.file, report.name.join(" > "));
      listener.report(report);
      if (report.kind !== "file-finished") return;
      atWork.delete(report.file);
      if (--left === 0) resolve();
    },
  });
  await using chromium = startChromium(program, Array(Math.min(availableParallelism(), 4, files.length)).fill(server.url));
  try {
    await Promise.race([finished, chromium.gone.then((why) => reject(new Error(`${why}, while running ${where()}`)))]);
    await finished;
  } finally {
    clearTimeout(watch);
  }
}
