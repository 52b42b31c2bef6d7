import assert from "node:assert/strict";
import { test } from "node:test";
import { anyMayWait } from "../../engine/may-wait.ts";
import type { InputStream, OutputStream } from "../io/streams.ts";
import { grantedCli, type CliGrant } from "./granted.ts";

interface Interfaces {
  "wasi:cli/environment@0.2.0": { getEnvironment(): unknown; getArguments(): unknown; initialCwd(): unknown };
  "wasi:cli/environment@0.3.0": { getEnvironment(): unknown; getArguments(): unknown; getInitialCwd(): unknown };
  "wasi:cli/stdin@0.2.0": { getStdin(): InputStream };
  "wasi:cli/stdout@0.2.0": { getStdout(): OutputStream };
  "wasi:cli/stdin@0.3.0": { readViaStream(): [AsyncIterable<Uint8Array>, Promise<{ tag: string }>] };
  "wasi:cli/stdout@0.3.0": { writeViaStream(data: AsyncIterable<Uint8Array>): Promise<unknown> };
  "wasi:cli/stderr@0.3.0": { writeViaStream(data: AsyncIterable<Uint8Array>): Promise<unknown> };
  "wasi:cli/terminal-stdin@0.2.0": { getTerminalStdin(): unknown };
  "wasi:cli/terminal-stdout@0.3.0": { getTerminalStdout(): unknown };
  "wasi:cli/terminal-stderr@0.3.0": { getTerminalStderr(): unknown };
}

const NOTHING: CliGrant = { args: [], env: {} };
const TRANSACTION = { seed: 0, timestampMs: 0 };
const text = (read: Uint8Array): string => new TextDecoder().decode(read);

function bind(grant: CliGrant) {
  const binding = grantedCli.configure(grant)();
  binding.prepare?.(TRANSACTION);
  return { binding, imports: binding.imports as unknown as Interfaces };
}

async function* chunks(...parts: string[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield new TextEncoder().encode(part);
}

test("arguments and variables are those of the grant, for both generations of WASI", () => {
  const { imports } = bind({ args: ["name", "a b"], env: { ONE: "1", EMPTY: "" } });
  const [older, newer] = [imports["wasi:cli/environment@0.2.0"], imports["wasi:cli/environment@0.3.0"]];
  for (const interfaces of [older, newer]) {
    assert.deepEqual(interfaces.getArguments(), ["name", "a b"]);
    assert.deepEqual(interfaces.getEnvironment(), [
      ["ONE", "1"],
      ["EMPTY", ""],
    ]);
  }
  assert.deepEqual([older.initialCwd(), newer.getInitialCwd()], [undefined, undefined]);
});

test("what no program can be started with is a mistake of the grant", () => {
  const wrong: CliGrant[] = [
    { args: ["a\0b"], env: {} },
    { args: [], env: { "A=B": "" } },
    { args: [], env: { "": "x" } },
    { args: [], env: { A: "x\0" } },
  ];
  for (const grant of wrong) assert.throws(() => grantedCli.configure(grant), { code: "grant/bad-value" });
});

test("without streams nothing waits, and what is printed goes to the transaction's output", async () => {
  const binding = grantedCli.configure(NOTHING)();
  assert.equal(anyMayWait(binding.imports), false);
  const printed: string[] = [];
  binding.prepare?.({ ...TRANSACTION, output: (stream, bytes) => void printed.push(`${stream} ${text(bytes)}`) });
  const imports = binding.imports as unknown as Interfaces;
  assert.equal(imports["wasi:cli/stdout@0.2.0"].getStdout().blockingWriteAndFlush(new TextEncoder().encode("a")), undefined);
  assert.deepEqual(await imports["wasi:cli/stderr@0.3.0"].writeViaStream(chunks("b", "c")), { tag: "ok" });
  assert.deepEqual(printed, ["stdout a", "stderr b", "stderr c"]);
});

test("with a stream, calls may wait", () => {
  assert.equal(anyMayWait(bind({ ...NOTHING, stdin: { bytes: [] } }).imports as never), true);
});

test("standard input is read on by whoever asks next: handles, streams of 0.3 and later transactions", async () => {
  const { binding, imports } = bind({ ...NOTHING, stdin: { bytes: chunks("abc", "def", "ghi") } });
  const first = imports["wasi:cli/stdin@0.2.0"].getStdin();
  assert.equal(text(await first.blockingRead(2n)), "ab");
  first[Symbol.dispose]();
  assert.equal(text(await imports["wasi:cli/stdin@0.2.0"].getStdin().blockingRead(9n)), "c");
  const [stream, end] = imports["wasi:cli/stdin@0.3.0"].readViaStream();
  for await (const chunk of stream) {
    assert.equal(text(chunk), "def");
    break;
  }
  assert.deepEqual(await end, { tag: "ok" }, "a reader that stops is no error");
  await binding.finish?.("done");
  binding.prepare?.(TRANSACTION);
  assert.equal(text(await imports["wasi:cli/stdin@0.2.0"].getStdin().blockingRead(9n)), "ghi");
});

test("a stream of standard input ends when the guest lets go, also while nothing arrives", async () => {
  const silent: AsyncIterable<Uint8Array> = { [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => undefined) }) };
  const { imports } = bind({ ...NOTHING, stdin: { bytes: silent } });
  const [stream, end] = imports["wasi:cli/stdin@0.3.0"].readViaStream();
  const iterator = stream[Symbol.asyncIterator]();
  const next = iterator.next();
  await iterator.return?.();
  assert.equal((await next).done, true);
  assert.deepEqual(await end, { tag: "ok" });
});

test("an output that breaks is told as a broken pipe, and the rest of the stream is not asked for", async () => {
  const { imports } = bind({ ...NOTHING, stdout: { write: () => Promise.reject(new Error("gone")) } });
  let asked = 0;
  async function* endless(): AsyncGenerator<Uint8Array> {
    for (;;) {
      asked++;
      yield new Uint8Array(1 << 16);
    }
  }
  assert.deepEqual(await imports["wasi:cli/stdout@0.3.0"].writeViaStream(endless()), { tag: "err", val: "pipe" });
  assert.ok(asked < 5);
});

test("what was printed has arrived when the transaction has ended", async () => {
  const gate = Promise.withResolvers<void>();
  let taken = "";
  const { binding, imports } = bind({
    ...NOTHING,
    stdout: { write: async (part) => gate.promise.then(() => void (taken += text(part))) },
  });
  const stdout = imports["wasi:cli/stdout@0.2.0"].getStdout();
  stdout.checkWrite();
  stdout.write(new TextEncoder().encode("last words"));
  const finished = binding.finish?.("done");
  gate.resolve();
  await finished;
  assert.equal(taken, "last words");
});

test("streams are terminals where the grant says so", () => {
  const { imports } = bind({ ...NOTHING, stdin: { bytes: [], isTerminal: true }, stdout: { write: () => undefined } });
  assert.ok(imports["wasi:cli/terminal-stdin@0.2.0"].getTerminalStdin() !== undefined);
  assert.equal(imports["wasi:cli/terminal-stdout@0.3.0"].getTerminalStdout(), undefined);
  assert.equal(imports["wasi:cli/terminal-stderr@0.3.0"].getTerminalStderr(), undefined);
});

test("handles from before the first transaction work in every one, also those that were dropped in the one before", async () => {
  const written: string[] = [];
  const binding = grantedCli.configure({
    ...NOTHING,
    stdin: { bytes: chunks("ab", "cd") },
    stdout: { write: (part) => void written.push(text(part)) },
  })();
  const imports = binding.imports as unknown as Interfaces;
  const [stdin, stdout] = [imports["wasi:cli/stdin@0.2.0"].getStdin(), imports["wasi:cli/stdout@0.2.0"].getStdout()];
  const ready = stdin.subscribe();
  for (const name of ["ab", "cd"]) {
    const abort = new AbortController();
    binding.prepare?.({ ...TRANSACTION, signal: abort.signal });
    await ready.block();
    assert.equal(text(await stdin.blockingRead(9n)), name);
    await stdout.blockingWriteAndFlush(new TextEncoder().encode(name));
    stdin[Symbol.dispose]();
    stdout[Symbol.dispose]();
    await binding.finish?.("done");
    abort.abort();
  }
  assert.deepEqual(written, ["ab", "cd"]);
});

test("what is printed without a stream keeps to the transaction's limit", () => {
  const binding = grantedCli.configure(NOTHING)();
  let count = 0;
  const output = (stream: string, part: Uint8Array): void => void (count += stream === "stdout" ? part.length : 0);
  binding.prepare?.({ ...TRANSACTION, output, outputLimitBytes: 10 });
  const stdout = (binding.imports as unknown as Interfaces)["wasi:cli/stdout@0.2.0"].getStdout();
  for (let i = 0; i < 5; i++) assert.equal(stdout.blockingWriteAndFlush(new Uint8Array(7)), undefined);
  assert.equal(count, 10);
});
