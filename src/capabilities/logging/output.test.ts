import assert from "node:assert/strict";
import { test } from "node:test";
import { compileWat } from "../../../test/wat.ts";
import { StarlaneError } from "../../base/errors.ts";
import type { LogRecord } from "../capability.ts";
import { outputLogging } from "./output.ts";

const LEVELS = ["trace", "debug", "info", "warn", "error", "critical"];

const guest = await compileWat(`(component
  (import "wasi:logging/logging@0.1.0-draft" (instance $logging
    (type $labels (enum ${LEVELS.map((level) => `"${level}"`).join(" ")}))
    (export "level" (type $level (eq $labels)))
    (export "log" (func (param "level" $level) (param "context" string) (param "message" string)))))
  (core module $Memory (memory (export "memory") 1) (data (i32.const 0) "shopdone\\n"))
  (core instance $m (instantiate $Memory))
  (alias core export $m "memory" (core memory $mem))
  (core func $log (canon lower (func $logging "log") (memory $mem)))
  (core module $Main (import "" "log" (func $log (param i32 i32 i32 i32 i32)))
    (func (export "say") (param $level i32)
      (call $log (local.get $level) (i32.const 0) (i32.const 4) (i32.const 4) (i32.const 5))))
  (core instance $main (instantiate $Main (with "" (instance (export "log" (func $log))))))
  (func (export "say") (param "level" u32) (canon lift (core func $main "say"))))`);

async function link() {
  const binding = outputLogging.configure(undefined)();
  const instance = await guest.instantiate(binding.imports);
  return { binding, say: instance.function("say") };
}

test("what a guest logs comes as records with their levels, where somebody takes them", async () => {
  const { binding, say } = await link();
  const records: LogRecord[] = [];
  const lines: string[] = [];
  binding.prepare?.({
    seed: 1,
    timestampMs: 0,
    log: (record) => records.push(record),
    output: (_stream, bytes) => void lines.push(new TextDecoder().decode(bytes)),
  });
  LEVELS.forEach((_, i) => say(i));
  assert.deepEqual(
    records,
    LEVELS.map((level) => ({ level, context: "shop", message: "done\n" })),
  );
  assert.equal(lines.length, 0);
  binding.prepare?.({ seed: 1, timestampMs: 0, output: (_stream, bytes) => void lines.push(new TextDecoder().decode(bytes)) });
  say(3);
  assert.deepEqual(lines, ["warn [shop] done\\n\n"]);
});

test("records are bounded as lines are: what is over is dropped with one remark, and the next transaction starts anew", async () => {
  const { binding, say } = await link();
  for (let transaction = 0; transaction < 2; transaction++) {
    const records: LogRecord[] = [];
    binding.prepare?.({ seed: 1, timestampMs: 0, outputLimitBytes: 30, log: (record) => records.push(record) });
    for (let i = 0; i < 9; i++) say(2);
    assert.deepEqual(
      records.map(({ message }) => message),
      ["done\n", "done\n", "output stopped after 30 bytes"],
    );
  }
});

test("a level that is none of the interface's, which a hostile import can declare, stops the guest", () => {
  const logging = outputLogging.configure(undefined)().imports["wasi:logging/logging"];
  assert.ok(typeof logging === "object" && logging !== null && "log" in logging);
  const log = logging.log as (level: string, context: string, message: string) => void;
  const isMisuse = (error: unknown): boolean => error instanceof StarlaneError && error.code === "capability/misuse";
  assert.throws(() => log("loud", "", "x"), isMisuse);
});
