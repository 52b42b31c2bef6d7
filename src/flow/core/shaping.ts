// `core::pick`, `core::zip`, `core::expr`: values made out of values.

import { StarlaneError } from "../../base/errors.ts";
import { written } from "../../manifest/mistakes.ts";
import { readJson } from "../../wit/read-json.ts";
import { parseType, printType } from "../../wit/type-text.ts";
import type { ValType } from "../../wit/types.ts";
import { accessorOf, NO_ELEMENT, splitPath } from "../access.ts";
import { typeOfPath } from "../paths.ts";
import { celToJson } from "./cel-types.ts";
import { compileExpression, variablesOf, type Expression } from "./expression.ts";
import type { CoreNode, CoreOperation, CoreUse } from "./operation.ts";
import { parsePathText } from "../parse.ts";
import { signatureOf, valueInput } from "./types.ts";

export const pickOperation: CoreOperation = {
  name: "pick",
  description: "Takes one part out of a value.",
  inputs: "`value`, a record, tuple or list.",
  outputs: "What stands at the path; its type follows.",
  settings: [
    { name: "path", kind: "text", required: true, description: "names of fields and indices: `customer.name`, `rows[0].id`." },
  ],
  takes: "value",
  check: checkPick,
};

export const zipOperation: CoreOperation = {
  name: "zip",
  description: "Puts the values of its inputs into one tuple.",
  inputs: "Any number, named as they are connected or numbered from 1, of any types.",
  outputs: "A tuple of their types, in the order in which they are connected.",
  settings: [],
  takes: "open",
  check: checkZip,
};

export const exprOperation: CoreOperation = {
  name: "expr",
  description: "Computes a CEL expression.",
  inputs: "One port for each variable of the expression, of any type; a port `first-name` is the variable `first_name`.",
  outputs: "The value of the expression, of the type given; without one, of the type that follows from the expression.",
  settings: [
    { name: "expr", kind: "text", required: true, description: "the CEL expression: `price * count`." },
    { name: "type", kind: "text", required: false, description: "the WIT type of the result: `u32`, `list<string>`." },
  ],
  takes: "variables",
  computes: true,
  ports: exprPorts,
  check: checkExpr,
};

function checkPick(use: CoreUse): CoreNode | undefined {
  const input = valueInput(use);
  const text = use.settings.text("path");
  if (input === undefined || text === undefined) return undefined;
  const path = parsePathText(text);
  if (path === undefined || path.length === 0)
    return use.settings.wrong("path", `${written(text)} is no path`, "Write names and indices: `customer.name`, `rows[0].id`.");
  const found = typeOfPath(input.type, path);
  if ("problem" in found) return use.settings.wrong("path", found.problem, found.cure);
  const { outer, inner } = splitPath(found.path);
  if (found.type.kind === "stream" || inner.length > 0)
    return use.settings.wrong("path", "a stream cannot be picked out of a value", "Connect the port itself.");
  const get = accessorOf(outer, undefined);
  return {
    signature: signatureOf([{ name: "value", type: input.type }], found.type),
    run: {
      kind: "call",
      call: ([value]) => {
        const part = get === undefined ? value : get(value);
        if (part === NO_ELEMENT) throw new StarlaneError("flow/no-such-element", `the value has nothing at ${written(text)}`);
        return part;
      },
    },
  };
}

function checkZip(use: CoreUse): CoreNode | undefined {
  if (use.inputs.length === 0) {
    use.wrong(
      "flow/unconnected-input",
      "nothing is connected to it",
      "Connect the values to put together, each by a line of its own.",
    );
    return undefined;
  }
  return {
    signature: signatureOf(use.inputs, { kind: "tuple", types: use.inputs.map(({ type }) => type) }),
    run: { kind: "call", call: (args) => [...args] },
  };
}

function exprPorts(settings: CoreUse["settings"]): readonly string[] | undefined {
  const text = settings.text("expr");
  if (text === undefined) return undefined;
  const variables = variablesOf(text);
  return "problem" in variables ? settings.wrong("expr", variables.problem, variables.cure) : variables;
}

function checkExpr(use: CoreUse): CoreNode | undefined {
  const text = use.settings.text("expr");
  if (text === undefined) return undefined;
  const expression = compileExpression(text, use.inputs);
  if ("problem" in expression) return use.settings.wrong("expr", expression.problem, expression.cure);
  const type = resultType(use, expression);
  if (type === undefined) return undefined;
  return {
    signature: signatureOf(use.inputs, type),
    run: { kind: "call", call: (args) => typedValue(expression, type, args) },
  };
}

function resultType(use: CoreUse, expression: Expression): ValType | undefined {
  const text = use.settings.text("type");
  if (text === undefined) {
    return (
      expression.type ??
      use.settings.wrong(
        "expr",
        "the type of this expression cannot be told",
        "Give the node a `type`: `with: { expr: …, type: u32 }`.",
      )
    );
  }
  const { type, problems } = parseType(text, use.types);
  const [problem] = problems;
  if (problem !== undefined || type === undefined)
    return use.settings.wrong(
      "type",
      problem?.message ?? `${written(text)} is no type`,
      problem?.cure ?? "Write a WIT type: `u32`, `list<string>`.",
    );
  if (expression.type !== undefined && !mayBecome(expression.type, type)) {
    return use.settings.wrong(
      "type",
      `the expression gives \`${printType(expression.type, 80)}\`, which is no \`${printType(type, 80)}\``,
      "Change one of the two, or convert inside: `string(…)`, `int(…)`, `double(…)`.",
    );
  }
  return type;
}

/** CEL has one type for all integers; what does not fit is found when it is computed. */
function mayBecome(from: ValType, to: ValType): boolean {
  if (to.kind === "option") return mayBecome(from, to.type);
  const text = ["string", "char", "enum", "variant"];
  if (from.kind === "string") return text.includes(to.kind) || to.kind === "result";
  if (from.kind === "bool") return to.kind === "bool";
  if (from.kind === "s64" || from.kind === "f64") return /^[suf](?:8|16|32|64)$/.test(to.kind);
  return !["bool", "string", "char", "enum"].includes(to.kind) && !/^[suf]\d/.test(to.kind);
}

function typedValue(expression: Expression, type: ValType, args: readonly unknown[]): unknown {
  const { value, mistakes } = readJson(type, celToJson(type, expression.evaluate(args)));
  const [mistake] = mistakes;
  if (mistake === undefined) return value;
  const where = mistake.path === "$" ? "" : ` at \`${mistake.path}\``;
  throw new StarlaneError(
    "flow/expression-failed",
    `the expression gave a value that is no \`${printType(type, 80)}\`${where}: ${mistake.message}`,
  );
}
