// The development loop: what changes is built, loaded, and served in place of the version before; what has mistakes is told, and the version
// before goes on. One change after another: one that comes while the last is being built stops that build and starts it again.

import { resolve } from "node:path";
import { StarlaneError } from "../../base/errors.ts";
import type { LoadedComponent } from "../app.ts";
import { buildComponents, buildPlans, isInput, watchedPaths, type BuildEvent, type BuildPlan } from "../build/build.ts";
import { MANIFEST_NAMES } from "../files.ts";
import { LoadedCode } from "../load-app.ts";
import { type Loaded, loadTarget, type LoadOptions } from "../star.ts";
import { Service, type ServiceOptions } from "../service.ts";
import { errorListeners, wantedAddresses } from "./error-listeners.ts";
import { Overlay } from "./overlay.ts";
import { type Problem, problemOfBuild, problemsOf, problemsOfDiagnostics } from "./problems.ts";
import { isIn, stampOf, Watcher } from "./watcher.ts";
import { watchedBeside } from "./watched-beside.ts";

export type Status = "starting" | "building" | "ready" | "broken";

/** How things stand. */
export interface Standing {
  /** Counts the versions that were served, from 1; the one that answers requests now. 0: none yet. */
  readonly version: number;
  readonly status: Status;
  /** Of the version that is served. */
  readonly targets: readonly LoadedComponent[];
  /** Of the last change. */
  readonly problems: readonly Problem[];
}

export interface DevelopmentOptions extends Omit<ServiceOptions, "adapt"> {
  /** As people wrote them. */
  readonly targets: readonly string[];
  readonly denied?: LoadOptions["denied"];
  /** Told of every change of how things stand. */
  readonly onStanding: (standing: Standing) => void;
  readonly onBuild?: ((event: BuildEvent) => void) | undefined;
  /** Told which files have changed. */
  readonly onChange?: ((paths: readonly string[]) => void) | undefined;
  /** Told of a load that served, with its secrets: before the first request can reach it. */
  readonly onLoaded?: ((loaded: readonly Loaded[]) => void) | undefined;
}

export class Development {
  readonly service: Service;
  readonly #options: DevelopmentOptions;
  readonly #overlay = new Overlay();
  readonly #code = new LoadedCode();
  readonly #watcher: Watcher;
  #standing: Standing = { version: 0, status: "starting", targets: [], problems: [] };
  /** Files that the last load looked for, with what was known of them before it did. */
  #stamps = new Map<string, string | undefined>();
  #plans: readonly BuildPlan[] = [];
  #wholeFolders: readonly string[] = [];
  /** Served from the disk as they are: pages only have to be loaded again. */
  #staticFolders: readonly string[] = [];
  #stopBuild = new AbortController();
  #isStale = false;
  /** Something changed that is loaded, or the last load failed. */
  #mustLoad = true;
  #warnings: readonly Problem[] = [];
  #working: Promise<void> | undefined;
  #isClosed = false;

  constructor(options: DevelopmentOptions) {
    this.#options = options;
    const adapt: ServiceOptions["adapt"] = (listeners) => this.#overlay.around(listeners);
    this.service = new Service({ ...options, adapt });
    this.#watcher = new Watcher((paths) => this.#changed(paths));
  }

  get standing(): Standing {
    return this.#standing;
  }

  /** Serves the first version, or what is wrong with it. @throws StarlaneError `http/listen`, `cli/usage` (rejects) */
  async start(): Promise<void> {
    this.#watch();
    this.#isStale = true;
    this.#working = this.#work();
    await this.#working;
  }

  /** What runs ends; nothing is watched any more. */
  async close(deadlineMs: number): Promise<boolean> {
    this.#isClosed = true;
    this.#watcher.close();
    this.#stopBuild.abort();
    await this.#working?.catch(() => undefined);
    this.#overlay.close();
    return await this.service.drain(deadlineMs);
  }

  #changed(paths: ReadonlySet<string>): void {
    if (this.#isClosed) return;
    const kinds = Map.groupBy(paths, (path) => this.#kindOf(path));
    const [sources = [], files = []] = [kinds.get("source"), kinds.get("file")];
    if (kinds.has("static") || sources.some((path) => this.#isStatic(path))) this.#overlay.reload();
    if (sources.length + files.length === 0) return;
    this.#options.onChange?.([...sources, ...files]);
    this.#code.forget((known) => files.some((path) => isIn(path, known)));
    if (files.length > 0) this.#mustLoad = true;
    this.#isStale = true;
    this.#stopBuild.abort();
    this.#working ??= this.#work().catch((error: unknown) => this.#stand({ status: "broken", problems: problemsOf(error) }));
  }

  /**
   * `source`: something is built from it. `file`: it was loaded, or looked for. `static`: it is read when it is asked for. A file that is what it was
   * when it was loaded, a builder's own output among them, has not changed.
   */
  #kindOf(path: string): "source" | "file" | "static" | "unchanged" {
    if (this.#stamps.has(path)) return this.#stamps.get(path) === stampOf(path) ? "unchanged" : "file";
    if (this.#plans.some((plan) => isInput(plan, path))) return "source";
    return this.#isStatic(path) ? "static" : "file";
  }

  #isStatic(path: string): boolean {
    return this.#staticFolders.some((folder) => isIn(folder, path));
  }

  async #work(): Promise<void> {
    try {
      while (this.#isStale && !this.#isClosed) {
        this.#isStale = false;
        this.#stopBuild = new AbortController();
        await this.#once();
      }
    } finally {
      this.#working = undefined;
    }
  }

  async #once(): Promise<void> {
    if (this.#standing.status !== "starting") this.#stand({ status: "building" });
    const built = await this.#build();
    // What has changed meanwhile comes next.
    if (this.#isStale || this.#isClosed) return;
    if (built.length > 0) return await this.#broken(built);
    // What was built is what was there.
    if (!this.#mustLoad) return this.#stand({ status: "ready", problems: this.#warnings });
    await this.#load();
  }

  async #load(): Promise<void> {
    const { targets, denied } = this.#options;
    this.#mustLoad = false;
    // What changes from here on is told by the watcher.
    const now = new Map([...this.#stamps.keys()].map((path) => [path, stampOf(path)]));
    this.#code.forget((file) => !now.has(file) || now.get(file) !== this.#stamps.get(file));
    const looked = new Map<string, string | undefined>();
    const onFile = (path: string): void => {
      if (!looked.has(path)) looked.set(path, now.has(path) ? now.get(path) : stampOf(path));
    };
    const loads = await Promise.allSettled(
      targets.map((path) => loadTarget(path, { use: "run", code: this.#code, onFile, denied })),
    );
    const loaded = loads.flatMap((load) => (load.status === "fulfilled" ? [load.value] : []));
    this.#stamps = looked;
    const beside = watchedBeside(loaded.map(({ target }) => target));
    if (loaded.length === targets.length) {
      for (const file of beside.files) onFile(file);
      this.#wholeFolders = beside.folders;
      this.#staticFolders = beside.staticFolders;
    }
    this.#watch();
    // Of a file that was not watched before, a change while it was read was not told.
    if ([...looked].some(([path, stamp]) => stampOf(path) !== stamp)) [this.#isStale, this.#mustLoad] = [true, true];
    const failed = loads.flatMap((load) => (load.status === "rejected" ? problemsOf(load.reason) : []));
    const close = async (): Promise<void> => void (await Promise.all(loaded.map((one) => one.close())));
    if (failed.length > 0) {
      await close();
      return await this.#broken(failed);
    }
    await this.#serve(loaded, close);
  }

  async #serve(loaded: readonly Loaded[], close: () => Promise<void>): Promise<void> {
    const targets = loaded.map(({ target }) => target);
    const version = this.#standing.version + 1;
    this.#options.onLoaded?.(loaded);
    try {
      await this.service.replace({ targets, close });
    } catch (error) {
      await close();
      return await this.#broken(problemsOf(error));
    }
    this.#warnings = problemsOfDiagnostics(loaded.flatMap((one) => one.warnings));
    this.#stand({ version, status: "ready", targets, problems: this.#warnings });
    this.#overlay.reload();
  }

  async #broken(problems: readonly Problem[]): Promise<void> {
    this.#mustLoad = true;
    if (this.#standing.version > 0) return this.#stand({ status: "broken", problems });
    await this.#serveInstead();
    this.#stand({ status: "broken", problems });
    this.#overlay.reload();
  }

  async #serveInstead(): Promise<void> {
    const addresses = wantedAddresses(this.#options.targets, this.#options);
    await this.service.serveInstead(errorListeners(addresses, () => this.#standing));
  }

  async #serveWaiting(): Promise<void> {
    if (this.#standing.status === "starting") await this.#serveInstead();
    this.#stand({ status: "building" });
  }

  /** The problems of what could not be built; nothing to build is none. */
  async #build(): Promise<readonly Problem[]> {
    try {
      this.#plans = this.#options.targets.flatMap((target) => buildPlans(target));
    } catch (error) {
      // Loading it tells the same, and more of it.
      if (error instanceof StarlaneError) return [];
      throw error;
    }
    this.#watch();
    const { signal } = this.#stopBuild;
    let waiting: Promise<void> | undefined;
    const onEvent = (event: BuildEvent): void => {
      // The first build may take minutes: whoever comes meanwhile is told so.
      if (event.kind === "started" && this.#standing.version === 0 && waiting === undefined) {
        waiting = this.#serveWaiting();
        // It may fail before it is waited for.
        waiting.catch(() => undefined);
      }
      this.#options.onBuild?.(event);
    };
    const outcomes = await buildComponents(this.#plans, { quick: true, signal, onEvent });
    await waiting;
    const outputs = new Set(outcomes.flatMap(({ kind, plan }) => (kind === "built" ? [plan.output] : [])));
    if (outputs.size > 0) this.#mustLoad = true;
    if (outputs.size > 0) this.#code.forget((file) => outputs.has(file));
    return outcomes.flatMap((outcome) => (outcome.kind === "failed" ? [problemOfBuild(outcome)] : []));
  }

  #watch(): void {
    const named = this.#options.targets.flatMap((target) => [
      resolve(target),
      ...MANIFEST_NAMES.map((name) => resolve(target, name)),
    ]);
    const inputs = watchedPaths(this.#plans);
    const folders = [...this.#wholeFolders, ...this.#staticFolders, ...inputs];
    this.#watcher.watch({ files: [...named, ...this.#stamps.keys(), ...inputs], folders });
  }

  #stand(change: Partial<Standing>): void {
    this.#standing = { ...this.#standing, ...change };
    this.#overlay.tell(this.#standing);
    this.#options.onStanding(this.#standing);
  }
}
