// CEL expressions of `core::` operations: typed against WIT types before anything runs, and bounded in size, nesting and work. The
// library is loaded only where a flow has an expression. Names follow CEL: `first-name` is written `first_name`.
//
// Bounds: 4096 characters, 500 parts, nesting 32, two macros (`map`, `filter`, `exists`…) inside each other, MAX_WORK steps a run.
// `matches` is refused: its regular expressions backtrack.

import type * as cel from "@marcbachmann/cel-js";
import { StarlaneError } from "../../base/errors.ts";
import { named, quoted } from "../../manifest/mistakes.ts";
import type { ValType } from "../../wit/types.ts";
import { CelTypes, celName } from "./cel-types.ts";

const MAX_LENGTH = 4096;
const MAX_PARTS = 500;
const MAX_DEPTH = 32;
const MAX_MACROS = 2;
/** Elements that macros may visit in one evaluation, about. */
const MAX_WORK = 20_000_000;

const MACROS = new Set(["all", "exists", "exists_one", "map", "filter", "bind"]);

let library: typeof cel | undefined;

/** Loads what `core::expr`, `core::switch` and `core::assert` need; call it before a flow that has one of them is checked. */
export async function loadExpressions(): Promise<void> {
  library ??= await import("@marcbachmann/cel-js");
}

interface Variable {
  /** The port's name, as WIT writes it. */
  readonly name: string;
  readonly type: ValType;
}

export interface Expression {
  /** The WIT type of its value, where CEL knows it. */
  readonly type: ValType | undefined;
  /** @throws StarlaneError `flow/expression-failed` */
  evaluate(args: readonly unknown[]): unknown;
}

type ExpressionProblem = { readonly problem: string; readonly cure: string };

/** The names of the variables of an expression, in the order they appear, as ports are named. */
export function variablesOf(text: string): readonly string[] | ExpressionProblem {
  const environment = newEnvironment();
  const parsed = parse(text, environment);
  if ("problem" in parsed) return parsed;
  const names = new Set<string>();
  collectVariables(parsed.ast, new Set(), names, environment);
  return [...names].map((name) => name.replaceAll("_", "-"));
}

/** Types and compiles an expression over the given variables. */
export function compileExpression(text: string, variables: readonly Variable[]): Expression | ExpressionProblem {
  const environment = newEnvironment();
  const types = new CelTypes(environment);
  const inputs = variables.map(({ name, type }) => ({ name: celName(name), ...types.of(type) }));
  for (const { name, celType } of inputs) environment.registerVariable(name, celType);
  const parsed = parse(text, environment);
  if ("problem" in parsed) return parsed;
  const checked = parsed.run.check();
  if (!checked.valid) return problemOf(text, checked.error);
  const { run, depth } = parsed;
  return {
    type: types.witType(checked.type ?? "dyn"),
    evaluate: (args) => {
      const context: Record<string, unknown> = {};
      types.largest = 0;
      for (const [i, input] of inputs.entries()) context[input.name] = input.toCel(args[i]);
      if (types.largest ** depth > MAX_WORK) {
        throw failed(text, `it goes over lists of ${types.largest} elements inside each other`, "Do it in a component.");
      }
      try {
        const value: unknown = run(context);
        if (value instanceof Promise) throw new StarlaneError("starlane/internal", "an expression answered with a promise");
        return value;
      } catch (error) {
        throw failed(text, summaryOf(error));
      }
    },
  };
}

interface Parsed {
  readonly run: cel.ParseResult;
  readonly ast: cel.ASTNode;
  /** How deep macros stand inside each other. */
  readonly depth: number;
}

function newEnvironment(): cel.Environment {
  if (library === undefined) throw new StarlaneError("starlane/internal", "loadExpressions was not called");
  return new library.Environment({
    unlistedVariablesAreDyn: false,
    homogeneousAggregateLiterals: false,
    limits: { maxAstNodes: MAX_PARTS, maxDepth: MAX_DEPTH, maxListElements: 200, maxMapEntries: 200, maxCallArguments: 16 },
  });
}

function parse(text: string, environment: cel.Environment): Parsed | ExpressionProblem {
  if (text.length > MAX_LENGTH)
    return {
      problem: `an expression may have ${MAX_LENGTH} characters, this one has ${text.length}`,
      cure: "Do it in a component.",
    };
  try {
    const run = environment.parse(text);
    const limits = inspect(run.ast);
    return "problem" in limits ? limits : { run, ast: run.ast, depth: limits.depth };
  } catch (error) {
    return problemOf(text, error);
  }
}

/** What the library does not bound: macros inside each other, and regular expressions. */
function inspect(ast: cel.ASTNode): { readonly depth: number } | ExpressionProblem {
  let deepest = 0;
  let problem: ExpressionProblem | undefined;
  const visit = (node: cel.ASTNode, depth: number): void => {
    const name = calledName(node);
    if (name === "matches") {
      problem ??= {
        problem: "`matches` is not offered here: a regular expression can take endless time",
        cure: "Give the input a `pattern`, or match in a component.",
      };
    }
    const below = name !== undefined && MACROS.has(name) ? depth + 1 : depth;
    deepest = Math.max(deepest, below);
    for (const child of childrenOf(node)) visit(child, below);
  };
  visit(ast, 0);
  if (problem !== undefined) return problem;
  if (deepest > MAX_MACROS)
    return { problem: `macros stand more than ${MAX_MACROS} deep inside each other`, cure: "Do it in a component." };
  return { depth: deepest };
}

/** Names that nothing inside the expression binds. */
function collectVariables(node: cel.ASTNode, bound: ReadonlySet<string>, names: Set<string>, known: cel.Environment): void {
  if (node.op === "id" && !bound.has(node.args) && !known.hasVariable(node.args)) names.add(node.args);
  const children = childrenOf(node);
  const name = calledName(node);
  const [variable] = callArguments(node);
  if (name === undefined || !MACROS.has(name) || variable?.op !== "id") {
    for (const child of children) collectVariables(child, bound, names, known);
    return;
  }
  const inside = new Set(bound).add(variable.args);
  for (const child of children) {
    if (child === variable) continue;
    const isBody = callArguments(node).includes(child) && !(name === "bind" && child === callArguments(node)[1]);
    collectVariables(child, isBody ? inside : bound, names, known);
  }
}

function calledName(node: cel.ASTNode): string | undefined {
  return node.op === "call" || node.op === "rcall" ? node.args[0] : undefined;
}

function callArguments(node: cel.ASTNode): readonly cel.ASTNode[] {
  if (node.op === "call") return node.args[1];
  return node.op === "rcall" ? node.args[2] : [];
}

function childrenOf(node: cel.ASTNode): readonly cel.ASTNode[] {
  switch (node.op) {
    case "value":
    case "id":
      return [];
    case ".":
    case ".?":
      return [node.args[0]];
    case "call":
      return node.args[1];
    case "rcall":
      return [node.args[1], ...node.args[2]];
    case "!_":
    case "-_":
      return [node.args];
    case "map":
      return node.args.flat();
    default:
      return node.args;
  }
}

function problemOf(text: string, error: unknown): ExpressionProblem {
  const range = rangeOf(error);
  const near = range === undefined ? "" : text.slice(range.start, range.end);
  const code = typeof error === "object" && error !== null && "code" in error ? error.code : undefined;
  const said = (problem: string, cure: string): ExpressionProblem => ({
    problem: `the expression ${quoted(text)} is wrong: ${problem}`,
    cure,
  });
  if (code === "unknown_variable")
    return said(`there is no variable ${named(near)}`, "Names of ports are written with `_` for `-`.");
  if (code === "no_such_key") return said(`there is no field ${named(near)}`, "Names of fields are written with `_` for `-`.");
  if (code === "no_such_overload") {
    return said(
      `${summaryOf(error)}`,
      "Convert one side: `string(…)`, `int(…)`, `double(…)`; whole numbers beside floats are written `2.0`.",
    );
  }
  const where = near === "" || near.length >= text.length ? "" : `, at ${named(near)}`;
  return said(
    `${summaryOf(error).replace(/^unexpected token: EOF$/, "it ends too early")}${where}`,
    "Correct it; the language is CEL (Common Expression Language).",
  );
}

function failed(text: string, why: string, cure?: string): StarlaneError {
  return new StarlaneError("flow/expression-failed", `the expression ${quoted(text)} failed: ${why}`, { cure });
}

function summaryOf(error: unknown): string {
  if (error instanceof Error && "summary" in error && typeof error.summary === "string") {
    return error.summary.charAt(0).toLowerCase() + error.summary.slice(1);
  }
  return error instanceof Error ? error.message : "it threw";
}

function rangeOf(error: unknown): { readonly start: number; readonly end: number } | undefined {
  if (typeof error !== "object" || error === null || !("range" in error)) return undefined;
  const { range } = error;
  if (typeof range !== "object" || range === null || !("start" in range) || !("end" in range)) return undefined;
  return typeof range.start === "number" && typeof range.end === "number" ? { start: range.start, end: range.end } : undefined;
}
