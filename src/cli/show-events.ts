// What happens inside a transaction, line by line on standard error: what `core::log` says, and with `--verbose` every node.

import type { NodeEvent } from "../flow/flow.ts";
import { paintFor, printable, type Style } from "./terminal.ts";

const LEVELS: Readonly<Record<NonNullable<NodeEvent["level"]>, Style>> = {
  debug: "dim",
  info: "blue",
  warn: "yellow",
  error: "red",
};

/** An observer that shows events; times count from when it was made. */
export function showEvents(verbose: boolean): (event: NodeEvent) => void {
  const paint = paintFor(process.stderr);
  const startedAt = performance.now();
  return ({ kind, path, atMs, error, level = "info", message, value }) => {
    if (kind === "log") {
      const said = [message, value === undefined ? undefined : JSON.stringify(value)].filter((part) => part !== undefined);
      process.stderr.write(`${paint(LEVELS[level], level)} ${paint("dim", path)} ${printable(said.join(" "))}\n`);
    } else if (verbose) {
      const why = error === undefined ? "" : `: ${printable(error.error.message)}`;
      process.stderr.write(paint("dim", `${(atMs - startedAt).toFixed(1).padStart(8)} ms  ${kind.padEnd(8)} ${path}${why}\n`));
    }
  };
}
