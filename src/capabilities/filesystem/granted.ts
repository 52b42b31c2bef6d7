// `wasi:filesystem` as granted: each folder under the name it was granted by, and nothing else.

import { StarlaneError } from "../../base/errors.ts";
import type { Binding, Capability, ConfiguredCapability } from "../capability.ts";
import { waitingIo } from "../io/waiting.ts";
import { Descriptor as Descriptor02, typesInterface, waitingTypesInterface } from "./descriptor-0.2.ts";
import { Descriptor as Descriptor03, typesInterface03 } from "./descriptor-0.3.ts";
import type { Filesystem } from "./filesystem.ts";
import { OpenDescriptor } from "./open-descriptor.ts";
import { Scope, Shared } from "./scope.ts";
import { rootFlags } from "./types.ts";

export interface GrantedFolder {
  readonly backend: Filesystem;
  readonly readonly?: boolean | undefined;
}

/** Folders by the path that the component sees them under: `/data`, `.`. */
export type FilesGrant = Readonly<Record<string, GrantedFolder>>;

const LONGEST_NAME = 1024;

function checkGrant(grant: FilesGrant): void {
  for (const name of Object.keys(grant)) {
    if (name !== "" && !name.includes("\0") && name.length <= LONGEST_NAME && !name.split("/").includes("..")) continue;
    throw new StarlaneError("grant/bad-value", `files: ${JSON.stringify(name)} is no name for a folder`, {
      cure: "Name the folder as the component is to see it, like /data.",
    });
  }
}

function configure(grant: FilesGrant): ConfiguredCapability {
  checkGrant(grant);
  const folders = Object.entries(grant);
  const waits = folders.some(([, { backend }]) => backend.waits);
  return () => bind(folders, waits);
}

function bind(folders: readonly (readonly [string, GrantedFolder])[], waits: boolean): Binding {
  const scope = new Scope();
  // The root stays open whatever the guest drops.
  const rootOf = (path: string, { backend, readonly = false }: GrantedFolder): OpenDescriptor =>
    new OpenDescriptor(scope, new Shared(backend.root, undefined), rootFlags(readonly), { path, readonly });
  return {
    imports: {
      ...(waits ? waitingIo : {}),
      "wasi:filesystem/types@0.2.0": waits ? waitingTypesInterface : typesInterface,
      "wasi:filesystem/preopens@0.2.0": {
        __proto__: null,
        getDirectories: () => folders.map(([name, folder]) => [new Descriptor02(rootOf(name, folder)), name]),
      },
      "wasi:filesystem/types@0.3.0": typesInterface03,
      "wasi:filesystem/preopens@0.3.0": {
        __proto__: null,
        getDirectories: () => folders.map(([name, folder]) => [new Descriptor03(rootOf(name, folder)), name]),
      },
    },
    prepare: (transaction) => scope.start(transaction),
    finish: () => scope.finish(),
  };
}

/** Granted folders. */
export const grantedFiles: Capability<FilesGrant> = { name: "files", packages: ["wasi:filesystem"], configure };
