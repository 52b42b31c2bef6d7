// What is added to a module: imports, which stand in front of its own definitions and so move them, and definitions behind them.

import { ByteWriter } from "./byte-writer.ts";
import type { CoreValType } from "../component.ts";
import type { CoreModule } from "../core-module.ts";
import { writeValType } from "./encode-core-types.ts";
import type { Shift, Shifts } from "./rewrite-code.ts";

export const EXTERN_KIND = { func: 0, table: 1, memory: 2, global: 3, tag: 4 } as const;
type Space = Exclude<keyof typeof EXTERN_KIND, "tag">;

/** A list of encoded items, to be written behind those that the module has. */
class Items {
  count = 0;
  readonly bytes = new ByteWriter(64);

  add(): ByteWriter {
    this.count++;
    return this.bytes;
  }
}

export class Additions {
  readonly types = new Items();
  readonly imports = new Items();
  readonly funcs = new Items();
  readonly tables = new Items();
  readonly memories = new Items();
  readonly globals = new Items();
  readonly exports = new Items();
  readonly code = new Items();
  /** The module name of added imports, and what added exports begin with in front of a colon: nothing of the module's own does. */
  readonly prefix: string;
  readonly #module: CoreModule;
  readonly #imported = { func: 0, table: 0, memory: 0, global: 0 };
  readonly #added = { func: 0, table: 0, memory: 0, global: 0 };

  constructor(module: CoreModule) {
    this.#module = module;
    this.prefix = unusedPrefix(module);
    for (const { type } of module.imports) if (type.kind !== "tag") this.#imported[type.kind]++;
  }

  get shifts(): Shifts {
    return { func: this.#shift("func"), memory: this.#shift("memory"), global: this.#shift("global") };
  }

  #shift(space: Space): Shift {
    return { from: this.#imported[space], by: this.#added[space] };
  }

  /** A function type. */
  type(params: readonly CoreValType[], results: readonly CoreValType[]): number {
    const out = this.types.add().byte(0x60);
    for (const list of [params, results]) {
      out.unsigned(list.length);
      for (const type of list) writeValType(out, type);
    }
    return this.#module.types.length + this.types.count - 1;
  }

  /** An import; what it imports is written behind it. All imports come before all definitions. */
  import(space: Space, name: string): { readonly index: number; readonly out: ByteWriter } {
    const index = this.#imported[space] + this.#added[space]++;
    const out = this.imports.add().name(this.prefix).name(name).byte(EXTERN_KIND[space]);
    return { index, out };
  }

  /** The index of the next definition of a kind. */
  #next(space: Space, items: Items): number {
    return this.#module.spaces[space].length + this.#added[space] + items.count;
  }

  /** A function; `body` gives the bodies in the same order. */
  func(type: number): number {
    const index = this.#next("func", this.funcs);
    this.funcs.add().unsigned(type);
    return index;
  }

  body(bytes: Uint8Array): void {
    this.code.add().unsigned(bytes.length).append(bytes);
  }

  table(): { readonly index: number; readonly out: ByteWriter } {
    const index = this.#next("table", this.tables);
    return { index, out: this.tables.add() };
  }

  memory(): { readonly index: number; readonly out: ByteWriter } {
    const index = this.#next("memory", this.memories);
    return { index, out: this.memories.add() };
  }

  global(): { readonly index: number; readonly out: ByteWriter } {
    const index = this.#next("global", this.globals);
    return { index, out: this.globals.add() };
  }

  export(what: string, space: Space, index: number): string {
    const name = `${this.prefix}:${what}`;
    this.exports.add().name(name).byte(EXTERN_KIND[space]).unsigned(index);
    return name;
  }
}

function unusedPrefix(module: CoreModule): string {
  const used = new Set<string>();
  for (const item of module.imports) used.add(item.module);
  for (const { name } of module.exports) used.add(name.split(":", 1)[0] ?? "");
  let prefix = "starlane";
  for (let i = 2; used.has(prefix); i++) prefix = `starlane-${i}`;
  return prefix;
}
