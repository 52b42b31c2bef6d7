// An app, loaded with everything it names: manifests are read, files found, components decoded, flows checked and planned. Goes on
// after mistakes, so that those of all files are told at once. Bounds: DEEPEST apps inside apps, MOST_APPS in all.

import { basename, dirname, resolve } from "node:path";
import { DiagnosticsError, type Diagnostic, type Source, type Span } from "../base/diagnostics.ts";
import { StarlaneError } from "../base/errors.ts";
import type { ErrorCode } from "../base/error-codes.ts";
import { parseFlow } from "../flow/parse.ts";
import { grantToApp } from "../manifest/grants.ts";
import type { ComponentGrants, ComponentUse, Manifest, TestDeclaration } from "../manifest/manifest.ts";
import type { Outside } from "../manifest/outside.ts";
import { componentsOf } from "../manifest/triggers/targets.ts";
import { parseManifest } from "../manifest/parse.ts";
import { sampleSettings, substitute, type GivenSettings } from "../manifest/substitute.ts";
import { parseTestsFile } from "../manifest/tests-file.ts";
import type { App, LoadedComponent, WasmComponent } from "./app.ts";
import { appOperations } from "./app-operations.ts";
import { findComponentFile, readManifestFile, shown } from "./files.ts";
import { environmentHere, secretHere } from "./environment.ts";
import type { CommandStart } from "./grants.ts";
import { type Binary, componentOf, loadBinary, makeRunnable, type Runnable, type Use } from "./load-wasm.ts";
import type { RecordedAs } from "./record/transaction-records.ts";
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
  readonly guests = new Map<string, Promise<Runnable | StarlaneError>>();
  readonly manifests = new Map<string, Manifest | undefined>();

  /** The next load reads manifests anew, and binaries that have changed. */
  forget(hasChanged: (file: string) => boolean): void {
    this.manifests.clear();
    for (const file of this.binaries.keys()) if (hasChanged(file)) this.binaries.delete(file);
    for (const key of this.guests.keys()) if (hasChanged(fileOfGuest(key))) this.guests.delete(key);
  }
}

function guestKey(file: string, limits: Manifest["limits"], isolation: Manifest["isolation"]): string {
  return JSON.stringify([file, limits, isolation]);
}

function fileOfGuest(key: string): string {
  const parts: unknown = JSON.parse(key);
  return Array.isArray(parts) ? String(parts[0]) : "";
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
  readonly #guests: Map<string, Promise<Runnable | StarlaneError>>;
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
    const operations = await appOperations(manifest, components, this.#recordedAs(way), this.#report);
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

  #reads(path: string): void {
    this.files.add(path);
    this.#options.onFile?.(path);
  }

  #parse(path: string): Manifest | undefined {
    this.#reads(path);
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
      const { checkResources } = await import("./check-resources.ts");
      const check = { folder: dirname(path), places: this.#use === "check" };
      this.#report(await checkResources(manifest.resources, check));
    }
    const resources = new Resources(manifest.resources, { folder: dirname(path), ...this.#options.resources });
    this.#resources.push(resources);
    const components = new Map<string, LoadedComponent>();
    const around: AppSurroundings = { path, manifest, way, resources, components };
    for (const use of calleesFirst(manifest)) {
      const component = await this.#component(use, around);
      if (component !== undefined) components.set(use.name, component);
    }
    return new Map(
      manifest.components.flatMap(({ name }) => {
        const component = components.get(name);
        return component === undefined ? [] : [[name, component] as const];
      }),
    );
  }

  #startBinary(path: string, use: ComponentUse): void {
    const wanted = resolve(dirname(path), use.from.path);
    this.#options.onFile?.(wanted);
    const found = findComponentFile(wanted);
    if ("kind" in found && found.kind === "wasm") void this.#binary(found.path);
  }

  #binary(path: string): Promise<Binary | StarlaneError> {
    this.#reads(path);
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
    const name = nameOf([...around.way, { use }]);
    const isReplayed = this.#options.replay !== undefined && Object.hasOwn(this.#options.replay.initial, name);
    if (grants !== undefined || command !== undefined || isServed || isReplayed) {
      const { grantedGuest } = await import("./granted-guest.ts");
      const { resources, components } = around;
      const granted = { name, granted: grants, isServed, command, limits, isolation, resources, components };
      return await grantedGuest(binary, granted, this.#options, this.#report).catch(asValue);
    }
    const key = guestKey(path, limits, isolation);
    let making = this.#guests.get(key);
    if (making === undefined)
      this.#guests.set(key, (making = makeRunnable(binary, this.#use, { limits, isolation }).catch(asValue)));
    const runnable = await making;
    if (runnable instanceof StarlaneError) return runnable;
    const recordedAs = this.#recordedAs([...around.way, { use }]);
    return componentOf(binary, runnable, limits, { component: name, denied: this.#options.denied, recordedAs });
  }

  /** `way`: from the target to the component, which is the target itself where it has no steps. */
  #recordedAs(way: readonly Pick<Step, "use">[]): RecordedAs | undefined {
    const { records } = this.#options;
    return records === undefined ? undefined : { records, component: nameOf(way) };
  }

  async #component(use: ComponentUse, around: AppSurroundings): Promise<LoadedComponent | undefined> {
    const { path, manifest, way } = around;
    const found = findComponentFile(resolve(dirname(path), use.from.path));
    if ("problem" in found) {
      if (use.build === undefined) return this.#wrong("star/file", use.fromSpan, found.problem, found.cure);
      const problem = `${shown(resolve(dirname(path), use.from.path))} was not built yet`;
      return this.#wrong("star/file", use.fromSpan, problem, `run \`starlane build ${shown(dirname(path))}\``);
    }
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

  /** What can be told of the flows of a manifest with mistakes. */
  #flowSyntax(manifest: Manifest): void {
    for (const { flow } of manifest.operations) this.#diagnostics.push(...parseFlow(flow).diagnostics);
  }

  #testsOf(path: string, manifest: Manifest): readonly TestDeclaration[] {
    return manifest.testsFiles.flatMap(({ path: file, span }) => {
      const full = resolve(dirname(path), file);
      this.#options.onFile?.(full);
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
      this.#reads(full);
      const { tests, diagnostics } = parseTestsFile(source, manifest.operations);
      this.#diagnostics.push(...diagnostics);
      return tests;
    });
  }

  readonly #report = (diagnostics: readonly Diagnostic[]): void => {
    this.#diagnostics.push(...diagnostics);
  };

  #wrong(code: ErrorCode, span: Span, message: string, cure: string | undefined): undefined {
    this.#diagnostics.push({ code, severity: "error", message, span, cure });
  }
}

function asValue(error: unknown): StarlaneError {
  if (error instanceof StarlaneError) return error;
  throw error;
}

/** `shop/cart` for a component of an app inside. */
function nameOf(way: readonly Pick<Step, "use">[]): string {
  return way.map(({ use }) => use.name).join("/");
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
