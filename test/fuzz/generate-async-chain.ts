// The same chains with async functions: each link is lifted in one of three ways and calls the next one in one of two. Parameters and
// results are always in memory, so that no link needs to know what they are.

import type { ValType } from "../../src/wit/types.ts";
import { chainOf, type LinkMemory, memoryModule, resultOf, resultPlace, signature } from "./generate-chain.ts";
import { typeText } from "./generate-types.ts";
import { flatten } from "./oracle-layout.ts";

export interface AsyncLink extends LinkMemory {
  readonly lift: "plain" | "callback" | "stackful";
  readonly lower: "plain" | "async";
}

const MOST_FLAT = 16;
const PADDING: ValType = { kind: "tuple", types: Array.from({ length: MOST_FLAT + 1 }, (): ValType => ({ kind: "u8" })) };

/** The types, and as many more as it takes for them to travel in memory. */
export function padded(types: readonly ValType[]): readonly ValType[] {
  return types.flatMap((type) => flatten(type, 4)).length > MOST_FLAT ? types : [...types, PADDING];
}

/** `types` as `padded` gives them. */
export function asyncChainText(types: readonly ValType[], links: readonly AsyncLink[]): string {
  return chainOf(
    types,
    links.map((link, i) => linkText(i, types, link)),
    "async",
  );
}

function linkText(index: number, types: readonly ValType[], link: AsyncLink): string {
  const text = typeText([...types, resultOf(types)]);
  const memory = `(memory (core memory $mem "memory")) string-encoding=${link.encoding}`;
  const realloc = `(realloc (core func $mem "realloc"))`;
  const lift = link.lift === "plain" ? "" : link.lift === "stackful" ? "async" : `async (callback (core func $main "callback"))`;
  const result = text.refs.at(-1) ?? "";
  return `(component $c${index}
    ${text.lines.join("\n    ")}
    (import "next" (func $next async ${signature(text.refs)}))
    ${memoryModule(link, types)}
    (core instance $mem (instantiate $Mem))
    (core func $next' (canon lower (func $next) ${link.lower === "async" ? "async" : ""} ${memory} ${realloc}))
    (core func $return (canon task.return (result ${result}) ${memory}))
    (core func $set-new (canon waitable-set.new))
    (core func $set-wait (canon waitable-set.wait (memory (core memory $mem "memory"))))
    (core func $set-drop (canon waitable-set.drop))
    (core func $join (canon waitable.join))
    (core func $subtask-drop (canon subtask.drop))
    ${mainModule(link, types)}
    (core instance $main (instantiate $Main (with "mem" (instance $mem)) (with "" (instance
      (export "next" (func $next')) (export "return" (func $return)) (export "set-new" (func $set-new)) (export "set-wait" (func $set-wait))
      (export "set-drop" (func $set-drop)) (export "join" (func $join)) (export "subtask-drop" (func $subtask-drop))))))
    (func (export "run") async ${signature(text.refs)} (canon lift (core func $main "run") ${lift} ${memory} ${realloc})))`;
}

/** The low bits of what an async call answers with: the callee has returned. */
const RETURNED = 2;

function mainModule({ pointer, lift, lower }: AsyncLink, types: readonly ValType[]): string {
  const p = pointer === 4 ? "i32" : "i64";
  const place = `(${p}.const ${resultPlace(types, pointer, 0)})`;
  const event = `(${p}.const ${resultPlace(types, pointer, 1)})`;
  const waiting = `
        (local.set $status (call $next (local.get 0) ${place}))
        (if (i32.ne (i32.and (local.get $status) (i32.const 15)) (i32.const ${RETURNED})) (then
          (global.set $subtask (i32.shr_u (local.get $status) (i32.const 4)))
          (global.set $set (call $set-new))
          (call $join (global.get $subtask) (global.get $set))
          ${lift === "callback" ? "(return (i32.or (i32.const 2) (i32.shl (global.get $set) (i32.const 4))))" : "(call $wait)"}))`;
  const calling = lower === "plain" ? `(call $next (local.get 0) ${place})` : waiting;
  const ending = lift === "plain" ? place : `(call $return ${place}) ${lift === "callback" ? "(i32.const 0)" : ""}`;
  const answer = lift === "plain" ? `(result ${p})` : lift === "callback" ? "(result i32)" : "";
  return `(core module $Main
      (import "mem" "memory" (memory ${pointer === 4 ? "" : "i64 "}0))
      (import "" "next" (func $next (param ${p} ${p}) ${lower === "plain" ? "" : "(result i32)"}))
      (import "" "return" (func $return (param ${p})))
      (import "" "set-new" (func $set-new (result i32)))
      (import "" "set-wait" (func $set-wait (param i32 ${p}) (result i32)))
      (import "" "set-drop" (func $set-drop (param i32)))
      (import "" "join" (func $join (param i32 i32)))
      (import "" "subtask-drop" (func $subtask-drop (param i32)))
      (global $set (mut i32) (i32.const 0))
      (global $subtask (mut i32) (i32.const 0))
      (func $finish
        (call $join (global.get $subtask) (i32.const 0))
        (call $subtask-drop (global.get $subtask))
        (call $set-drop (global.get $set)))
      (func $wait
        (loop $again
          (drop (call $set-wait (global.get $set) ${event}))
          (br_if $again (i32.ne (i32.load offset=4 ${event}) (i32.const ${RETURNED}))))
        (call $finish))
      (func (export "run") (param ${p}) ${answer} (local $status i32)
        ${calling}
        ${ending})
      (func (export "callback") (param $event i32) (param $index i32) (param $state i32) (result i32)
        (if (i32.ne (local.get $state) (i32.const ${RETURNED})) (then (return (i32.or (i32.const 2) (i32.shl (global.get $set) (i32.const 4))))))
        (call $finish)
        (call $return ${place})
        (i32.const 0)))`;
}
