// Random core modules as text: functions that store, fill, copy, grow, drop and trap, and `dump`, a checksum of everything that a guest can
// see of its state. Every function is deterministic and ends.

import type { Random } from "./fuzz/random.ts";

const GLOBALS = ["i32", "i64", "f32", "f64"] as const;
const PAGE = 65_536;
/** Addresses in bounds of two pages, with room for the widest store and its offset. */
const BOUND = 2 * PAGE - 64;

/** A component whose functions `f0`, `f1`… take two numbers and give the checksum of what they left; `dump` changes nothing. */
export function randomComponent(random: Random, functions: number): string {
  const names = Array.from({ length: functions }, (_, i) => `f${i}`);
  const bodies = names.map((name) => new Body(random).write(name));
  const lifts = names.map(
    (name) => `(func (export "${name}") (param "x" u32) (param "y" u64) (result u64) (canon lift (core func $m "${name}")))`,
  );
  return `(component
  (core module $M ${FIXED}
    ${bodies.join("\n    ")})
  (core instance $m (instantiate $M))
  ${lifts.join("\n  ")}
  (func (export "dump") (result u64) (canon lift (core func $m "dump"))))`;
}

const FIXED = `
    (memory $a 2 600) (memory $b i64 1 4)
    (data (memory $a) (i32.const 100) "the beginning") (data (memory $a) (i32.const 65530) "across the border of pages")
    (data $d "a segment that is copied into memory")
    (global $i32 (mut i32) (i32.const 7)) (global $i64 (mut i64) (i64.const 8)) (global $f32 (mut f32) (f32.const 1.5))
    (global $f64 (mut f64) (f64.const nan:0x8000000000001)) (global $v128 (mut v128) (v128.const i64x2 3 4))
    (global $func (mut funcref) (ref.null func)) (tag $tag (param i64))
    (table $t 6 12 funcref) (table $u 4 funcref) (elem (table $t) (i32.const 0) func $k0 $k1 $k2)
    (elem $e func $k2 $k1 $k0 $k2)
    (func $k0 (result i64) (i64.const 100)) (func $k1 (result i64) (i64.const 200)) (func $k2 (result i64) (i64.const 300))
    (elem declare func $k0 $k1 $k2)
    (func $mix (param $sum i64) (param $next i64) (result i64)
      (i64.add (i64.mul (local.get $sum) (i64.const 31)) (local.get $next)))
    (func $dump (export "dump") (result i64)
      (local $i i32) (local $end i32) (local $sum i64)
      (local.set $end (i32.mul (memory.size $a) (i32.const ${PAGE})))
      (if (i32.gt_u (local.get $end) (i32.const ${6 * PAGE})) (then (local.set $end (i32.const ${6 * PAGE}))))
      (loop $more
        (local.set $sum (i64.add (i64.mul (local.get $sum) (i64.const 31)) (i64.load $a (local.get $i))))
        (local.set $i (i32.add (local.get $i) (i32.const 8)))
        (br_if $more (i32.lt_u (local.get $i) (local.get $end))))
      (local.set $i (i32.const 0))
      (loop $more
        (local.set $sum (i64.add (i64.mul (local.get $sum) (i64.const 31)) (i64.load $b (i64.extend_i32_u (local.get $i)))))
        (local.set $i (i32.add (local.get $i) (i32.const 8)))
        (br_if $more (i32.lt_u (local.get $i) (i32.const ${PAGE}))))
      (local.set $i (i32.const 0))
      (loop $more
        (local.set $sum (call $mix (local.get $sum) (call $entry (local.get $i))))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br_if $more (i32.lt_u (local.get $i) (table.size $t))))
      (local.set $sum (call $mix (local.get $sum) (i64.extend_i32_u (ref.is_null (table.get $u (i32.const 1))))))
      (local.set $sum (call $mix (local.get $sum) (i64.extend_i32_u (ref.is_null (global.get $func)))))
      (local.set $sum (call $mix (local.get $sum) (i64.extend_i32_u (memory.size $a))))
      (local.set $sum (call $mix (local.get $sum) (memory.size $b)))
      (local.set $sum (call $mix (local.get $sum) (i64.extend_i32_u (global.get $i32))))
      (local.set $sum (call $mix (local.get $sum) (global.get $i64)))
      (local.set $sum (call $mix (local.get $sum) (i64.extend_i32_u (i32.reinterpret_f32 (global.get $f32)))))
      (local.set $sum (call $mix (local.get $sum) (i64.reinterpret_f64 (global.get $f64))))
      (local.set $sum (call $mix (local.get $sum) (i64x2.extract_lane 0 (global.get $v128))))
      (call $mix (local.get $sum) (i64x2.extract_lane 1 (global.get $v128))))
    (func $entry (param $i i32) (result i64)
      (if (result i64) (ref.is_null (table.get $t (local.get $i)))
        (then (i64.const 1)) (else (call_indirect $t (result i64) (local.get $i)))))`;

class Body {
  readonly #random: Random;
  #loops = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  write(name: string): string {
    const statements = this.#statements(3 + this.#random.below(10), 0);
    const loops = Array.from({ length: this.#loops }, (_, i) => `(local $n${i} i32)`).join(" ");
    return `(func (export "${name}") (param $x i32) (param $y i64) (result i64) ${loops} ${statements} (call $dump))`;
  }

  #statements(count: number, depth: number): string {
    return Array.from({ length: count }, () => this.#statement(depth)).join(" ");
  }

  #statement(depth: number): string {
    const random = this.#random;
    switch (random.below(depth < 3 ? 22 : 19)) {
      case 0:
      case 1:
      case 2:
      case 3:
        return this.#store();
      case 4:
        return `(i64.store $b ${this.#address64()} ${this.#i64(2)})`;
      case 5:
        return `(memory.fill $a ${this.#address(28)} ${this.#i32(1)} (i32.const ${random.below(9000)}))`.replace(
          /^/,
          random.below(30) === 0 ? `(memory.fill $a (i32.const -5) (i32.const 1) (i32.const 9)) ` : "",
        );
      case 6:
        return random.below(2) === 0
          ? `(memory.copy $a $a (i32.const ${random.below(60_000)}) (i32.const ${random.below(60_000)}) (i32.const ${random.below(60_000)}))`
          : `(memory.copy $a $b (i32.const ${random.below(60_000)}) (i64.const ${random.below(60_000)}) (i32.const ${random.below(5000)}))`;
      case 7:
        return `(memory.init $a $d ${this.#address(28)} (i32.const ${random.below(10)}) (i32.const ${random.below(20)}))`;
      case 8: {
        const pages = random.below(25) === 0 ? 300 : random.below(4);
        return random.below(3) === 0
          ? `(drop (memory.grow $b (i64.const ${pages})))`
          : `(global.set $i32 (memory.grow $a (i32.const ${pages})))`;
      }
      case 9:
      case 10: {
        const type = GLOBALS[random.below(GLOBALS.length)] ?? "i32";
        return `(global.set $${type} ${this.#value(type)})`;
      }
      case 11:
        return `(global.set $v128 (v128.load $a ${this.#address()}))`;
      case 12:
        return `(global.set $func ${this.#ref()})`;
      case 13:
        return `(table.set $t (i32.const ${random.below(7)}) ${this.#ref()})`;
      case 14:
        return random.below(2) === 0
          ? `(table.fill $t (i32.const ${random.below(3)}) ${this.#ref()} (i32.const ${random.below(4)}))`
          : `(table.copy $t $t (i32.const ${random.below(3)}) (i32.const ${random.below(3)}) (i32.const ${random.below(4)}))`;
      case 15:
        return `(table.init $t $e (i32.const ${random.below(4)}) (i32.const ${random.below(2)}) (i32.const ${random.below(3)}))`;
      case 16:
        return [
          `(global.set $i64 (i64.atomic.rmw.add $a (i32.const ${8 * random.below(16_000)}) ${this.#i64(1)}))`,
          `(drop (i32.atomic.rmw16.cmpxchg_u $a (i32.const ${2 * random.below(60_000)}) (i32.const 0) ${this.#i32(1)}))`,
          `(v128.store8_lane $a ${random.below(16)} ${this.#address()} (global.get $v128))`,
          `(v128.store64_lane $a 1 ${this.#address()} (global.get $v128))`,
        ][random.below(4)] as string;
      case 17:
        return [
          "",
          "",
          "",
          "",
          "",
          "",
          `(data.drop $d)`,
          `(elem.drop $e)`,
          `(global.set $i32 (table.grow $t ${this.#ref()} (i32.const 2)))`,
          `(table.set $u (i32.const 1) ${this.#ref()})`,
        ][random.below(10)] as string;
      case 18:
        return random.below(4) > 0
          ? ""
          : ([
              `(if (i32.eqz ${this.#i32(2)}) (then unreachable))`,
              `(global.set $i32 (i32.div_u ${this.#i32(1)} ${this.#i32(2)}))`,
              `(i32.store $a (i32.const -100) (i32.const 1))`,
              `(if (i32.lt_s ${this.#i32(2)} (i32.const 0)) (then (throw $tag (i64.const 1))))`,
              `(global.set $i32 (i32.trunc_f64_s (f64.const 1e300)))`,
            ][random.below(5)] ?? "");
      case 19:
        return `(if ${this.#i32(2)} (then ${this.#statements(2, depth + 1)}) (else ${this.#statements(2, depth + 1)}))`;
      case 20: {
        const counter = `$n${this.#loops++}`;
        const label = `$l${this.#loops}`;
        return `(local.set ${counter} (i32.const ${1 + random.below(depth === 0 ? 40 : 5)}))
          (loop ${label} ${this.#statements(2, depth + 1)}
            (local.set ${counter} (i32.sub (local.get ${counter}) (i32.const 1)))
            (br_if ${label} (i32.gt_s (local.get ${counter}) (i32.const 0))))`;
      }
      default:
        return `(block $c (result i64) (try_table (catch $tag $c) ${this.#statements(2, depth + 1)} (throw $tag ${this.#i64(1)})) (i64.const 0)) (global.set $i64)`;
    }
  }

  #store(): string {
    const offset = this.#random.below(3) === 0 ? ` offset=${this.#random.below(32)}` : "";
    const [name, type] = STORES[this.#random.below(STORES.length)] ?? ["i32.store", "i32"];
    return `(${name} $a${offset} ${this.#address()} ${type === "v128" ? "(global.get $v128)" : this.#value(type)})`;
  }

  /** Mostly near the border of a page that writes are accounted by. */
  #address(pages = 32): string {
    const random = this.#random;
    if (random.below(3) === 0) return `(i32.and ${this.#i32(2)} (i32.const ${PAGE - 1}))`;
    const near = 4096 * random.below(pages) + random.below(40) - 20;
    return `(i32.const ${Math.min(Math.max(near, 0), BOUND)})`;
  }

  #address64(): string {
    return `(i64.and ${this.#i64(2)} (i64.const ${PAGE / 2 - 1}))`;
  }

  #ref(): string {
    return this.#random.below(3) === 0 ? "(ref.null func)" : `(ref.func $k${this.#random.below(3)})`;
  }

  #value(type: "i32" | "i64" | "f32" | "f64"): string {
    if (type === "i32") return this.#i32(2);
    if (type === "i64") return this.#i64(2);
    return type === "f32" ? `(f32.reinterpret_i32 ${this.#i32(2)})` : `(f64.reinterpret_i64 ${this.#i64(2)})`;
  }

  #i32(depth: number): string {
    const random = this.#random;
    if (depth === 0 || random.below(3) === 0) {
      return [
        "(local.get $x)",
        "(global.get $i32)",
        `(i32.const ${random.below(2 ** 31)})`,
        "(memory.size $a)",
        "(table.size $t)",
      ][random.below(5)] as string;
    }
    if (random.below(3) === 0) return `(i32.load $a ${this.#address()})`;
    if (random.below(4) === 0) return `(i32.wrap_i64 ${this.#i64(depth - 1)})`;
    const op = ["add", "sub", "mul", "xor", "and", "shr_u", "rotl"][random.below(7)] as string;
    return `(i32.${op} ${this.#i32(depth - 1)} ${this.#i32(depth - 1)})`;
  }

  #i64(depth: number): string {
    const random = this.#random;
    if (depth === 0 || random.below(3) === 0) {
      return ["(local.get $y)", "(global.get $i64)", `(i64.const ${random.below(2 ** 31)})`, "(call $k1)"][
        random.below(4)
      ] as string;
    }
    if (random.below(3) === 0) return `(i64.load $b ${this.#address64()})`;
    if (random.below(3) === 0) return `(i64.extend_i32_s ${this.#i32(depth - 1)})`;
    const op = ["add", "sub", "mul", "xor", "or", "shr_u", "rotl"][random.below(7)] as string;
    return `(i64.${op} ${this.#i64(depth - 1)} ${this.#i64(depth - 1)})`;
  }
}

const STORES = [
  ["i32.store8", "i32"],
  ["i32.store16", "i32"],
  ["i32.store", "i32"],
  ["i64.store", "i64"],
  ["i64.store32", "i64"],
  ["f32.store", "f32"],
  ["f64.store", "f64"],
  ["v128.store", "v128"],
] as const;
