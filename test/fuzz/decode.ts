// Mutated component binaries through everything that is done with a component: decoded, validated, described, compiled, instantiated with
// a host that provides whatever is asked for, and called. Only errors of Starlane may come out, and none that says it is our mistake.

import { StarlaneError } from "../../src/base/errors.ts";
import { decode as decodeComponent } from "../../src/component/decode.ts";
import { describeComponent } from "../../src/component/facts.ts";
import { validate } from "../../src/component/validate.ts";
import { compile } from "../../src/engine/compile.ts";
import { type CompiledComponent, ComponentError, type Instance } from "../../src/engine/engine.ts";
import { printWit } from "../../src/wit/print-wit.ts";
import { printTypeWhole } from "../../src/wit/type-text.ts";
import type { WorldType } from "../../src/wit/types.ts";
import { corpus } from "./corpus.ts";
import { mutate } from "./mutate-binary.ts";
import { Random } from "./random.ts";
import { type Hoard, keep, randomArguments } from "./random-value.ts";
import { HostRefusal, stubImports } from "./stub-imports.ts";
import { PENDING, pause, within } from "./turns.ts";
import { Finding, type Report, type Sample, type Target } from "./target.ts";

const MOST_CALLS = 6;
const MOST_TURNS = 30;

export const decode: Target = {
  async prepare(small) {
    const seeds = await corpus(small);
    return async (seed, report) => {
      report.stage("generate");
      const random = new Random(seed);
      await runBinary(random, mutate(random, random.pick(seeds), random.pick(seeds)), report);
    };
  },
};

/** The binaries of the corpus as they are: what must be accepted. */
export async function runBinary(random: Random, bytes: Uint8Array, report: Report): Promise<void> {
  const sample: Sample = { extension: "wasm", content: bytes };
  report.sample(sample);
  const world = examine(bytes, sample, report);
  if (world === undefined) return;
  report.stage("compile");
  const component = await settled("compile", sample, report, () => compile(bytes));
  if (component === undefined) return;
  report.count("compiled");
  const hoard: Hoard = { objects: [] };
  report.stage("instantiate");
  const imports = stubImports(random, world, hoard);
  const instance = await settled("instantiate", sample, report, () => component.instantiate(imports));
  if (instance === undefined) return;
  report.count("instantiated");
  await callAll(random, component, instance, hoard, sample, report);
}

function examine(bytes: Uint8Array, sample: Sample, report: Report): WorldType | undefined {
  report.stage("decode");
  const component = attempt("decode", sample, report, () => decodeComponent(bytes));
  if (component === undefined) return undefined;
  report.count("decoded");
  report.stage("validate");
  const world = attempt("validate", sample, report, () => validate(component));
  report.stage("inspect");
  attempt("describe", sample, report, () => JSON.stringify(describeComponent(component)));
  if (world === undefined) return undefined;
  report.count("valid");
  attempt("print", sample, report, () => printWit(world));
  return world;
}

async function callAll(
  random: Random,
  component: CompiledComponent,
  instance: Instance,
  hoard: Hoard,
  sample: Sample,
  report: Report,
): Promise<void> {
  report.stage("call");
  const functions = [...component.functions];
  try {
    void instance.exports;
  } catch (error) {
    throw new Finding(`exports: ${describe(error)}`, sample, error);
  }
  for (let i = 0; i < MOST_CALLS && functions.length > 0; i++) {
    const [name, type] = random.pick(functions);
    const args = randomArguments(random, type, hoard);
    const what = `call ${JSON.stringify(name)}: (${type.params.map((param) => printTypeWhole(param.type)).join(", ")})`;
    const value = await settled(what, sample, report, () => within(MOST_TURNS, instance.call(name, args)));
    if (value === PENDING) report.count("call pending");
    else if (value !== undefined) report.count("call answered");
    keep(hoard, value);
  }
  // What was left behind may still fail on its own.
  await pause(3);
}

function attempt<T>(what: string, sample: Sample, report: Report, run: () => T): T | undefined {
  try {
    return run();
  } catch (error) {
    judge(what, sample, report, error);
    return undefined;
  }
}

async function settled<T>(what: string, sample: Sample, report: Report, run: () => T | Promise<T>): Promise<T | undefined> {
  try {
    return await run();
  } catch (error) {
    judge(what, sample, report, error);
    return undefined;
  }
}

/** Lets pass what may come out of a hostile component. */
function judge(what: string, sample: Sample, report: Report, error: unknown): void {
  if (error instanceof HostRefusal || error instanceof ComponentError) return report.count(error.name);
  if (!(error instanceof StarlaneError)) throw new Finding(`${what}: not one of our errors: ${describe(error)}`, sample, error);
  if (error.code === "starlane/internal") throw new Finding(`${what}: ${describe(error)}`, sample, error);
  if (error.message.length > 5000) throw new Finding(`${what}: a message of ${error.message.length} characters`, sample, error);
  report.count(`${what.split(" ", 1)[0] ?? what}: ${error.code}`);
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
