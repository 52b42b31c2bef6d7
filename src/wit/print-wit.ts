// WIT text of everything that a component imports and exports: the world, and the packages of all interfaces that it names.
// An interface that is both imported and exported is printed once, with what either has. What WIT has no words for (core modules,
// components, values) is a comment. Documentation is not kept.

import { assertNever, StarlaneError } from "../base/errors.ts";
import { equalTypes } from "./equal-types.ts";
import { escapeLabel } from "./labels.ts";
import { ItemPrinter, typeOf, type Scope } from "./print-wit-items.ts";
import type { NamedExtern, ResourceType, ValType, WorldType } from "./types.ts";
import { packageOf, parseFunctionName, parseInterfaceName, witPackage, witPath, type InterfaceName } from "./wit-names.ts";

export interface WitOptions {
  /** The package of the world: `root:component`. */
  readonly package?: string | undefined;
  /** The name of the world: `root`. */
  readonly world?: string | undefined;
}

const LONGEST_WIT = 8_000_000;
const MOST_OWNERS = 100;

/** The WIT text of a world. @throws StarlaneError `wit/type-too-big` where it is longer than 8 million characters */
export function printWit(world: WorldType, options: WitOptions = {}): string {
  return new WitPrinter(world, options).print();
}

/** An interface with a name of its own: the union of all instances of that name. */
interface Interface {
  /** Its place among the interfaces: an interface uses types of earlier ones only. */
  readonly index: number;
  readonly name: InterfaceName;
  readonly externs: Map<string, NamedExtern>;
  /** The same names with other types, from further instances of the interface. */
  readonly further: NamedExtern[];
}

interface Owner {
  readonly interface: Interface;
  readonly name: string;
}

class WitPrinter {
  readonly #world: WorldType;
  readonly #package: string;
  readonly #worldName: string;
  readonly #interfaces = new Map<string, Interface>();
  /** The interface that a resource belongs to: the first that exports it. */
  readonly #resources = new Map<ResourceType, Owner>();
  /** By name, the other types of all interfaces. */
  readonly #types = new Map<string, { readonly type: ValType; readonly interface: Interface }[]>();
  #length = 0;

  constructor(world: WorldType, options: WitOptions) {
    this.#world = world;
    this.#package = options.package ?? "root:component";
    for (const extern of [...world.imports, ...world.exports]) this.#collect(extern);
    const taken = new Set(this.#inPackage(this.#package).map((item) => item.name.name));
    let name = options.world ?? "root";
    while (taken.has(name)) name += "-world";
    this.#worldName = name;
  }

  print(): string {
    const root = [`package ${witPackage(this.#package)};`, "", ...this.#printWorld()];
    for (const item of this.#inPackage(this.#package)) root.push("", ...this.#printInterface(item, ""));
    const packages = new Set(Array.from(this.#interfaces.values(), (item) => packageOf(item.name)));
    packages.delete(this.#package);
    return `${[...root, ...Array.from(packages).flatMap((name) => this.#printPackage(name))].join("\n")}\n`;
  }

  #inPackage(name: string): Interface[] {
    return Array.from(this.#interfaces.values()).filter((item) => packageOf(item.name) === name);
  }

  #collect({ name, type, implements: implemented }: NamedExtern): void {
    if (type.kind !== "instance") return;
    const text = implemented ?? name;
    const parsed = parseInterfaceName(text);
    if (parsed === undefined) return;
    const { size: index } = this.#interfaces;
    const known = this.#interfaces.get(text) ?? { index, name: parsed, externs: new Map<string, NamedExtern>(), further: [] };
    this.#interfaces.set(text, known);
    for (const extern of type.exports) {
      if (known.externs.has(extern.name)) known.further.push(extern);
      else known.externs.set(extern.name, extern);
      const named = typeOf(extern.type);
      if (named !== undefined) this.#own(known, extern.name, named);
    }
  }

  #own(owner: Interface, name: string, type: ValType | ResourceType): void {
    if (type.kind === "resource") {
      if (!this.#resources.has(type)) this.#resources.set(type, { interface: owner, name });
    } else {
      const known = this.#types.get(name) ?? [];
      this.#types.set(name, known);
      if (known.length < MOST_OWNERS) known.push({ type, interface: owner });
    }
  }

  /**
   * The interface that a type comes from. Only resources have an identity that says so; of other types, an equal one of the same
   * name in an earlier interface is taken for the same, which means the same to every component.
   */
  #ownerOf(type: ValType | ResourceType, name: string | undefined, self: Interface | undefined): Owner | undefined {
    if (type.kind === "resource") {
      const owner = this.#resources.get(type);
      return owner !== undefined && isBefore(owner.interface, self) ? owner : undefined;
    }
    if (name === undefined) return undefined;
    const found = this.#types.get(name)?.find((known) => isBefore(known.interface, self) && equalTypes(known.type, type));
    return found && { interface: found.interface, name };
  }

  #printPackage(name: string): string[] {
    const lines = ["", `package ${witPackage(name)} {`];
    this.#inPackage(name).forEach((item, i) => lines.push(...(i === 0 ? [] : [""]), ...this.#printInterface(item, "  ")));
    return [...lines, "}"];
  }

  #printInterface(item: Interface, indent: string): string[] {
    const { name, externs, further } = item;
    const items = this.#items(this.#scope(item), [...externs.values()], further);
    return this.#block(`interface ${escapeLabel(name.name)}`, items, indent);
  }

  #printWorld(): string[] {
    const { imports, exports } = this.#world;
    const [own, further] = splitByName([...imports, ...exports].filter(isWorldItem));
    const printer = new ItemPrinter(this.#scope(undefined), own, further);
    const lines = [
      ...imports.flatMap((extern) => this.#printWorldItem("import", extern, printer)),
      ...exports.flatMap((extern) => this.#printWorldItem("export", extern, printer)),
    ];
    return this.#block(`world ${escapeLabel(this.#worldName)}`, [...printer.types(), ...lines], "");
  }

  #printWorldItem(direction: "import" | "export", extern: NamedExtern, printer: ItemPrinter): string[] {
    const { name, type, implements: implemented } = extern;
    switch (type.kind) {
      case "func":
        return belongsToResource(extern) ? [] : [`${direction} ${printer.func(name, type)}`];
      case "instance": {
        const known = this.#interfaces.get(implemented ?? name);
        if (known !== undefined) {
          return [`${direction} ${implemented === undefined ? "" : `${escapeLabel(name)}: `}${this.#path(known.name)};`];
        }
        const items = this.#items(this.#scope(undefined), type.exports, []);
        return this.#block(`${direction} ${escapeLabel(name)}: interface`, items, "");
      }
      case "type":
        return [];
      case "component":
      case "core-module":
      case "value":
        return [wordless(`${direction} `, name, type.kind)];
      default:
        return assertNever(type);
    }
  }

  #items(scope: Scope, externs: readonly NamedExtern[], further: readonly NamedExtern[]): string[] {
    const printer = new ItemPrinter(scope, externs, further);
    const functions: string[] = [];
    for (const extern of externs) {
      const { name, type } = extern;
      if (type.kind === "func" && !belongsToResource(extern)) functions.push(printer.func(name, type));
      else if (type.kind !== "func" && type.kind !== "type") functions.push(wordless("", name, type.kind));
    }
    return [...printer.types(), ...functions];
  }

  /** What names mean inside an interface; undefined: in the world or an interface without a name. */
  #scope(self: Interface | undefined): Scope {
    return {
      spend: (length) => this.#spend(length),
      ownerOf: (type, name) => {
        const owner = this.#ownerOf(type, name, self);
        return owner && { path: this.#path(owner.interface.name, self?.name), name: owner.name };
      },
    };
  }

  #spend(length: number): void {
    this.#length += length;
    if (this.#length <= LONGEST_WIT) return;
    throw new StarlaneError("wit/type-too-big", `the WIT text would be longer than ${LONGEST_WIT} characters`);
  }

  /** How an interface is written inside another one of `within`, or in the world: its bare name in the same package. */
  #path(name: InterfaceName, within?: InterfaceName): string {
    const isNear = packageOf(name) === (within === undefined ? this.#package : packageOf(within));
    return isNear ? escapeLabel(name.name) : witPath(name);
  }

  #block(head: string, lines: readonly string[], indent: string): string[] {
    if (lines.length === 0) return [`${indent}${head} {`, `${indent}}`];
    return [`${indent}${head} {`, ...lines.map((line) => (line === "" ? "" : `${indent}  ${line}`)), `${indent}}`];
  }
}

/** Whether a function is printed inside its resource. */
function belongsToResource({ name, type }: NamedExtern): boolean {
  return type.kind === "func" && parseFunctionName(name).kind !== "free";
}

/** What the types of a world are made from: its own types, and the functions of its own resources. */
function isWorldItem(extern: NamedExtern): boolean {
  return extern.type.kind === "type" || belongsToResource(extern);
}

/** The first extern of each name, and the others: a name may be both imported and exported. */
function splitByName(externs: readonly NamedExtern[]): readonly [NamedExtern[], NamedExtern[]] {
  const first = new Map<string, NamedExtern>();
  for (const extern of externs) if (!first.has(extern.name)) first.set(extern.name, extern);
  return [[...first.values()], externs.filter((extern) => first.get(extern.name) !== extern)];
}

function wordless(before: string, name: string, kind: string): string {
  return `// ${before}${JSON.stringify(name)} (${kind}): WIT has no words for it`;
}

function isBefore(owner: Interface, self: Interface | undefined): boolean {
  return self === undefined || owner.index < self.index;
}
