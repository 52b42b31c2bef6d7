// `npm start`: runs an example on the real input that lies in its folder, and shows the graph of its flow, the time each node took,
// and the result.

import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import type { NodeEvent } from "../src/flow/flow.ts";
import type { AppOperation } from "../src/star/app.ts";
import { drawGraph } from "../src/cli/draw-graph.ts";
import { guestOutput } from "../src/cli/guest-output.ts";
import { printValue } from "../src/cli/print-value.ts";
import { report } from "../src/cli/report.ts";
import { paintFor, widthOf } from "../src/cli/terminal.ts";
import { failureOf } from "../src/star/failure.ts";
import { graphOf } from "../src/star/graph-of.ts";
import { argumentsFrom } from "../src/star/inputs.ts";
import { loadTarget } from "../src/star/star.ts";
import { runTransaction } from "../src/star/transaction.ts";
import { toJson } from "../src/wit/json.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const SEED = 1;

async function runExample(folder: string): Promise<void> {
  const { target } = await loadTarget(folder, { use: "run" });
  const [operation] = target.operations.values();
  if (target.kind !== "app" || operation?.kind !== "flow") throw new Error(`${folder} has no operation to run`);
  const { input, from } = inputOf(folder, operation);
  const args = argumentsFrom(operation.signature, [], input, operation.name);
  const times = new Times();
  const output = guestOutput();
  const startedAt = performance.now();
  let result: unknown;
  try {
    const observe = (event: NodeEvent): void => times.observe(event);
    result = await runTransaction(operation, args, { seed: SEED, timestampMs: Date.now(), observe, output: output.write });
  } catch (error) {
    throw failureOf(error, target, operation);
  } finally {
    output.end();
  }
  const tookMs = performance.now() - startedAt;
  show(`${target.name} ${operation.name}`, relative(process.cwd(), join(folder, from)), operation, times, tookMs, result);
}

/** `input.json`, or the one text file of the folder for the port that needs a value. */
function inputOf(folder: string, operation: AppOperation): { readonly input: unknown; readonly from: string } {
  const names = readdirSync(folder);
  if (names.includes("input.json"))
    return { input: JSON.parse(readFileSync(join(folder, "input.json"), "utf8")), from: "input.json" };
  const file = names.find((name) => /\.(csv|txt)$/.test(name));
  const port = operation.signature.params.find(({ optional, type }) => !optional && type.kind === "string");
  if (file === undefined || port === undefined) throw new Error(`${folder} has no input for ${operation.name}`);
  return { input: { [port.name]: readFileSync(join(folder, file), "utf8") }, from: file };
}

/** How long each node of the flow took, by its id; flows inside flows count as the node they stand for. */
class Times {
  readonly #started = new Map<string, number>();
  readonly #notes = new Map<string, string>();

  observe({ kind, path, atMs }: NodeEvent): void {
    const [, node = "", ...inner] = path.split("/");
    if (inner.length > 0) return;
    const started = this.#started.get(node);
    if (kind === "start") this.#started.set(node, atMs);
    else if (kind === "skipped") this.#notes.set(node, "skipped");
    else if ((kind === "done" || kind === "failed") && started !== undefined)
      this.#notes.set(node, `${(atMs - started).toFixed(1)} ms${kind === "failed" ? ", failed" : ""}`);
  }

  noteOf(node: string): string | undefined {
    return this.#notes.get(node);
  }
}

function show(title: string, from: string, operation: AppOperation, times: Times, tookMs: number, result: unknown): void {
  const paint = paintFor(process.stdout);
  const drawing = drawGraph(graphOf(operation.flow), { width: widthOf(process.stdout), note: (node) => times.noteOf(node) });
  const { result: type } = operation.signature;
  const json = type === undefined ? null : toJson(type, result);
  process.stdout.write(
    [
      paint("bold", title) + paint("dim", `  on ${from}`),
      "",
      drawing,
      "",
      printValue(json, paint),
      "",
      paint("dim", `${operation.flow.nodes.length} nodes in ${tookMs.toFixed(1)} ms`),
      "",
    ].join("\n"),
  );
}

try {
  await runExample(join(root, "examples", process.argv[2] ?? "feedback"));
} catch (error) {
  process.exitCode = report(error, { verbose: process.argv.includes("--verbose"), json: false });
}
