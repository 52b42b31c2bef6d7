// `wasi:io` for capabilities that wait for what is outside. Each of them puts it among its own imports, over the form that never
// waits: so only the components that use one of them run on stacks that can be suspended.

import type { Imports } from "../../engine/engine.ts";
import { errorInterface } from "./error.ts";
import { waitingPollInterface } from "./poll.ts";
import { waitingStreamsInterface } from "./streams.ts";

/** The same streams and pollables as without a grant; the blocking calls may wait. */
export const waitingIo: Imports = Object.freeze({
  "wasi:io/error@0.2.0": errorInterface,
  "wasi:io/poll@0.2.0": waitingPollInterface,
  "wasi:io/streams@0.2.0": waitingStreamsInterface,
});
