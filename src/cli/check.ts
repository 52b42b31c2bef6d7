// `starlane check`: every mistake of a target at once, or what was checked. Runs nothing.

import { DiagnosticsError } from "../base/diagnostics.ts";
import type { App, LoadedComponent } from "../star/app.ts";
import { loadTarget } from "../star/star.ts";
import type { CommandLine } from "./command-line.ts";
import { countOf, diagnosticData, renderDiagnostics } from "./report.ts";
import { paintFor } from "./terminal.ts";

export async function run(line: CommandLine): Promise<number> {
  const [path = ""] = line.positionals;
  const asJson = line.options.has("json");
  try {
    const { target, warnings } = await loadTarget(path, { use: "check" });
    const counts = countsOf(target);
    if (asJson) {
      process.stdout.write(`${JSON.stringify({ ok: true, ...counts, diagnostics: warnings.map((w) => diagnosticData(w)) })}\n`);
      return 0;
    }
    if (warnings.length > 0) process.stderr.write(`${renderDiagnostics(warnings, paintFor(process.stderr))}\n`);
    const paint = paintFor(process.stdout);
    const found = warnings.length === 0 ? "no mistakes" : `no errors, ${countOf(warnings)}`;
    process.stdout.write(`${target.file}: ${paint("green", found)} in ${told(counts)}\n`);
    return 0;
  } catch (error) {
    if (!asJson || !(error instanceof DiagnosticsError)) throw error;
    process.stdout.write(`${JSON.stringify({ ok: false, diagnostics: error.diagnostics.map((d) => diagnosticData(d)) })}\n`);
    return error.exit;
  }
}

interface Counts {
  readonly components: number;
  readonly operations: number;
  readonly nodes: number;
  readonly tests: number;
}

/** Each component is counted once, however often it is used. */
function countsOf(target: LoadedComponent): Counts {
  const seen = new Set<LoadedComponent>();
  const collect = (component: LoadedComponent): void => {
    if (seen.has(component)) return;
    seen.add(component);
    if (component.kind === "app") for (const inner of component.components.values()) collect(inner);
  };
  collect(target);
  const files = new Set([...seen].map((component) => component.file));
  const apps = [...seen].filter((component): component is App => component.kind === "app");
  const flows = apps.flatMap((app) => [...app.operations.values()]);
  return {
    components: files.size - (target.kind === "app" ? 1 : 0),
    operations: target.kind === "app" ? flows.length : target.operations.size,
    nodes: flows.reduce((sum, operation) => sum + operation.flow.nodes.length, 0),
    tests: target.kind === "app" ? target.tests.length : 0,
  };
}

function told(counts: Counts): string {
  return Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([what, count]) => `${count} ${count === 1 ? what.replace(/s$/, "") : what}`)
    .join(", ");
}
