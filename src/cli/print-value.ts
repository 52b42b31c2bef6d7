// A result for people: text as it is, records as aligned lines, lists as bullets. The JSON form is in `wit/json.ts`.

import type { Json } from "../wit/json.ts";
import { printable, type Paint } from "./terminal.ts";

const MAX_DEPTH = 40;

/** The value as text; ends without a line break. */
export function printValue(json: Json, paint: Paint): string {
  return lines(json, paint, 0).join("\n");
}

function lines(json: Json, paint: Paint, depth: number): string[] {
  if (typeof json === "string") return printable(json).replace(/\n$/, "").split("\n");
  if (json === null || typeof json !== "object" || depth > MAX_DEPTH)
    return [typeof json === "object" ? JSON.stringify(json) : String(json)];
  if (Array.isArray(json)) return list(json, paint, depth);
  return record(Object.entries(json), paint, depth);
}

function list(items: readonly Json[], paint: Paint, depth: number): string[] {
  if (items.length === 0) return [paint("dim", "(empty)")];
  return items.flatMap((item) => {
    const [first = "", ...rest] = lines(item, paint, depth + 1);
    return [`${paint("dim", "-")} ${first}`, ...rest.map((line) => `  ${line}`)];
  });
}

function record(entries: readonly (readonly [string, Json])[], paint: Paint, depth: number): string[] {
  if (entries.length === 0) return [paint("dim", "(empty)")];
  const width = Math.min(24, Math.max(...entries.map(([name]) => name.length)));
  return entries.flatMap(([name, value]) => {
    const label = paint("cyan", `${printable(name)}:`);
    const inner = lines(value, paint, depth + 1);
    if (inner.length === 1 && (typeof value !== "object" || value === null))
      return [`${label}${" ".repeat(Math.max(1, width - name.length + 1))}${inner[0]}`];
    return [label, ...inner.map((line) => (line === "" ? "" : `  ${line}`))];
  });
}
