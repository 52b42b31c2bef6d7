// Keeps secrets out of what the command prints, whatever part of it prints: from here on standard output and error output are masked. A
// secret that is cut between two writes is found too: an end that could be the beginning of one waits for what follows.

import { masker, secretForms } from "../manifest/outside.ts";
import { base64Forms, maskCuts, secretTexts } from "../star/record/secret-texts.ts";
import { printable } from "./terminal.ts";

type Stream = NodeJS.WriteStream & { fd: 1 | 2 };

const known = new Set<string>();

export function maskOutputs(secrets: ReadonlySet<string>): void {
  // As they are, as a terminal would be shown them, and as bytes stand in JSON.
  const texts = secretTexts(secrets).flatMap((secret) => [secret, printable(secret), ...base64Forms(secret)]);
  const fresh = texts.filter((secret) => !known.has(secret));
  if (fresh.length === 0) return;
  for (const secret of fresh) known.add(secret);
  const exact = masker(fresh);
  const starts = fresh.flatMap(secretForms);
  const mask = (text: string): string => maskCuts(exact(text), starts);
  for (const stream of [process.stdout, process.stderr] as Stream[]) maskStream(stream, mask, starts);
}

function maskStream(stream: Stream, mask: (text: string) => string, starts: readonly string[]): void {
  const write = stream.write.bind(stream);
  const decoder = new TextDecoder();
  let held = "";
  const through = (chunk: string | Uint8Array): string => {
    const text = mask(held + (typeof chunk === "string" ? chunk : decoder.decode(chunk, { stream: true })));
    const cut = text.length - longestStart(text, starts);
    held = text.slice(cut);
    return text.slice(0, cut);
  };
  Object.defineProperty(stream, "write", {
    configurable: true,
    value: (chunk: string | Uint8Array, ...rest: [never]) => write(through(chunk), ...rest),
  });
  process.on("exit", () => {
    if (held !== "") write(held);
  });
}

/** How many characters at the end of a text could be the beginning of a secret. */
function longestStart(text: string, secrets: readonly string[]): number {
  let longest = 0;
  for (const secret of secrets) {
    for (let length = Math.min(secret.length - 1, text.length); length > longest; length--) {
      if (text.endsWith(secret.slice(0, length))) longest = length;
    }
  }
  return longest;
}
