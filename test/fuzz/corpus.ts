// Component binaries to start from: the small built guests, and for long runs every component written as text in a test, and the
// scripts of the component model where they are.

import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { parse } from "@bytecodealliance/jco-transpile/wasm-tools";
import { isComponent } from "../../src/component/decode.ts";
import type { Seeded } from "./mutate-binary.ts";

const ROOT = join(import.meta.dirname, "../..");
const LARGEST_SMALL = 12_000;
const LARGEST = 70_000;

/** `small`: what every checkout has and is quick to read. */
export async function corpus(small: boolean): Promise<readonly Seeded[]> {
  const guests = files(small ? "guests/{wat,c}/*.wasm" : "guests/*/*.wasm", small ? LARGEST_SMALL : LARGEST);
  return small ? guests : [...guests, ...(await fromTests()), ...(await fromScripts())];
}

function files(pattern: string, largest: number): Seeded[] {
  return globSync(pattern, { cwd: ROOT })
    .toSorted()
    .map((name) => ({ name, bytes: new Uint8Array(readFileSync(join(ROOT, name))) }))
    .filter(({ bytes }) => bytes.length <= largest && isComponent(bytes));
}

/** Every component in a template literal of a test that is complete without what is put into it. */
async function fromTests(): Promise<Seeded[]> {
  const found: Seeded[] = [];
  for (const name of globSync("src/**/*.test.ts", { cwd: ROOT }).toSorted()) {
    const text = readFileSync(join(ROOT, name), "utf8");
    for (const match of text.matchAll(/`(\s*\(component[^`$]*)`/g)) await add(found, `${name}:${match.index}`, match[1] ?? "");
  }
  return found;
}

async function add(found: Seeded[], name: string, text: string): Promise<void> {
  try {
    const bytes = await parse(text);
    if (isComponent(bytes)) found.push({ name, bytes });
  } catch {
    // Only a part of a component, or text that is meant to be wrong.
  }
}

interface Command {
  readonly binary?: Uint8Array;
  readonly module?: Command;
}

async function fromScripts(): Promise<Seeded[]> {
  const shared = process.env["STARLANE_CONFORMANCE"] ?? join(ROOT, "../shared");
  const scripts = globSync("conformance/**/*.wast", { cwd: shared }).toSorted();
  if (scripts.length === 0) return [];
  const { readScript } = (await import(pathToFileURL(join(shared, "tools/wast.mjs")).href)) as {
    readScript(text: string, parse: (wat: string) => Promise<Uint8Array>): Promise<{ commands: readonly Command[] }>;
  };
  const found: Seeded[] = [];
  for (const name of scripts) {
    const { commands } = await readScript(readFileSync(join(shared, name), "utf8"), parse);
    commands.forEach(({ binary, module }, i) => {
      const bytes = binary ?? module?.binary;
      if (bytes !== undefined && bytes.length <= LARGEST && isComponent(bytes)) found.push({ name: `${name}:${i}`, bytes });
    });
  }
  return found;
}
