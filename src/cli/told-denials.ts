// Tells the author of an app, on standard error, what its components asked for and are not granted.

import type { LoadOptions } from "../star/star.ts";
import { denialLines } from "../star/denials.ts";
import { paintFor, printable } from "./terminal.ts";

export function toldDenials(): NonNullable<LoadOptions["denied"]> {
  const paint = paintFor(process.stderr);
  return denialLines((line) => process.stderr.write(`${paint("yellow", "denied")}: ${printable(line)}\n`));
}
