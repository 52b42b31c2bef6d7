// `wasi:filesystem` without a folder: nothing is preopened, so there is never a descriptor to do anything with.

import type { Capability } from "../capability.ts";
import { deniedResource, type DeniedResource } from "../denied-resource.ts";
import { guestInterface } from "../guest.ts";
import { originOf, type IoError } from "../io/error.ts";

const TYPES = "wasi:filesystem/types";

const imports = {
  "wasi:filesystem/types@0.2.0": guestInterface({
    Descriptor: deniedResource(TYPES, "descriptor"),
    DirectoryEntryStream: deniedResource(TYPES, "directory-entry-stream"),
    filesystemErrorCode: (error: IoError): string | undefined => originOf(error).filesystem,
  }),
  "wasi:filesystem/preopens@0.2.0": guestInterface({
    getDirectories: (): [DeniedResource, string][] => [],
  }),
};

/** A filesystem without folders: what a component gets without a grant. */
export const inertFilesystem: Capability = {
  name: "files",
  packages: ["wasi:filesystem"],
  configure: () => () => ({ imports }),
};
