// Values of random types through chains of generated guests, from the host and back: what comes back is what went in, whatever
// encodings, pointer sizes and allocators are on the way.

import fc, { type Arbitrary } from "fast-check";
import { parse } from "@bytecodealliance/jco-transpile/wasm-tools";
import { compile } from "../../src/engine/compile.ts";
import { arbitraryType, arbitraryValue } from "../../src/wit/arbitrary.ts";
import { printTypeWhole } from "../../src/wit/type-text.ts";
import type { ValType } from "../../src/wit/types.ts";
import { equalValues } from "../../src/wit/value.ts";
import { type AsyncLink, asyncChainText, padded } from "./generate-async-chain.ts";
import { chainText, type Link, resultOf } from "./generate-chain.ts";
import type { Pointer } from "./oracle-layout.ts";
import type { Encoding } from "./oracle-side.ts";
import { PENDING, pause, within } from "./turns.ts";
import { Finding, type Report, type Target } from "./target.ts";

const VALUES = 8;
const MOST_TURNS = 200;

interface Chain {
  readonly types: readonly ValType[];
  readonly values: readonly (readonly unknown[])[];
  readonly text: string;
  /** The links, in words. */
  readonly through: string;
  /** Of async chains: how many turns of the event loop the host takes to answer, call by call. */
  readonly turns: readonly number[];
}

const memory = {
  encoding: fc.constantFrom<Encoding>("utf8", "utf16", "latin1+utf16"),
  pointer: fc.constantFrom<Pointer>(4, 4, 4, 8),
  growing: fc.boolean(),
};

const link: Arbitrary<Link> = fc.record({
  ...memory,
  postReturn: fc.boolean(),
  twice: fc.constantFrom(false, false, true),
  blocking: fc.constantFrom(false, false, true),
});

const asyncLink: Arbitrary<AsyncLink> = fc.record({
  ...memory,
  lift: fc.constantFrom("plain", "callback", "stackful"),
  lower: fc.constantFrom("plain", "async"),
});

const types: Arbitrary<readonly ValType[]> = fc.array(
  fc.oneof(arbitraryType({ depth: 1 }), arbitraryType({ depth: 2 }), arbitraryType({ depth: 3 })),
  { minLength: 1, maxLength: 4 },
);

function linksOf<T>(one: Arbitrary<T>): Arbitrary<readonly T[]> {
  return fc.array(one, { minLength: 1, maxLength: 3 });
}

function through(links: readonly object[]): string {
  return links.map((one) => Object.values(one).map(String).join(" ")).join(" -> ");
}

function chainWith(some: readonly ValType[], text: string, links: readonly object[], turns: readonly number[]): Arbitrary<Chain> {
  return fc
    .array(fc.tuple(...some.map(arbitraryValue)), { minLength: VALUES, maxLength: VALUES })
    .map((values) => ({ types: some, values, text, through: through(links), turns }));
}

const syncChain = fc.tuple(types, linksOf(link)).chain(([some, links]) => chainWith(some, chainText(some, links), links, []));

const turns = fc.array(fc.nat({ max: 3 }), { minLength: VALUES, maxLength: VALUES });

const asyncChain = fc
  .tuple(types.map(padded), linksOf(asyncLink), turns)
  .chain(([some, links, each]) => chainWith(some, asyncChainText(some, links), links, each));

const chain = fc.oneof(syncChain, asyncChain);

export const calls: Target = {
  prepare: () => async (seed, report) => {
    report.stage("generate");
    const [one] = fc.sample(chain, { seed, numRuns: 1 });
    if (one !== undefined) await runChain(one, report);
  },
};

async function runChain(one: Chain, report: Report): Promise<void> {
  const sample = { extension: "wat", content: one.text };
  report.sample(sample);
  const bytes = await parse(one.text);
  try {
    report.stage("compile");
    const component = await compile(bytes);
    report.stage("instantiate");
    const host = new EchoHost(one);
    const instance = await component.instantiate({ echo: host.echo });
    report.stage("call");
    for (const args of one.values) {
      await checkCall(one, host, args, () => instance.call("run", args));
      report.count(one.turns.length > 0 ? "answered, async" : "answered");
    }
  } catch (error) {
    const what = `${one.types.map((type) => printTypeWhole(type)).join(", ")} through ${one.through}`;
    throw new Finding(`${what}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`, sample, error);
  }
}

/** Gives back what it is given: at once, or some turns later. */
class EchoHost {
  seen: readonly unknown[] = [];
  readonly #chain: Chain;
  #calls = 0;

  constructor(chain: Chain) {
    this.#chain = chain;
  }

  readonly echo = (...args: unknown[]): unknown => {
    this.seen = args;
    const { types, turns: wanted } = this.#chain;
    const answer = types.length === 1 ? args[0] : args;
    const give = (): unknown => (resultOf(types).kind === "result" ? unwrap(answer) : answer);
    const after = wanted[this.#calls++];
    return after === undefined || after === 0 ? give() : pause(after - 1).then(give);
  };
}

async function checkCall(
  { types }: Chain,
  host: EchoHost,
  args: readonly unknown[],
  call: () => Promise<unknown>,
): Promise<void> {
  const result = resultOf(types);
  const answer = await within(MOST_TURNS, wrapped(result, call));
  if (answer === PENDING) throw new Error("no answer, and nothing is left that could give one");
  const [sent, arrived] = types.length === 1 ? [args[0], host.seen[0]] : [args, host.seen];
  if (!equalValues(result, sent, arrived)) throw new Error(`the host was given ${show(arrived)}, not ${show(sent)}`);
  if (!equalValues(result, sent, answer)) throw new Error(`the answer is ${show(answer)}, not ${show(sent)}`);
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
