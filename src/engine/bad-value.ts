// A JS value that does not fit the WIT type it was given for: the host's mistake, told to the host.

import { StarlaneError } from "../base/errors.ts";

export function badValue(expected: string, value: unknown): never {
  throw new StarlaneError("engine/bad-value", `expected ${expected}, got ${show(value)}`);
}

/** The same mistake, with the parameter it was made for. */
export function inParameter(name: string | undefined, error: unknown): unknown {
  if (name === undefined || !(error instanceof StarlaneError) || error.code !== "engine/bad-value") return error;
  return new StarlaneError(error.code, `parameter \`${name}\`: ${error.message}`, { cure: error.cure, cause: error.cause });
}

function show(value: unknown): string {
  if (typeof value === "string") return value.length > 40 ? `a string of ${value.length} characters` : JSON.stringify(value);
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "function") return "a function";
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === "object" && value !== null) return `an object of ${value.constructor?.name ?? "no class"}`;
  return String(value);
}
