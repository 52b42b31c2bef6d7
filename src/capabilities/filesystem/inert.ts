// `wasi:filesystem` without a folder: nothing is preopened, so there is never a descriptor to do anything with.

import type { Capability } from "../capability.ts";
import { guestInterface } from "../guest.ts";
import { typesInterface } from "./descriptor-0.2.ts";
import { typesInterface03 } from "./descriptor-0.3.ts";

const preopens = guestInterface({
  getDirectories: (): [object, string][] => [],
});

const imports = {
  "wasi:filesystem/types@0.2.0": typesInterface,
  "wasi:filesystem/preopens@0.2.0": preopens,
  "wasi:filesystem/types@0.3.0": typesInterface03,
  "wasi:filesystem/preopens@0.3.0": preopens,
};

/** A filesystem without folders: what a component gets without a grant. */
export const inertFilesystem: Capability = {
  name: "files",
  packages: ["wasi:filesystem"],
  configure: () => () => ({ imports }),
};
