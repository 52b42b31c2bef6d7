import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { arbitraryTyped } from "../../wit/arbitrary.ts";
import type { ValType } from "../../wit/types.ts";
import { equalValues } from "../../wit/value.ts";
import { ComponentInstance } from "../instance.ts";
import { codecs, codecsOf } from "./codec.ts";
import { AbiContext, type StringEncoding } from "./context.ts";
import { alignTo, layoutOf, type PointerSize } from "./layout.ts";
import { LinearMemory } from "./memory.ts";

/** One side of a call over a real memory, with an allocator that checks what it is asked for. */
function side(encoding: StringEncoding, pointer: PointerSize): AbiContext {
  const descriptor = pointer === 4 ? { initial: 16 } : { initial: 16n, address: "i64" };
  const memory = new LinearMemory(new WebAssembly.Memory(descriptor as WebAssembly.MemoryDescriptor));
  assert.equal(memory.pointer, pointer);
  let next = 8;
  const realloc = (old: unknown, oldSize: unknown, align: unknown, size: unknown): unknown => {
    const at = alignTo(next, Number(align));
    memory.bytes.copyWithin(at, Number(old), Number(old) + Math.min(Number(oldSize), Number(size)));
    next = at + Number(size);
    assert.ok(next < memory.size, "the test's memory is large enough");
    return pointer === 4 ? at : BigInt(at);
  };
  return new AbiContext(new ComponentInstance(undefined), encoding, memory, realloc, codecsOf(pointer));
}

const encodings = fc.constantFrom<StringEncoding>("utf8", "utf16", "latin1+utf16");
const pointers = fc.constantFrom<PointerSize>(4, 8);
const same = (type: ValType, a: unknown, b: unknown): void => {
  assert.ok(equalValues(type, a, b), `${JSON.stringify(type)}: a value changed on its way`);
};

test("a value stored in memory is loaded as it was, in every encoding and pointer size", () => {
  fc.assert(
    fc.property(arbitraryTyped(), encodings, pointers, ({ type, value }, encoding, pointer) => {
      const cx = side(encoding, pointer);
      const codec = codecs("host", pointer).of(type);
      const at = cx.allocate(codec.align, codec.size, "value");
      codec.store(cx, at, value);
      cx.startLifting();
      same(type, codec.load(cx, at), value);
    }),
    { numRuns: 1000 },
  );
});

test("a value lowered to core values is lifted as it was", () => {
  fc.assert(
    fc.property(arbitraryTyped(), encodings, pointers, ({ type, value }, encoding, pointer) => {
      const codec = codecs("host", pointer).of(type);
      if (codec.flat === undefined) return;
      const cx = side(encoding, pointer);
      const flat = new Array<unknown>(codec.flat.length);
      codec.lowerFlat(cx, value, flat, 0);
      codec.flat.forEach((core, i) => {
        assert.equal(typeof flat[i], core === "i64" ? "bigint" : "number", `core value ${i} is of type ${core}`);
      });
      cx.startLifting();
      same(type, codec.liftFlat(cx, flat, 0), value);
    }),
    { numRuns: 1000 },
  );
});

test("a value that passes from guest to guest arrives as it was, whatever the two encodings", () => {
  fc.assert(
    fc.property(
      arbitraryTyped(),
      encodings,
      encodings,
      pointers,
      pointers,
      ({ type, value }, from, to, fromPointer, toPointer) => {
        const [sender, receiver] = [side(from, fromPointer), side(to, toPointer)];
        const [hostOut, guestOut] = [codecs("host", fromPointer).of(type), codecs("guest", fromPointer).of(type)];
        const [hostIn, guestIn] = [codecs("host", toPointer).of(type), codecs("guest", toPointer).of(type)];
        const sent = sender.allocate(hostOut.align, hostOut.size, "value");
        hostOut.store(sender, sent, value);
        const received = receiver.allocate(hostIn.align, hostIn.size, "value");
        sender.startLifting();
        guestIn.store(receiver, received, guestOut.load(sender, sent));
        receiver.startLifting();
        same(type, hostIn.load(receiver, received), value);
      },
    ),
    { numRuns: 1000 },
  );
});

test("sizes, alignments and flat types are those of the canonical ABI", () => {
  const record: ValType = {
    kind: "record",
    fields: [
      { name: "a", type: { kind: "u8" } },
      { name: "b", type: { kind: "string" } },
      { name: "c", type: { kind: "option", type: { kind: "f32" } } },
      { name: "d", type: { kind: "u64" } },
    ],
  };
  assert.deepEqual(layoutOf(record, 4), { size: 32, align: 8, flat: ["i32", "i32", "i32", "i32", "f32", "i64"] });
  assert.deepEqual(layoutOf(record, 8), { size: 40, align: 8, flat: ["i32", "i64", "i64", "i32", "f32", "i64"] });
  const variant: ValType = {
    kind: "variant",
    cases: [
      { name: "a", type: { kind: "f32" } },
      { name: "b", type: { kind: "u32" } },
      { name: "c", type: { kind: "f64" } },
      { name: "d" },
    ],
  };
  assert.deepEqual(layoutOf(variant, 4), { size: 16, align: 8, flat: ["i32", "i64"] });
  const wide: ValType = { kind: "tuple", types: Array.from({ length: 17 }, (): ValType => ({ kind: "u8" })) };
  assert.deepEqual(layoutOf(wide, 4), { size: 17, align: 1, flat: undefined });
  assert.equal(layoutOf({ kind: "enum", labels: Array.from({ length: 257 }, (_, i) => `l${i}`) }, 4).size, 2);
  assert.equal(layoutOf({ kind: "flags", labels: Array.from({ length: 9 }, (_, i) => `l${i}`) }, 4).size, 2);
});
