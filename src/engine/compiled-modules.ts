// The bytes behind compiled core modules: the JS API does not tell the types of a module's imports and exports, its bytes do.

const bytes = new WeakMap<WebAssembly.Module, Uint8Array>();

export function compileModule(code: Uint8Array<ArrayBuffer>): WebAssembly.Module {
  return remember(new WebAssembly.Module(code), code);
}

/** The same off this thread. */
export async function compileModuleLater(code: Uint8Array<ArrayBuffer>): Promise<WebAssembly.Module> {
  return remember(await WebAssembly.compile(code), code);
}

/** Undefined for modules that were compiled elsewhere. */
export function bytesOf(module: WebAssembly.Module): Uint8Array | undefined {
  return bytes.get(module);
}

function remember(module: WebAssembly.Module, code: Uint8Array): WebAssembly.Module {
  bytes.set(module, code);
  return module;
}
