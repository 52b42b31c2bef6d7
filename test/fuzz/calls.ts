// Values of random types through chains of generated guests, from the host and back: what comes back is what went in, whatever
// encodings, pointer sizes and allocators are on the way.

import fc, { type Arbitrary } from "fast-check";
import { parse } from "@bytecodealliance/jco-transpile/wasm-tools";
import { compile } from "../../src/engine/compile.ts";
import { arbitraryType, arbitraryValue } from "../../src/wit/arbitrary.ts";
import { printTypeWhole } from "../../src/wit/type-text.ts";
import type { ValType } from "../../src/wit/types.ts";
import { equalValues } from "../../src/wit/value.ts";
import { chainText, type Link, resultOf } from "./generate-chain.ts";
import { Finding, type Report, type Target } from "./target.ts";

const VALUES = 8;

interface Chain {
  readonly types: readonly ValType[];
  readonly links: readonly Link[];
  readonly values: readonly (readonly unknown[])[];
}

const link: Arbitrary<Link> = fc.record({
  encoding: fc.constantFrom("utf8", "utf16", "latin1+utf16"),
  pointer: fc.constantFrom(4, 4, 4, 8),
  growing: fc.boolean(),
  postReturn: fc.boolean(),
  twice: fc.constantFrom(false, false, true),
  blocking: fc.constantFrom(false, false, true),
});

const chain: Arbitrary<Chain> = fc
  .array(fc.oneof(arbitraryType({ depth: 1 }), arbitraryType({ depth: 2 }), arbitraryType({ depth: 3 })), {
    minLength: 1,
    maxLength: 4,
  })
  .chain((types) =>
    fc.record({
      types: fc.constant(types),
      links: fc.array(link, { minLength: 1, maxLength: 3 }),
      values: fc.array(fc.tuple(...types.map(arbitraryValue)), { minLength: VALUES, maxLength: VALUES }),
    }),
  );

export const calls: Target = {
  prepare: () => async (seed, report) => {
    report.stage("generate");
    const [one] = fc.sample(chain, { seed, numRuns: 1 });
    if (one !== undefined) await runChain(one, report);
  },
};

async function runChain({ types, links, values }: Chain, report: Report): Promise<void> {
  const wat = chainText(types, links);
  const sample = { extension: "wat", content: wat };
  report.sample(sample);
  const bytes = await parse(wat);
  const what = `${types.map((type) => printTypeWhole(type)).join(", ")} through ${links.map(describeLink).join(" -> ")}`;
  const result = resultOf(types);
  try {
    report.stage("compile");
    const component = await compile(bytes);
    report.stage("instantiate");
    let seen: readonly unknown[] = [];
    const echo = (...args: unknown[]): unknown => {
      seen = args;
      const answer = types.length === 1 ? args[0] : args;
      return result.kind === "result" ? unwrap(answer) : answer;
    };
    const instance = await component.instantiate({ echo });
    report.stage("call");
    for (const args of values) {
      const answer = await wrapped(result, () => instance.call("run", args));
      const sent = types.length === 1 ? args[0] : args;
      const arrived = types.length === 1 ? seen[0] : seen;
      if (!equalValues(result, sent, arrived)) throw new Error(`the host was given ${show(arrived)}, not ${show(sent)}`);
      if (!equalValues(result, sent, answer)) throw new Error(`the answer is ${show(answer)}, not ${show(sent)}`);
      report.count("answered");
    }
  } catch (error) {
    throw new Finding(`${what}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`, sample, error);
  }
}

/** A function's own result is returned or thrown. */
function unwrap(result: unknown): unknown {
  const { tag, val } = result as { readonly tag: "ok" | "err"; readonly val?: unknown };
  if (tag === "err") throw Object.assign(new Error("the error of a result"), { payload: val });
  return val;
}

async function wrapped(type: ValType, call: () => Promise<unknown>): Promise<unknown> {
  if (type.kind !== "result") return await call();
  try {
    const val = await call();
    return type.ok === undefined ? { tag: "ok" } : { tag: "ok", val };
  } catch (error) {
    if (!(error instanceof Error && "payload" in error)) throw error;
    return type.error === undefined ? { tag: "err" } : { tag: "err", val: error.payload };
  }
}

function describeLink({ encoding, pointer, growing, postReturn, twice, blocking }: Link): string {
  return [
    encoding,
    pointer,
    growing ? "growing" : "",
    postReturn ? "post-return" : "",
    twice ? "twice" : "",
    blocking ? "blocking" : "",
  ]
    .filter((word) => word !== "")
    .join(" ");
}

function show(value: unknown): string {
  const shown = (_key: string, inner: unknown): unknown =>
    typeof inner === "bigint"
      ? `${inner}n`
      : inner instanceof Map
        ? [...inner]
        : ArrayBuffer.isView(inner)
          ? [...(inner as unknown as Iterable<unknown>)].map(String)
          : inner;
  return (JSON.stringify(value, shown) ?? "nothing").slice(0, 1000);
}
