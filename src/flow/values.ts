// The values of a run by slot: what it starts with, the arguments of a node, the result where nothing went missing.

import type { Plan, PlanArg } from "./plan.ts";

const NO_ARGUMENTS: readonly unknown[] = Object.freeze([]);

/** A copy of the template with the inputs in their slots, defaults where there are none. */
export function startValues(plan: Plan, inputs: readonly unknown[]): unknown[] {
  const values = plan.template.slice();
  for (let i = 0; i < plan.inputCount; i++) {
    const value = inputs[i];
    values[i] = value === undefined ? plan.defaults?.[i]?.value : value;
  }
  return values;
}

/** The arguments of a node whose sources all have their values. */
export function argumentsOf(args: readonly PlanArg[], values: readonly unknown[]): readonly unknown[] {
  const [first, second] = args;
  if (first === undefined) return NO_ARGUMENTS;
  if (second === undefined) return [valueOf(first, values)];
  if (args.length === 2) return [valueOf(first, values), valueOf(second, values)];
  return args.map((arg) => valueOf(arg, values));
}

/** May be ROUTED_ELSEWHERE or NO_ELEMENT where the plan is not plain. */
export function valueOf(arg: PlanArg, values: readonly unknown[]): unknown {
  const value = values[arg.slot];
  return arg.get === undefined ? value : arg.get(value);
}

export function plainResult(plan: Plan, values: readonly unknown[]): unknown {
  const { result } = plan;
  if (result.kind === "none") return undefined;
  if (result.kind === "value") return valueOf(result.port.arg, values);
  const record: Record<string, unknown> = {};
  for (const { key, arg } of result.ports) record[key] = valueOf(arg, values);
  return record;
}
