// The contract of a cache of core modules, so that a component that was made ready here before starts without being rewritten and
// validated again; and the form of its entries. Where entries are kept, and why they can be trusted, is the cache's affair.

/** What may be kept between processes. The engine hands over nothing that V8 has not accepted. */
export interface ModuleCache {
  /**
   * What `store` was given under this name, from a process with the same versions of Starlane and V8; undefined where there is nothing
   * that is certain to be that. Never rejects.
   */
  load(name: string): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** Keeps the parts, one after another, or does not. They must not change until it is done. Never rejects. */
  store(name: string, parts: readonly Uint8Array[]): Promise<void>;
}

/** A core module as it is compiled. */
export interface ReadyModule<Facts> {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** What whoever changed it has to know of it later: plain JSON. */
  readonly facts: Facts;
}

/** How core modules are changed before they are compiled. */
export interface Preparation<Facts> {
  /** Stands for all that the result depends on, apart from the module and the version of Starlane. */
  readonly name: string;
  /** `offset`: where the module lies in the component. It may give the bytes back as they are. */
  prepare(bytes: Uint8Array<ArrayBuffer>, offset: number): ReadyModule<Facts> | Promise<ReadyModule<Facts>>;
  /** What JSON made of facts; undefined where it is something else. */
  readFacts(value: unknown): Facts | undefined;
}

/** One module of an entry: where the bytes are those of the component, they are not kept a second time. */
interface EntryModule {
  readonly facts: unknown;
  readonly size: number | undefined;
}

const HEADER_LENGTH_BYTES = 4;
/** Compiling off the caller's thread pays from about here on. */
export const WORTH_A_THREAD = 64 * 1024;

/** The parts of an entry: the length of the header (u32), the header (JSON), the changed modules. `originals` in the same order. */
export function encodeEntry(ready: readonly ReadyModule<unknown>[], originals: readonly Uint8Array[]): Uint8Array[] {
  const changed = ready.filter(({ bytes }, i) => bytes !== originals[i]);
  const modules = ready.map(({ bytes, facts }, i): EntryModule => ({
    facts,
    size: bytes === originals[i] ? undefined : bytes.length,
  }));
  const header = new TextEncoder().encode(JSON.stringify(modules));
  const length = new Uint8Array(HEADER_LENGTH_BYTES);
  new DataView(length.buffer).setUint32(0, header.length, true);
  return [length, header, ...changed.map(({ bytes }) => bytes)];
}

/** Undefined where it is no entry for these modules. The bytes of what comes out are parts of the entry, or of `originals`. */
export function decodeEntry<Facts>(
  entry: Uint8Array<ArrayBuffer>,
  originals: readonly Uint8Array<ArrayBuffer>[],
  readFacts: (value: unknown) => Facts | undefined,
): ReadyModule<Facts>[] | undefined {
  const header = readHeader(entry);
  if (header?.modules.length !== originals.length) return undefined;
  let at = header.end;
  const ready: ReadyModule<Facts>[] = [];
  for (const [i, original] of originals.entries()) {
    const module: unknown = header.modules[i];
    if (typeof module !== "object" || module === null) return undefined;
    const facts = readFacts("facts" in module ? module.facts : undefined);
    const size = "size" in module ? module.size : undefined;
    if (facts === undefined) return undefined;
    if (size === undefined) ready.push({ bytes: original, facts });
    else if (typeof size === "number" && Number.isSafeInteger(size) && size >= 0 && at + size <= entry.length) {
      ready.push({ bytes: entry.subarray(at, at + size), facts });
      at += size;
    } else return undefined;
  }
  return at === entry.length ? ready : undefined;
}

const begun = new WeakMap<ArrayBuffer, ReadonlyMap<number, Promise<WebAssembly.Module | undefined>>>();

/** Begins to compile the large modules of an entry, off this thread, before it is known whether it is the right one. */
export function compileAhead(entry: Uint8Array<ArrayBuffer>): void {
  const header = readHeader(entry);
  const modules = new Map<number, Promise<WebAssembly.Module | undefined>>();
  let at = header?.end ?? 0;
  for (const module of header?.modules ?? []) {
    const size = sizeOf(module);
    if (size === undefined || at + size > entry.length) continue;
    const code = entry.subarray(at, at + size);
    if (size >= WORTH_A_THREAD)
      modules.set(
        code.byteOffset,
        WebAssembly.compile(code).catch(() => undefined),
      );
    at += size;
  }
  begun.set(entry.buffer, modules);
}

/** What `compileAhead` makes of a module of an entry; undefined where that was not asked for, or fails. */
export async function compiledAhead(code: Uint8Array<ArrayBuffer>): Promise<WebAssembly.Module | undefined> {
  return await begun.get(code.buffer)?.get(code.byteOffset);
}

function sizeOf(module: unknown): number | undefined {
  const size = typeof module === "object" && module !== null && "size" in module ? module.size : undefined;
  return typeof size === "number" && Number.isSafeInteger(size) && size >= 0 ? size : undefined;
}

function readHeader(entry: Uint8Array): { readonly modules: readonly unknown[]; readonly end: number } | undefined {
  if (entry.length < HEADER_LENGTH_BYTES) return undefined;
  const length = new DataView(entry.buffer, entry.byteOffset, entry.length).getUint32(0, true);
  const end = HEADER_LENGTH_BYTES + length;
  if (end > entry.length) return undefined;
  try {
    const modules: unknown = JSON.parse(new TextDecoder().decode(entry.subarray(HEADER_LENGTH_BYTES, end)));
    return Array.isArray(modules) ? { modules, end } : undefined;
  } catch {
    return undefined;
  }
}
