// `starlane build`: calls the tool of each component whose sources have changed, and tells what came out.

import { nearest } from "../base/diagnostics.ts";
import { StarlaneError } from "../base/errors.ts";
import { parseDuration } from "../manifest/quantity.ts";
import {
  buildComponents,
  type BuildEvent,
  type BuildOutcome,
  type BuildPlan,
  buildPlans,
  type Failed,
} from "../star/build/build.ts";
import { shown } from "../star/files.ts";
import type { WorldType } from "../wit/types.ts";
import type { CommandLine } from "./command-line.ts";
import { report } from "./report.ts";
import { type Paint, paintFor, printable } from "./terminal.ts";

export async function run(line: CommandLine): Promise<number> {
  const [target = ".", ...only] = line.positionals;
  const timeoutMs = timeoutOf(line);
  const plans = buildPlans(target);
  if (plans.length === 0) throw nothingToBuild(target);
  checkNames(only, plans, target);
  const asJson = line.options.has("json");
  const isVerbose = line.options.has("verbose");
  const outcomes = await buildComponents(plans, {
    only: only.length === 0 ? undefined : only,
    force: line.options.has("force"),
    timeoutMs,
    signal: interrupted(),
    onEvent: asJson ? undefined : (event) => tell(event, isVerbose),
  });
  if (asJson) process.stdout.write(`${JSON.stringify({ components: outcomes.map(asData) })}\n`);
  const failed = outcomes.filter((outcome) => outcome.kind === "failed");
  if (!asJson) for (const outcome of failed) tellFailure(outcome, isVerbose);
  return Math.max(0, ...failed.map(({ error }) => error.exit));
}

function timeoutOf({ options }: CommandLine): number | undefined {
  const text = options.get("timeout");
  if (text === undefined) return undefined;
  const duration = parseDuration(text);
  if ("value" in duration && duration.value > 0) return duration.value;
  const [message, cure] =
    "value" in duration ? ["it must be longer than nothing", "write it as in 10m"] : [duration.message, duration.cure];
  throw new StarlaneError("cli/usage", `--timeout: ${message}`, { cure });
}

function nothingToBuild(target: string): StarlaneError {
  return new StarlaneError("build/nothing", `no component of ${shown(target)} says how it is built`, {
    cure: "add a `build` to a component of its manifest: `build: { run: cargo build --release --target wasm32-wasip2 }`",
  });
}

function checkNames(names: readonly string[], plans: readonly BuildPlan[], target: string): void {
  const known = plans.map(({ component }) => component);
  for (const name of names) {
    if (known.includes(name)) continue;
    const meant = nearest(name, known);
    throw new StarlaneError("cli/usage", `${shown(target)} has no component ${JSON.stringify(name)} that is built`, {
      cure: meant === undefined ? `those that are: ${known.slice(0, 20).join(", ")}` : `did you mean ${meant}?`,
    });
  }
}

/** Ctrl-C stops the tools, and what they started. */
function interrupted(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => controller.abort());
  return controller.signal;
}

function tell(event: BuildEvent, isVerbose: boolean): void {
  const paint = paintFor(process.stderr);
  if (event.kind === "started") process.stderr.write(`${paint("dim", `building ${event.plan.component} …`)}\n`);
  if (event.kind === "printed" && isVerbose) {
    const lines = event.text.trimEnd().split("\n");
    for (const text of lines) process.stderr.write(`${paint("dim", `${event.plan.component} | `)}${printable(text)}\n`);
  }
  if (event.kind === "ended") process.stdout.write(toldOutcome(event.outcome, paintFor(process.stdout)));
}

function toldOutcome(outcome: BuildOutcome, paint: Paint): string {
  const { component, output } = outcome.plan;
  switch (outcome.kind) {
    case "fresh":
      return `${paint("dim", "=")} ${component}  ${paint("dim", "nothing has changed")}\n`;
    case "failed":
      return `${paint("red", "✘")} ${component}  failed (${outcome.tookMs.toFixed(0)} ms)\n`;
    case "built": {
      const file = printable(shown(output));
      const head = `${paint("green", "✔")} ${component}  ${file}, ${size(outcome.sizeBytes)} (${outcome.tookMs.toFixed(0)} ms)\n`;
      return head + toldWorld(outcome.world, paint);
    }
  }
}

const MOST_NAMES = 12;

function toldWorld({ imports, exports }: WorldType, paint: Paint): string {
  const names = (items: WorldType["exports"]): string => {
    const all = items.filter(({ type }) => type.kind !== "type").map(({ name }) => printable(name));
    const more = all.length - MOST_NAMES;
    return all.length === 0 ? "nothing" : all.slice(0, MOST_NAMES).join(", ") + (more > 0 ? `, and ${more} more` : "");
  };
  const own = imports.filter(({ name }) => !name.startsWith("wasi:"));
  const wasi = imports.length - own.length;
  const rest = wasi === 0 ? "" : ` and ${wasi} of WASI`;
  const imported = own.length === 0 && wasi > 0 ? `${wasi} interfaces of WASI` : `${names(own)}${rest}`;
  return `    ${paint("dim", "exports")} ${names(exports)}\n    ${paint("dim", "imports")} ${imported}\n`;
}

function size(bytes: number): string {
  return bytes < 1024 * 1024 ? `${(bytes / 1024).toFixed(1)} KiB` : `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}

function tellFailure({ error, output, plan }: Failed, isVerbose: boolean): void {
  const text = output.trim();
  process.stderr.write("\n");
  // With --verbose it was shown as it came.
  if (text !== "" && !(isVerbose && plan.how.kind === "command")) process.stderr.write(`${printable(text)}\n\n`);
  report(error, { verbose: isVerbose, json: false });
}

function asData(outcome: BuildOutcome): Record<string, unknown> {
  const { plan, kind, tookMs } = outcome;
  const common = { component: plan.component, file: shown(plan.output), outcome: kind, tookMs: Math.round(tookMs) };
  if (outcome.kind === "built") return { ...common, sizeBytes: outcome.sizeBytes };
  return outcome.kind === "failed" ? { ...common, error: outcome.error.toJSON(), output: outcome.output } : common;
}
