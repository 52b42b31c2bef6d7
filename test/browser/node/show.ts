// A value as text for the message of a failed assertion; never longer than a page.

const LONGEST = 4000;
const DEEPEST = 8;

export function show(value: unknown): string {
  const text = describe(value, 0);
  return text.length <= LONGEST ? text : `${text.slice(0, LONGEST)}… (${text.length} characters)`;
}

function describe(value: unknown, depth: number): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "bigint") return `${value}n`;
  if (Object.is(value, -0)) return "-0";
  if (typeof value === "function") return `[function ${value.name}]`;
  if (typeof value !== "object" || value === null) return String(value);
  if (depth === DEEPEST) return "…";
  if (value instanceof Error) return `${String(value)} ${describe(Object.fromEntries(Object.entries(value)), depth + 1)}`;
  if (value instanceof RegExp || value instanceof Date || value instanceof URL) return String(value);
  const items = (all: Iterable<unknown>): string => Array.from(all, (one) => describe(one, depth + 1)).join(", ");
  if (Array.isArray(value)) return `[${items(value)}]`;
  const name = value.constructor?.name ?? "null";
  if (ArrayBuffer.isView(value) && !(value instanceof DataView))
    return `${name}[${items(value as unknown as Iterable<unknown>)}]`;
  if (value instanceof Map || value instanceof Set) return `${name}{${items(value)}}`;
  const fields = Object.entries(value).map(([key, inner]) => `${key}: ${describe(inner, depth + 1)}`);
  return `${name === "Object" ? "" : `${name} `}{ ${fields.join(", ")} }`;
}
