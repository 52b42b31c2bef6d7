// Random core modules as text: structured code of every kind that the rewriter treats apart, with loops that mostly end.

import type { Random } from "./random.ts";

type NumType = "i32" | "i64" | "f64";
const TYPES: readonly NumType[] = ["i32", "i64", "f64"];

interface Signature {
  readonly params: readonly NumType[];
  readonly result: NumType | undefined;
}

/** How deep statements and expressions may lie in each other. */
const DEEPEST = 5;

class ModuleText {
  readonly #random: Random;
  readonly #signatures: readonly Signature[];
  readonly #legacy: boolean;
  readonly #wide: boolean;
  #labels: string[] = [];
  #locals: NumType[] = [];
  #counters = 0;
  #nextLabel = 0;
  #function: Signature = { params: [], result: undefined };
  #index = 0;

  constructor(random: Random) {
    this.#random = random;
    this.#legacy = random.chance(0.3);
    this.#wide = random.chance(0.25);
    this.#signatures = Array.from({ length: 2 + random.below(4) }, () => ({
      params: Array.from({ length: random.below(3) }, () => random.pick(TYPES)),
      result: random.chance(0.6) ? random.pick(TYPES) : undefined,
    }));
  }

  text(): string {
    const random = this.#random;
    const maximum = random.chance(0.5) ? ` ${2 + random.below(4)}` : "";
    const functions = this.#signatures.map((signature, i) => this.#functionText(signature, i));
    const imports = random.chance(0.3)
      ? `(import "host" "f" (func $host (param i32) (result i32)))`
      : `(func $host (param i32) (result i32) (local.get 0))`;
    return `(module
      ${this.#signatures.map((signature, i) => `(type $s${i} (func ${signatureText(signature)}))`).join(" ")}
      ${imports}
      (memory $m (export "m") ${this.#wide ? "i64 " : ""}1${maximum}) (memory $n (export "n") 1 3)
      (table $t 6 20 funcref) (table $u 3 funcref)
      (global $gi32 (mut i32) (i32.const 5)) (global $gi64 (export "g") (mut i64) (i64.const -7)) (global $gf64 (mut f64) (f64.const 1.5))
      (tag $e) (tag $v (param i32))
      (elem (table $t) (i32.const 0) func ${this.#signatures.map((_, i) => `$f${i}`).join(" ")}) (elem $passive func $f0 $f1)
      (data (memory $m) (${this.#wide ? "i64" : "i32"}.const 100) "some data") (data $d "passive data that is long enough to be copied")
      ${functions.join("\n")}
    )`;
  }

  #functionText(signature: Signature, index: number): string {
    this.#function = signature;
    this.#index = index;
    const extra = Array.from({ length: 1 + this.#random.below(3) }, () => this.#random.pick(TYPES));
    this.#locals = [...signature.params, ...extra];
    this.#labels = [];
    this.#counters = 0;
    const body = this.#statements(0, 2 + this.#random.below(4));
    const result = signature.result === undefined ? "" : this.#expression(signature.result, 0);
    const locals = extra.map((type, i) => `(local $l${signature.params.length + i} ${type})`);
    const pointers = `(local $p32 i32) (local $p64 i64)`;
    const counters = Array.from({ length: this.#counters }, (_, i) => `(local $c${i} i32)`);
    const params = signature.params.map((type, i) => `(param $l${i} ${type})`).join(" ");
    const results = signature.result === undefined ? "" : `(result ${signature.result})`;
    return `(func $f${index} (export "f${index}") (type $s${index}) ${params} ${results} ${[...locals, pointers, ...counters].join(" ")}\n${body}\n${result})`;
  }

  #statements(depth: number, count: number): string {
    return Array.from({ length: count }, () => this.#statement(depth + 1)).join("\n");
  }

  #statement(depth: number): string {
    const random = this.#random;
    const kind = depth > DEEPEST ? random.below(6) : random.below(30);
    switch (kind) {
      case 0:
      case 1:
        return this.#setLocal(depth);
      case 2: {
        const type = random.pick(TYPES);
        return `(global.set $g${type} ${this.#expression(type, depth)})`;
      }
      case 3:
      case 4:
      case 5:
      case 6:
      case 7:
        return this.#store(depth);
      case 8:
      case 9:
        return `(if ${this.#expression("i32", depth)} (then ${this.#statements(depth, 1 + random.below(2))})${random.chance(0.5) ? ` (else ${this.#statements(depth, 1)})` : ""})`;
      case 10:
      case 11:
        return this.#inFrame((label) => `(block ${label} ${this.#statements(depth, 1 + random.below(3))})`);
      case 12:
      case 13:
      case 14:
        return this.#loop(depth);
      case 15:
      case 16:
        return this.#branch(depth);
      case 17:
        return this.#callStatement(depth);
      case 18:
      case 19:
        return this.#bulk(depth);
      case 20:
      case 21:
        return this.#tableStatement(depth);
      case 22:
      case 23:
        return this.#tryStatement(depth);
      case 24:
        return random.chance(0.3) ? this.#leave(depth) : `(drop ${this.#expression(random.pick(TYPES), depth)})`;
      case 25:
        return random.chance(0.5) ? `(if ${this.#expression("i32", depth)} (then ${this.#leave(depth)}))` : "(nop)";
      case 26:
        return `(drop (memory.grow $m ${this.#wide ? `(i64.const ${random.below(3)})` : `(i32.const ${random.below(3)})`}))`;
      case 27:
        return random.chance(0.1) ? random.pick(["(data.drop $d)", "(elem.drop $passive)"]) : this.#setLocal(depth);
      default:
        return this.#store(depth);
    }
  }

  #inFrame(write: (label: string) => string): string {
    const label = `$b${this.#nextLabel++}`;
    this.#labels.push(label);
    const text = write(label);
    this.#labels.pop();
    return text;
  }

  #setLocal(depth: number): string {
    const local = this.#random.below(this.#locals.length);
    return `(local.set $l${local} ${this.#expression(this.#locals[local] ?? "i32", depth)})`;
  }

  /** A loop that ends, unless something in it goes on with it. */
  #loop(depth: number): string {
    const counter = `$c${this.#counters++}`;
    const times = this.#random.pick([1, 2, 5, 30, 1000]);
    const again = (label: string): string =>
      `(br_if ${label} (local.tee ${counter} (i32.sub (local.get ${counter}) (i32.const 1))))`;
    const loop = this.#inFrame(
      (label) => `(loop ${label} ${this.#statements(depth, 1 + this.#random.below(2))} ${again(label)})`,
    );
    return `(local.set ${counter} (i32.const ${times})) ${loop}`;
  }

  #branch(depth: number): string {
    const random = this.#random;
    if (this.#labels.length === 0) return "(nop)";
    const condition = this.#expression("i32", depth);
    switch (random.below(4)) {
      case 0:
        return `(br_table ${Array.from({ length: 1 + random.below(4) }, () => random.pick(this.#labels)).join(" ")} ${condition})`;
      case 1:
        return `(if ${condition} (then (br ${random.pick(this.#labels)})))`;
      default:
        return `(br_if ${random.pick(this.#labels)} ${condition})`;
    }
  }

  #leave(depth: number): string {
    const random = this.#random;
    const { result } = this.#function;
    const same = this.#callees((signature) => signature.result === result);
    switch (random.below(5)) {
      case 0:
        return "(unreachable)";
      case 1:
        return "(throw $e)";
      case 2:
        return `(throw $v ${this.#expression("i32", depth)})`;
      case 3: {
        if (same.length === 0) return "(unreachable)";
        const callee = random.pick(same);
        return `(return_call $f${callee} ${this.#arguments(callee, depth)})`;
      }
      default:
        return `(return ${result === undefined ? "" : this.#expression(result, depth)})`;
    }
  }

  #arguments(callee: number, depth: number): string {
    return (this.#signatures[callee]?.params ?? []).map((type) => this.#expression(type, depth + 1)).join(" ");
  }

  #call(callee: number, depth: number): string {
    const signature = `(type $s${callee})`;
    return this.#random.chance(0.3)
      ? `(call_indirect $t ${signature} ${this.#arguments(callee, depth)} (i32.const ${this.#random.chance(0.9) ? callee : this.#random.below(8)}))`
      : `(call $f${callee} ${this.#arguments(callee, depth)})`;
  }

  /** Mostly functions behind this one: recursion seldom ends. */
  #callees(fits: (signature: Signature) => boolean): number[] {
    const first = this.#random.chance(0.95) ? this.#index + 1 : 0;
    return this.#signatures.flatMap((signature, i) => (i >= first && fits(signature) ? [i] : []));
  }

  #callStatement(depth: number): string {
    const callees = this.#callees(() => true);
    if (callees.length === 0) return this.#setLocal(depth);
    const callee = this.#random.pick(callees);
    const call = this.#call(callee, depth);
    return this.#signatures[callee]?.result === undefined ? call : `(drop ${call})`;
  }

  #address(memory: string, depth: number): string {
    const random = this.#random;
    const [type, value] =
      memory === "$m" && this.#wide ? ["i64", this.#expression("i64", depth + 1)] : ["i32", this.#expression("i32", depth + 1)];
    const mask = random.pick([0x7fff, 0xfff, 0x3fff, 0xf7ff, 0xf]);
    return random.chance(0.995) ? `(${type}.and ${value} (${type}.const ${mask}))` : value;
  }

  #offset(): string {
    return this.#random.chance(0.6)
      ? ` offset=${this.#random.pick(this.#random.chance(0.01) ? [0xf000, 0xffffffff] : [1, 4, 8, 16, 120, 4090, 4096, 1024])}`
      : "";
  }

  #store(depth: number): string {
    const random = this.#random;
    const memory = random.pick(["$m", "$m", "$n"]);
    const [op, type] = random.pick([
      ["i32.store", "i32"],
      ["i32.store8", "i32"],
      ["i32.store16", "i32"],
      ["i64.store", "i64"],
      ["i64.store8", "i64"],
      ["i64.store32", "i64"],
      ["f64.store", "f64"],
      ["i32.atomic.store", "i32"],
    ] as const);
    const pointer = memory === "$m" && this.#wide ? "$p64" : "$p32";
    if (random.chance(0.15)) return `(local.set ${pointer} ${this.#address(memory, depth)})`;
    if (random.chance(0.5)) return this.#storesBy(pointer, memory, op.replace("atomic.", ""), type, depth);
    if (op === "i32.atomic.store")
      return `(${op} $n (i32.and ${this.#expression("i32", depth)} (i32.const 0xfffc)) ${this.#expression(type, depth)})`;
    return `(${op} ${memory}${this.#offset()} ${this.#address(memory, depth)} ${this.#expression(type, depth)})`;
  }

  /** Stores near each other, through one pointer that may change between them. */
  #storesBy(pointer: string, memory: string, op: string, type: NumType, depth: number): string {
    const random = this.#random;
    const base = random.pick([0, 8, 100, 120, 4000, 4090]);
    const move = `(local.set ${pointer} (${pointer.slice(2) === "64" ? "i64" : "i32"}.add (local.get ${pointer}) (${pointer.slice(2) === "64" ? "i64" : "i32"}.const ${random.pick([1, 64, 128, 4000])})))`;
    return Array.from({ length: 1 + random.below(4) }, () => {
      const store = `(${op} ${memory} offset=${base + random.below(140)} (local.get ${pointer}) ${this.#expression(type, depth + 2)})`;
      return random.chance(0.15) ? `${store} ${move}` : random.chance(0.15) ? `(if (local.get $p32) (then ${store}))` : store;
    }).join(" ");
  }

  #bulk(depth: number): string {
    const size = `(i32.and ${this.#expression("i32", depth)} (i32.const ${this.#random.pick([15, 255, 8191])}))`;
    const value = this.#expression("i32", depth);
    switch (this.#random.below(5)) {
      case 0:
        return `(memory.fill $n ${this.#address("$n", depth)} ${value} ${size})`;
      case 1:
        return `(memory.copy $n $n ${this.#address("$n", depth)} ${this.#address("$n", depth)} ${size})`;
      case 2:
        return `(memory.copy $m $n ${this.#address("$m", depth)} ${this.#address("$n", depth)} ${size})`;
      case 3:
        return `(memory.init $m $d ${this.#address("$m", depth)} (i32.const 3) (i32.and ${value} (i32.const 15)))`;
      default:
        return `(memory.fill $m ${this.#address("$m", depth)} ${value} ${this.#wide ? `(i64.extend_i32_u ${size})` : size})`;
    }
  }

  #tableStatement(depth: number): string {
    const random = this.#random;
    const index = `(i32.and ${this.#expression("i32", depth)} (i32.const 3))`;
    const value = random.pick([
      "(ref.null func)",
      `(ref.func $f${random.below(this.#signatures.length)})`,
      "(table.get $t (i32.const 0))",
    ]);
    switch (random.below(6)) {
      case 0:
        return `(table.fill $t ${index} ${value} (i32.const ${random.below(4)}))`;
      case 1:
        return `(table.copy $t $u ${index} (i32.const 0) (i32.const ${random.below(3)}))`;
      case 2:
        return `(table.init $u $passive ${index} (i32.const 0) (i32.const 1))`;
      case 3:
        return random.chance(0.2) ? `(drop (table.grow $t ${value} (i32.const ${random.below(3)})))` : "(nop)";
      default:
        return `(table.set ${random.pick(["$t", "$u"])} ${index} ${value})`;
    }
  }

  #tryStatement(depth: number): string {
    const random = this.#random;
    if (!this.#legacy) {
      // Nothing in the handled code may be left on the stack, so a value is dropped where it is caught.
      const inner = this.#inFrame(
        (label) => `(try_table ${label} (catch $e $caught) (catch_all $caught) ${this.#statements(depth, 2)})`,
      );
      const label = `$b${this.#nextLabel++}`;
      const valued = `(drop (block ${label} (result i32) (try_table (catch $v ${label}) ${this.#statements(depth, 1)}) (i32.const 1)))`;
      return random.chance(0.4) ? valued : `(block ${inner.replaceAll("$caught", label).replace(/^/, `${label} `)})`;
    }
    const body = this.#inFrame(
      (label) =>
        `try ${label} ${this.#statements(depth, 2)}\ncatch $e ${this.#statements(depth, 1)}\ncatch $v drop ${random.chance(0.3) ? "rethrow 0" : ""}\ncatch_all end`,
    );
    return random.chance(0.2) ? `try try ${this.#statements(depth, 1)} delegate 0 catch_all end` : body;
  }

  #expression(type: NumType, depth: number): string {
    const random = this.#random;
    const next = depth + 1;
    const locals = this.#locals.flatMap((other, i) => (other === type ? [i] : []));
    const kind = depth > DEEPEST ? random.below(4) : random.below(18);
    if (kind <= 1) return locals.length > 0 ? `(local.get $l${random.pick(locals)})` : `(global.get $g${type})`;
    if (kind === 2) return `(${type}.const ${random.pick([0, 1, 2, 7, 64, 4095, 4096, 65535, -1, random.bits() | 0])})`;
    if (kind === 3) return `(global.get $g${type})`;
    if (kind === 4) {
      const memory = random.pick(["$m", "$n"]);
      return `(${type}.load ${memory}${this.#offset()} ${this.#address(memory, next)})`;
    }
    if (kind === 5) {
      const callees = this.#callees(({ result }) => result === type);
      if (callees.length > 0) return this.#call(random.pick(callees), next);
    }
    if (kind === 6)
      return `(if (result ${type}) ${this.#expression("i32", next)} (then ${this.#expression(type, next)}) (else ${this.#expression(type, next)}))`;
    if (kind === 7)
      return `(select ${this.#expression(type, next)} ${this.#expression(type, next)} ${this.#expression("i32", next)})`;
    if (kind === 8) return this.#inValueFrame(type, next);
    if (kind === 9) return this.#valueLoop(type, next);
    if (kind === 10) return this.#conversion(type, next);
    const operators =
      type === "f64"
        ? ["add", "sub", "mul", "min", "copysign"]
        : ["add", "sub", "mul", "and", "or", "xor", "shl", "shr_u", "rotl", "shr_s"];
    if (type !== "f64" && random.chance(0.05))
      return `(${type}.${random.pick(["div_u", "rem_s"])} ${this.#expression(type, next)} (${type}.or ${this.#expression(type, next)} (${type}.const ${random.chance(0.9) ? 1 : 0})))`;
    return `(${type}.${random.pick(operators)} ${this.#expression(type, next)} ${this.#expression(type, next)})`;
  }

  /** A block that may be left early with its result. */
  #inValueFrame(type: NumType, depth: number): string {
    const label = `$b${this.#nextLabel++}`;
    const leave = `(drop (br_if ${label} ${this.#expression(type, depth)} ${this.#expression("i32", depth)}))`;
    return `(block ${label} (result ${type}) ${leave} ${this.#statements(depth, 1)} ${this.#expression(type, depth)})`;
  }

  /** A loop with a parameter and a result. */
  #valueLoop(type: NumType, depth: number): string {
    const counter = `$c${this.#counters++}`;
    const label = `$b${this.#nextLabel++}`;
    const again = `(br_if ${label} (local.tee ${counter} (i32.sub (local.get ${counter}) (i32.const 1))))`;
    return `(block (result ${type}) (local.set ${counter} (i32.const ${this.#random.pick([1, 3, 200])})) ${this.#expression(type, depth)}
      (loop ${label} (param ${type}) (result ${type}) ${this.#expression(type, depth)} ${type}.add ${again}))`;
  }

  #conversion(type: NumType, depth: number): string {
    const random = this.#random;
    if (type === "i32")
      return random.pick([
        `(i32.wrap_i64 ${this.#expression("i64", depth)})`,
        `(i64.lt_s ${this.#expression("i64", depth)} ${this.#expression("i64", depth)})`,
        `(f64.lt ${this.#expression("f64", depth)} ${this.#expression("f64", depth)})`,
        `(call $host ${this.#expression("i32", depth)})`,
        "(memory.size $n)",
        "(table.size $t)",
        `(ref.is_null (table.get $t (i32.and ${this.#expression("i32", depth)} (i32.const 3))))`,
        "(memory.grow $n (i32.const 1))",
        `(i32.atomic.rmw.add $n (i32.and ${this.#expression("i32", depth)} (i32.const 0xfffc)) ${this.#expression("i32", depth)})`,
        `(i32.atomic.rmw.cmpxchg $n (i32.const 4096) ${this.#expression("i32", depth)} ${this.#expression("i32", depth)})`,
      ]);
    if (type === "i64")
      return random.pick([
        `(i64.extend_i32_s ${this.#expression("i32", depth)})`,
        `(i64.trunc_sat_f64_s ${this.#expression("f64", depth)})`,
        ...(this.#wide ? ["(memory.size $m)"] : []),
      ]);
    return `(f64.convert_i32_s ${this.#expression("i32", depth)})`;
  }
}

function signatureText({ params, result }: Signature): string {
  const list = params.length === 0 ? "" : `(param ${params.join(" ")})`;
  return result === undefined ? list : `${list} (result ${result})`;
}

export function generateCoreModule(random: Random): string {
  return new ModuleText(random).text();
}
