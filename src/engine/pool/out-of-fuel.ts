// The function that core modules call without fuel, where guests run on stacks: it suspends the stack, unless the code that called it was
// called directly by the host. Choosing has to happen in WebAssembly, because a suspending function of the host always suspends.

const jspi = WebAssembly as unknown as { readonly Suspending?: new (f: () => Promise<void>) => object };

/** Whether stacks can be suspended here. */
export const canSuspend = jspi.Suspending !== undefined;

/**
 * (module
 *   (func $direct (import "" "d") (result i32)) (func $now (import "" "n")) (func $later (import "" "l"))
 *   (func (export "f") (if (call $direct) (then (call $now)) (else (call $later)))))
 */
const MODULE = Uint8Array.from(
  [
    [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    [1, 8, 2, 0x60, 0, 1, 0x7f, 0x60, 0, 0],
    [2, 16, 3, 0, 1, 0x64, 0, 0, 0, 1, 0x6e, 0, 1, 0, 1, 0x6c, 0, 1],
    [3, 2, 1, 1],
    [7, 5, 1, 1, 0x66, 0, 3],
    [10, 14, 1, 12, 0, 0x10, 0, 0x04, 0x40, 0x10, 1, 0x05, 0x10, 2, 0x0b, 0x0b],
  ].flat(),
);

let module: WebAssembly.Module | undefined;

export function outOfFuelImport(isDirect: () => boolean, now: () => void, later: () => Promise<void>): WebAssembly.ImportValue {
  if (jspi.Suspending === undefined) return now as WebAssembly.ImportValue;
  module ??= new WebAssembly.Module(MODULE);
  const suspending = new jspi.Suspending(later);
  const imports = { d: () => (isDirect() ? 1 : 0), n: now, l: suspending } as unknown as WebAssembly.ModuleImports;
  return new WebAssembly.Instance(module, { "": imports }).exports.f as WebAssembly.ImportValue;
}
