// Calls of an app's operation: inputs are sanitized, then its flow runs by its plan. Where nothing is asynchronous, no promise is made.

import { StarlaneError } from "../base/errors.ts";
import type { Invoke, NodeEvent, Transaction } from "../flow/flow.ts";
import type { Plan } from "../flow/plan.ts";
import { runFlow } from "../flow/run.ts";
import type { Sanitized, Violation } from "../manifest/sanitize.ts";
import { CHUNKED, chunkOf, isChunked, isIterable } from "../wit/streams.ts";
import type { ValType } from "../wit/types.ts";
import type { Call, LoadedComponent } from "./app.ts";
import { type FlowWatch, WatchedFlow } from "./telemetry/node-spans.ts";

/** What cleans the values of one port; of a stream, each of its elements. */
interface PortSanitizer {
  readonly index: number;
  readonly port: string;
  readonly type: ValType;
  readonly sanitize: (value: unknown) => Sanitized;
}

/** An operation of an app that can run. */
export interface FlowOperation {
  readonly plan: Plan;
  readonly components: ReadonlyMap<string, LoadedComponent>;
  /** What cleans and checks inputs, for the ports that have rules; by the signature's params. */
  readonly sanitizers: readonly PortSanitizer[];
}

export function flowCall(operation: FlowOperation): Call {
  const { plan, components } = operation;
  const timeouts = new Map(
    plan.nodes.flatMap((node) => (node.policy?.timeoutMs === undefined ? [] : [[node.path, node.policy.timeoutMs] as const])),
  );
  const watched = new WatchedFlow(plan);
  return (args, transaction, host, path) => {
    const watch = host.telemetry === undefined ? undefined : watched.watch(host, path);
    const invoke: Invoke = (target, inner, scope) => {
      const used = components.get(target.component)?.operations.get(target.operation);
      if (used === undefined) {
        throw new StarlaneError("starlane/internal", `nothing runs ${target.component}::${target.operation}`, {
          at: target.path,
        });
      }
      const timeoutMs = timeouts.get(target.path);
      const around = watch === undefined ? host : { ...host, span: watch.spanOf(target.path) };
      const limits =
        timeoutMs === undefined ? around : { ...around, nodeTimeoutMs: Math.min(timeoutMs, host.nodeTimeoutMs ?? Infinity) };
      return used.call(inner, scope, limits, path === undefined ? target.path : `${path}/${target.path}`);
    };
    const inputs = sanitized(operation, args);
    return watch === undefined
      ? runFlow(plan, inputs, transaction, invoke)
      : runFlow(plan, inputs, transaction, invoke, observerOf(watch, transaction));
  };
}

function observerOf(watch: FlowWatch, { observe }: Transaction): (event: NodeEvent) => void {
  return (event) => {
    watch.observe(event);
    observe?.(event);
  };
}

function sanitized(operation: FlowOperation, args: readonly unknown[]): readonly unknown[] {
  if (operation.sanitizers.length === 0) return args;
  const values = [...args];
  const violations = operation.sanitizers.flatMap(({ index, port, type, sanitize }) => {
    if (type.kind === "stream") {
      values[index] = sanitizedStream(port, type.element, args[index], sanitize);
      return [];
    }
    const result = sanitize(args[index]);
    if ("violations" in result) return result.violations;
    values[index] = result.value;
    return [];
  });
  if (violations.length > 0) throw notAccepted(violations);
  return values;
}

function notAccepted(violations: readonly Violation[]): StarlaneError {
  const [first] = violations;
  const message =
    violations.length === 1
      ? `the input is not accepted: ${first?.path}: ${first?.message}`
      : `the input is not accepted: ${violations.length} values break a rule:\n${violations.map((v) => `  ${v.path}: ${v.message}`).join("\n")}`;
  return new StarlaneError("star/invalid-input", message, { data: { violations } });
}

/** The same stream with its elements cleaned; the first that breaks a rule breaks it, behind those that came before. */
function sanitizedStream(
  port: string,
  element: ValType | undefined,
  stream: unknown,
  sanitize: (value: unknown) => Sanitized,
): unknown {
  if (!isIterable(stream)) return stream;
  let index = 0;
  async function* clean(items: AsyncIterable<unknown> | Iterable<unknown>): AsyncGenerator<readonly unknown[]> {
    for await (const item of items) {
      const cleaned: unknown[] = [];
      let violations: readonly Violation[] = [];
      for (const value of Array.from(chunkOf(element, item, isChunked(items)))) {
        const result = sanitize(value);
        const at = index++;
        if ("value" in result) cleaned.push(result.value);
        else {
          violations = result.violations.map((one) => ({ ...one, path: `${port}[${at}]${one.path.slice(port.length)}` }));
          break;
        }
      }
      if (cleaned.length > 0) yield cleaned;
      if (violations.length > 0) throw notAccepted(violations);
    }
  }
  return Object.assign(clean(stream), { [CHUNKED]: true });
}
