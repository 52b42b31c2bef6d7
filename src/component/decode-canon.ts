// Decodes canonical definitions: lift, lower and every built-in of the specification.

import { hexByte, type ByteReader } from "./binary.ts";
import type { Canon, CanonOptions } from "./component.ts";
import { readCoreValType } from "./decode-core-types.ts";
import { readResult } from "./decode-types.ts";

export function readCanon(reader: ByteReader): Canon {
  const at = reader.pos;
  const code = reader.byte("canonical definition");
  switch (code) {
    case 0x00:
      reader.expect(0x00, "func");
      return { kind: "lift", func: reader.u32("core func index"), options: readOptions(reader), type: readType(reader) };
    case 0x01:
      reader.expect(0x00, "func");
      return { kind: "lower", func: reader.u32("func index"), options: readOptions(reader) };
    case 0x09:
      return { kind: "task.return", result: readResult(reader), options: readOptions(reader) };
    case 0x0a:
      return { kind: "context.get", ...readContext(reader) };
    case 0x0b:
      return { kind: "context.set", ...readContext(reader) };
    default:
      return readTypedBuiltin(reader, code) ?? readPlainBuiltin(reader, code, at);
  }
}

/** The built-ins whose first immediate is a type index. */
function readTypedBuiltin(reader: ByteReader, code: number): Canon | undefined {
  switch (code) {
    case 0x02:
      return { kind: "resource.new", type: readType(reader) };
    case 0x03:
      return { kind: "resource.drop", type: readType(reader) };
    case 0x04:
      return { kind: "resource.rep", type: readType(reader) };
    case 0x0e:
      return { kind: "stream.new", type: readType(reader) };
    case 0x0f:
      return { kind: "stream.read", type: readType(reader), options: readOptions(reader) };
    case 0x10:
      return { kind: "stream.write", type: readType(reader), options: readOptions(reader) };
    case 0x11:
      return { kind: "stream.cancel-read", type: readType(reader), async: reader.flag("async") };
    case 0x12:
      return { kind: "stream.cancel-write", type: readType(reader), async: reader.flag("async") };
    case 0x13:
      return { kind: "stream.drop-readable", type: readType(reader) };
    case 0x14:
      return { kind: "stream.drop-writable", type: readType(reader) };
    case 0x15:
      return { kind: "future.new", type: readType(reader) };
    case 0x16:
      return { kind: "future.read", type: readType(reader), options: readOptions(reader) };
    case 0x17:
      return { kind: "future.write", type: readType(reader), options: readOptions(reader) };
    case 0x18:
      return { kind: "future.cancel-read", type: readType(reader), async: reader.flag("async") };
    case 0x19:
      return { kind: "future.cancel-write", type: readType(reader), async: reader.flag("async") };
    case 0x1a:
      return { kind: "future.drop-readable", type: readType(reader) };
    case 0x1b:
      return { kind: "future.drop-writable", type: readType(reader) };
    default:
      return undefined;
  }
}

function readPlainBuiltin(reader: ByteReader, code: number, at: number): Canon {
  switch (code) {
    case 0x05:
      return { kind: "task.cancel" };
    case 0x06:
      return { kind: "subtask.cancel", async: reader.flag("async") };
    case 0x0c:
      return { kind: "thread.yield", cancellable: reader.flag("cancellable") };
    case 0x0d:
      return { kind: "subtask.drop" };
    case 0x1c:
      return { kind: "error-context.new", options: readOptions(reader) };
    case 0x1d:
      return { kind: "error-context.debug-message", options: readOptions(reader) };
    case 0x1e:
      return { kind: "error-context.drop" };
    case 0x1f:
      return { kind: "waitable-set.new" };
    case 0x20:
      return { kind: "waitable-set.wait", cancellable: reader.flag("cancellable"), memory: reader.u32("core memory index") };
    case 0x21:
      return { kind: "waitable-set.poll", cancellable: reader.flag("cancellable"), memory: reader.u32("core memory index") };
    case 0x22:
      return { kind: "waitable-set.drop" };
    case 0x23:
      return { kind: "waitable.join" };
    case 0x24:
      return { kind: "backpressure.inc" };
    case 0x25:
      return { kind: "backpressure.dec" };
    default:
      return readThreadBuiltin(reader, code, at);
  }
}

function readThreadBuiltin(reader: ByteReader, code: number, at: number): Canon {
  switch (code) {
    case 0x26:
      return { kind: "thread.index" };
    case 0x27:
      return { kind: "thread.new-indirect", type: reader.u32("core type index"), table: reader.u32("core table index") };
    case 0x28:
      return { kind: "thread.resume-later" };
    case 0x29:
      return { kind: "thread.suspend", cancellable: reader.flag("cancellable") };
    case 0x2a:
      return { kind: "thread.suspend-then-resume", cancellable: reader.flag("cancellable") };
    case 0x2b:
      return { kind: "thread.yield-then-resume", cancellable: reader.flag("cancellable") };
    case 0x2c:
      return { kind: "thread.suspend-then-promote", cancellable: reader.flag("cancellable") };
    case 0x2d:
      return { kind: "thread.yield-then-promote", cancellable: reader.flag("cancellable") };
    case 0x40:
      return { kind: "thread.spawn-ref", shared: reader.flag("shared"), type: reader.u32("core type index") };
    case 0x41:
      return {
        kind: "thread.spawn-indirect",
        shared: reader.flag("shared"),
        type: reader.u32("core type index"),
        table: reader.u32("core table index"),
      };
    case 0x42:
      return { kind: "thread.available-parallelism", shared: reader.flag("shared") };
    default:
      throw reader.fail(`unknown canonical definition ${hexByte(code)}`, at);
  }
}

function readType(reader: ByteReader): number {
  return reader.u32("type index");
}

function readContext(reader: ByteReader): { type: "i32" | "i64"; index: number } {
  const at = reader.pos;
  const type = readCoreValType(reader);
  if (type !== "i32" && type !== "i64") throw reader.fail("a context value must be of type i32 or i64", at);
  return { type, index: reader.u32("index of a context value") };
}

const ENCODINGS = ["utf8", "utf16", "latin1+utf16"] as const;

/** Canonical options; each kind may be given once. */
function readOptions(reader: ByteReader): CanonOptions {
  const options: { -readonly [K in keyof CanonOptions]: CanonOptions[K] } = { stringEncoding: "utf8", async: false };
  const seen = new Set<string>();
  reader.vec("canonical options", () => {
    const at = reader.pos;
    const code = reader.byte("canonical option");
    const encoding = ENCODINGS[code];
    const kind = encoding === undefined ? OPTIONS.get(code) : "string-encoding";
    if (kind === undefined) throw reader.fail(`unknown canonical option ${hexByte(code)}`, at);
    if (seen.has(kind)) throw reader.fail(`canonical option ${kind} is given more than once`, at);
    seen.add(kind);
    if (encoding !== undefined) options.stringEncoding = encoding;
    else if (kind === "async") options.async = true;
    else if (kind === "memory") options.memory = reader.u32("core memory index");
    else if (kind === "realloc") options.realloc = reader.u32("core func index");
    else if (kind === "post-return") options.postReturn = reader.u32("core func index");
    else if (kind === "core-type") options.coreType = reader.u32("core type index");
    else if (kind === "gc") options.gc = true;
    else options.callback = reader.u32("core func index");
  });
  return options;
}

const OPTIONS = new Map<number, "memory" | "realloc" | "post-return" | "async" | "callback" | "core-type" | "gc">([
  [0x03, "memory"],
  [0x04, "realloc"],
  [0x05, "post-return"],
  [0x06, "async"],
  [0x07, "callback"],
  [0x08, "core-type"],
  [0x09, "gc"],
]);
