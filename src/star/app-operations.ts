// The operations of an app: each flow checked against the components that are there, planned, and made callable.

import type { Diagnostic } from "../base/diagnostics.ts";
import { checkFlow, usesExpressions } from "../flow/check.ts";
import type { CheckedFlow } from "../flow/checked.ts";
import { loadExpressions } from "../flow/core/expression.ts";
import type { Operations } from "../flow/draft.ts";
import type { Signature } from "../flow/flow.ts";
import { parseFlow } from "../flow/parse.ts";
import { planFlow } from "../flow/plan.ts";
import type { LimitsDeclaration, Manifest, OperationDeclaration } from "../manifest/manifest.ts";
import { ruledType } from "../manifest/port-types.ts";
import { checkPort } from "../manifest/rules.ts";
import { sanitizer } from "../manifest/sanitize.ts";
import type { AppOperation, LoadedComponent } from "./app.ts";
import { flowCall } from "./call-flow.ts";
import type { RecordedAs } from "./record/transaction-records.ts";

/** Checks every flow whose components are there; those that have mistakes are left out, and told to `report`. */
export async function appOperations(
  manifest: Manifest,
  components: ReadonlyMap<string, LoadedComponent>,
  recordedAs: RecordedAs | undefined,
  report: (diagnostics: readonly Diagnostic[]) => void,
): Promise<ReadonlyMap<string, AppOperation>> {
  const offered: Operations = {
    components: components.keys(),
    operationsOf: (component) => components.get(component)?.operations.keys(),
    signatureOf: (component, operation) => components.get(component)?.operations.get(operation)?.signature,
  };
  const missing = manifest.components.flatMap(({ name }) => (components.has(name) ? [] : [`${name}::`]));
  const operations = new Map<string, AppOperation>();
  for (const declaration of manifest.operations) {
    if (missing.some((start) => uses(declaration, start))) {
      report(parseFlow(declaration.flow).diagnostics);
      continue;
    }
    if (usesExpressions(declaration)) await loadExpressions();
    const { flow, diagnostics } = checkFlow(declaration, offered, manifest.types);
    report(diagnostics);
    if (flow === undefined) continue;
    report(inferredPortMistakes(declaration, flow.signature));
    operations.set(declaration.name, { ...appOperation(declaration, flow, components, manifest.limits), recordedAs });
  }
  return operations;
}

/** Whether a flow mentions a component; `start` is its name and `::`. */
function uses(declaration: OperationDeclaration, start: string): boolean {
  return declaration.flow.text.includes(start) || declaration.nodes.some((node) => node.uses.startsWith(start));
}

/** Rules and defaults of ports whose type only the flow tells. */
function inferredPortMistakes(declaration: OperationDeclaration, signature: Signature): readonly Diagnostic[] {
  return (declaration.input ?? []).flatMap((port) => {
    const param = signature.params.find(({ name }) => name === port.name);
    return port.type !== undefined || param === undefined ? [] : checkPort(port, param.type);
  });
}

function appOperation(
  declaration: OperationDeclaration,
  flow: CheckedFlow,
  components: ReadonlyMap<string, LoadedComponent>,
  limits: LimitsDeclaration,
): AppOperation {
  const ports = new Map(declaration.input?.map((port) => [port.name, port]));
  const sanitizers = flow.signature.params.flatMap((param, index) => {
    const port = ports.get(param.name);
    const rules = port === undefined ? [] : Object.values(port.rules).filter((rule) => rule !== undefined);
    return port === undefined || (rules.length === 0 && port.default === undefined)
      ? []
      : [{ index, port: param.name, type: param.type, sanitize: sanitizer(port, ruledType(param.type)) }];
  });
  const call = flowCall({ plan: planFlow(flow), components, sanitizers });
  return { kind: "flow", name: declaration.name, signature: flow.signature, limits, declaration, flow, call };
}
