// What `inspect --json` prints: plain JSON, types as WIT text.

import { providerOf } from "../capabilities/catalog.ts";
import type { App, LoadedComponent, Operation, WasmComponent } from "../star/app.ts";
import { graphOf } from "../star/graph-of.ts";
import { printType, printTypeWhole } from "../wit/type-text.ts";
import type { ExternType, NamedExtern } from "../wit/types.ts";

const LONGEST_TYPE = 10_000;

/** A loaded component as JSON; `only`: nothing but this operation. */
export function describeTarget(target: LoadedComponent, only: Operation | undefined): unknown {
  if (only !== undefined) return describeOperation(only);
  return target.kind === "wasm" ? describeWasm(target) : describeApp(target);
}

function describeWasm(component: WasmComponent): unknown {
  return {
    kind: "component",
    name: component.name,
    file: component.file,
    bytes: component.sizeBytes,
    ...(component.facts === undefined ? {} : { facts: component.facts }),
    imports: component.type.imports.map((item) => ({ ...describeExtern(item), provided: providedBy(item) })),
    exports: component.type.exports.map(describeExtern),
    operations: [...component.operations.values()].map(describeOperation),
  };
}

/** The capability that provides an import, and whether it does so without a grant. */
function providedBy(item: NamedExtern): unknown {
  const provider = providerOf(item.name);
  return provider === undefined ? null : { capability: provider.capability, inert: provider.inert };
}

function describeApp(app: App): unknown {
  const { manifest } = app;
  return {
    kind: "app",
    name: app.name,
    file: app.file,
    ...(manifest.version === undefined ? {} : { version: manifest.version }),
    ...(manifest.description === undefined ? {} : { description: manifest.description }),
    parameters: manifest.parameters.map((p) => ({
      name: p.name,
      type: typeText(p.type),
      ...(p.default === undefined ? {} : { default: p.default }),
    })),
    components: [...app.components].map(([name, component]) => ({
      name,
      kind: component.kind === "wasm" ? "component" : "app",
      file: component.file,
      operations: [...component.operations.keys()],
    })),
    operations: [...app.operations.values()].map(describeOperation),
    tests: app.tests.length,
  };
}

function describeOperation(operation: Operation): unknown {
  const { params, result, error, async, description } = operation.signature;
  return {
    name: operation.name,
    ...(description === undefined ? {} : { description }),
    async,
    inputs: params.map((p) => ({ name: p.name, type: typeText(p.type), optional: p.optional })),
    result: result === undefined ? null : typeText(result),
    error: error === undefined ? null : typeText(error),
    ...(operation.kind === "flow" ? { graph: graphOf(operation.flow) } : {}),
  };
}

function typeText(type: Parameters<typeof printType>[0]): string {
  return printType(type, LONGEST_TYPE);
}

function describeExtern(item: NamedExtern): Record<string, unknown> {
  return {
    name: item.name,
    ...(item.implements === undefined ? {} : { implements: item.implements }),
    ...describeType(item.type),
  };
}

function describeType(type: ExternType): Record<string, unknown> {
  switch (type.kind) {
    case "func":
      return {
        kind: "func",
        async: type.async,
        params: type.params.map((p) => ({ name: p.name, type: typeText(p.type) })),
        result: type.result === undefined ? null : typeText(type.result),
      };
    case "instance":
      return { kind: "instance", exports: type.exports.map(describeExtern) };
    case "component":
      return { kind: "component", imports: type.imports.map(describeExtern), exports: type.exports.map(describeExtern) };
    case "core-module":
      return { kind: "core-module", imports: type.imports, exports: type.exports };
    case "value":
      return { kind: "value", type: typeText(type.type) };
    case "type": {
      const inner = type.type;
      if (inner.kind === "resource") return { kind: "resource" };
      if (inner.kind === "func" || inner.kind === "instance" || inner.kind === "component")
        return { kind: "type", type: describeType(inner) };
      return { kind: "type", type: printTypeWhole(inner, LONGEST_TYPE) };
    }
  }
}
