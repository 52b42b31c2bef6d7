// Calls of an app's operation: inputs are sanitized, then its flow runs by its plan. Where nothing is asynchronous, no promise is made.

import { StarlaneError } from "../base/errors.ts";
import type { Invoke } from "../flow/flow.ts";
import type { Plan } from "../flow/plan.ts";
import { runFlow } from "../flow/run.ts";
import type { Sanitized } from "../manifest/sanitize.ts";
import type { Call, LoadedComponent } from "./app.ts";

/** An operation of an app that can run. */
export interface FlowOperation {
  readonly plan: Plan;
  readonly components: ReadonlyMap<string, LoadedComponent>;
  /** What cleans and checks inputs, for the ports that have rules; by the signature's params. */
  readonly sanitizers: readonly { readonly index: number; readonly sanitize: (value: unknown) => Sanitized }[];
}

export function flowCall(operation: FlowOperation): Call {
  const { plan, components } = operation;
  const timeouts = new Map(
    plan.nodes.flatMap((node) => (node.policy?.timeoutMs === undefined ? [] : [[node.path, node.policy.timeoutMs] as const])),
  );
  return (args, transaction, host, path) => {
    const invoke: Invoke = (target, inner, scope) => {
      const used = components.get(target.component)?.operations.get(target.operation);
      if (used === undefined) {
        throw new StarlaneError("starlane/internal", `nothing runs ${target.component}::${target.operation}`, {
          at: target.path,
        });
      }
      const timeoutMs = timeouts.get(target.path);
      const limits =
        timeoutMs === undefined ? host : { ...host, nodeTimeoutMs: Math.min(timeoutMs, host.nodeTimeoutMs ?? Infinity) };
      return used.call(inner, scope, limits, path === undefined ? target.path : `${path}/${target.path}`);
    };
    return runFlow(plan, sanitized(operation, args), transaction, invoke);
  };
}

function sanitized(operation: FlowOperation, args: readonly unknown[]): readonly unknown[] {
  if (operation.sanitizers.length === 0) return args;
  const values = [...args];
  const violations = operation.sanitizers.flatMap(({ index, sanitize }) => {
    const result = sanitize(args[index]);
    if ("violations" in result) return result.violations;
    values[index] = result.value;
    return [];
  });
  const [first] = violations;
  if (first === undefined) return values;
  const message =
    violations.length === 1
      ? `the input is not accepted: ${first.path}: ${first.message}`
      : `the input is not accepted: ${violations.length} values break a rule:\n${violations.map((v) => `  ${v.path}: ${v.message}`).join("\n")}`;
  throw new StarlaneError("star/invalid-input", message, { data: { violations } });
}
