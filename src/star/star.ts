// The one place that joins the parts: a target (a manifest, a folder, a component binary) becomes a loaded component, or every
// mistake of every file of it.

import { resolve } from "node:path";
import type { Diagnostic } from "../base/diagnostics.ts";
import { StarlaneError } from "../base/errors.ts";
import { httpHandlerOf } from "../capabilities/http/handler.ts";
import type { Denial } from "../capabilities/capability.ts";
import type { Grants, ResourceDeclaration } from "../manifest/manifest.ts";
import type { Trigger } from "../manifest/triggers.ts";
import type { Lookup } from "../manifest/outside.ts";
import type { LoadedComponent } from "./app.ts";
import type { Doubles } from "./doubles/doubles.ts";
import { findComponentFile } from "./files.ts";
import type { CommandStreams } from "./grants.ts";
import type { LoadedCode } from "./load-app.ts";
import type { TransactionRecord } from "./record/record.ts";
import type { TransactionRecords } from "./record/transaction-records.ts";
import type { ResourceSettings } from "./resources.ts";
import { loadBinary, NO_GRANTS, SERVED, type Use, wasmComponent } from "./load-wasm.ts";

export interface Loaded {
  readonly target: LoadedComponent;
  readonly warnings: readonly Diagnostic[];
  /** Every file that was read, as absolute paths. */
  readonly files: readonly string[];
  /** Texts that must be masked in all that leaves the process. */
  readonly secrets: ReadonlySet<string>;
  /** Closes what the app opened. */
  close(): Promise<void>;
}

/** What a `wasi:cli` component gets beside its grants, and for a binary that stands alone the grants themselves. */
export interface CommandHost {
  /** Which component of an app, by its triggers. */
  readonly componentOf: (triggers: readonly Trigger[]) => string | undefined;
  /** Behind those that the manifest grants. */
  readonly args: readonly string[];
  readonly streams: CommandStreams;
  /** Of a binary. */
  readonly grants?: Grants | undefined;
  readonly resources?: readonly ResourceDeclaration[] | undefined;
}

export interface LoadOptions {
  readonly use: Use;
  /** Of whoever starts the app; those of this process where they are left out. */
  readonly environment?: Lookup | undefined;
  readonly secrets?: Lookup | undefined;
  /** For `run`: what a command component is started with. */
  readonly command?: CommandHost | undefined;
  /** Transactions may be recorded: what stands between components and the host is told of each. */
  readonly record?: boolean | undefined;
  /** Records the transactions that whoever starts them does not. */
  readonly records?: TransactionRecords | undefined;
  /** Components with grants are answered from this record, and nothing is opened. */
  readonly replay?: TransactionRecord | undefined;
  /** Told of what a component asked for and is not granted: for its author. `component`: `shop/cart` for one of an app inside. */
  readonly denied?: ((component: string, denial: Denial) => void) | undefined;
  /** What stands for the outside in a test. */
  readonly doubles?: Doubles | undefined;
  /** Told of each file that is looked for, as an absolute path: also of those that are not there, and where the load fails. */
  readonly onFile?: ((path: string) => void) | undefined;
  /** Shared with other loads of the same app. */
  readonly code?: LoadedCode | undefined;
  /** Storage as tests need it. */
  readonly resources?: Pick<ResourceSettings, "inMemory" | "now"> | undefined;
}

/**
 * Loads what a path names.
 * @throws StarlaneError, DiagnosticsError with the mistakes of all files
 */
export async function loadTarget(path: string, options: LoadOptions): Promise<Loaded> {
  options.onFile?.(resolve(path));
  const found = findComponentFile(path);
  if ("kind" in found) options.onFile?.(found.path);
  if ("problem" in found) throw new StarlaneError("star/file", found.problem, { cure: found.cure });
  if (found.kind === "wasm") {
    return loadAlone(found.path, options);
  }
  // Manifests bring the YAML reader with them: a bare binary must not wait for it.
  const { loadApp } = await import("./load-app.ts");
  return loadApp(found.path, options);
}

async function loadAlone(path: string, options: LoadOptions): Promise<Loaded> {
  const { use, command, environment, denied, record, records, replay } = options;
  const common = { warnings: [], files: [path], secrets: new Set<string>() };
  const binary = await loadBinary(path, use);
  const { name } = binary;
  const as = { component: name, denied, recordedAs: records === undefined ? undefined : { records, component: "" } };
  const isServed = use === "run" && httpHandlerOf(binary.type.exports.map((item) => `${item.name}#handle`)) !== undefined;
  if (replay !== undefined && Object.hasOwn(replay.initial, name)) {
    const { replayedInstances } = await import("./record/replayed-instance.ts");
    const imports = replayedInstances(name, replay, binary.type.imports, undefined);
    return { ...common, target: await wasmComponent(binary, use, { ...NO_GRANTS, imports }, as), close: () => Promise.resolve() };
  }
  if (command === undefined && !isServed) {
    return { ...common, target: await wasmComponent(binary, use, NO_GRANTS, as), close: () => Promise.resolve() };
  }
  const { grantedInstances } = await import("./grants.ts");
  const { Resources } = await import("./resources.ts");
  const { environmentHere } = await import("./environment.ts");
  const resources = new Resources(command?.resources ?? [], { folder: process.cwd() });
  const context = {
    resources,
    environment: environment ?? environmentHere,
    calls: undefined,
    command: command === undefined ? undefined : { ...command, program: name },
    recordedAs: record === true || records?.keepsAll === true ? name : undefined,
  };
  const imports = await grantedInstances(command?.grants ?? SERVED, context);
  const target = await wasmComponent(binary, use, { ...NO_GRANTS, imports }, as);
  return { ...common, target, close: () => resources.close() };
}
