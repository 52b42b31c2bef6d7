// What `--input` names: JSON written on the command line, in a file (`@file`), or on standard input (`-`).

import { readFileSync, statSync } from "node:fs";
import { StarlaneError } from "../base/errors.ts";

const LARGEST_INPUT = 256 * 1024 * 1024;

/** @throws StarlaneError `cli/bad-input` where it cannot be read or is no JSON */
export async function readInput(word: string): Promise<unknown> {
  if (word === "-") return parse(await readStandardInput(), "standard input");
  if (!word.startsWith("@")) return parse(word, "--input");
  const file = word.slice(1);
  try {
    const { size } = statSync(file);
    if (size > LARGEST_INPUT) throw tooLarge(file);
    return parse(decode(readFileSync(file), file), file);
  } catch (error) {
    if (error instanceof StarlaneError) throw error;
    throw new StarlaneError("cli/bad-input", `the input ${file} could not be read`, { cause: error });
  }
}

async function readStandardInput(): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of process.stdin) {
    const bytes: Buffer = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
    size += bytes.length;
    if (size > LARGEST_INPUT) throw tooLarge("standard input");
    chunks.push(bytes);
  }
  return decode(Buffer.concat(chunks), "standard input");
}

function decode(bytes: Uint8Array, from: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    throw new StarlaneError("cli/bad-input", `${from} is not UTF-8 text`, { cause: error });
  }
}

function tooLarge(from: string): StarlaneError {
  return new StarlaneError("cli/bad-input", `${from} has more than ${LARGEST_INPUT / 1024 / 1024} MiB`);
}

function parse(text: string, from: string): unknown {
  if (text.trim() === "") throw new StarlaneError("cli/bad-input", `${from} is empty; a JSON value was expected`);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new StarlaneError("cli/bad-input", `${from} is not JSON: ${error instanceof Error ? error.message : ""}`, {
      cure: from === "--input" ? `write it like --input '{"name":"Ada"}', or @FILE` : undefined,
    });
  }
}
