// What `inspect` prints for people: what a target is made of, asks for and offers, and the drawing of each flow.

import { providerOf } from "../capabilities/catalog.ts";
import type { ComponentFacts } from "../component/facts.ts";
import type { App, LoadedComponent, Operation, WasmComponent } from "../star/app.ts";
import { graphOf } from "../star/graph-of.ts";
import { shortName } from "../star/operations.ts";
import { printType } from "../wit/type-text.ts";
import type { NamedExtern } from "../wit/types.ts";
import { drawGraph } from "./draw-graph.ts";
import { printable, type Paint } from "./terminal.ts";

export interface TellOptions {
  readonly paint: Paint;
  readonly width: number;
}

export function tellTarget(target: LoadedComponent, only: Operation | undefined, options: TellOptions): string {
  const lines =
    only !== undefined
      ? tellOperation(only, [only], options)
      : target.kind === "wasm"
        ? tellWasm(target, options)
        : tellApp(target, options);
  return `${lines.join("\n")}\n`;
}

function tellWasm(component: WasmComponent, { paint }: TellOptions): string[] {
  const out = [
    `${paint("bold", printable(component.name))}  component, ${size(component.sizeBytes)}  ${paint("dim", component.file)}`,
  ];
  if (component.facts !== undefined) out.push(...tellFacts(component.facts, paint));
  const imports = component.type.imports.filter((item) => item.type.kind !== "type");
  out.push("", paint("bold", imports.length === 0 ? "imports nothing" : "imports"));
  const width = Math.max(0, ...imports.map((item) => item.name.length));
  for (const item of imports) out.push(`  ${printable(item.name).padEnd(width)}  ${paint("dim", toldProvider(item))}`);
  out.push("", paint("bold", "exports"));
  for (const item of component.type.exports) out.push(...tellExport(item, paint));
  out.push(...tellGrants(component, imports, paint));
  return out;
}

/** The lines that would grant what it imports: those it needs, and those that would give more than the inert forms. */
function tellGrants({ name }: WasmComponent, imports: readonly NamedExtern[], paint: Paint): string[] {
  const lines = new Map<string, boolean>();
  for (const provider of imports.map((item) => providerOf(item.name))) {
    if (provider?.grant !== undefined) lines.set(provider.grant, !provider.inert || lines.get(provider.grant) === true);
  }
  if (lines.size === 0) return [];
  const width = Math.max(...[...lines.keys()].map(({ length }) => length));
  const told = [...lines].map(
    ([line, isNeeded]) => `      ${line.padEnd(width)}  ${paint("dim", isNeeded ? "# needed" : "# to reach what is real")}`,
  );
  return ["", paint("bold", "grants it could be given"), "  grants:", `    ${printable(name)}:`, ...told];
}

/** Which tools made it, where it says so, and how many core modules and components are inside. */
function tellFacts(facts: ComponentFacts, paint: Paint): string[] {
  const inside = allFacts(facts);
  const modules = inside.reduce((sum, one) => sum + one.coreModules.length, 0);
  const producers = [facts, ...inside.flatMap((one) => one.coreModules)].flatMap((one) =>
    one.producers.flatMap(({ values }) => values),
  );
  const names = [...new Set(producers.map(({ name, version }) => (version === "" ? name : `${name} ${version}`)))];
  const parts = [`${modules} core module${modules === 1 ? "" : "s"}`];
  if (inside.length > 1) parts.push(`${inside.length - 1} component${inside.length === 2 ? "" : "s"} inside`);
  if (names.length > 0) parts.push(`made by ${names.join(", ")}`);
  return [paint("dim", printable(parts.join("; ")))];
}

function allFacts(facts: ComponentFacts): ComponentFacts[] {
  return [facts, ...facts.components.flatMap(allFacts)];
}

function toldProvider(item: NamedExtern): string {
  const provider = providerOf(item.name);
  if (provider === undefined) return "nothing provides it";
  return provider.inert ? `${provider.capability} (inert without a grant)` : `${provider.capability}, needs a grant`;
}

function tellExport(item: NamedExtern, paint: Paint): string[] {
  const { type } = item;
  if (type.kind === "func") return [`  ${paint("cyan", printable(item.name))}${signature(type)}`];
  if (type.kind !== "instance") return [`  ${printable(item.name)}  ${paint("dim", type.kind)}`];
  const functions = type.exports.flatMap((inner) =>
    inner.type.kind === "func" ? [`    ${paint("cyan", printable(inner.name))}${signature(inner.type)}`] : [],
  );
  return [`  ${printable(item.name)}`, ...functions];
}

interface Callable {
  readonly params: readonly { readonly name: string; readonly type: Parameters<typeof printType>[0] }[];
  readonly result?: Parameters<typeof printType>[0] | undefined;
  readonly async: boolean;
}

function signature({ params, result, async }: Callable): string {
  const ports = params.map((p) => `${p.name}: ${printType(p.type, 60)}`).join(", ");
  return printable(`(${ports})${result === undefined ? "" : ` -> ${printType(result, 100)}`}${async ? "  async" : ""}`);
}

function tellApp(app: App, options: TellOptions): string[] {
  const { paint } = options;
  const { manifest } = app;
  const out = [
    `${paint("bold", app.name)}${manifest.version === undefined ? "" : ` ${manifest.version}`}  app  ${paint("dim", app.file)}`,
  ];
  if (manifest.description !== undefined) out.push(printable(manifest.description));
  if (manifest.parameters.length > 0) {
    out.push("", paint("bold", "parameters"));
    for (const { name, type, default: value } of manifest.parameters) {
      out.push(`  ${name}: ${printType(type, 60)}${value === undefined ? "" : ` = ${printable(JSON.stringify(value))}`}`);
    }
  }
  if (app.components.size > 0) out.push("", paint("bold", "components"), ...tellComponents(app, paint));
  const all = [...app.operations.values()];
  for (const operation of all) out.push("", ...tellOperation(operation, all, options));
  return out;
}

function tellComponents(app: App, paint: Paint): string[] {
  const width = Math.max(...[...app.components.keys()].map((name) => name.length));
  const files = Math.max(...[...app.components.values()].map(({ file }) => file.length));
  return [...app.components].map(([name, component]) => {
    const what = component.kind === "wasm" ? size(component.sizeBytes) : "app";
    const count = component.operations.size;
    return `  ${name.padEnd(width)}  ${component.file.padEnd(files)}  ${paint("dim", `${what}, ${count} operation${count === 1 ? "" : "s"}`)}`;
  });
}

function tellOperation(operation: Operation, all: readonly Operation[], { paint, width }: TellOptions): string[] {
  const { description } = operation.signature;
  const out = [`${paint("bold", printable(shortName(operation, all)))}${signature(operation.signature)}`];
  if (description !== undefined) out.push(printable(description));
  if (operation.kind === "flow") {
    const drawing = drawGraph(graphOf(operation.flow), { width: width - 2 });
    out.push("", ...drawing.split("\n").map((line) => (line === "" ? "" : `  ${line}`)));
  }
  return out;
}

function size(bytes: number): string {
  if (bytes < 1024) return `${bytes} bytes`;
  return bytes < 1024 * 1024 ? `${(bytes / 1024).toFixed(1)} KiB` : `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}
