// An app, loaded with everything it names: manifests are read, files found, components decoded, flows checked and planned. Goes on
// after mistakes, so that those of all files are told at once. Bounds: DEEPEST apps inside apps, MOST_APPS in all.

import { basename, dirname, resolve } from "node:path";
import { DiagnosticsError, type Diagnostic, type Source, type Span } from "../base/diagnostics.ts";
import { StarlaneError } from "../base/errors.ts";
import type { ErrorCode } from "../base/error-codes.ts";
import { checkFlow, usesExpressions } from "../flow/check.ts";
import type { CheckedFlow } from "../flow/checked.ts";
import { loadExpressions } from "../flow/core/expression.ts";
import type { Operations } from "../flow/draft.ts";
import type { Signature } from "../flow/flow.ts";
import { parseFlow } from "../flow/parse.ts";
import { planFlow } from "../flow/plan.ts";
import type { ComponentUse, Manifest, OperationDeclaration, TestDeclaration } from "../manifest/manifest.ts";
import { parseManifest } from "../manifest/parse.ts";
import { checkPort } from "../manifest/rules.ts";
import { sanitizer } from "../manifest/sanitize.ts";
import { sampleSettings, substitute, type GivenSettings } from "../manifest/substitute.ts";
import { parseTestsFile } from "../manifest/tests-file.ts";
import type { App, AppOperation, LoadedComponent, WasmComponent } from "./app.ts";
import { flowCall } from "./call-flow.ts";
import { findComponentFile, readManifestFile, shown } from "./files.ts";
import { loadWasm, type Use } from "./load-wasm.ts";
import type { Loaded } from "./star.ts";

const DEEPEST = 32;
const MOST_APPS = 1000;
const MOST_DIAGNOSTICS = 1000;

/** @throws DiagnosticsError with the mistakes of all files, StarlaneError where the manifest itself cannot be read */
export async function loadApp(path: string, use: Use): Promise<Loaded> {
  const loader = new Loader(use);
  const target = await loader.app(path, undefined, []);
  const diagnostics = loader.diagnostics();
  if (target === undefined || diagnostics.some(({ severity }) => severity === "error")) throw new DiagnosticsError(diagnostics);
  return { target, warnings: diagnostics, files: [...loader.files] };
}

/** An app that is being loaded, and where in it the next one is used. */
interface Step {
  readonly path: string;
  readonly name: string;
  readonly use: ComponentUse;
}

class Loader {
  readonly files = new Set<string>();
  readonly #use: Use;
  readonly #diagnostics: Diagnostic[] = [];
  /** By file, so that a binary is compiled once, and a manifest read once, however often it is used. */
  readonly #binaries = new Map<string, Promise<WasmComponent | StarlaneError>>();
  readonly #parsed = new Map<string, Manifest | undefined>();
  /** By file and settings. */
  readonly #apps = new Map<string, App | undefined>();

  constructor(use: Use) {
    this.#use = use;
  }

  /** Each mistake once, although an app may be loaded several times with different settings. */
  diagnostics(): readonly Diagnostic[] {
    const seen = new Set<string>();
    return this.#diagnostics.filter(({ code, message, span }) => {
      const key = JSON.stringify([code, message, span.source.file, span.start]);
      if (seen.has(key) || seen.size >= MOST_DIAGNOSTICS) return false;
      seen.add(key);
      return true;
    });
  }

  /** Undefined where there are mistakes. `given` undefined: the app that was asked for. */
  async app(path: string, given: GivenSettings | undefined, way: readonly Step[]): Promise<App | undefined> {
    const key = JSON.stringify([path, given?.values.map(({ name, value }) => [name, value])]);
    if (this.#apps.has(key)) return this.#apps.get(key);
    const app = await this.#load(path, given, way);
    this.#apps.set(key, app);
    return app;
  }

  async #load(path: string, given: GivenSettings | undefined, way: readonly Step[]): Promise<App | undefined> {
    const parsed = this.#parse(path);
    if (parsed === undefined) return undefined;
    const settings = given ?? (this.#use === "run" ? undefined : sampleSettings(parsed));
    const { manifest, diagnostics } = substitute(parsed, settings);
    this.#diagnostics.push(...diagnostics);
    if (manifest === undefined) return undefined;
    const components = await this.#components(path, manifest, way);
    const operations = await this.#operations(manifest, components);
    const tests = [...manifest.tests, ...(way.length === 0 ? this.#testsOf(path, manifest) : [])];
    if (components.size < manifest.components.length || operations.size < manifest.operations.length) return undefined;
    return {
      kind: "app",
      name: manifest.name ?? basename(dirname(path)),
      file: shown(path),
      manifest,
      components,
      operations,
      tests,
    };
  }

  #parse(path: string): Manifest | undefined {
    if (this.#parsed.has(path)) return this.#parsed.get(path);
    this.files.add(path);
    const { manifest, draft, diagnostics } = parseManifest({ file: shown(path), text: readManifestFile(path) });
    this.#diagnostics.push(...diagnostics);
    if (draft !== undefined) this.#flowSyntax(draft);
    this.#parsed.set(path, manifest);
    return manifest;
  }

  /** Those that have mistakes are left out. */
  async #components(path: string, manifest: Manifest, way: readonly Step[]): Promise<ReadonlyMap<string, LoadedComponent>> {
    // One after another: the order of mistakes, and of files, is that of the manifest. Binaries compile side by side.
    for (const use of manifest.components) this.#startBinary(path, use);
    const components = new Map<string, LoadedComponent>();
    for (const use of manifest.components) {
      const component = await this.#component(path, manifest, use, way);
      if (component !== undefined) components.set(use.name, component);
    }
    return components;
  }

  #startBinary(path: string, use: ComponentUse): void {
    const found = findComponentFile(resolve(dirname(path), use.from.path));
    if ("kind" in found && found.kind === "wasm") void this.#binary(found.path);
  }

  #binary(path: string): Promise<WasmComponent | StarlaneError> {
    const known = this.#binaries.get(path);
    if (known !== undefined) return known;
    this.files.add(path);
    const loading = loadWasm(path, this.#use).catch((error: unknown) => {
      if (error instanceof StarlaneError) return error;
      throw error;
    });
    this.#binaries.set(path, loading);
    return loading;
  }

  async #component(
    path: string,
    manifest: Manifest,
    use: ComponentUse,
    way: readonly Step[],
  ): Promise<LoadedComponent | undefined> {
    const found = findComponentFile(resolve(dirname(path), use.from.path));
    if ("problem" in found) return this.#wrong("star/file", use.fromSpan, found.problem, found.cure);
    if (found.kind === "wasm") return this.#wasm(found.path, use);
    const step: Step = { path, name: manifest.file, use };
    const steps = [...way, step];
    const start = steps.findIndex((earlier) => earlier.path === found.path);
    if (start >= 0) return this.#cycle(steps.slice(start), use);
    if (steps.length > DEEPEST) {
      return this.#wrong(
        "star/too-large",
        use.fromSpan,
        `apps are nested deeper than ${DEEPEST} here`,
        "use the inner apps from fewer levels",
      );
    }
    if (this.#apps.size >= MOST_APPS) {
      return this.#wrong(
        "star/too-large",
        use.fromSpan,
        `this app is made of more than ${MOST_APPS} apps`,
        "use fewer different settings",
      );
    }
    return this.app(found.path, { values: use.with, span: use.span }, steps);
  }

  async #wasm(path: string, use: ComponentUse): Promise<WasmComponent | undefined> {
    const [setting] = use.with;
    if (setting !== undefined) {
      return this.#wrong(
        "manifest/unknown-setting",
        setting.span,
        `${shown(path)} is a component binary, which has no parameters`,
        "remove `with`, or set inputs of its nodes",
      );
    }
    const loaded = await this.#binary(path);
    if (!(loaded instanceof StarlaneError)) return loaded;
    const place = loaded.at === undefined || loaded.message.includes(loaded.at) ? "" : ` (${loaded.at})`;
    return this.#wrong(loaded.code, use.fromSpan, `${loaded.message}${place}`, loaded.cure);
  }

  #cycle(steps: readonly Step[], use: ComponentUse): undefined {
    const names = [...steps.map((step) => step.name), steps[0]?.name ?? ""];
    const message = steps.length === 1 ? "this app uses itself" : `these apps use each other in a circle: ${names.join(" -> ")}`;
    return this.#wrong("star/cyclic-app", use.fromSpan, message, "move what both need into an app of its own");
  }

  /** Checks every flow whose components are there; those that have mistakes are left out. */
  async #operations(
    manifest: Manifest,
    components: ReadonlyMap<string, LoadedComponent>,
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
        this.#diagnostics.push(...parseFlow(declaration.flow).diagnostics);
        continue;
      }
      if (usesExpressions(declaration)) await loadExpressions();
      const { flow, diagnostics } = checkFlow(declaration, offered, manifest.types);
      this.#diagnostics.push(...diagnostics);
      if (flow === undefined) continue;
      this.#diagnostics.push(...inferredPortMistakes(declaration, flow.signature));
      operations.set(declaration.name, appOperation(declaration, flow, components));
    }
    return operations;
  }

  /** What can be told of the flows of a manifest with mistakes. */
  #flowSyntax(manifest: Manifest): void {
    for (const { flow } of manifest.operations) this.#diagnostics.push(...parseFlow(flow).diagnostics);
  }

  #testsOf(path: string, manifest: Manifest): readonly TestDeclaration[] {
    return manifest.testsFiles.flatMap(({ path: file, span }) => {
      const full = resolve(dirname(path), file);
      let source: Source;
      try {
        source = { file: shown(full), text: readManifestFile(full) };
      } catch (error) {
        if (!(error instanceof StarlaneError)) throw error;
        const found = findComponentFile(full);
        this.#wrong(
          "star/file",
          span,
          "problem" in found ? found.problem : error.message,
          "problem" in found ? found.cure : error.cure,
        );
        return [];
      }
      this.files.add(full);
      const { tests, diagnostics } = parseTestsFile(source, manifest.operations);
      this.#diagnostics.push(...diagnostics);
      return tests;
    });
  }

  #wrong(code: ErrorCode, span: Span, message: string, cure: string | undefined): undefined {
    this.#diagnostics.push({ code, severity: "error", message, span, cure });
  }
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
): AppOperation {
  const ports = new Map(declaration.input?.map((port) => [port.name, port]));
  const sanitizers = flow.signature.params.flatMap((param, index) => {
    const port = ports.get(param.name);
    const rules = port === undefined ? [] : Object.values(port.rules).filter((rule) => rule !== undefined);
    return port === undefined || (rules.length === 0 && port.default === undefined)
      ? []
      : [{ index, sanitize: sanitizer(port, param.type) }];
  });
  const call = flowCall({ plan: planFlow(flow), components, sanitizers });
  return { kind: "flow", name: declaration.name, signature: flow.signature, declaration, flow, call };
}
