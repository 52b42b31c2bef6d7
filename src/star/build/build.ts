// How components are made from their sources: the contract of `starlane build` and `starlane dev`. A plan is one component that says how it
// is built (`plans.ts` finds them); building it gives an outcome, never an exception.

import { statSync } from "node:fs";
import { availableParallelism } from "node:os";
import { StarlaneError } from "../../base/errors.ts";
import type { WorldType } from "../../wit/types.ts";
import { shown } from "../files.ts";
import { loadBinary } from "../load-wasm.ts";
import { isFresh, remember, stampOf } from "./freshness.ts";
import { buildTypeScript, warmUp } from "./qjs/typescript-build.ts";
import { runCommand, type Ran } from "./run-command.ts";

export { buildPlans, isInput, watchedPaths } from "./plans.ts";

/** One component of a manifest that says how it is built. All paths are absolute. */
export interface BuildPlan {
  /** As people know it: its name in `components:`; with the names above it in an app inside an app: `shop/text`. */
  readonly component: string;
  /** The manifest that says so. */
  readonly manifest: string;
  readonly how: CommandBuild | TypeScriptBuild;
  /** The component that comes out. */
  readonly output: string;
  /** Files and folders that it is made from; what changes in them makes it stale. */
  readonly inputs: readonly string[];
}

export interface CommandBuild {
  readonly kind: "command";
  /** A line for the shell, or a program with its arguments. */
  readonly run: string | readonly string[];
  readonly folder: string;
}

/** Starlane makes it itself, with the componentize-qjs that the app has installed. */
export interface TypeScriptBuild {
  readonly kind: "typescript";
  readonly entry: string;
  /** A file or folder. */
  readonly wit: string;
  readonly world: string | undefined;
}

export interface BuildOptions {
  /** Names of components (`BuildPlan.component`); all where it is left out. */
  readonly only?: readonly string[] | undefined;
  /** Build what is fresh too. */
  readonly force?: boolean | undefined;
  /**
   * For whoever builds again and again: TypeScript is put into a component that was prepared for its WIT, which takes milliseconds instead of
   * a second. It does the same, a little slower; a build that is not quick makes it anew.
   */
  readonly quick?: boolean | undefined;
  /** What is being built is stopped. */
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: ((event: BuildEvent) => void) | undefined;
  /** Of one component. */
  readonly timeoutMs?: number | undefined;
  /** How many are built at once; as many as there are cores where it is left out. */
  readonly concurrency?: number | undefined;
}

export type BuildEvent =
  | { readonly kind: "started"; readonly plan: BuildPlan }
  /** A piece of what the tool prints, as it comes. */
  | { readonly kind: "printed"; readonly plan: BuildPlan; readonly text: string }
  | { readonly kind: "ended"; readonly outcome: BuildOutcome };

interface Outcome {
  readonly plan: BuildPlan;
  readonly tookMs: number;
}

export interface Built extends Outcome {
  readonly kind: "built";
  readonly sizeBytes: number;
  /** What it imports and exports. */
  readonly world: WorldType;
}

/** What lies there was built from what the inputs are now. */
export interface Fresh extends Outcome {
  readonly kind: "fresh";
}

export interface Failed extends Outcome {
  readonly kind: "failed";
  readonly error: StarlaneError;
  /** What the tool printed; the end of it where it is long. */
  readonly output: string;
}

export type BuildOutcome = Built | Fresh | Failed;

const DEFAULT_TIMEOUT_MS = 15 * 60_000;

/** Builds what is stale; the outcomes are in the order of the plans, without those that `only` leaves out. */
export async function buildComponents(plans: readonly BuildPlan[], options: BuildOptions = {}): Promise<readonly BuildOutcome[]> {
  const { only, onEvent, concurrency = availableParallelism() } = options;
  const chosen = only === undefined ? plans : plans.filter(({ component }) => only.includes(component));
  const outcomes: (BuildOutcome | undefined)[] = chosen.map(() => undefined);
  const waiting = [...chosen.entries()];
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [index, plan] = next;
      const outcome = await buildOne(plan, options);
      outcomes[index] = outcome;
      onEvent?.({ kind: "ended", outcome });
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, Math.min(concurrency, chosen.length)) }, work));
  return outcomes.filter((outcome) => outcome !== undefined);
}

async function buildOne(plan: BuildPlan, options: BuildOptions): Promise<BuildOutcome> {
  const startedAt = performance.now();
  const took = (): number => performance.now() - startedAt;
  let output = "";
  try {
    const { how } = plan;
    const quick = options.quick === true && how.kind === "typescript";
    const stamp = stampOf(plan, quick);
    // What was not built quickly is good for those who would build it quickly, but not the other way round.
    const isThere = isFresh(plan, stamp) || (quick && isFresh(plan, stampOf(plan, false)));
    if (options.force !== true && isThere) {
      if (quick) warmUp(plan, how);
      return { kind: "fresh", plan, tookMs: took() };
    }
    options.onEvent?.({ kind: "started", plan });
    const ran = await make(plan, options);
    output = ran.output;
    if (ran.error !== undefined) return { kind: "failed", plan, tookMs: took(), error: ran.error, output };
    const made = await verify(plan);
    remember(plan, stamp);
    return { kind: "built", plan, tookMs: took(), ...made };
  } catch (error) {
    return { kind: "failed", plan, tookMs: took(), error: asStarlaneError(error, plan), output };
  }
}

async function make(plan: BuildPlan, { signal, timeoutMs = DEFAULT_TIMEOUT_MS, quick, onEvent }: BuildOptions): Promise<Ran> {
  const { how } = plan;
  if (signal?.aborted === true) return { error: cancelled(plan), output: "" };
  if (how.kind === "typescript") return buildTypeScript(plan, how, { signal, timeoutMs, quick: quick === true });
  return runCommand(plan, how, { signal, timeoutMs, onText: (text) => onEvent?.({ kind: "printed", plan, text }) });
}

function cancelled({ component }: BuildPlan): StarlaneError {
  return new StarlaneError("build/cancelled", `the build of ${component} was stopped`);
}

/** What was built must be a component. */
async function verify(plan: BuildPlan): Promise<{ readonly sizeBytes: number; readonly world: WorldType }> {
  const file = shown(plan.output);
  if (statSync(plan.output, { throwIfNoEntry: false })?.isFile() !== true) {
    throw new StarlaneError("build/bad-output", `${plan.component} was built, but there is no ${file}`, {
      cure: "let `from` name the file that the build writes",
    });
  }
  try {
    const { sizeBytes, type } = await loadBinary(plan.output, "look");
    return { sizeBytes, world: type };
  } catch (error) {
    if (!(error instanceof StarlaneError)) throw error;
    throw new StarlaneError("build/bad-output", `what the build of ${plan.component} wrote is no component: ${error.message}`, {
      at: error.at ?? file,
      cure: error.cure,
      cause: error,
    });
  }
}

function asStarlaneError(error: unknown, { component }: BuildPlan): StarlaneError {
  if (error instanceof StarlaneError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new StarlaneError("build/failed", `${component} could not be built: ${message}`, { cause: error });
}
