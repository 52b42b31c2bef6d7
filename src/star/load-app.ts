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
import { grantToApp } from "../manifest/grants.ts";
import type {
  ComponentGrants,
  ComponentUse,
  LimitsDeclaration,
  Manifest,
  OperationDeclaration,
  TestDeclaration,
} from "../manifest/manifest.ts";
import type { Outside } from "../manifest/outside.ts";
import { componentsOf } from "../manifest/triggers/targets.ts";
import { parseManifest } from "../manifest/parse.ts";
import { checkPort } from "../manifest/rules.ts";
import { sanitizer } from "../manifest/sanitize.ts";
import { sampleSettings, substitute, type GivenSettings } from "../manifest/substitute.ts";
import { parseTestsFile } from "../manifest/tests-file.ts";
import type { App, AppOperation, LoadedComponent, WasmComponent } from "./app.ts";
import { flowCall } from "./call-flow.ts";
import { findComponentFile, readManifestFile, shown } from "./files.ts";
import { environmentHere, secretHere } from "./environment.ts";
import type { CommandStart } from "./grants.ts";
import { type Binary, loadBinary, type Use, wasmComponent } from "./load-wasm.ts";
import { SERVED } from "./load-wasm.ts";
import { Resources } from "./resources.ts";
import type { Loaded, LoadOptions } from "./star.ts";

const DEEPEST = 32;
const MOST_APPS = 1000;
const MOST_DIAGNOSTICS = 1000;

/** @throws DiagnosticsError with the mistakes of all files, StarlaneError where the manifest itself cannot be read */
export async function loadApp(path: string, options: LoadOptions): Promise<Loaded> {
  const loader = new Loader(options);
  try {
    const target = await loader.app(path, undefined, []);
    const diagnostics = loader.diagnostics();
    if (target === undefined || diagnostics.some(({ severity }) => severity === "error")) throw new DiagnosticsError(diagnostics);
    const { secrets } = loader;
    return { target, warnings: diagnostics, files: [...loader.files], secrets, close: () => loader.close() };
  } catch (error) {
    await loader.close();
    throw error;
  }
}

/** One app while its components are loaded. */
interface AppSurroundings {
  readonly path: string;
  readonly manifest: Manifest;
  readonly way: readonly Step[];
  readonly resources: Resources;
  /** Those that are there already. */
  readonly components: ReadonlyMap<string, LoadedComponent>;
}

/** An app that is being loaded, and where in it the next one is used. */
interface Step {
  readonly path: string;
  readonly name: string;
  readonly use: ComponentUse;
}

/** What several loads of an app share: what does not depend on grants. */
export class LoadedCode {
  readonly binaries = new Map<string, Promise<Binary | StarlaneError>>();
  readonly guests = new Map<string, Promise<WasmComponent | StarlaneError>>();
  readonly manifests = new Map<string, Manifest | undefined>();
}

class Loader {
  readonly files = new Set<string>();
  readonly secrets = new Set<string>();
  readonly #use: Use;
  readonly #options: LoadOptions;
  readonly #resources: Resources[] = [];
  readonly #diagnostics: Diagnostic[] = [];
  /** By file, so that a binary is compiled once, and a manifest read once, however often it is used. */
  readonly #binaries: Map<string, Promise<Binary | StarlaneError>>;
  /** By file and how it is used. */
  readonly #guests: Map<string, Promise<WasmComponent | StarlaneError>>;
  readonly #parsed: Map<string, Manifest | undefined>;
  /** By file and settings. */
  readonly #apps = new Map<string, App | undefined>();

  constructor(options: LoadOptions) {
    this.#options = options;
    this.#use = options.use;
    const { binaries, guests, manifests } = options.code ?? new LoadedCode();
    this.#parsed = manifests;
    this.#binaries = binaries;
    this.#guests = guests;
  }

  get #runs(): boolean {
    return this.#use === "run" || this.#use === "once";
  }

  async close(): Promise<void> {
    await Promise.all(this.#resources.map((resources) => resources.close()));
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
    const settings = given ?? (this.#runs ? undefined : sampleSettings(parsed));
    const { manifest, diagnostics, secrets } = substitute(parsed, settings, this.#outside(way));
    this.#diagnostics.push(...diagnostics);
    for (const secret of secrets) this.secrets.add(secret);
    if (manifest === undefined) return undefined;
    const components = await this.#components(path, manifest, way);
    const operations = await this.#operations(manifest, components);
    const isTested = way.length === 0 && this.#options.doubles === undefined;
    const tests = [...manifest.tests, ...(isTested ? this.#testsOf(path, manifest) : [])];
    if (components.size < manifest.components.length || operations.size < manifest.operations.length) return undefined;
    if (manifest.triggers.length > 0 && way.length === 0) {
      const { checkTriggers } = await import("./check-triggers.ts");
      this.#diagnostics.push(...checkTriggers(manifest.triggers, { file: shown(path), operations, components }));
    }
    return {
      kind: "app",
      name: manifest.name ?? basename(dirname(path)),
      file: shown(path),
      folder: dirname(path),
      manifest,
      components,
      operations,
      tests,
    };
  }

  /** Only the manifest that the user starts may read what is the user's. */
  #outside(way: readonly Step[]): Outside {
    if (way.length > 0) return { kind: "dependency" };
    const { environment, secrets } = this.#options;
    return this.#runs
      ? { kind: "read", env: environment ?? environmentHere, secrets: secrets ?? secretHere }
      : { kind: "unread" };
  }

  #parse(path: string): Manifest | undefined {
    this.files.add(path);
    if (this.#parsed.has(path)) return this.#parsed.get(path);
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
    if (manifest.resources.length > 0) {
      const { checkResources } = await import("./check-grants.ts");
      this.#diagnostics.push(...(await checkResources(manifest.resources)));
    }
    const resources = new Resources(manifest.resources, { folder: dirname(path), ...this.#options.resources });
    this.#resources.push(resources);
    const components = new Map<string, LoadedComponent>();
    const around: AppSurroundings = { path, manifest, way, resources, components };
    for (const use of calleesFirst(manifest)) {
      const component = await this.#component(use, around);
      if (component !== undefined) components.set(use.name, component);
    }
    return new Map(manifest.components.flatMap(({ name }) => [...components].filter(([other]) => other === name)));
  }

  #startBinary(path: string, use: ComponentUse): void {
    const found = findComponentFile(resolve(dirname(path), use.from.path));
    if ("kind" in found && found.kind === "wasm") void this.#binary(found.path);
  }

  #binary(path: string): Promise<Binary | StarlaneError> {
    this.files.add(path);
    const known = this.#binaries.get(path);
    if (known !== undefined) return known;
    const loading = loadBinary(path, this.#use).catch(asValue);
    this.#binaries.set(path, loading);
    return loading;
  }

  /** What the component is started with, where it is the one that is run as a command. */
  #commandFor({ name }: ComponentUse, { manifest, way }: AppSurroundings): CommandStart | undefined {
    const { command } = this.#options;
    if (command === undefined || way.length > 0 || command.componentOf(manifest.triggers) !== name) return undefined;
    return { program: name, args: command.args, streams: command.streams };
  }

  async #guest(
    path: string,
    use: ComponentUse,
    grants: ComponentGrants | undefined,
    around: AppSurroundings,
  ): Promise<WasmComponent | StarlaneError> {
    const { limits, isolation } = around.manifest;
    const binary = await this.#binary(path);
    if (binary instanceof StarlaneError) return binary;
    const command = this.#commandFor(use, around);
    const isServed = isServedIn(around, use);
    if (grants !== undefined || command !== undefined || isServed)
      return this.#grantedGuest(binary, use, grants, command, around).catch(asValue);
    const key = JSON.stringify([path, limits, isolation]);
    const known = this.#guests.get(key);
    if (known !== undefined) return known;
    const making = wasmComponent(binary, this.#use, { limits, isolation }).catch(asValue);
    this.#guests.set(key, making);
    return making;
  }

  /** What is granted belongs to this one use of the binary. */
  async #grantedGuest(
    binary: Binary,
    use: ComponentUse,
    granted: ComponentGrants | undefined,
    command: CommandStart | undefined,
    around: AppSurroundings,
  ): Promise<WasmComponent> {
    const { limits, isolation } = around.manifest;
    const { answers, checkGrants, servedByGrants } = await import("./check-grants.ts");
    const { answeredCalls } = await import("./calls.ts");
    const isServed = isServedIn(around, use);
    const grants = { ...(isServed ? SERVED : {}), ...granted?.grants };
    const { imports } = binary.type;
    const mistakes = granted === undefined ? [] : await checkGrants(granted, imports);
    this.#diagnostics.push(...mistakes);
    const bindings = (grants.calls ?? []).flatMap((call) => {
      const callee = around.components.get(call.component);
      return callee === undefined
        ? []
        : imports.filter(({ name }) => answers(call, name)).map((item) => ({ import: item, component: call.component, callee }));
    });
    const { doubles } = this.#options;
    const answered = bindings.length === 0 ? undefined : answeredCalls(bindings);
    const calls = doubles === undefined ? answered : (await import("./doubles/faulty-calls.ts")).faultyCalls(answered, doubles);
    const provided = await servedByGrants(grants, imports);
    // Grants with mistakes have been told; using them would tell them again.
    const isUsable = mistakes.every(({ severity }) => severity !== "error");
    if (!this.#runs || !isUsable) return await wasmComponent(binary, this.#use, { limits, isolation, provided });
    const { grantedInstances } = await import("./grants.ts");
    const environment = this.#options.environment ?? environmentHere;
    const name = [...around.way.map((step) => step.use.name), use.name].join("/");
    const { record, replay } = this.#options;
    if (replay !== undefined) {
      const { replayedInstances } = await import("./record/replayed-instance.ts");
      const imports = replayedInstances(name, replay, binary.type.imports, calls);
      return await wasmComponent(binary, this.#use, { limits, isolation, provided, imports });
    }
    const recordedAs = record === true ? name : undefined;
    const made = await grantedInstances(grants, {
      resources: around.resources,
      environment,
      calls,
      command,
      doubles,
      recordedAs,
    });
    return await wasmComponent(binary, this.#use, { limits, isolation, provided, imports: made });
  }

  async #component(use: ComponentUse, around: AppSurroundings): Promise<LoadedComponent | undefined> {
    const { path, manifest, way } = around;
    const found = findComponentFile(resolve(dirname(path), use.from.path));
    if ("problem" in found) return this.#wrong("star/file", use.fromSpan, found.problem, found.cure);
    const grants = manifest.grants.find(({ component }) => component === use.name);
    if (found.kind === "wasm") return this.#wasm(found.path, use, grants, around);
    if (grants !== undefined) this.#diagnostics.push(grantToApp(use.name, use.from.path, grants.span));
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

  async #wasm(
    path: string,
    use: ComponentUse,
    grants: ComponentGrants | undefined,
    around: AppSurroundings,
  ): Promise<WasmComponent | undefined> {
    const [setting] = use.with;
    if (setting !== undefined) {
      return this.#wrong(
        "manifest/unknown-setting",
        setting.span,
        `${shown(path)} is a component binary, which has no parameters`,
        "remove `with`, or set inputs of its nodes",
      );
    }
    const loaded = await this.#guest(path, use, grants, around);
    if (!(loaded instanceof StarlaneError)) return loaded;
    // It has a place of its own in the manifest.
    if (loaded instanceof DiagnosticsError) return void this.#diagnostics.push(...loaded.diagnostics);
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
      operations.set(declaration.name, appOperation(declaration, flow, components, manifest.limits));
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

function asValue(error: unknown): StarlaneError {
  if (error instanceof StarlaneError) return error;
  throw error;
}

/** Components that answer calls of others come before those. */
function calleesFirst(manifest: Manifest): readonly ComponentUse[] {
  const ordered = new Set<ComponentUse>();
  const visiting = new Set<string>();
  const visit = (use: ComponentUse): void => {
    if (visiting.has(use.name)) return;
    visiting.add(use.name);
    const grants = manifest.grants.find(({ component }) => component === use.name)?.grants;
    for (const { component } of grants?.calls ?? []) {
      const callee = manifest.components.find(({ name }) => name === component);
      if (callee !== undefined) visit(callee);
    }
    ordered.add(use);
  };
  for (const use of manifest.components) visit(use);
  return [...ordered];
}

/** Whether a component answers requests: their bodies stream, though it may send nothing itself. */
function isServedIn({ way, manifest }: AppSurroundings, { name }: ComponentUse): boolean {
  return (
    way.length === 0 &&
    manifest.triggers.some(
      (trigger) => trigger.kind === "http" && componentsOf(trigger).some(({ component }) => component === name),
    )
  );
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
      : [{ index, sanitize: sanitizer(port, param.type) }];
  });
  const call = flowCall({ plan: planFlow(flow), components, sanitizers });
  return { kind: "flow", name: declaration.name, signature: flow.signature, limits, declaration, flow, call };
}
