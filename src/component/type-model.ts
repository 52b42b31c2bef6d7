// The types that validation works with: value types with their facts computed once (equality number, size, depth, layout),
// and the types of everything else. A type object is also an identity: what an import or export names is that object.
// Bounds: expanded size (MAX_TYPE_SIZE), nesting (MAX_VALUE_TYPE_DEPTH, MAX_TYPE_DEPTH), bytes of a value (MAX_VALUE_BYTES), work (MAX_STEPS).

import type { PrimitiveKind } from "../wit/types.ts";
import type { ExternName } from "./component.ts";
import { CoreTypes, type ModuleType } from "./core-types.ts";
import { invalid } from "./binary.ts";

/** The size of a type with everything it refers to written out. */
const MAX_TYPE_SIZE = 1_000_000;
const MAX_VALUE_TYPE_DEPTH = 100;
const MAX_TYPE_DEPTH = 2 * MAX_VALUE_TYPE_DEPTH;
/** Exclusive bound on the bytes of a value in memory with 64-bit pointers (Canonical ABI, element size). */
const MAX_VALUE_BYTES = 2 ** 28;
/** Bounds the work of a whole validation: types substituted, compared or looked through. */
export const MAX_STEPS = 1_000_000;

/** A resource type's identity. */
export interface Resource {
  readonly id: number;
}

/** One name for a resource type: an import, export or definition of it. */
export interface ResourceRef {
  readonly kind: "resource";
  readonly resource: Resource;
}

export interface NamedVal {
  readonly name: string;
  readonly type: ValNode;
}

export type ValShape =
  | { readonly kind: "primitive"; readonly primitive: PrimitiveKind }
  | { readonly kind: "record"; readonly fields: readonly NamedVal[] }
  | { readonly kind: "variant"; readonly cases: readonly { readonly name: string; readonly type?: ValNode | undefined }[] }
  | { readonly kind: "list"; readonly element: ValNode; readonly length?: number | undefined }
  | { readonly kind: "tuple"; readonly types: readonly ValNode[] }
  | { readonly kind: "flags" | "enum"; readonly labels: readonly string[] }
  | { readonly kind: "option"; readonly type: ValNode }
  | { readonly kind: "result"; readonly ok?: ValNode | undefined; readonly error?: ValNode | undefined }
  | { readonly kind: "own" | "borrow"; readonly resource: ResourceRef }
  | { readonly kind: "stream" | "future"; readonly element?: ValNode | undefined }
  | { readonly kind: "map"; readonly key: ValNode; readonly value: ValNode };

/** What a type costs, and what it mentions. */
interface TypeInfo {
  readonly size: number;
  readonly depth: number;
  readonly resources: boolean;
  /** Whether it mentions anything whose identity matters: resources, records, variants, enums, flags. */
  readonly identities: boolean;
}

export interface ValInfo extends TypeInfo {
  /** Equal types have equal numbers. */
  readonly id: number;
  readonly borrow: boolean;
  /** Whether a value keeps part of itself elsewhere in memory: strings, lists, maps. */
  readonly pointer: boolean;
  /** Bytes and alignment in memory with 64-bit pointers. */
  readonly bytes: number;
  readonly alignment: number;
}

export interface ValNode {
  readonly kind: "value";
  readonly shape: ValShape;
  readonly info: ValInfo;
}

export interface FuncNode {
  readonly kind: "func";
  readonly async: boolean;
  readonly params: readonly NamedVal[];
  readonly result?: ValNode | undefined;
  readonly info: TypeInfo;
}

/** A resource that an instance or component type introduces, and the names that lead to it. */
export interface BoundResource {
  readonly resource: Resource;
  readonly path: readonly string[];
}

/** An import or export: its name with attributes, and its type. */
export interface Extern {
  readonly name: ExternName;
  readonly type: Entity;
}

export type Externs = ReadonlyMap<string, Extern>;

/** An instance type. `defined` lists what is fresh for every instance; empty in the type of an actual instance. */
export interface InstanceNode {
  readonly kind: "instance";
  readonly exports: Externs;
  readonly defined: readonly BoundResource[];
  readonly info: TypeInfo;
}

/** A component type: `imported` stands for what it is given, `defined` is fresh for every instance. */
export interface ComponentNode {
  readonly kind: "component";
  readonly imports: Externs;
  readonly exports: Externs;
  readonly imported: readonly BoundResource[];
  readonly defined: readonly BoundResource[];
  readonly info: TypeInfo;
}

/** What the type index space holds. */
export type AnyType = ValNode | ResourceRef | FuncNode | InstanceNode | ComponentNode;

export type Entity =
  | { readonly kind: "func"; readonly type: FuncNode }
  | { readonly kind: "instance"; readonly type: InstanceNode }
  | { readonly kind: "component"; readonly type: ComponentNode }
  | { readonly kind: "core-module"; readonly type: ModuleType }
  | { readonly kind: "value"; readonly type: ValNode }
  | { readonly kind: "type"; readonly type: AnyType };

const NO_TYPES: TypeInfo = { size: 1, depth: 1, resources: false, identities: false };
const RESOURCE: TypeInfo = { size: 1, depth: 1, resources: true, identities: true };

/** Makes types and counts the work of one validation; `offset` is where the definition in hand lies. */
export class TypeFactory {
  readonly core = new CoreTypes();
  offset = 0;
  #steps = 0;
  #resources = 0;
  readonly #ids = new Map<string, number>();
  readonly #primitives = new Map<PrimitiveKind, ValNode>();

  /** The error for the definition in hand. */
  fail(message: string, cure?: string): Error {
    return invalid(this.offset, message, cure);
  }

  step(count = 1): void {
    this.#steps += count;
    if (this.#steps > MAX_STEPS) throw this.fail("the types of this component are too large to check");
  }

  resource(): ResourceRef {
    return { kind: "resource", resource: { id: this.#resources++ } };
  }

  primitive(primitive: PrimitiveKind): ValNode {
    let node = this.#primitives.get(primitive);
    if (node === undefined) {
      node = this.value({ kind: "primitive", primitive });
      this.#primitives.set(primitive, node);
    }
    return node;
  }

  value(shape: ValShape): ValNode {
    const parts = partsOf(shape);
    const { kind } = shape;
    const key = keyOf(shape);
    this.step(key.length >> 3);
    const handle = kind === "own" || kind === "borrow";
    const nominal = kind === "record" || kind === "variant" || kind === "enum" || kind === "flags";
    const sum = this.#sum(
      parts.map((part) => part.info),
      MAX_VALUE_TYPE_DEPTH,
    );
    const info: ValInfo = {
      ...sum,
      resources: handle || sum.resources,
      identities: handle || nominal || sum.identities,
      id: this.#intern(key),
      borrow: kind === "borrow" || parts.some((part) => part.info.borrow),
      pointer: hasPointer(shape, parts),
      ...layoutOf(shape),
    };
    if (info.bytes >= MAX_VALUE_BYTES)
      throw this.fail(`a value of this type takes ${info.bytes} bytes; ${MAX_VALUE_BYTES} is too much`);
    return { kind: "value", shape, info };
  }

  func(async: boolean, params: readonly NamedVal[], result: ValNode | undefined): FuncNode {
    const infos = params.map((param) => param.type.info);
    if (result !== undefined) infos.push(result.info);
    return { kind: "func", async, params, result, info: this.#sum(infos, MAX_TYPE_DEPTH) };
  }

  instance(exports: Externs, defined: readonly BoundResource[] = []): InstanceNode {
    return { kind: "instance", exports, defined, info: this.#sum(externInfos(exports), MAX_TYPE_DEPTH) };
  }

  component(
    imports: Externs,
    exports: Externs,
    imported: readonly BoundResource[],
    defined: readonly BoundResource[],
  ): ComponentNode {
    const info = this.#sum([...externInfos(imports), ...externInfos(exports)], MAX_TYPE_DEPTH);
    return { kind: "component", imports, exports, imported, defined, info };
  }

  #sum(parts: readonly TypeInfo[], deepest: number): TypeInfo {
    this.step(parts.length + 1);
    let size = 1;
    let depth = 0;
    let resources = false;
    let identities = false;
    for (const part of parts) {
      size += part.size;
      depth = Math.max(depth, part.depth);
      resources ||= part.resources;
      identities ||= part.identities;
    }
    if (size > MAX_TYPE_SIZE) throw this.fail(`the type is too large: more than ${MAX_TYPE_SIZE} parts when written out`);
    if (depth >= deepest) throw this.fail(`the type is nested more than ${deepest} levels deep`);
    return { size, depth: depth + 1, resources, identities };
  }

  #intern(key: string): number {
    let id = this.#ids.get(key);
    if (id === undefined) {
      id = this.#ids.size;
      this.#ids.set(key, id);
    }
    return id;
  }
}

function externInfos(externs: Externs): TypeInfo[] {
  return Array.from(externs.values(), (item) => infoOf(item.type));
}

export function infoOf(entity: Entity): TypeInfo {
  return entity.kind === "type" ? infoOfType(entity.type) : entity.kind === "core-module" ? NO_TYPES : entity.type.info;
}

export function infoOfType(type: AnyType): TypeInfo {
  return type.kind === "resource" ? RESOURCE : type.info;
}

/** The value types that a value type is made of. */
export function partsOf(shape: ValShape): readonly ValNode[] {
  switch (shape.kind) {
    case "primitive":
    case "flags":
    case "enum":
    case "own":
    case "borrow":
      return [];
    case "record":
      return shape.fields.map((field) => field.type);
    case "variant":
      return shape.cases.flatMap((c) => c.type ?? []);
    case "tuple":
      return shape.types;
    case "list":
      return [shape.element];
    case "option":
      return [shape.type];
    case "result":
      return [shape.ok ?? [], shape.error ?? []].flat();
    case "stream":
    case "future":
      return shape.element === undefined ? [] : [shape.element];
    case "map":
      return [shape.key, shape.value];
  }
}

/** The same shape with every part and resource replaced. */
export function mapShape(
  shape: ValShape,
  val: (part: ValNode) => ValNode,
  ref: (resource: ResourceRef) => ResourceRef,
): ValShape {
  const optional = (part: ValNode | undefined): ValNode | undefined => (part === undefined ? undefined : val(part));
  switch (shape.kind) {
    case "primitive":
    case "flags":
    case "enum":
      return shape;
    case "own":
    case "borrow":
      return { kind: shape.kind, resource: ref(shape.resource) };
    case "record":
      return { kind: "record", fields: shape.fields.map(({ name, type }) => ({ name, type: val(type) })) };
    case "variant":
      return { kind: "variant", cases: shape.cases.map(({ name, type }) => ({ name, type: optional(type) })) };
    case "tuple":
      return { kind: "tuple", types: shape.types.map(val) };
    case "list":
      return { kind: "list", element: val(shape.element), length: shape.length };
    case "option":
      return { kind: "option", type: val(shape.type) };
    case "result":
      return { kind: "result", ok: optional(shape.ok), error: optional(shape.error) };
    case "stream":
    case "future":
      return { kind: shape.kind, element: optional(shape.element) };
    case "map":
      return { kind: "map", key: val(shape.key), value: val(shape.value) };
  }
}

function keyOf(shape: ValShape): string {
  const id = (part: ValNode | undefined): string => (part === undefined ? "_" : `${part.info.id}`);
  switch (shape.kind) {
    case "primitive":
      return shape.primitive;
    case "flags":
    case "enum":
      return `${shape.kind}(${shape.labels.join(",")})`;
    case "own":
    case "borrow":
      return `${shape.kind}(${shape.resource.resource.id})`;
    case "record":
      return `record(${shape.fields.map((field) => `${field.name}:${id(field.type)}`).join(",")})`;
    case "variant":
      return `variant(${shape.cases.map((c) => `${c.name}:${id(c.type)}`).join(",")})`;
    case "tuple":
      return `tuple(${shape.types.map(id).join(",")})`;
    case "list":
      return `list(${id(shape.element)},${shape.length ?? "_"})`;
    case "option":
      return `option(${id(shape.type)})`;
    case "result":
      return `result(${id(shape.ok)},${id(shape.error)})`;
    case "stream":
    case "future":
      return `${shape.kind}(${id(shape.element)})`;
    case "map":
      return `map(${id(shape.key)},${id(shape.value)})`;
  }
}

function hasPointer(shape: ValShape, parts: readonly ValNode[]): boolean {
  if (shape.kind === "map" || (shape.kind === "list" && shape.length === undefined)) return true;
  if (shape.kind === "stream" || shape.kind === "future") return false;
  return shape.kind === "primitive" ? shape.primitive === "string" : parts.some((part) => part.info.pointer);
}

interface Layout {
  readonly bytes: number;
  readonly alignment: number;
}

const POINTER_AND_LENGTH: Layout = { bytes: 16, alignment: 8 };
const HANDLE: Layout = { bytes: 4, alignment: 4 };
const PRIMITIVE_BYTES: Readonly<Record<PrimitiveKind, number>> = {
  bool: 1,
  s8: 1,
  u8: 1,
  s16: 2,
  u16: 2,
  s32: 4,
  u32: 4,
  s64: 8,
  u64: 8,
  f32: 4,
  f64: 8,
  char: 4,
  string: 16,
  "error-context": 4,
};

function layoutOf(shape: ValShape): Layout {
  switch (shape.kind) {
    case "primitive":
      return shape.primitive === "string" ? POINTER_AND_LENGTH : square(PRIMITIVE_BYTES[shape.primitive]);
    case "map":
      return POINTER_AND_LENGTH;
    case "list": {
      if (shape.length === undefined) return POINTER_AND_LENGTH;
      const { bytes, alignment } = shape.element.info;
      return { bytes: bytes * shape.length, alignment };
    }
    case "own":
    case "borrow":
    case "stream":
    case "future":
      return HANDLE;
    case "flags":
      return square(shape.labels.length <= 8 ? 1 : shape.labels.length <= 16 ? 2 : 4);
    case "enum":
      return variantLayout(shape.labels.length, []);
    case "variant":
      return variantLayout(shape.cases.length, partsOf(shape));
    case "option":
    case "result":
      return variantLayout(2, partsOf(shape));
    case "record":
    case "tuple":
      return recordLayout(partsOf(shape));
  }
}

function square(bytes: number): Layout {
  return { bytes, alignment: bytes };
}

function alignTo(offset: number, alignment: number): number {
  return Math.ceil(offset / alignment) * alignment;
}

function recordLayout(parts: readonly ValNode[]): Layout {
  let bytes = 0;
  let alignment = 1;
  for (const { info } of parts) {
    bytes = alignTo(bytes, info.alignment) + info.bytes;
    alignment = Math.max(alignment, info.alignment);
  }
  return { bytes: alignTo(bytes, alignment), alignment };
}

function variantLayout(cases: number, parts: readonly ValNode[]): Layout {
  const discriminant = cases <= 0x100 ? 1 : cases <= 0x10000 ? 2 : 4;
  let payload = 0;
  let alignment = 1;
  for (const { info } of parts) {
    payload = Math.max(payload, info.bytes);
    alignment = Math.max(alignment, info.alignment);
  }
  const whole = Math.max(alignment, discriminant);
  return { bytes: alignTo(alignTo(discriminant, alignment) + payload, whole), alignment: whole };
}
