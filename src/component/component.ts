// A component binary as plain data: the definitions in the order of the binary, indices unresolved.
// `decode.ts` makes it, `validate.ts` proves it sound and computes its type, the engine runs it.
// Source: component-model `design/mvp/Binary.md` (August 2026); the names below are those of its grammar.

import type { PrimitiveKind } from "../wit/types.ts";

export interface Component {
  readonly kind: "component";
  readonly definitions: readonly Definition[];
  /** Where the component starts and ends in the file it came from, in bytes. */
  readonly offset: number;
  readonly end: number;
  readonly customs: readonly CustomSection[];
  /** The `component-name` custom section, where one is there and readable. */
  readonly names?: ComponentNames | undefined;
}

export interface CustomSection {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly offset: number;
}

export interface ComponentNames {
  readonly component?: string | undefined;
  readonly sorts: readonly { readonly sort: Sort; readonly names: ReadonlyMap<number, string> }[];
}

export type CoreSort =
  | "core func"
  | "core table"
  | "core memory"
  | "core global"
  | "core tag"
  | "core type"
  | "core module"
  | "core instance";
export type ComponentSort = "func" | "value" | "type" | "component" | "instance";
export type Sort = CoreSort | ComponentSort;

export interface SortIndex {
  readonly sort: Sort;
  readonly index: number;
}

/** One definition and its byte offset in the file. */
export type Definition = { readonly offset: number } & (
  | { readonly kind: "core-module"; readonly bytes: Uint8Array }
  | { readonly kind: "core-instance"; readonly expr: CoreInstanceExpr }
  | { readonly kind: "core-type"; readonly type: CoreTypeDef }
  | { readonly kind: "component"; readonly component: Component }
  | { readonly kind: "instance"; readonly expr: InstanceExpr }
  | { readonly kind: "alias"; readonly alias: Alias }
  | { readonly kind: "type"; readonly type: TypeDef }
  | { readonly kind: "canon"; readonly canon: Canon }
  | { readonly kind: "start"; readonly func: number; readonly args: readonly number[]; readonly results: number }
  | { readonly kind: "import"; readonly name: ExternName; readonly type: ExternTypeRef }
  | { readonly kind: "export"; readonly name: ExternName; readonly item: SortIndex; readonly type?: ExternTypeRef | undefined }
  | { readonly kind: "value"; readonly type: ValTypeRef; readonly bytes: Uint8Array }
);

export type DefinitionOf<K extends Definition["kind"]> = Extract<Definition, { kind: K }>;

export type CoreInstanceExpr =
  | {
      readonly kind: "instantiate";
      readonly module: number;
      readonly args: readonly { readonly name: string; readonly instance: number }[];
    }
  | { readonly kind: "exports"; readonly exports: readonly { readonly name: string; readonly item: SortIndex }[] };

export type InstanceExpr =
  | {
      readonly kind: "instantiate";
      readonly component: number;
      readonly args: readonly { readonly name: string; readonly item: SortIndex }[];
    }
  | { readonly kind: "exports"; readonly exports: readonly { readonly name: ExternName; readonly item: SortIndex }[] };

export type Alias =
  | { readonly kind: "export"; readonly sort: ComponentSort | "core module"; readonly instance: number; readonly name: string }
  | { readonly kind: "core-export"; readonly sort: CoreSort; readonly instance: number; readonly name: string }
  | { readonly kind: "outer"; readonly sort: Sort; readonly count: number; readonly index: number };

/** The name of an import or export with its attributes. */
export interface ExternName {
  readonly name: string;
  readonly implements?: string | undefined;
  readonly versionSuffix?: string | undefined;
  readonly externalId?: string | undefined;
}

/** A type index, or a primitive. */
export type ValTypeRef = number | PrimitiveKind;

export interface FieldRef {
  readonly name: string;
  readonly type: ValTypeRef;
}

export type DefValType =
  | { readonly kind: "primitive"; readonly primitive: PrimitiveKind }
  | { readonly kind: "record"; readonly fields: readonly FieldRef[] }
  | { readonly kind: "variant"; readonly cases: readonly { readonly name: string; readonly type?: ValTypeRef | undefined }[] }
  | { readonly kind: "list"; readonly element: ValTypeRef; readonly length?: number | undefined }
  | { readonly kind: "tuple"; readonly types: readonly ValTypeRef[] }
  | { readonly kind: "flags"; readonly labels: readonly string[] }
  | { readonly kind: "enum"; readonly labels: readonly string[] }
  | { readonly kind: "option"; readonly type: ValTypeRef }
  | { readonly kind: "result"; readonly ok?: ValTypeRef | undefined; readonly error?: ValTypeRef | undefined }
  | { readonly kind: "own"; readonly type: number }
  | { readonly kind: "borrow"; readonly type: number }
  | { readonly kind: "stream"; readonly element?: ValTypeRef | undefined }
  | { readonly kind: "future"; readonly element?: ValTypeRef | undefined }
  | { readonly kind: "map"; readonly key: ValTypeRef; readonly value: ValTypeRef };

export interface FuncTypeDef {
  readonly kind: "func";
  readonly async: boolean;
  readonly params: readonly FieldRef[];
  readonly result?: ValTypeRef | undefined;
}

export interface ResourceTypeDef {
  readonly kind: "resource";
  readonly rep: "i32" | "i64";
  readonly dtor?: number | undefined;
}

export type TypeDef =
  | DefValType
  | FuncTypeDef
  | ResourceTypeDef
  | { readonly kind: "component"; readonly declarators: readonly Declarator[] }
  | { readonly kind: "instance"; readonly declarators: readonly Declarator[] };

/** A declaration inside a component or instance type (`import` only inside component types). */
export type Declarator = { readonly offset: number } & (
  | { readonly kind: "core-type"; readonly type: CoreTypeDef }
  | { readonly kind: "type"; readonly type: TypeDef }
  | { readonly kind: "alias"; readonly alias: Alias }
  | { readonly kind: "import"; readonly name: ExternName; readonly type: ExternTypeRef }
  | { readonly kind: "export"; readonly name: ExternName; readonly type: ExternTypeRef }
);

export type ExternTypeRef =
  | { readonly kind: "core-module"; readonly type: number }
  | { readonly kind: "func"; readonly type: number }
  | { readonly kind: "component"; readonly type: number }
  | { readonly kind: "instance"; readonly type: number }
  | { readonly kind: "type"; readonly bound: { readonly kind: "eq"; readonly type: number } | { readonly kind: "sub-resource" } }
  | {
      readonly kind: "value";
      readonly bound: { readonly kind: "eq"; readonly value: number } | { readonly kind: "type"; readonly type: ValTypeRef };
    };

/** Core types are kept as their bytes' meaning needs: a module type whole, others as decoded by `core-types.ts`. */
export type CoreTypeDef =
  | { readonly kind: "module"; readonly declarators: readonly CoreDeclarator[] }
  | { readonly kind: "rec"; readonly types: readonly CoreSubType[] };

export type CoreDeclarator = { readonly offset: number } & (
  | { readonly kind: "import"; readonly module: string; readonly name: string; readonly type: CoreExternType }
  | { readonly kind: "type"; readonly type: CoreTypeDef }
  | { readonly kind: "alias"; readonly count: number; readonly index: number }
  | { readonly kind: "export"; readonly name: string; readonly type: CoreExternType }
);

export interface CoreSubType {
  readonly final: boolean;
  readonly supertypes: readonly number[];
  readonly type:
    | { readonly kind: "func"; readonly params: readonly CoreValType[]; readonly results: readonly CoreValType[] }
    | { readonly kind: "struct"; readonly fields: readonly CoreFieldType[] }
    | { readonly kind: "array"; readonly field: CoreFieldType };
}

export interface CoreFieldType {
  readonly type: CoreValType | "i8" | "i16";
  readonly mutable: boolean;
}

export type CoreNumType = "i32" | "i64" | "f32" | "f64" | "v128";
export type CoreValType = CoreNumType | CoreRefType;

export interface CoreRefType {
  readonly nullable: boolean;
  /** An abstract heap type by name (`func`, `extern`, `any`, …) or a type index. */
  readonly heap: string | number;
}

export interface CoreLimits {
  readonly min: bigint;
  readonly max?: bigint | undefined;
  readonly shared: boolean;
  readonly addressType: "i32" | "i64";
}

export type CoreExternType =
  | { readonly kind: "func"; readonly type: number }
  | { readonly kind: "table"; readonly element: CoreRefType; readonly limits: CoreLimits }
  | { readonly kind: "memory"; readonly limits: CoreLimits; readonly pageSizeLog2?: number | undefined }
  | { readonly kind: "global"; readonly type: CoreValType; readonly mutable: boolean }
  | { readonly kind: "tag"; readonly type: number };

export interface CanonOptions {
  readonly stringEncoding: "utf8" | "utf16" | "latin1+utf16";
  readonly memory?: number | undefined;
  readonly realloc?: number | undefined;
  readonly postReturn?: number | undefined;
  readonly async: boolean;
  readonly callback?: number | undefined;
  /** The core signature and the GC representation of values: proposed, decoded so that `inspect` can read them. */
  readonly coreType?: number | undefined;
  readonly gc?: boolean | undefined;
}

/** Every canonical definition. The built-ins carry the name of the specification as `kind`. */
export type Canon =
  | { readonly kind: "lift"; readonly func: number; readonly options: CanonOptions; readonly type: number }
  | { readonly kind: "lower"; readonly func: number; readonly options: CanonOptions }
  | { readonly kind: "resource.new" | "resource.drop" | "resource.rep"; readonly type: number }
  | { readonly kind: "task.return"; readonly result?: ValTypeRef | undefined; readonly options: CanonOptions }
  | {
      readonly kind:
        | "backpressure.inc" | "backpressure.dec" | "task.cancel" | "subtask.drop" | "error-context.drop"
        | "waitable-set.new" | "waitable-set.drop" | "waitable.join" | "thread.index" | "thread.resume-later"; // prettier-ignore
    }
  | { readonly kind: "context.get" | "context.set"; readonly type: CoreNumType; readonly index: number }
  | { readonly kind: "subtask.cancel"; readonly async: boolean }
  | {
      readonly kind:
        | "stream.new"
        | "stream.drop-readable"
        | "stream.drop-writable"
        | "future.new"
        | "future.drop-readable"
        | "future.drop-writable";
      readonly type: number;
    }
  | {
      readonly kind: "stream.read" | "stream.write" | "future.read" | "future.write";
      readonly type: number;
      readonly options: CanonOptions;
    }
  | {
      readonly kind: "stream.cancel-read" | "stream.cancel-write" | "future.cancel-read" | "future.cancel-write";
      readonly type: number;
      readonly async: boolean;
    }
  | { readonly kind: "error-context.new" | "error-context.debug-message"; readonly options: CanonOptions }
  | { readonly kind: "waitable-set.wait" | "waitable-set.poll"; readonly cancellable: boolean; readonly memory: number }
  | { readonly kind: "thread.new-indirect"; readonly type: number; readonly table: number }
  | {
      readonly kind:
        | "thread.suspend" | "thread.yield" | "thread.suspend-then-resume" | "thread.yield-then-resume"
        | "thread.suspend-then-promote" | "thread.yield-then-promote"; // prettier-ignore
      readonly cancellable: boolean;
    }
  | { readonly kind: "thread.spawn-ref"; readonly shared: boolean; readonly type: number }
  | { readonly kind: "thread.spawn-indirect"; readonly shared: boolean; readonly type: number; readonly table: number }
  | { readonly kind: "thread.available-parallelism"; readonly shared: boolean };

type WithKind<C, K> = C extends { readonly kind: infer Kinds }
  ? [Extract<K, Kinds>] extends [never]
    ? never
    : C & { readonly kind: Extract<K, Kinds> }
  : never;

/** The canonical definitions of some kinds. */
export type CanonOf<K extends Canon["kind"]> = WithKind<Canon, K>;
