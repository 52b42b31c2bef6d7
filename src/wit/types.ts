// The WIT type model: what every part of Starlane means by a type. Plain frozen data; names never matter to equality,
// resources are equal when they are the same object.
//
// JS values of these types follow the convention that jco documents:
//   bool boolean | s8..u32 f32 f64 number | s64 u64 bigint | char string string
//   record object with camelCase keys | tuple array | flags object of booleans with camelCase keys | enum its label
//   variant { tag, val } (`val` absent where the case has no payload)
//   option<T> T or undefined; an option whose payload is itself an option: { tag: "some", val } | { tag: "none" }
//   result { tag: "ok", val } | { tag: "err", val }; as a function's result: returned, or thrown as an error with `payload`
//   list<u8> Uint8Array, other numeric lists their typed arrays (any iterable accepted), other lists arrays | map Map
//   own and borrow: an object of the resource's class, with Symbol.dispose

export type PrimitiveKind =
  | "bool" | "s8" | "u8" | "s16" | "u16" | "s32" | "u32" | "s64" | "u64" | "f32" | "f64" | "char" | "string" | "error-context"; // prettier-ignore

export interface Field {
  readonly name: string;
  readonly type: ValType;
}

export interface Case {
  readonly name: string;
  readonly type?: ValType | undefined;
}

/** A resource type; two are the same only when they are the same object. */
export interface ResourceType {
  readonly kind: "resource";
  /** WIT name where one is known: `input-stream`. */
  readonly name?: string | undefined;
  /** The interface it belongs to, where known: `wasi:io/streams@0.2.0`. */
  readonly interface?: string | undefined;
}

/** `name` is the WIT name that a type was exported or imported under, for printing only. */
export type ValType =
  | { readonly kind: PrimitiveKind }
  | { readonly kind: "record"; readonly fields: readonly Field[]; readonly name?: string | undefined }
  | { readonly kind: "variant"; readonly cases: readonly Case[]; readonly name?: string | undefined }
  | { readonly kind: "enum"; readonly labels: readonly string[]; readonly name?: string | undefined }
  | { readonly kind: "flags"; readonly labels: readonly string[]; readonly name?: string | undefined }
  | { readonly kind: "tuple"; readonly types: readonly ValType[] }
  | { readonly kind: "list"; readonly element: ValType; readonly length?: number | undefined }
  | { readonly kind: "map"; readonly key: ValType; readonly value: ValType }
  | { readonly kind: "option"; readonly type: ValType }
  | { readonly kind: "result"; readonly ok?: ValType | undefined; readonly error?: ValType | undefined }
  | { readonly kind: "own"; readonly resource: ResourceType }
  | { readonly kind: "borrow"; readonly resource: ResourceType }
  | { readonly kind: "stream"; readonly element?: ValType | undefined }
  | { readonly kind: "future"; readonly element?: ValType | undefined };

export type ValKind = ValType["kind"];

/** A function; `async` is part of its type (WIT `async func`). */
export interface FuncType {
  readonly kind: "func";
  readonly async: boolean;
  readonly params: readonly Field[];
  readonly result?: ValType | undefined;
}

/** What a component imports or exports under a name. */
export type ExternType =
  | FuncType
  | { readonly kind: "instance"; readonly exports: readonly NamedExtern[] }
  | { readonly kind: "component"; readonly imports: readonly NamedExtern[]; readonly exports: readonly NamedExtern[] }
  | { readonly kind: "core-module"; readonly imports: readonly CoreImport[]; readonly exports: readonly CoreExport[] }
  | { readonly kind: "type"; readonly type: ValType | ResourceType | FuncType | InterfaceType }
  | { readonly kind: "value"; readonly type: ValType };

/** A component or instance type given a name of its own. */
export type InterfaceType = Extract<ExternType, { kind: "instance" | "component" }>;

export interface NamedExtern {
  /** The whole extern name: `wasi:io/streams@0.2.0`, `greet`, `[method]input-stream.read`. */
  readonly name: string;
  readonly type: ExternType;
  /** The interface an instance implements (`implements` attribute), where given. */
  readonly implements?: string | undefined;
}

export interface CoreImport {
  readonly module: string;
  readonly name: string;
  readonly type: string;
}

export interface CoreExport {
  readonly name: string;
  readonly type: string;
}

/** Everything a component asks for and offers. */
export interface WorldType {
  readonly imports: readonly NamedExtern[];
  readonly exports: readonly NamedExtern[];
}

/** The tag of a result's error case in JS; in WIT and JSON the case is called `error`. */
export const ERROR_TAG = "err";

/** `list<string>` -> camelCase keys of records and flags in JS: `first-name` -> `firstName`, `URL-of` -> `urlOf`. */
export function camelCase(name: string): string {
  return name
    .split("-")
    .map((word, i) => (i === 0 ? word.toLowerCase() : word.charAt(0).toUpperCase() + word.slice(1).toLowerCase()))
    .join("");
}
