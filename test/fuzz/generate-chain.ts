// Components as text: a chain of guests that hand on what they are given, whatever its type, and hand back what comes back. Each has a
// memory, an allocator and a string encoding of its own; what is freed is overwritten, so that whoever reads it later is found out.

import type { ValType } from "../../src/wit/types.ts";
import { typeText } from "./generate-types.ts";
import { alignUp, type Core, flatten, type Pointer, sizeOf } from "./oracle-layout.ts";
import type { Encoding } from "./oracle-side.ts";

/** What a link is, whether it calls synchronously or not. */
export interface LinkMemory {
  readonly encoding: Encoding;
  readonly pointer: Pointer;
  /** Grows its memory with every allocation, so that views of it go stale. */
  readonly growing: boolean;
}

export interface Link extends LinkMemory {
  /** Cleans up, and overwrites all it allocated, after each call. */
  readonly postReturn: boolean;
  /** Calls itself first: both sides of that call have the same memory. */
  readonly twice: boolean;
  /** Has a built-in that may block, so that every call is a task. */
  readonly blocking: boolean;
}

const MOST_PAGES = 100;

/** Where results are put: the first place, and the second one after it. */
export function resultPlace(types: readonly ValType[], pointer: Pointer, which: 0 | 1 | 2): number {
  return 16 + which * alignUp(sizeOf(resultOf(types), pointer), 16);
}

/** `run` takes values of `types` and gives them back as `resultOf(types)`; the last link asks the host's `echo`. */
export function chainText(types: readonly ValType[], links: readonly Link[]): string {
  return chainOf(
    types,
    links.map((link, i) => linkText(i, types, link)),
    "",
  );
}

/** Components `$c0`, `$c1` …, each with the next one's `run` as its `next`; `async` stands in the type of all functions, or nothing. */
export function chainOf(types: readonly ValType[], components: readonly string[], async: "" | "async"): string {
  const root = typeText([...types, resultOf(types)]);
  const withTypes = root.names.map((name) => `(with "${name}" (type $${name}))`).join(" ");
  const instances = components.map((_, i) => {
    const next = i === components.length - 1 ? "(func $echo)" : `(func $i${i + 1} "run")`;
    return `(instance $i${i} (instantiate $c${i} ${withTypes} (with "next" ${next})))`;
  });
  return `(component
  ${root.lines.join("\n  ")}
  (import "echo" (func $echo ${async} ${signature(root.refs)}))
  ${components.join("\n  ")}
  ${instances.toReversed().join("\n  ")}
  (export "run" (func $i0 "run")))`;
}

export function resultOf(types: readonly ValType[]): ValType {
  const [only] = types;
  return types.length === 1 && only !== undefined ? only : { kind: "tuple", types };
}

export function signature(refs: readonly string[]): string {
  const params = refs.slice(0, -1).map((ref, i) => `(param "p${i}" ${ref})`);
  return `${params.join(" ")} (result ${refs.at(-1) ?? ""})`;
}

function linkText(index: number, types: readonly ValType[], link: Link): string {
  const text = typeText([...types, resultOf(types)]);
  const memory = `(memory (core memory $mem "memory")) (realloc (core func $mem "realloc")) string-encoding=${link.encoding}`;
  const postReturn = link.postReturn ? `(post-return (core func $last "post-return"))` : "";
  const again = `
    (func $once ${signature(text.refs)} (canon lift (core func $main "run") ${memory}))
    (core func $once' (canon lower (func $once) ${memory}))
    ${mainModule("$Again", link, types, 1)}
    (core instance $last (instantiate $Again (with "" (instance (export "next" (func $once')))) (with "mem" (instance $mem))))`;
  return `(component $c${index}
    ${text.lines.join("\n    ")}
    (import "next" (func $next ${signature(text.refs)}))
    ${link.blocking ? "(core func (canon waitable-set.new))" : ""}
    ${memoryModule(link, types)}
    (core instance $mem (instantiate $Mem))
    (core func $next' (canon lower (func $next) ${memory}))
    ${mainModule("$Main", link, types, 0)}
    (core instance ${link.twice ? "$main" : "$last"} (instantiate $Main (with "" (instance (export "next" (func $next')))) (with "mem" (instance $mem))))
    ${link.twice ? again : ""}
    (func (export "run") ${signature(text.refs)} (canon lift (core func $last "run") ${memory} ${postReturn})))`;
}

export function memoryModule({ pointer, growing }: LinkMemory, types: readonly ValType[]): string {
  const p = pointer === 4 ? "i32" : "i64";
  const start = resultPlace(types, pointer, 0);
  const heap = resultPlace(types, pointer, 2);
  return `(core module $Mem
      (memory (export "memory") ${pointer === 4 ? "" : "i64 "}${Math.ceil((heap + 1) / 65536)})
      (global $top (mut ${p}) (${p}.const ${heap}))
      (func (export "realloc") (param $old ${p}) (param $had ${p}) (param $align ${p}) (param $size ${p}) (result ${p}) (local $at ${p}) (local $pages ${p})
        (local.set $at (${p}.and (${p}.add (global.get $top) (${p}.sub (local.get $align) (${p}.const 1))) (${p}.sub (${p}.const 0) (local.get $align))))
        (global.set $top (${p}.add (local.get $at) (local.get $size)))
        (local.set $pages (${p}.sub (${p}.add (${p}.shr_u (global.get $top) (${p}.const 16)) (${p}.const 1)) (memory.size)))
        ${growing ? `(if (${p}.lt_u (memory.size) (${p}.const ${MOST_PAGES})) (then (local.set $pages (${p}.const 1))))` : ""}
        (if (${p}.gt_s (local.get $pages) (${p}.const 0)) (then (if (${p}.eq (memory.grow (local.get $pages)) (${p}.const -1)) (then unreachable))))
        (if (${p}.ne (local.get $had) (${p}.const 0)) (then
          (memory.copy (local.get $at) (local.get $old) (select (local.get $had) (local.get $size) (${p}.lt_u (local.get $had) (local.get $size))))
          (memory.fill (local.get $old) (i32.const 0xaa) (local.get $had))))
        (local.get $at))
      (func (export "reset")
        (memory.fill (${p}.const ${heap}) (i32.const 0xaa) (${p}.sub (global.get $top) (${p}.const ${heap})))
        (memory.fill (${p}.const ${start}) (i32.const 0xaa) (${p}.const ${heap - start}))
        (global.set $top (${p}.const ${heap}))))`;
}

function mainModule(name: string, { pointer }: Link, types: readonly ValType[], which: 0 | 1): string {
  const p: Core = pointer === 4 ? "i32" : "i64";
  const flat = types.flatMap((type) => flatten(type, pointer));
  const params = flat.length > 16 ? [p] : flat;
  const result = flatten(resultOf(types), pointer);
  const inMemory = result.length > 1;
  const answer = inMemory ? p : (result[0] ?? p);
  const place = `(${p}.const ${resultPlace(types, pointer, which)})`;
  return `(core module ${name}
      (import "" "next" (func $next (param ${[...params, ...(inMemory ? [p] : [])].join(" ")})${inMemory ? "" : ` (result ${answer})`}))
      (import "mem" "reset" (func $reset))
      (func (export "run") (param ${params.join(" ")}) (result ${answer})
        (call $next ${params.map((_, i) => `(local.get ${i})`).join(" ")}${inMemory ? ` ${place}` : ""})
        ${inMemory ? place : ""})
      (func (export "post-return") (param ${answer}) (call $reset)))`;
}
