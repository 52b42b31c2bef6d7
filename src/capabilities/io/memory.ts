// `wasi:io` without a grant: errors, polling and streams that are ready at once, at a known time, or never.

import type { Capability } from "../capability.ts";
import { errorInterface } from "./error.ts";
import { pollInterface } from "./poll.ts";
import { streamsInterface } from "./streams.ts";

const imports = {
  "wasi:io/error@0.2.0": errorInterface,
  "wasi:io/poll@0.2.0": pollInterface,
  "wasi:io/streams@0.2.0": streamsInterface,
};

/** What every other capability's streams and pollables are made of; always there. */
export const memoryIo: Capability = {
  name: "io",
  packages: ["wasi:io"],
  configure: () => () => ({ imports }),
};
