// Asks V8 which instructions it has, and what follows each of them.

import assert from "node:assert/strict";
import { test } from "node:test";
import { ALL_OPTIONS, isValid } from "../../../test/instrumented.ts";
import { wat } from "../../../test/wat.ts";
import { readCoreModule } from "../core-module.ts";
import { ByteWriter } from "./byte-writer.ts";
import { instrument } from "./instrument.ts";
import { IMMEDIATES, Immediates, instruction, isPrefix, OPCODES_PER_PREFIX } from "./instruction-table.ts";

interface Opcode {
  readonly name: string;
  readonly bytes: readonly number[];
  readonly immediates: number;
}

const OPCODES: readonly Opcode[] = Array.from({ length: 256 }, (_, first): Opcode[] => {
  const hex = `0x${first.toString(16)}`;
  if (!isPrefix(first)) return [{ name: hex, bytes: [first], immediates: IMMEDIATES[first] ?? 0 }];
  return Array.from({ length: OPCODES_PER_PREFIX }, (_, second) => ({
    name: `${hex} ${second}`,
    bytes: [first, ...new ByteWriter(4).unsigned(second).written],
    immediates: IMMEDIATES[instruction(first, second)] ?? 0,
  }));
}).flat();

/** Behind a flag, but for this check V8 looks at the type first; types of that kind are behind the flag too. */
const OF_CUSTOM_DESCRIPTORS: ReadonlySet<string> = new Set(["0xfb 32", "0xfb 33"]);

test("the instructions in the table are exactly those that V8 has", () => {
  const wrong = OPCODES.filter(({ name, bytes, immediates }) => {
    const known = immediates !== Immediates.unknown;
    return known !== isOpcodeOfV8(bytes) && !OF_CUSTOM_DESCRIPTORS.has(name);
  });
  assert.deepEqual(
    wrong.map(({ name }) => name),
    [],
  );
});

function isOpcodeOfV8(opcode: readonly number[]): boolean {
  const body = [0, 0x00, ...opcode, 0, 0, 0, 0, 0x0b];
  const code = [0x0a, body.length + 2, 1, body.length, ...body];
  try {
    void new WebAssembly.Module(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 0x60, 0, 0, 3, 2, 1, 0, ...code]));
    return true;
  } catch (error) {
    assert.ok(error instanceof WebAssembly.CompileError);
    return !/invalid \w*\s?opcode/i.test(error.message);
  }
}

/** Has something of every kind; its only function is replaced. */
const BASE = `(module
  (type (func))
  (type (struct (field (mut i8)) (field (mut i32))))
  (type (array (mut i8)))
  (type (array (mut i32)))
  (type (array (mut funcref)))
  (table 1 funcref) (memory 1) (tag) (global (mut i32) (i32.const 0))
  (export "f" (func 0))
  (elem funcref) (func (data.drop 0)) (data ""))`;

const ALTERNATIVES: Readonly<Record<number, readonly (readonly number[])[]>> = {
  [Immediates.none]: [[]],
  [Immediates.blockType]: [[0x40]],
  [Immediates.label]: [[0]],
  [Immediates.labels]: [[1, 0, 0]],
  [Immediates.func]: [[0]],
  [Immediates.typeTable]: [[0, 0]],
  [Immediates.type]: [[0], [1], [2], [3]],
  [Immediates.local]: [[0]],
  [Immediates.global]: [[0]],
  [Immediates.table]: [[0]],
  [Immediates.memory]: [[0]],
  [Immediates.memoryAccess]: [0, 1, 2, 3, 4].map((align) => [align, 0]),
  [Immediates.memoryAccessLane]: [[0, 0, 0]],
  [Immediates.i32]: [[0xff, 0x00]],
  [Immediates.i64]: [[0xff, 0x00]],
  [Immediates.bytes1]: [[0]],
  [Immediates.bytes4]: [[1, 2, 3, 4]],
  [Immediates.bytes8]: [[1, 2, 3, 4, 5, 6, 7, 8]],
  [Immediates.bytes16]: [Array.from({ length: 16 }, (_, i) => i)],
  [Immediates.valueTypes]: [[1, 0x7f]],
  [Immediates.heapType]: [[0x6e]],
  [Immediates.tag]: [[0]],
  [Immediates.tryTable]: [[0x40, 2, 0, 0, 0, 2, 0]],
  [Immediates.dataMemory]: [[0, 0]],
  [Immediates.data]: [[0]],
  [Immediates.memoryMemory]: [[0, 0]],
  [Immediates.elementTable]: [[0, 0]],
  [Immediates.element]: [[0]],
  [Immediates.tableTable]: [[0, 0]],
  [Immediates.typeNumber]: [
    [1, 0],
    [1, 1],
    [2, 1],
  ],
  [Immediates.typeType]: [[2, 2]],
  [Immediates.typeData]: [[2, 0]],
  [Immediates.typeElement]: [[4, 0]],
  [Immediates.castLabel]: [[3, 0, 0x6e, 0x6d]],
  [Immediates.delegate]: [[0]],
};

/** What can stand around an instruction; the stack in front of it is that of unreachable code. */
const CONTEXTS: readonly (readonly [before: readonly number[], behind: readonly number[]])[] = [
  [[0x00], [0x00]],
  [[0x00], [0x00, 0x0b]], // a frame
  [
    [0x02, 0x6e, 0x00],
    [0x00, 0x0b, 0x1a],
  ], // (block (result anyref) …)
  [
    [0x00, 0x04, 0x40],
    [0x00, 0x0b],
  ], // if
  [
    [0x06, 0x40, 0x00],
    [0x00, 0x0b],
  ], // try
  [[0x06, 0x40, 0x00], []],
  [
    [0x06, 0x40, 0x19, 0x00],
    [0x00, 0x0b],
  ], // catch_all
];

test("V8 agrees about what follows each instruction, and takes all of them rewritten", async () => {
  const base = await wat(BASE);
  for (const { name, bytes, immediates } of OPCODES) {
    if (immediates === Immediates.unknown || name === "0xb") continue;
    const candidates = (ALTERNATIVES[immediates] ?? []).flatMap((alternative) =>
      CONTEXTS.map(([before, behind]) => withBody(base, [...before, ...bytes, ...alternative, ...behind])),
    );
    const valid = candidates.find(isValid);
    assert.ok(valid !== undefined, `${name} does not have the immediates that the table says`);
    for (const options of ALL_OPTIONS)
      assert.ok(isValid(instrument(valid, options).bytes), `${name} with ${JSON.stringify(options)}`);
  }
});

/** The module with another body, which has a local i32. */
function withBody(module: Uint8Array, code: readonly number[]): Uint8Array {
  const section = readCoreModule(module).sections.find(({ id }) => id === 10);
  assert.ok(section !== undefined);
  const body = new ByteWriter().byte(1).byte(1).byte(0x7f).append(Uint8Array.from(code)).byte(0x0b).written;
  const content = new ByteWriter().byte(1).unsigned(body.length).append(body).written;
  const out = new ByteWriter().copy(module, 0, section.header).byte(10).unsigned(content.length).append(content);
  return out.copy(module, section.end, module.length).written.slice();
}

test("an instruction that is not known is a clear error", () => {
  // i64.add128 of the wide arithmetic proposal
  const module = new Uint8Array([
    0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 0x60, 0, 0, 3, 2, 1, 0, 0x0a, 7, 1, 5, 0, 0, 0xfc, 19, 0x0b,
  ]);
  assert.throws(() => instrument(module, { fuel: true }, 100), {
    code: "component/not-supported-yet",
    message: "unknown instruction 0xfc 19",
    at: "byte 0x7c",
  });
});
