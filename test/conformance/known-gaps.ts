// Commands of the scripts that do not pass, by script and line, each with its reason. The list only gets shorter.

const WASMTIME_LIMIT = "valid by the specification; what this refuses is a limit of wasmtime";

const NOTHING_BLOCKS =
  "by the specification (Canonical ABI, `canon_lower`) a call whose answer is there already does not block, so there is no trap";

export const KNOWN_GAPS: Readonly<Record<string, Readonly<Record<number, string>>>> = {
  "wasmtime/adapter.wast": {
    97: "by the specification (Canonical ABI, `entering_set`) an instance that calls its own lifted function stays inside: no trap",
  },
  "wasmtime/async/callback-yield-then-exit.wast": { 50: NOTHING_BLOCKS, 51: NOTHING_BLOCKS },
  "wasmtime/async/future-read.wast": { 125: NOTHING_BLOCKS },
  "wasmtime/async/reentrance.wast": {
    92: "by the specification (Canonical ABI, `enter_implicit_thread`) the second task waits until the first gives its instance free",
  },
  "wasmtime/restrictions.wast": { 1: WASMTIME_LIMIT, 5: WASMTIME_LIMIT, 9: WASMTIME_LIMIT, 16: WASMTIME_LIMIT },
};
