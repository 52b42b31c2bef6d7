// Core modules, rewritten and instantiated, with a host that gives fuel: for tests of the rewriter.

import process from "node:process";
import { type Instrumented, type InstrumentOptions, instrument } from "../src/component/instrument/instrument.ts";
import { wat } from "./wat.ts";

/** Every combination of what can be switched on. */
export const ALL_OPTIONS: readonly InstrumentOptions[] = Array.from({ length: 16 }, (_, bits) => ({
  fuel: (bits & 1) !== 0,
  expose: (bits & 2) !== 0,
  barrier: (bits & 4) !== 0,
  shrink: (bits & 8) !== 0,
}));

type Func = (...args: unknown[]) => unknown;
type ImportObject = Record<string, Record<string, unknown>>;

export interface HostOptions {
  /** All there is; when it is used up the guest is stopped by a trap. */
  readonly fuel?: bigint | undefined;
  /** How much of it the guest is given at once. */
  readonly slice?: bigint | undefined;
  readonly imports?: ImportObject | undefined;
  readonly onStop?: (() => void) | undefined;
  /** Another instance whose fuel is shared. */
  readonly with?: Rewritten | undefined;
}

/** Runs `unreachable`: exceptions of JavaScript could be caught by the guest. */
const trapModule = new WebAssembly.Module(
  new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 7, 5, 1, 1, 116, 0, 0, 10, 5, 1, 3, 0, 0, 11]),
);
const trap = new WebAssembly.Instance(trapModule).exports["t"] as () => void;

export class Rewritten {
  readonly made: Instrumented;
  readonly exports: Readonly<Record<string, WebAssembly.ExportValue>>;
  readonly #fuel: WebAssembly.Global<"i64">;
  #given: bigint;
  #left: bigint;
  readonly #slice: bigint;
  readonly #onStop: (() => void) | undefined;
  /** Whether the guest was stopped because the fuel was used up. */
  stopped = false;
  /** How often it came back for more. */
  asked = 0;

  constructor(bytes: Uint8Array, options: InstrumentOptions, host: HostOptions = {}) {
    this.made = instrument(bytes, options);
    this.#left = host.fuel ?? 1_000_000_000_000n;
    this.#slice = host.slice ?? this.#left;
    this.#given = 0n;
    this.#onStop = host.onStop;
    this.#fuel = host.with === undefined ? new WebAssembly.Global({ value: "i64", mutable: true }, 0n) : host.with.#fuel;
    if (host.with === undefined) this.#give();
    const own = { fuel: this.#fuel, "out-of-fuel": () => (host.with ?? this).#outOfFuel() };
    const imports = { ...host.imports, [this.made.module]: { ...host.imports?.[this.made.module], ...own } };
    const module = new WebAssembly.Module(this.made.bytes as Uint8Array<ArrayBuffer>);
    this.exports = new WebAssembly.Instance(module, imports as WebAssembly.Imports).exports;
  }

  #give(): void {
    const more = this.#slice < this.#left ? this.#slice : this.#left;
    this.#left -= more;
    this.#given += more;
    this.#fuel.value += more;
  }

  #outOfFuel(): void {
    this.asked++;
    while (this.#fuel.value < 0n && this.#left > 0n) this.#give();
    if (this.#fuel.value >= 0n) return;
    this.stopped = true;
    this.#onStop?.();
    trap();
  }

  get used(): bigint {
    return this.#given - this.#fuel.value;
  }

  call(name: string, ...args: readonly unknown[]): unknown {
    return (this.exports[name] as Func)(...args);
  }

  /** The units that a call uses. */
  cost(name: string, ...args: readonly unknown[]): number {
    const before = this.used;
    this.call(name, ...args);
    return Number(this.used - before);
  }

  memory(index = 0): WebAssembly.Memory {
    return this.#named(this.made.memories[index]?.memory, WebAssembly.Memory);
  }

  map(index = 0): Uint8Array {
    return new Uint8Array(this.#named(this.made.memories[index]?.dirty, WebAssembly.Memory).buffer);
  }

  pages(index = 0): WebAssembly.Global {
    return this.#named(this.made.memories[index]?.pages, WebAssembly.Global);
  }

  save(): void {
    this.call(this.made.state?.save ?? "");
  }

  restore(): boolean {
    return this.call(this.made.state?.restore ?? "") === 1;
  }

  #named<T>(name: string | undefined, type: abstract new (...args: never) => T): T {
    const found = this.exports[name ?? ""];
    if (!(found instanceof type)) throw new Error(`there is no ${type.name} ${name ?? ""}`);
    return found;
  }
}

export async function rewritten(text: string, options: InstrumentOptions, host?: HostOptions): Promise<Rewritten> {
  return new Rewritten(await wat(text), options, host);
}

export function isValid(bytes: Uint8Array): boolean {
  return WebAssembly.validate(bytes as Uint8Array<ArrayBuffer>);
}

/** Runs what must come to an end; where it does not, Node stops it with an error. */
export function inTime<T>(run: () => T): T {
  if (!("getBuiltinModule" in process)) return run();
  const slot = globalThis as { ranInTime?: () => T };
  slot.ranInTime = run;
  return process.getBuiltinModule("node:vm").runInThisContext("globalThis.ranInTime()", { timeout: 20_000 }) as T;
}
