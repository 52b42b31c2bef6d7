// The one place that joins the parts: a target (a manifest, a folder, a component binary) becomes a loaded component, or every
// mistake of every file of it.

import type { Diagnostic } from "../base/diagnostics.ts";
import { StarlaneError } from "../base/errors.ts";
import type { LoadedComponent } from "./app.ts";
import { findComponentFile } from "./files.ts";
import { loadWasm, type Use } from "./load-wasm.ts";

export interface Loaded {
  readonly target: LoadedComponent;
  readonly warnings: readonly Diagnostic[];
  /** Every file that was read, as absolute paths. */
  readonly files: readonly string[];
}

/**
 * Loads what a path names.
 * @throws StarlaneError, DiagnosticsError with the mistakes of all files
 */
export async function loadTarget(path: string, options: { readonly use: Use }): Promise<Loaded> {
  const found = findComponentFile(path);
  if ("problem" in found) throw new StarlaneError("star/file", found.problem, { cure: found.cure });
  if (found.kind === "wasm") return { target: await loadWasm(found.path, options.use), warnings: [], files: [found.path] };
  // Manifests bring the YAML reader with them: a bare binary must not wait for it.
  const { loadApp } = await import("./load-app.ts");
  return loadApp(found.path, options.use);
}
