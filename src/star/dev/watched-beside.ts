// What an app reads beside its manifest and components: certificates, migrations, and folders whose files it serves.

import { resolve } from "node:path";
import type { LoadedComponent } from "../app.ts";

export interface Beside {
  readonly files: readonly string[];
  /** A change in them is another version of the app. */
  readonly folders: readonly string[];
  /** A change in them is seen by the next request. */
  readonly staticFolders: readonly string[];
}

export function watchedBeside(targets: readonly LoadedComponent[]): Beside {
  const files = new Set<string>();
  const folders = new Set<string>();
  const staticFolders = new Set<string>();
  for (const target of targets) collect(target, { files, folders, staticFolders });
  return { files: [...files], folders: [...folders], staticFolders: [...staticFolders] };
}

function collect(
  target: LoadedComponent,
  found: { readonly files: Set<string>; readonly folders: Set<string>; readonly staticFolders: Set<string> },
): void {
  if (target.kind === "wasm") return;
  const { folder, manifest, components } = target;
  const at = (path: string): string => resolve(folder, path);
  for (const { migrations } of manifest.resources) if (migrations !== undefined) found.folders.add(at(migrations));
  for (const trigger of manifest.triggers) {
    if (trigger.kind !== "http") continue;
    for (const text of trigger.tls === undefined ? [] : [trigger.tls.cert, trigger.tls.key]) {
      if (!text.includes("-----BEGIN")) found.files.add(at(text));
    }
    for (const route of trigger.routes) if (route.kind === "static") found.staticFolders.add(at(route.from));
  }
  for (const component of components.values()) collect(component, found);
}
