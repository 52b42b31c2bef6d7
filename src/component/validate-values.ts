// Value definitions and the start function: values have a type, and each is used exactly once.

import { ByteReader } from "./binary.ts";
import type { DefinitionOf } from "./component.ts";
import { quote } from "./extern-names.ts";
import type { Scope } from "./scope.ts";
import type { ValNode } from "./type-model.ts";
import { resolveVal } from "./validate-val-types.ts";

export function validateValue(scope: Scope, { type, bytes, offset }: DefinitionOf<"value">): void {
  const node = resolveVal(scope, type);
  const reader = new ByteReader(bytes, offset);
  skipValue(scope, reader, node);
  if (reader.remaining > 0) throw reader.fail("the value is shorter than its bytes");
  scope.add({ kind: "value", type: node });
}

export function validateStart(scope: Scope, start: DefinitionOf<"start">): void {
  const func = scope.func(start.func);
  if (func.params.length !== start.args.length) {
    throw scope.fail(`the start function takes ${func.params.length} parameters, ${start.args.length} are given`);
  }
  for (const [i, index] of start.args.entries()) {
    const param = func.params[i];
    const value = scope.useValue(index);
    if (param !== undefined && value.info.id !== param.type.info.id) {
      throw scope.fail(`argument ${quote(param.name)} of the start function has another type`);
    }
  }
  if (start.results !== (func.result === undefined ? 0 : 1)) throw scope.fail("the start function has another number of results");
  if (func.result !== undefined) scope.add({ kind: "value", type: func.result });
}

export function checkValuesUsed(scope: Scope): void {
  const unused = scope.values.findIndex((value) => !value.used);
  if (unused >= 0) throw scope.fail(`value ${unused} is never used: each value must be used exactly once`);
}

/** Reads one value of a type: proves that the bytes are one. */
function skipValue(scope: Scope, reader: ByteReader, node: ValNode): void {
  scope.factory.step();
  const { shape } = node;
  switch (shape.kind) {
    case "primitive":
      return skipPrimitive(scope, reader, shape.primitive);
    case "record":
      for (const field of shape.fields) skipValue(scope, reader, field.type);
      return;
    case "tuple":
      for (const type of shape.types) skipValue(scope, reader, type);
      return;
    case "variant": {
      const taken = shape.cases[skipDiscriminant(reader, shape.cases.length)];
      if (taken?.type !== undefined) skipValue(scope, reader, taken.type);
      return;
    }
    case "enum":
      skipDiscriminant(reader, shape.labels.length);
      return;
    case "flags":
      reader.take(Math.ceil(shape.labels.length / 8), "flags");
      return;
    case "option":
      if (reader.flag("option")) skipValue(scope, reader, shape.type);
      return;
    case "result": {
      const payload = reader.flag("result") ? shape.error : shape.ok;
      if (payload !== undefined) skipValue(scope, reader, payload);
      return;
    }
    case "list": {
      const length = shape.length ?? reader.count("elements");
      for (let i = 0; i < length; i++) skipValue(scope, reader, shape.element);
      return;
    }
    case "map": {
      const length = reader.count("entries");
      for (let i = 0; i < length; i++) {
        skipValue(scope, reader, shape.key);
        skipValue(scope, reader, shape.value);
      }
      return;
    }
    case "own":
    case "borrow":
    case "stream":
    case "future":
      throw scope.fail(`a value cannot hold a ${shape.kind}`);
  }
}

function skipDiscriminant(reader: ByteReader, cases: number): number {
  const at = reader.pos;
  const index = reader.u32("case");
  if (index >= cases) throw reader.fail(`the type has no case ${index}`, at);
  return index;
}

function skipPrimitive(
  scope: Scope,
  reader: ByteReader,
  primitive: Extract<ValNode["shape"], { kind: "primitive" }>["primitive"],
): void {
  switch (primitive) {
    case "bool":
      reader.flag("bool");
      return;
    case "s8":
    case "u8":
      reader.byte(primitive);
      return;
    case "s16":
    case "s32":
    case "s64":
      reader.signed(Number(primitive.slice(1)), primitive);
      return;
    case "u16":
    case "u32": {
      const at = reader.pos;
      if (reader.u32(primitive) >= 2 ** Number(primitive.slice(1))) throw reader.fail("the value is too large", at);
      return;
    }
    case "u64":
      reader.u64(primitive);
      return;
    case "f32":
      reader.take(4, primitive);
      return;
    case "f64":
      reader.take(8, primitive);
      return;
    case "char":
      skipChar(reader);
      return;
    case "string":
      reader.name(primitive);
      return;
    case "error-context":
      throw scope.fail("a value cannot hold an error-context");
  }
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function skipChar(reader: ByteReader): void {
  const at = reader.pos;
  const lead = reader.peek() ?? 0;
  const bytes = reader.take(lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4, "char");
  try {
    utf8.decode(bytes);
  } catch {
    throw reader.fail("the char is not valid UTF-8", at);
  }
}
