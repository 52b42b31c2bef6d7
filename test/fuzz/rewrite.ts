// Core modules, mutated and generated, through the rewriter: what V8 takes it must take rewritten and nothing else, and both must do the
// same: results, traps, what they ask of their host, memories and globals. Rewritten instances are put back and used again, while
// each transaction of the original has an instance of its own. Fuel bounds what runs, so the rewritten one always runs first.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "@bytecodealliance/jco-transpile/wasm-tools";
import { StarlaneError } from "../../src/base/errors.ts";
import type { Component } from "../../src/component/component.ts";
import { type CoreModule, readCoreModule } from "../../src/component/core-module.ts";
import { decode } from "../../src/component/decode.ts";
import { type InstrumentOptions, type Instrumented, instrument } from "../../src/component/instrument/instrument.ts";
import { CannotProvide, valueOf } from "./core-host.ts";
import { corpus } from "./corpus.ts";
import { generateCoreModule } from "./generate-core.ts";
import { mutate, type Seeded } from "./mutate-binary.ts";
import { Random } from "./random.ts";
import { Original, type Outcome, Rewritten, UNCOMPARABLE } from "./rewrite-sides.ts";
import { Finding, type Report, type Sample, type Target } from "./target.ts";

const LARGEST = 60_000;
const MOST_TRANSACTIONS = 3;
const MOST_CALLS = 4;
const ROOT = join(import.meta.dirname, "../..");

export const rewrite: Target = {
  async prepare(small) {
    const seeds = coreSeeds(await corpus(small));
    return async (seed, report) => {
      report.stage("generate");
      const random = new Random(seed);
      const generated = random.chance(0.6);
      const bytes = generated ? await parse(generateCoreModule(random)) : mutatedModule(random, seeds);
      if (bytes !== undefined) runModule(random, generated && random.chance(0.2) ? mutatedCode(random, bytes) : bytes, report);
    };
  },
};

/** Every core module of the corpus as a component of nothing else, which is what can be mutated. */
function coreSeeds(components: readonly Seeded[]): Seeded[] {
  const kernels = { name: "kernels", bytes: new Uint8Array(readFileSync(join(ROOT, "bench/kernels/kernels.wasm"))) };
  const modules = components.flatMap(({ name, bytes }) => {
    const found = attempt(() => coreModules(decode(bytes))) ?? [];
    return found.map((module, i) => ({ name: `${name}:${i}`, bytes: module }));
  });
  return [kernels, ...modules]
    .filter(({ bytes }) => bytes.length <= LARGEST)
    .map(({ name, bytes }) => ({ name, bytes: asComponent(bytes) }));
}

function coreModules(component: Component): Uint8Array[] {
  return component.definitions.flatMap((definition) => {
    if (definition.kind === "core-module") return [definition.bytes];
    return definition.kind === "component" ? coreModules(definition.component) : [];
  });
}

function asComponent(module: Uint8Array): Uint8Array {
  const size: number[] = [];
  for (let rest = module.length; ; rest >>>= 7) {
    size.push(rest > 0x7f ? (rest & 0x7f) | 0x80 : rest);
    if (rest <= 0x7f) break;
  }
  return Uint8Array.from([0x00, 0x61, 0x73, 0x6d, 0x0d, 0x00, 0x01, 0x00, 0x01, ...size, ...module]);
}

function mutatedModule(random: Random, seeds: readonly Seeded[]): Uint8Array | undefined {
  const [one, other] = [random.pick(seeds), random.pick(seeds)];
  const component = random.chance(0.6) ? mutate(random, one, other) : one.bytes;
  const [module] = attempt(() => coreModules(decode(component))) ?? [];
  return module !== undefined && random.chance(0.6) ? mutatedCode(random, module) : module;
}

/** Instructions that stand anywhere, take nothing and give nothing, or change what others mean. */
const CODES = [
  0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 0x10, 0x1a, 0x20, 0x21, 0x22, 0x36, 0x40, 0x41, 0x6a, 0xfc,
  0xfd, 0xfe,
];

function mutatedCode(random: Random, module: Uint8Array): Uint8Array {
  const code = attempt(() => readCoreModule(module))?.sections.find(({ id }) => id === 10);
  if (code === undefined) return module;
  const changed = module.slice();
  for (let i = 0; i <= random.below(3); i++) {
    const at = code.start + random.below(code.end - code.start);
    changed[at] = random.pick([
      random.bits() & 0xff,
      (changed[at] ?? 0) ^ (1 << random.below(8)),
      random.pick(CODES),
      random.below(8),
    ]);
  }
  return changed;
}

function attempt<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch {
    return undefined;
  }
}

/** Rewrites and compares one module. */
export function runModule(random: Random, bytes: Uint8Array, report: Report): void {
  const sample: Sample = { extension: "wasm", content: bytes };
  report.sample(sample);
  report.stage("check");
  const valid = isValid(bytes);
  report.count(valid ? "valid" : "invalid");
  for (const options of chosenOptions(random)) {
    const made = rewritten(bytes, options, valid, sample, report);
    if (made === undefined || !valid || options.limits !== undefined) continue;
    const comparison = new Comparison(random, bytes, made, sample, report);
    comparison.run();
  }
}

function isValid(bytes: Uint8Array): boolean {
  return WebAssembly.validate(bytes as Uint8Array<ArrayBuffer>);
}

function chosenOptions(random: Random): InstrumentOptions[] {
  const everything = { fuel: true, expose: true, barrier: true, shrink: random.chance(0.5) };
  const some = { fuel: true, expose: random.chance(0.5), barrier: random.chance(0.5), shrink: random.chance(0.5) };
  const limits = { memoryPages: random.below(20), tableElements: random.below(20) };
  return [everything, random.chance(0.7) ? some : { ...some, fuel: random.chance(0.5), limits }];
}

function rewritten(
  bytes: Uint8Array,
  options: InstrumentOptions,
  valid: boolean,
  sample: Sample,
  report: Report,
): Instrumented | undefined {
  const what = JSON.stringify(options);
  try {
    const made = instrument(bytes, options);
    if (isValid(made.bytes) !== valid)
      throw new Finding(`${valid ? "became invalid" : "became valid"} with ${what}: ${whyInvalid(made.bytes)}`, sample);
    return made;
  } catch (error) {
    if (error instanceof Finding) throw error;
    if (!(error instanceof StarlaneError))
      throw new Finding(`rewriting with ${what}: ${String((error as Error).stack)}`, sample, error);
    if (valid) throw new Finding(`a valid module was refused with ${what}: ${error.message}`, sample, error);
    report.count(error.code);
    return undefined;
  }
}

function whyInvalid(bytes: Uint8Array): string {
  try {
    void new WebAssembly.Module(bytes as Uint8Array<ArrayBuffer>);
    return "";
  } catch (error) {
    return String(error);
  }
}

interface Call {
  readonly name: string;
  readonly args: readonly unknown[];
}

class Comparison {
  readonly #random: Random;
  readonly #module: CoreModule;
  readonly #original: WebAssembly.Module;
  readonly #rewritten: WebAssembly.Module;
  readonly #made: Instrumented;
  readonly #sample: Sample;
  readonly #report: Report;

  constructor(random: Random, bytes: Uint8Array, made: Instrumented, sample: Sample, report: Report) {
    this.#random = random;
    this.#module = readCoreModule(bytes);
    this.#made = made;
    this.#sample = sample;
    this.#report = report;
    this.#original = new WebAssembly.Module(bytes as Uint8Array<ArrayBuffer>);
    this.#rewritten = new WebAssembly.Module(made.bytes as Uint8Array<ArrayBuffer>);
  }

  run(): void {
    try {
      this.#transactions();
    } catch (error) {
      if (error instanceof CannotProvide) this.#report.count("cannot be run");
      else throw error;
    }
  }

  #transactions(): void {
    if (this.#made.fuel === undefined && this.#module.sections.some(({ id }) => id === 10)) return;
    let ours: Rewritten | undefined;
    for (let i = 0; i < MOST_TRANSACTIONS; i++) {
      const again = ours !== undefined;
      ours ??= new Rewritten(this.#module, this.#rewritten, this.#made);
      const theirs = this.#begin(ours, again);
      if (theirs === undefined) return;
      this.#report.count(again ? "put back" : "fresh");
      this.#calls(ours, theirs);
      if (!ours.putBack()) ours = undefined;
    }
  }

  #begin(ours: Rewritten, again: boolean): Original | undefined {
    const start = again ? ours.begun() : ours.instantiate();
    if (UNCOMPARABLE.has(start.kind)) return undefined;
    const theirs = new Original(this.#module, this.#original);
    const expected = theirs.instantiate();
    if (UNCOMPARABLE.has(expected.kind)) return undefined;
    this.#equal("the instantiation", start, expected);
    return start.kind === "value" ? theirs : undefined;
  }

  #calls(ours: Rewritten, theirs: Original): void {
    for (let i = 0; i < MOST_CALLS; i++) {
      const call = this.#randomCall();
      if (call === undefined) return;
      const what = `${call.name}(${call.args.map(String).join(", ")})`;
      const outcome = ours.call(call.name, call.args);
      this.#report.count(`call: ${outcome.kind}`);
      if (UNCOMPARABLE.has(outcome.kind)) return;
      const expected = theirs.call(call.name, call.args);
      if (UNCOMPARABLE.has(expected.kind)) return;
      // Memory that the guest gave back with its last transaction is still there.
      if (ours.mayHoldMore && expected.text.includes("out of bounds")) return;
      this.#equal(what, outcome, expected);
      this.#equal(`memories and globals behind ${what}`, ours.state(theirs), theirs.state(theirs));
    }
  }

  #randomCall(): Call | undefined {
    const functions = this.#module.exports.filter(({ kind }) => kind === "func");
    if (functions.length === 0) return undefined;
    const { name, type } = this.#random.pick(functions);
    const signature = type.kind === "func" ? this.#module.types[type.type]?.type : undefined;
    if (signature?.kind !== "func") return undefined;
    const small = (): number => this.#random.pick([0, 1, 2, 3, 7, 100, 4095, 65536, this.#random.bits() | 0]);
    return { name, args: signature.params.map((param) => valueOf(param, small())) };
  }

  #equal(what: string, ours: Outcome, theirs: Outcome): void {
    if (ours.text === theirs.text) return;
    throw new Finding(`${what}: ${clip(ours.text)}, but before it was rewritten ${clip(theirs.text)}`, this.#sample);
  }
}

function clip(text: string): string {
  return text.length > 600 ? `${text.slice(0, 600)}…` : text;
}
