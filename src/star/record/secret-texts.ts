// What of secrets must not be seen: each as a whole, and the lines of those that have several.

import { masker, secretForms } from "../../manifest/outside.ts";

const SHORTEST_LINE = 8;

export function secretTexts(secrets: Iterable<string>): string[] {
  const lines = (secret: string): string[] =>
    secret.includes("\n") ? secret.split(/\r?\n/).filter((line) => line.length >= SHORTEST_LINE) : [];
  return [...new Set([...secrets].flatMap((secret) => [secret, ...lines(secret)]))];
}

/** Shorter ones stand in many texts by chance. */
const SHORTEST_BASE64 = 6;

/** What base64 makes of a secret wherever it begins: without the characters that its neighbours change. */
export function base64Forms(secret: string): string[] {
  const bytes = Buffer.from(secret);
  return [0, 1, 2].flatMap((shift) => {
    const text = Buffer.concat([Buffer.alloc(shift), bytes])
      .toString("base64")
      .replace(/=+$/, "");
    const start = Math.ceil((shift * 8) / 6);
    const end = Math.floor(((shift + bytes.length) * 8) / 6);
    const form = text.slice(start, end);
    return form.length < SHORTEST_BASE64 ? [] : [form, form.replaceAll("+", "-").replaceAll("/", "_")];
  });
}

/** Masks secrets in texts: as they are, as JSON, in URLs, as base64, and cut in the middle. */
export function secretMask(secrets: ReadonlySet<string>): (text: string) => string {
  if (secrets.size === 0) return (text) => text;
  const texts = secretTexts(secrets).flatMap((secret) => [secret, ...base64Forms(secret)]);
  const exact = masker(texts);
  const starts = texts.flatMap(secretForms);
  return (text) => maskCuts(exact(text), starts);
}

const SHORTEST_START = 4;

/** Masks the beginning of a secret where a text was cut (`…`) in the middle of it. */
export function maskCuts(text: string, secrets: readonly string[]): string {
  if (!text.includes("…")) return text;
  const parts = text.split("…");
  const last = parts.pop() ?? "";
  return [...parts.map((part) => withoutStart(part, secrets)), last].join("…");
}

function withoutStart(part: string, secrets: readonly string[]): string {
  for (const secret of secrets) {
    for (let length = Math.min(secret.length - 1, part.length); length >= SHORTEST_START; length--) {
      if (part.endsWith(secret.slice(0, length))) return `${part.slice(0, -length)}***`;
    }
  }
  return part;
}
