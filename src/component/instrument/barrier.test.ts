import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Rewritten, rewritten } from "../../../test/instrumented.ts";
import { generateCoreModule } from "../../../test/fuzz/generate-core.ts";
import { Random } from "../../../test/fuzz/random.ts";
import { wat } from "../../../test/wat.ts";
import { readCoreModule } from "../core-module.ts";
import { DIRTY_PAGE_SHIFT, DIRTY_SPILL } from "./dirty-map.ts";

const PAGE = 1 << DIRTY_PAGE_SHIFT;

/** Pages whose bytes are others than before, or that something else than zero was written to, and that no mark covers. */
function uncovered(before: Uint8Array, after: Uint8Array, map: Uint8Array): number[] {
  const wrong: number[] = [];
  for (let i = 0; i < after.length; i++) {
    if ((before[i] ?? 0) === after[i]) continue;
    const page = i >>> DIRTY_PAGE_SHIFT;
    const spilled = page > 0 && i % PAGE < DIRTY_SPILL && map[page - 1] !== 0;
    if (map[page] === 0 && !spilled) wrong.push(i);
  }
  return wrong;
}

/** The marked pages among the first ones: looking at all that a memory could have takes long. */
function marked(map: Uint8Array, pages = 256): number[] {
  const found: number[] = [];
  for (let page = 0; page < pages; page++) if (map[page] !== 0) found.push(page);
  return found;
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.every((byte, i) => byte === (b[i] ?? 0));
}

/** Forgets the marks. */
function clear(map: Uint8Array): void {
  map.fill(0, 0, 256);
}

interface Store {
  readonly name: string;
  readonly type: "i32" | "i64" | "f32" | "f64" | "v128";
  readonly size: number;
  /** Operands behind the address. */
  readonly operands: number;
  readonly lane?: boolean;
  readonly result?: boolean;
}

const PLAIN: readonly Store[] = [
  { name: "i32.store", type: "i32", size: 4, operands: 1 },
  { name: "i32.store8", type: "i32", size: 1, operands: 1 },
  { name: "i32.store16", type: "i32", size: 2, operands: 1 },
  { name: "i64.store", type: "i64", size: 8, operands: 1 },
  { name: "i64.store8", type: "i64", size: 1, operands: 1 },
  { name: "i64.store16", type: "i64", size: 2, operands: 1 },
  { name: "i64.store32", type: "i64", size: 4, operands: 1 },
  { name: "f32.store", type: "f32", size: 4, operands: 1 },
  { name: "f64.store", type: "f64", size: 8, operands: 1 },
  { name: "v128.store", type: "v128", size: 16, operands: 1 },
  ...[8, 16, 32, 64].map((bits): Store => ({
    name: `v128.store${bits}_lane`,
    type: "v128",
    size: bits / 8,
    operands: 1,
    lane: true,
  })),
];

const ATOMIC_WIDTHS = [
  ["i32", "", 4],
  ["i32", "8", 1],
  ["i32", "16", 2],
  ["i64", "", 8],
  ["i64", "8", 1],
  ["i64", "16", 2],
  ["i64", "32", 4],
] as const;

const ATOMIC: readonly Store[] = ATOMIC_WIDTHS.flatMap(([type, bits, size]): Store[] => [
  { name: `${type}.atomic.store${bits}`, type, size, operands: 1 },
  ...["add", "sub", "and", "or", "xor", "xchg", "cmpxchg"].map((operation): Store => ({
    name: `${type}.atomic.rmw${bits}.${operation}${bits === "" ? "" : "_u"}`,
    type,
    size,
    operands: operation === "cmpxchg" ? 2 : 1,
    result: true,
  })),
]);

const STORES = [...PLAIN, ...ATOMIC];

function constant(type: Store["type"], value: number): string {
  return type === "v128" ? `(v128.const i64x2 ${value} ${value})` : `(${type}.const ${value})`;
}

function storeText({ name, type, operands, lane, result }: Store, memory: string, offset: bigint, value: number): string {
  // A comparison that is not equal stores nothing; memory holds zeros.
  const values = operands === 2 ? [constant(type, 0), constant(type, value)] : [constant(type, value)];
  const store = `(${name} ${memory} offset=${offset} ${lane === true ? "1 " : ""}(local.get 0) ${values.join(" ")})`;
  return result === true ? `(drop ${store})` : store;
}

for (const [address, memories] of [
  ["i32", "(memory $a 3) (memory $b 3)"],
  ["i64", "(memory $a i64 3) (memory $b i64 3)"],
] as const)
  test(`every store instruction marks its page (addresses are ${address})`, async () => {
    const functions = STORES.flatMap((store, i) =>
      ["$a", "$b"].map(
        (memory) => `(func (export "${i}${memory}") (param ${address}) ${storeText(store, memory, BigInt(3 * store.size), -1)})`,
      ),
    );
    const bytes = await wat(`(module ${memories} ${functions.join("\n")})`);
    const made = new Rewritten(bytes, { expose: true, barrier: true });
    for (const [i, store] of STORES.entries())
      for (const [index, memory] of ["$a", "$b"].entries())
        for (const at of [0, PAGE - store.size, PAGE, 2 * PAGE, 8 * PAGE + 64, 3 * 65536 - store.size]) {
          const before = new Uint8Array(made.memory(index).buffer).slice();
          clear(made.map(0));
          clear(made.map(1));
          const start = at - 3 * store.size;
          const call = (): unknown => made.call(`${i}${memory}`, address === "i64" ? BigInt(start) : start);
          const what = `${store.name} ${memory} at ${at}`;
          if (start < 0) assert.throws(call, WebAssembly.RuntimeError, what);
          else call();
          const after = new Uint8Array(made.memory(index).buffer);
          if (start >= 0) {
            if (!store.name.includes(".and")) assert.ok(!sameBytes(after, before), what);
            assert.deepEqual(marked(made.map(index)), [start >>> DIRTY_PAGE_SHIFT], what);
            assert.deepEqual(uncovered(before, after, made.map(index)), [], what);
          }
          assert.deepEqual(marked(made.map(1 - index)), [], what);
          after.fill(0);
        }
  });

test("a store that lies across two pages marks the first, and reaches no more than the spill into the second", async () => {
  const functions = PLAIN.map((store, i) => `(func (export "${i}") (param i32) ${storeText(store, "", 0n, -1)})`);
  const made = await rewritten(`(module (memory 1) ${functions.join("\n")})`, { expose: true, barrier: true });
  for (const [i, { size, name }] of PLAIN.entries())
    for (let at = PAGE - size + 1; at < PAGE; at++) {
      clear(made.map());
      const memory = new Uint8Array(made.memory().buffer).fill(0);
      made.call(`${i}`, at);
      assert.deepEqual(marked(made.map()), [0], `${name} at ${at}`);
      assert.deepEqual(uncovered(new Uint8Array(memory.length), memory, made.map()), []);
    }
});

test("offsets may reach over 4 GiB: that is a trap as before", async () => {
  const made = await rewritten(
    `(module (memory 2) (memory $w i64 2)
      (func (export "far") (param i32) (i32.store offset=0xffffffff (local.get 0) (i32.const 1)))
      (func (export "half") (param i32) (i32.store offset=0x80000000 (local.get 0) (i32.const 1)))
      (func (export "wide") (param i64) (i32.store $w offset=0xffffffffffffffff (local.get 0) (i32.const 1)))
      (func (export "wide-half") (param i64) (i32.store $w offset=0x100000 (local.get 0) (i32.const 1)))
      (func (export "max-u32") (param i32) (i32.store (local.get 0) (i32.const 1))))`,
    { expose: true, barrier: true },
  );
  for (const address of [0, 1, 2, 4096, -1, -4096, 0x7fffffff, -0x80000000])
    for (const name of ["far", "half"])
      assert.throws(() => made.call(name, address), WebAssembly.RuntimeError, `${name} ${address}`);
  for (const address of [-1, -4, 131069]) assert.throws(() => made.call("max-u32", address), WebAssembly.RuntimeError);
  for (const address of [0n, 1n, -1n, 2n ** 40n, -(2n ** 63n)])
    for (const name of ["wide", "wide-half"]) assert.throws(() => made.call(name, address), WebAssembly.RuntimeError, name);
  for (const memory of [0, 1]) assert.ok(new Uint8Array(made.memory(memory).buffer).every((byte) => byte === 0));
});

test("bulk operations mark all pages that they write to", async () => {
  const made = await rewritten(
    `(module (memory $a 4) (memory $w i64 4) (data $d "${"x".repeat(20_000)}")
      (func (export "fill") (param i32 i32) (memory.fill $a (local.get 0) (i32.const 7) (local.get 1)))
      (func (export "fill64") (param i64 i64) (memory.fill $w (local.get 0) (i32.const 7) (local.get 1)))
      (func (export "copy") (param i32 i32) (memory.copy $a $a (local.get 0) (i32.const 200000) (local.get 1)))
      (func (export "copy-from-wide") (param i32 i32) (memory.copy $a $w (local.get 0) (i64.const 200000) (local.get 1)))
      (func (export "copy-to-wide") (param i64 i32) (memory.copy $w $a (local.get 0) (i32.const 200000) (local.get 1)))
      (func (export "copy64") (param i64 i64) (memory.copy $w $w (local.get 0) (i64.const 200000) (local.get 1)))
      (func (export "init") (param i32 i32) (memory.init $a $d (local.get 0) (i32.const 0) (local.get 1)))
      (func (export "init64") (param i64 i32) (memory.init $w $d (local.get 0) (i32.const 0) (local.get 1)))
    )`,
    { expose: true, barrier: true },
  );
  const cases = [
    ["fill", 0, false, false],
    ["fill64", 1, true, true],
    ["copy", 0, false, false],
    ["copy-from-wide", 0, false, false],
    ["copy-to-wide", 1, true, false],
    ["copy64", 1, true, true],
    ["init", 0, false, false],
    ["init64", 1, true, false],
  ] as const;
  for (const [name, memory, wide, wideSize] of cases) {
    const call = (at: number, size: number): unknown => made.call(name, wide ? BigInt(at) : at, wideSize ? BigInt(size) : size);
    for (const at of [0, 1, PAGE - 1, PAGE, 5 * PAGE + 3])
      for (const size of [0, 1, 2, PAGE - 1, PAGE, PAGE + 1, 2 * PAGE, 20_000]) {
        clear(made.map(0));
        clear(made.map(1));
        call(at, size);
        const pages = Array.from({ length: 64 }, (_, page) => page);
        const expected = pages.filter((page) => size > 0 && at < (page + 1) * PAGE && at + size > page * PAGE);
        assert.deepEqual(marked(made.map(memory)), expected, `${name} ${at} ${size}`);
        assert.deepEqual(marked(made.map(1 - memory)), []);
      }
    for (const [at, size] of [
      [4 * 65536, 1],
      [4 * 65536 - 1, 2],
      [0, 0xffffffff],
      [0xffffffff, 2],
      [0xfffff000, 0x1000],
      [0xfffff000, 0x1001],
    ] as const)
      assert.throws(() => call(at, size), WebAssembly.RuntimeError, `${name} ${at} ${size}`);
    call(4 * 65536, 0);
  }
});

test("an imported memory is marked in the map of whoever has it", async () => {
  const options = { expose: true, barrier: true };
  const owner = await rewritten(`(module (memory (export "m") 1) (memory (export "w") i64 1))`, options);
  const map = (i: number): WebAssembly.ExportValue | undefined => owner.exports[owner.made.memories[i]?.dirty ?? ""];
  const user = await rewritten(
    `(module (import "o" "m" (memory 1)) (import "o" "w" (memory i64 1)) (memory $own 1)
      (func (export "run") (i32.store8 0 (i32.const 5000) (i32.const 1)) (i32.store8 1 (i64.const 9000) (i32.const 1))
        (i32.store8 $own (i32.const 13000) (i32.const 1))))`,
    options,
    { imports: { o: owner.exports, starlane: { "dirty:0": map(0), "dirty:1": map(1) } } },
  );
  assert.deepEqual(
    user.made.memories.map(({ imported, dirty, memory }) => [imported, dirty, memory]),
    [
      [true, "dirty:0", undefined],
      [true, "dirty:1", undefined],
      [false, "starlane:dirty:2", "starlane:memory:2"],
    ],
  );
  user.call("run");
  assert.deepEqual(marked(owner.map(0)), [1]);
  assert.deepEqual(marked(owner.map(1)), [2]);
  assert.deepEqual(marked(user.map(2)), [3]);
});

test("the map covers all of the biggest memory", async () => {
  const made = await rewritten(
    `(module (memory 65536) (func (export "run") (param i32) (i32.store8 (local.get 0) (i32.const 1)) (memory.fill (local.get 0) (i32.const 1) (i32.const 1))))`,
    { expose: true, barrier: true },
  );
  for (const page of [0, 0x7ffff, 0x80000, 0xfffff]) made.call("run", (page * PAGE) | 0);
  assert.deepEqual(marked(made.map(), 2 ** 20), [0, 0x7ffff, 0x80000, 0xfffff]);
});

test("a guest grown by its host is marked where it grew", async () => {
  const made = await rewritten(`(module (memory 1) (func (export "run") (param i32) (i32.store (local.get 0) (i32.const 1))))`, {
    expose: true,
    barrier: true,
    shrink: true,
  });
  made.memory().grow(4);
  made.call("run", 4 * 65536 + 5 * PAGE);
  assert.deepEqual(marked(made.map()), [4 * 16 + 5]);
});

const address = fc.integer({ min: 0, max: 2 * 65536 + 40 });
const operation = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant("store" as const),
      store: fc.nat(PLAIN.length - 1),
      at: address,
      offset: fc.nat(9000),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("fill" as const), at: address, size: fc.nat(20_000) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("copy" as const), at: address, from: address, size: fc.nat(20_000) }) },
);
type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never;

function operationText(operation: Operation, index: number): string {
  switch (operation.kind) {
    case "store": {
      const store = PLAIN[operation.store] ?? PLAIN[0];
      return store === undefined
        ? ""
        : `(func (export "${index}") (param i32) ${storeText(store, "", BigInt(operation.offset), index + 1)})`;
    }
    case "fill":
      return `(func (export "${index}") (param i32) (memory.fill (local.get 0) (i32.const ${index + 1}) (i32.const ${operation.size})))`;
    case "copy":
      return `(func (export "${index}") (param i32) (memory.copy (local.get 0) (i32.const ${operation.from}) (i32.const ${operation.size})))`;
  }
}

test("random stores change nothing that is not marked, and do what they did before", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(operation, { minLength: 1, maxLength: 30 }), async (operations) => {
      const bytes = await wat(`(module (memory (export "m") 2) ${operations.map(operationText).join("\n")})`);
      const plain = new WebAssembly.Instance(new WebAssembly.Module(bytes as Uint8Array<ArrayBuffer>)).exports;
      const ours = new Rewritten(bytes, { fuel: true, expose: true, barrier: true, shrink: true });
      const outcome = (run: () => unknown): string => {
        try {
          return String(run());
        } catch (error) {
          return String(error);
        }
      };
      for (const [i, { at }] of operations.entries()) {
        const expected = outcome(() => (plain[`${i}`] as (at: number) => unknown)(at));
        assert.equal(
          outcome(() => ours.call(`${i}`, at)),
          expected,
        );
      }
      const memory = new Uint8Array(ours.memory().buffer);
      assert.deepEqual(memory, new Uint8Array((plain["m"] as WebAssembly.Memory).buffer));
      assert.deepEqual(uncovered(new Uint8Array(memory.length), memory, ours.map()), []);
    }),
    { numRuns: 60 },
  );
});

test("generated programs change nothing that is not marked", async () => {
  let changed = 0;
  for (let seed = 0; seed < 150; seed++) {
    const bytes = await wat(generateCoreModule(new Random(seed)));
    const made = new Rewritten(
      bytes,
      { fuel: true, expose: true, barrier: true },
      { fuel: 1_000_000n, imports: { host: { f: () => 1 } } },
    );
    for (const index of [0, 1]) made.map(index).fill(0, 0, 256);
    const before = [0, 1].map((index) => new Uint8Array(made.memory(index).buffer).slice());
    for (const { name, type } of readCoreModule(bytes).exports.filter(({ kind }) => kind === "func")) {
      const signature = type.kind === "func" ? readCoreModule(bytes).types[type.type]?.type : undefined;
      if (signature?.kind !== "func") continue;
      try {
        made.call(name, ...signature.params.map((param) => (param === "i64" ? 4000n : 4000)));
      } catch (error) {
        assert.ok(error instanceof Error || error instanceof WebAssembly.Exception, String(error));
      }
    }
    for (const index of [0, 1]) {
      const after = new Uint8Array(made.memory(index).buffer);
      assert.deepEqual(uncovered(before[index] ?? after, after, made.map(index)), [], `seed ${seed}, memory ${index}`);
      if (!sameBytes(after, before[index] ?? after)) changed++;
    }
  }
  assert.ok(changed > 150, `${changed} memories were changed`);
});

test("stores by one local near each other need one mark", async () => {
  const size = async (stores: string): Promise<number> => {
    const text = `(module (memory 1) (func (export "run") (param i32 i32) ${stores}))`;
    return (await rewritten(text, { barrier: true })).made.bytes.length - (await rewritten(text, {})).made.bytes.length;
  };
  const store = (offset: number, local = 0): string => `(i32.store offset=${offset} (local.get ${local}) (i32.const 1))`;
  const [none, one, two] = [await size(""), await size(store(0)), await size(store(0) + store(0, 1))];
  assert.ok(none < one && one < two);
  assert.equal(await size(store(64) + store(0) + store(124) + store(4)), await size(store(0)));
  assert.ok((await size(store(0) + store(128))) > one, "another window");
  const set = "(local.set 0 (local.get 1))";
  assert.equal(await size(store(0) + set + store(4)), two, "the local has changed");
  assert.ok((await size(`(if (local.get 1) (then ${store(0)})) ${store(4)}`)) >= two, "the first store may not be run");
  assert.ok((await size(`${store(0)} (loop ${store(4)} ${set} (br_if 0 (local.get 1)))`)) >= two, "a loop comes back");
  assert.ok(
    (await size(`(i32.store (local.get 0) (local.tee 0 (i32.const 9))) ${store(4)}`)) >= two,
    "the address was that of before",
  );
});
