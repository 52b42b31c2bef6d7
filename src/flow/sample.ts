// A small app for tests: components with operations of many shapes, run by plain functions, and flows written as manifests.

import { virtualClock } from "../base/clock.ts";
import { renderDiagnostic } from "../base/diagnostics.ts";
import { parseManifest } from "../manifest/parse.ts";
import { parseType } from "../wit/type-text.ts";
import type { ValType } from "../wit/types.ts";
import { checkFlow, type CheckResult } from "./check.ts";
import type { Operations } from "./draft.ts";
import type { Invoke, NodeEvent, Signature, Transaction } from "./flow.ts";
import { planFlow, type Plan } from "./plan.ts";
import { runFlow } from "./run.ts";

type Run = (args: readonly unknown[], transaction: Transaction, path: string) => unknown;

interface SampleOperation {
  readonly signature: Signature;
  readonly run: Run;
}

/** `op("s: string, n?: u32", "string", ([s]) => …)`; `?` marks an optional port, `!T` behind the result an own error. */
function op(
  params: string,
  result: string,
  run: Run = () => undefined,
  settings: { readonly error?: string; readonly async?: boolean } = {},
): SampleOperation {
  const type = typeOf(params === "" ? "bool" : `record { ${params.replaceAll("?:", ":")} }`);
  const fields = params !== "" && type.kind === "record" ? type.fields : [];
  return {
    signature: {
      params: fields.map((field) => ({ ...field, optional: params.includes(`${field.name}?:`) })),
      result: result === "" ? undefined : typeOf(result),
      error: settings.error === undefined ? undefined : typeOf(settings.error),
      async: settings.async === true,
    },
    run,
  };
}

function text(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

function typeOf(expression: string): ValType {
  const { type, problems } = parseType(expression);
  if (type === undefined) throw new Error(`${expression}: ${problems[0]?.message}`);
  return type;
}

/** The `error` result of an operation, as engines throw it. */
export class OwnError extends Error {
  readonly payload: unknown;

  constructor(payload: unknown) {
    super("own error");
    this.payload = payload;
  }
}

/** A stream of the numbers below `n`, in chunks. */
async function* counted(n: number, chunk: number): AsyncGenerator<Uint32Array> {
  for (let i = 0; i < n; i += chunk) {
    yield Uint32Array.from({ length: Math.min(chunk, n - i) }, (_, k) => i + k);
    await Promise.resolve();
  }
}

const handle: ValType = { kind: "own", resource: { kind: "resource", name: "file" } };

export const SAMPLE: Readonly<Record<string, SampleOperation>> = {
  "text::trim": op("s: string", "string", ([s]) => text(s).trim()),
  "text::upper": op("s: string", "string", ([s]) => text(s).toUpperCase()),
  "text::join": op(
    "a: string, b: string, separator?: option<string>",
    "string",
    ([a, b, separator]) => text(a) + text(separator ?? "") + text(b),
  ),
  "text::length": op("s: string", "u32", ([s]) => text(s).length),
  "text::repeat": op("s: string, n: u8", "string", ([s, n]) => text(s).repeat(Number(n))),
  "text::words": op("s: string", "list<string>", ([s]) => text(s).split(" ")),
  "text::split": op("s: string", "record { first: string, rest: string }", ([s]) => {
    const [first = "", ...rest] = text(s).split(" ");
    return { first, rest: rest.join(" ") };
  }),
  "text::find": op("s: string, what: string", "option<u32>", ([s, what]) => {
    const at = text(s).indexOf(text(what));
    return at < 0 ? undefined : at;
  }),
  "greeter::greet": op("name: string, lang?: option<string>", "record { greeting: string }", ([name, lang]) => ({
    greeting: `${lang === "de" ? "Hallo" : "Hello"}, ${text(name)}!`,
  })),
  "math::add": op("a: s64, b: s64", "s64", ([a, b]) => (typeof a === "bigint" && typeof b === "bigint" ? a + b : undefined)),
  "math::half": op(
    "n: u32",
    "u32",
    ([n]) => {
      if (Number(n) % 2 === 1) throw new OwnError({ tag: "odd", val: n });
      return Number(n) / 2;
    },
    { error: "variant { odd(u32), other }" },
  ),
  "math::fail": op(
    "s: string",
    "string",
    ([s]) => {
      throw new OwnError(s);
    },
    { error: "string" },
  ),
  "math::bug": op("s: string", "string", () => {
    throw new TypeError("cannot read it");
  }),
  "math::kind": op("n: u32", "variant { even(u32), odd(u32), zero }", ([n]) =>
    n === 0 ? { tag: "zero" } : { tag: Number(n) % 2 === 0 ? "even" : "odd", val: n },
  ),
  "users::get": op(
    "id: u32",
    "record { name: string, age: u8, address: record { city: string, zip: option<string> } }",
    ([id]) => ({
      name: `user ${text(id)}`,
      age: 40,
      address: { city: "Bern", zip: undefined },
    }),
  ),
  "users::make": op("name: string, age: u8", "record { name: string, age: u8 }", ([name, age]) => ({ name, age })),
  "users::show": op("user: record { name: string, age: u8 }", "string", ([user]) => JSON.stringify(user)),
  "users::save": op("name: string, age: u8", ""),
  "store::save": op("key: string, value: string", ""),
  "store::open": {
    signature: { params: [{ name: "path", type: { kind: "string" }, optional: false }], result: handle, async: false },
    run: () => ({}),
  },
  "store::read": {
    signature: { params: [{ name: "file", type: handle, optional: false }], result: { kind: "string" }, async: false },
    run: () => "content",
  },
  "lines::all": op("", "stream<string>", () => ["one", "two", "three"][Symbol.iterator](), { async: true }),
  /** The numbers from 0 on, so many at a time. */
  "numbers::count": op("n: u32, chunk?: option<u32>", "stream<u32>", ([n, chunk]) => counted(Number(n), Number(chunk ?? 1))),
  "numbers::both": op("n: u32", "record { up: stream<u32>, words: stream<string>, n: u32 }", ([n]) => ({
    up: counted(Number(n), 2),
    words: ["a", "b"],
    n,
  })),
  "numbers::sum": op(
    "values: stream<u32>",
    "u32",
    async ([values]) => {
      let sum = 0;
      for await (const chunk of values as AsyncIterable<ArrayLike<unknown>>)
        for (const item of Array.from(chunk)) sum += Number(item);
      return sum;
    },
    { async: true },
  ),
  "numbers::later": op("n: u32", "future<u32>"),
  "numbers::nested": op("values: list<stream<u32>>", "u32"),
  "users::each": op("", "stream<record { name: string, age: u8 }>", () => [
    { name: "Ada", age: 36 },
    { name: "Bob", age: 40 },
  ]),
  "both::acme:a/one@1.0.0#run": op("s: string", "string", ([s]) => s),
  "both::acme:a/two@1.0.0#run": op("s: string", "string", ([s]) => s),
  "both::acme:a/two@1.0.0#stop": op("", "string", () => "stopped"),
  /** Waits on the clock of the transaction for `ms`, then gives `s`. */
  "slow::wait": op(
    "s: string, ms: u32",
    "string",
    async ([s, ms], { clock, signal }) => {
      await clock.sleep(Number(ms), signal);
      return s;
    },
    { async: true },
  ),
  "slow::never": op("s: string", "string", () => new Promise(() => {}), { async: true }),
};

/** Looks operations up as an app would: by full name, or by the function's name where that is enough. */
export function operationsOf(table: Readonly<Record<string, SampleOperation>> = SAMPLE): Operations {
  const components = new Map<string, Map<string, Signature>>();
  for (const [key, { signature }] of Object.entries(table)) {
    const at = key.indexOf("::");
    const component = key.slice(0, at);
    components.set(component, (components.get(component) ?? new Map<string, Signature>()).set(key.slice(at + 2), signature));
  }
  return {
    components: [...components.keys()],
    operationsOf: (component) => components.get(component)?.keys(),
    signatureOf: (component, operation) => components.get(component)?.get(operation),
  };
}

export const invokeSample: Invoke = ({ component, operation, path }, args, transaction) => {
  const found = SAMPLE[`${component}::${operation}`];
  if (found === undefined) throw new Error(`no operation ${component}::${operation}`);
  return found.run(args, transaction, path);
};

/** A manifest with one operation, checked; `body` is the YAML below `operations.test`. */
export function checkBody(body: string, operations: Operations = operationsOf()): CheckResult {
  const components = [...operations.components].map((name) => `  ${name}: ./${name}.wasm\n`).join("");
  const indented = body
    .trim()
    .split("\n")
    .map((line) => `    ${line}\n`)
    .join("");
  const text = `starlane: v1\nname: acme/test\ncomponents:\n${components}operations:\n  test:\n${indented}`;
  return checkManifest("test.yaml", text, operations);
}

/** The first operation of a manifest, checked; mistakes of the manifest itself come back as its diagnostics. */
export function checkManifest(file: string, text: string, operations: Operations = operationsOf()): CheckResult {
  const { manifest, diagnostics } = parseManifest({ file, text });
  const [declaration] = manifest?.operations ?? [];
  if (manifest === undefined || declaration === undefined) return { diagnostics };
  const checked = checkFlow(declaration, operations, manifest.types);
  return { ...checked, diagnostics: [...diagnostics, ...checked.diagnostics] };
}

/** A flow text alone, nothing declared, checked and planned. */
export function planBody(body: string, operations: Operations = operationsOf()): Plan {
  const { flow, diagnostics } = checkBody(body, operations);
  if (flow === undefined) throw new Error(diagnostics.map(renderDiagnostic).join("\n\n"));
  return planFlow(flow);
}

export function flowBody(...lines: string[]): string {
  return `flow: |\n${lines.map((line) => `  ${line}\n`).join("")}`;
}

export function transaction(settings: Partial<Transaction> = {}): Transaction {
  return { id: "t", seed: 1, timestampMs: 0, signal: new AbortController().signal, clock: virtualClock(0), ...settings };
}

/** Runs a body on inputs in the order of its ports, with the events of its nodes. */
export async function runBody(
  body: string,
  inputs: readonly unknown[] = [],
  settings: Partial<Transaction> = {},
  invoke: Invoke = invokeSample,
): Promise<{ readonly result: unknown; readonly events: readonly string[] }> {
  const events: string[] = [];
  const observe = (event: NodeEvent): void => void events.push(`${event.kind} ${event.path.replace(/^test\//, "")}`);
  const result: unknown = await runFlow(planBody(body), inputs, transaction({ observe, ...settings }), invoke);
  return { result, events };
}
