// Manifests and flows: mutated ones of the project, and flows put together at random. Whatever the text, reading it ends in a manifest
// or in diagnostics that can be shown; a flow without mistakes can be planned and run, twice with the same outcome.

import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { virtualClock } from "../../src/base/clock.ts";
import { type Diagnostic, renderDiagnostic } from "../../src/base/diagnostics.ts";
import { ERROR_CODES } from "../../src/base/error-codes.ts";
import { StarlaneError } from "../../src/base/errors.ts";
import { checkFlow } from "../../src/flow/check.ts";
import type { CheckedFlow } from "../../src/flow/checked.ts";
import { planFlow } from "../../src/flow/plan.ts";
import { runFlow } from "../../src/flow/run.ts";
import { invokeSample, operationsOf, SAMPLE } from "../../src/flow/sample.ts";
import { GOOD_MANIFESTS } from "../../src/manifest/good-manifests.ts";
import { parseManifest } from "../../src/manifest/parse.ts";
import { sanitizer } from "../../src/manifest/sanitize.ts";
import { sampleSettings, substitute } from "../../src/manifest/substitute.ts";
import { parseTestsFile } from "../../src/manifest/tests-file.ts";
import { printTypeWhole } from "../../src/wit/type-text.ts";
import { mutateText, wordsOf } from "./mutate-text.ts";
import type { ValType } from "../../src/wit/types.ts";
import type { Random } from "./random.ts";
import { randomValue } from "./random-value.ts";
import type { Report } from "./target.ts";

const ROOT = join(import.meta.dirname, "../..");
/** What a run of the sample operations may take: texts double with every node. */
const MOST_NODES = 12;

export function manifestTexts(): readonly string[] {
  const files = globSync(["src/{manifest,flow}/golden/*.{yaml,json}", "examples/**/starlane.yaml"], { cwd: ROOT });
  return [...Object.values(GOOD_MANIFESTS), ...files.toSorted().map((file) => readFileSync(join(ROOT, file), "utf8"))];
}

export function makeManifests(): (random: Random) => string {
  const texts = manifestTexts();
  const words = wordsOf(texts);
  return (random) =>
    random.chance(0.4) ? mutateMaybe(random, randomManifest(random), words) : mutateText(random, random.pick(texts), words);
}

function mutateMaybe(random: Random, text: string, words: readonly string[]): string {
  return random.chance(0.5) ? text : mutateText(random, text, words);
}

const OPERATIONS = Object.keys(SAMPLE);
const CORE_NODES = ["core::log", "core::merge", "core::collect", "core::pick", "core::delay", "core::switch", "core::assert", "core::expr", "core::race", "core::zip"]; // prettier-ignore
const LITERALS = ['"a b"', "1", "[1, 2]", "null", "true", '{"a": 1}', "-0.5", '""', "300"];

/** A manifest with one operation, whose lines join random ports of random operations. */
function randomManifest(random: Random): string {
  const uses = Array.from({ length: 1 + random.below(5) }, (_, i) => ({
    id: `n${i}`,
    uses: random.chance(0.95) ? random.pick(OPERATIONS) : random.pick(CORE_NODES),
  }));
  const lines = uses.flatMap(({ id, uses: use }, i) => {
    const before = uses.slice(0, random.chance(0.02) ? uses.length : i);
    const params = SAMPLE[use]?.signature.params ?? [{ name: random.pick(["value", "a"]), type: undefined }];
    return params.map(({ name, type }) => `${sourceFor(random, type, before, `${id}-${name}`)} -> ${id}.${name}`);
  });
  for (const { id } of uses) lines.push(random.chance(0.6) ? `${id} -> <>.${id}` : `${id} -> drop`);
  const nodes = uses.map(
    ({ id, uses: use }) =>
      `      ${id}: { uses: "${use}"${random.pick(["", "", "", ", retry: { attempts: 2 }", ", timeout: 5ms", ', with: { value: "x", expr: "a", message: m, ms: 3 }'])} }`,
  );
  const names = [...new Set(OPERATIONS.map((use) => use.split("::", 1)[0] ?? ""))].map((name) => `${name}: ./${name}.wasm`);
  return `starlane: v1
components: { ${names.join(", ")} }
operations:
  test:
    nodes:
${nodes.join("\n")}
    flow: |
${lines.map((line) => `      ${line}`).join("\n")}
`;
}

interface Use {
  readonly id: string;
  readonly uses: string;
}

/** Mostly something of the type: a node before, an input, a literal; now and then anything. */
function sourceFor(random: Random, type: ValType | undefined, before: readonly Use[], input: string): string {
  const fallback = random.chance(0.1) ? ` ?? ${random.pick(LITERALS)}` : "";
  if (random.chance(0.03)) return random.pick(LITERALS);
  if (random.chance(0.03) && before.length > 0)
    return `${random.pick(before).id}${random.pick(["", "!", ".first", "[0]", ".a"])}${fallback}`;
  const fitting = before.filter(({ uses }) => SAMPLE[uses]?.signature.result?.kind === type?.kind);
  if (fitting.length > 0 && random.chance(0.7)) return `${random.pick(fitting).id}${fallback}`;
  if (type?.kind === "string" && random.chance(0.2)) return '"a b"';
  return `<>.${random.chance(0.1) ? "a" : input}`;
}

export async function runManifest(random: Random, text: string, report: Report): Promise<void> {
  const source = { file: "fuzz.yaml", text };
  const parsed = parseManifest(source);
  checkDiagnostics(parsed.diagnostics);
  report.count(parsed.manifest === undefined ? "manifest: mistakes" : "manifest: good");
  checkDiagnostics(parseTestsFile(source, parsed.manifest?.operations).diagnostics);
  const draft = parsed.manifest ?? parsed.draft;
  if (draft === undefined) return;
  const filled = substitute(draft, random.chance(0.5) ? sampleSettings(draft) : undefined);
  checkDiagnostics(filled.diagnostics);
  for (const operation of filled.manifest?.operations ?? []) {
    const { flow, diagnostics } = checkFlow(operation, operationsOf(), draft.types);
    checkDiagnostics(diagnostics);
    report.count(flow === undefined ? "flow: mistakes" : "flow: good");
    for (const port of operation.input ?? []) {
      if (port.type === undefined || parsed.manifest === undefined) continue;
      sanitizer(port, port.type)(randomValue(random, port.type, { objects: [] }));
    }
    if (flow !== undefined && parsed.manifest !== undefined && flow.nodes.length <= MOST_NODES)
      await runTwice(random, flow, report);
  }
}

function checkDiagnostics(diagnostics: readonly Diagnostic[]): void {
  for (const diagnostic of diagnostics) {
    const { span, code, message, cure } = diagnostic;
    const { length } = span.source.text;
    if (!(span.start >= 0 && span.start <= span.end && span.end <= length))
      throw new Error(`${code}: ${span.start}..${span.end} of ${length}: ${message}`);
    if (!Object.hasOwn(ERROR_CODES, code)) throw new Error(`an unknown code: ${code}`);
    if (message.length > 3000 || (cure?.length ?? 0) > 3000)
      throw new Error(`${code}: a message of ${message.length}, a cure of ${cure?.length ?? 0}`);
    const shown = renderDiagnostic(diagnostic);
    if (!shown.isWellFormed() && span.source.text.isWellFormed() && message.isWellFormed())
      throw new Error(`${code}: half a character is shown: ${JSON.stringify(shown)}`);
  }
}

async function runTwice(random: Random, flow: CheckedFlow, report: Report): Promise<void> {
  const plan = planFlow(flow);
  flow.signature.params.forEach((param) => printTypeWhole(param.type));
  const inputs = await Promise.all(flow.inputs.map(({ type }) => twice(randomValue(random, type, { objects: [] }, 1))));
  const first = await outcome(plan, inputs);
  const second = await outcome(plan, inputs);
  if (first !== second) throw new Error(`two runs differ: ${first} and ${second}`);
  report.count(first.startsWith("!") ? "run: failed" : "run: answered");
}

/** A stream that can be read by both runs. */
async function twice(value: unknown): Promise<unknown> {
  return typeof value === "object" && value !== null && Symbol.asyncIterator in value
    ? Array.fromAsync(value as AsyncIterable<unknown>)
    : value;
}

/** A result with all that its streams give. */
async function whole(result: unknown): Promise<unknown> {
  if (typeof result !== "object" || result === null) return result;
  if (Symbol.asyncIterator in result) return twice(result);
  if (Object.getPrototypeOf(result) !== Object.prototype && Object.getPrototypeOf(result) !== null) return result;
  return Object.fromEntries(
    await Promise.all(Object.entries(result).map(async ([key, value]) => [key, await twice(value)] as const)),
  );
}

async function outcome(plan: ReturnType<typeof planFlow>, inputs: readonly unknown[]): Promise<string> {
  const controller = new AbortController();
  const transaction = { id: "t", seed: 1, timestampMs: 0, signal: controller.signal, clock: virtualClock(0), deadlineMs: 60_000 };
  try {
    return shown(await whole(await runFlow(plan, inputs, transaction, invokeSample)));
  } catch (error) {
    if (!(error instanceof StarlaneError)) throw error;
    if (error.code === "starlane/internal") throw error;
    return `!${error.code}: ${error.message}`;
  }
}

function shown(value: unknown): string {
  return (
    JSON.stringify(value, (_key, inner: unknown) =>
      typeof inner === "bigint" ? `${inner}n` : inner instanceof Map ? [...inner] : inner,
    ) ?? "nothing"
  );
}
