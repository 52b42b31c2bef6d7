// Runs a planned flow once. A plain flow of synchronous nodes is a loop: no promise, no queue, no allocation but the arguments.
// At the first promise, failure or anything else out of the ordinary the values so far go over to a `FlowRun`, which keeps the
// state of every node.

import { cancelled } from "./endings.ts";
import { failureOf } from "./failure.ts";
import type { Invoke, Transaction } from "./flow.ts";
import { FlowRun } from "./flow-run.ts";
import type { Plan } from "./plan.ts";
import { isAborted, Scope } from "./scope.ts";
import { argumentsOf, plainResult, startValues } from "./values.ts";

/**
 * Runs `plan` on `inputs` (JS values by the signature's params; undefined takes the default). The answer is the result value, or
 * a promise of it as soon as one node answers with a promise (a real `Promise`, not any thenable). `observe` stands in place of the
 * transaction's.
 * @throws FlowError (or rejects with it): the path of the node, the cause, and the operation's own error as `payload`
 */
export function runFlow(
  plan: Plan,
  inputs: readonly unknown[],
  transaction: Transaction,
  invoke: Invoke,
  observe = transaction.observe,
): unknown {
  const values = startValues(plan, inputs);
  const scope = new Scope(transaction, observe);
  if (isAborted(transaction)) throw cancelled(plan.operation, scope.reason);
  if (!plan.plain || observe !== undefined) return new FlowRun(plan, values, scope, invoke).start();
  return runPlain(plan, values, scope, invoke);
}

function runPlain(plan: Plan, values: unknown[], scope: Scope, invoke: Invoke): unknown {
  const { nodes, inputCount } = plan;
  const { deadlineMs, clock } = scope;
  for (let i = 0; i < nodes.length; i++) {
    const node = nodes[i];
    if (node === undefined) break;
    if (scope.aborted || (deadlineMs !== undefined && clock.now() >= deadlineMs)) {
      return new FlowRun(plan, values, scope, invoke).resumeAt(i);
    }
    let answer: unknown;
    try {
      const args = argumentsOf(node.args, values);
      answer = node.call === undefined ? invoke(node.target, args, scope) : node.call(args, scope, node.target);
    } catch (error) {
      return new FlowRun(plan, values, scope, invoke).resumeFailed(i, error);
    }
    if (answer instanceof Promise) return new FlowRun(plan, values, scope, invoke).resumeWith(i, answer);
    values[inputCount + i] = answer;
  }
  scope.close();
  try {
    return plainResult(plan, values);
  } catch (error) {
    throw failureOf(plan.operation, error).error;
  }
}
