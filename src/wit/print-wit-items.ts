// The lines of one WIT interface (or the types and functions of a world): uses, declarations, resources with their methods, functions.

import { assertNever } from "../base/errors.ts";
import { equalTypes } from "./equal-types.ts";
import { escapeLabel, labelKey } from "./labels.ts";
import { printTypeWith } from "./print-type.ts";
import type { ExternType, FuncType, NamedExtern, ResourceType, ValType } from "./types.ts";
import { parseFunctionName } from "./wit-names.ts";

/** Which other interface a type comes from, and how that is written here; `name` is what it is called here, where it is named. */
export interface Scope {
  /** Counts the text of types. @throws StarlaneError `wit/type-too-big` where it is too much */
  spend(length: number): void;
  ownerOf(type: ValType | ResourceType, name?: string): { readonly path: string; readonly name: string } | undefined;
}

interface Declaration {
  readonly name: string;
  readonly type: ValType | ResourceType;
}

/** A type longer than this is cut, and the text is then no WIT any more: only components made to do harm have one. */
const LONGEST_TYPE = 100_000;
/** Names made from names inside names grow. */
const LONGEST_HINT = 60;

/** The type that an import or export names, where it names one. */
export function typeOf(type: ExternType): ValType | ResourceType | undefined {
  if (type.kind !== "type") return undefined;
  const named = type.type;
  return named.kind === "func" || named.kind === "instance" || named.kind === "component" ? undefined : named;
}

/** Whether WIT has to name a type before it can be used. */
function needsName(type: ValType | ResourceType): boolean {
  return ["resource", "record", "variant", "enum", "flags"].includes(type.kind);
}

function isEqual(a: ValType | ResourceType, b: ValType | ResourceType): boolean {
  return a.kind !== "resource" && b.kind !== "resource" && equalTypes(a, b);
}

export class ItemPrinter {
  readonly #scope: Scope;
  readonly #names = new Map<ValType | ResourceType, string>();
  readonly #taken: Set<string>;
  readonly #uses = new Map<string, string[]>();
  /** What is still to be declared; grows while functions and declarations are printed. */
  readonly #declarations: Declaration[] = [];
  readonly #members = new Map<string, { readonly name: string; readonly type: FuncType }[]>();
  /** What a type without a name is called that is found now: by where it stands. */
  #hint: string | undefined;
  readonly #hinted = new Set<string>();

  /** `further` are externs of the same names in other instances of the interface: their types get the same names. */
  constructor(scope: Scope, externs: readonly NamedExtern[], further: readonly NamedExtern[]) {
    this.#scope = scope;
    this.#taken = new Set([...externs, ...further].map(({ name }) => labelKey(name)));
    for (const { name, type } of externs) {
      const named = typeOf(type);
      if (named !== undefined) this.#add(name, named);
      if (type.kind === "func") this.#addMember(name, type);
    }
    for (const { name, type } of further) {
      const named = typeOf(type);
      if (named !== undefined && !this.#names.has(named)) this.#names.set(named, escapeLabel(name));
    }
  }

  /** `name: func(a: u8) -> string;` */
  func(name: string, { async, params, result }: FuncType): string {
    return `${escapeLabel(name)}: ${async ? "async " : ""}func(${this.#params(name, params)})${this.#result(name, result)};`;
  }

  /** Uses and declarations; call it after every `func`, which may need further ones. */
  types(): string[] {
    const declarations: string[] = [];
    for (let i = 0; i < this.#declarations.length; i++) {
      const declaration = this.#declarations[i];
      if (declaration !== undefined) declarations.push(...this.#declare(declaration));
    }
    return [...Array.from(this.#uses, ([path, names]) => `use ${path}.{${names.join(", ")}};`), ...declarations];
  }

  #add(name: string, type: ValType | ResourceType): void {
    const owner = this.#scope.ownerOf(type, name);
    if (!this.#names.has(type)) this.#names.set(type, escapeLabel(name));
    if (owner !== undefined) this.#use(owner.path, owner.name, name);
    else this.#declarations.push({ name, type });
  }

  #use(path: string, theirs: string, ours: string): void {
    const names = this.#uses.get(path) ?? [];
    this.#uses.set(path, names);
    names.push(theirs === ours ? escapeLabel(ours) : `${escapeLabel(theirs)} as ${escapeLabel(ours)}`);
  }

  #addMember(name: string, type: FuncType): void {
    const parsed = parseFunctionName(name);
    if (parsed.kind === "free") return;
    const members = this.#members.get(parsed.resource) ?? [];
    this.#members.set(parsed.resource, members);
    members.push({ name, type });
  }

  #print(type: ValType): string {
    const text = printTypeWith(type, (part) => this.#nameOf(part), LONGEST_TYPE);
    this.#scope.spend(text.length + 8);
    return text;
  }

  #params(func: string, params: FuncType["params"]): string {
    return params.map(({ name, type }) => `${escapeLabel(name)}: ${this.#printAs(`${func}-${name}`, type)}`).join(", ");
  }

  #result(func: string, result: ValType | undefined): string {
    if (result === undefined) return "";
    if (result.kind === "result" && result.error !== undefined) this.#printAs(`${func}-error`, result.error);
    return ` -> ${this.#printAs(`${func}-output`, result)}`;
  }

  #printAs(hint: string, type: ValType): string {
    this.#hint = hint.length > LONGEST_HINT ? undefined : hint;
    const text = this.#print(type);
    this.#hint = undefined;
    return text;
  }

  #nameOf(type: ValType | ResourceType): string | undefined {
    return this.#names.get(type) ?? (needsName(type) ? this.#find(type) : undefined);
  }

  /** A name for a type that the interface does not export itself: that of an equal one, one to use, or a new one. */
  #find(type: ValType | ResourceType): string {
    const equal = this.#declarations.find((known) => this.#mayShare(known) && isEqual(known.type, type));
    const given = "name" in type ? type.name : undefined;
    const owner = equal === undefined ? this.#scope.ownerOf(type, given) : undefined;
    const known = equal?.name ?? owner?.name ?? given;
    const name = equal?.name ?? this.#freeName(known ?? this.#hint ?? type.kind);
    if (known === undefined && this.#hint !== undefined) this.#hinted.add(name);
    this.#names.set(type, escapeLabel(name));
    if (owner !== undefined) this.#use(owner.path, owner.name, name);
    else if (equal === undefined) this.#declarations.push({ name, type });
    return escapeLabel(name);
  }

  /** A name that says where a type stands would mislead elsewhere. */
  #mayShare({ name }: Declaration): boolean {
    return this.#hint === undefined || !this.#hinted.has(name);
  }

  #freeName(base: string): string {
    let name = base;
    for (let i = 2; this.#taken.has(labelKey(name)); i++) name = `${base}-${i}`;
    this.#taken.add(labelKey(name));
    return name;
  }

  #declare({ name, type }: Declaration): string[] {
    const label = escapeLabel(name);
    const known = this.#names.get(type);
    if (known !== undefined && known !== label) return [`type ${label} = ${known};`];
    switch (type.kind) {
      case "resource":
        return this.#resource(name, type);
      case "record":
        return braces(
          `record ${label}`,
          type.fields.map((field) => `${escapeLabel(field.name)}: ${this.#printAs(`${name}-${field.name}`, field.type)},`),
        );
      case "variant":
        return braces(
          `variant ${label}`,
          type.cases.map(
            (item) =>
              `${escapeLabel(item.name)}${item.type === undefined ? "" : `(${this.#printAs(`${name}-${item.name}`, item.type)})`},`,
          ),
        );
      case "enum":
      case "flags":
        return braces(
          `${type.kind} ${label}`,
          type.labels.map((item) => `${escapeLabel(item)},`),
        );
      case "bool":
      case "s8":
      case "u8":
      case "s16":
      case "u16":
      case "s32":
      case "u32":
      case "s64":
      case "u64":
      case "f32":
      case "f64":
      case "char":
      case "string":
      case "error-context":
      case "tuple":
      case "list":
      case "map":
      case "option":
      case "result":
      case "own":
      case "borrow":
      case "stream":
      case "future":
        return [
          `type ${label} = ${printTypeWith(type, (part) => (part === type ? undefined : this.#nameOf(part)), LONGEST_TYPE)};`,
        ];
      default:
        return assertNever(type);
    }
  }

  #resource(name: string, resource: ResourceType): string[] {
    const members = this.#members.get(name) ?? [];
    const label = escapeLabel(name);
    if (members.length === 0) return [`resource ${label};`];
    return braces(
      `resource ${label}`,
      members.map((member) => this.#member(member.name, member.type, resource)),
    );
  }

  #member(name: string, type: FuncType, resource: ResourceType): string {
    const parsed = parseFunctionName(name);
    switch (parsed.kind) {
      case "constructor": {
        const isPlain = type.result?.kind === "own" && type.result.resource === resource;
        return `constructor(${this.#params(parsed.resource, type.params)})${isPlain ? "" : this.#result(parsed.resource, type.result)};`;
      }
      case "method":
        return this.func(parsed.name, { ...type, params: type.params.slice(1) });
      case "static":
        return this.func(parsed.name, type).replace(": ", ": static ");
      case "free":
        return this.func(name, type);
      default:
        return assertNever(parsed);
    }
  }
}

function braces(head: string, lines: readonly string[]): string[] {
  return [`${head} {`, ...lines.map((line) => `  ${line}`), "}"];
}
