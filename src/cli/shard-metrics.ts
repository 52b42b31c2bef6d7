// The metrics of several processes as one page: Prometheus asks an address, and any of the processes behind it may answer.
// Source: Prometheus, "Exposition formats", text format 0.0.4.

import type { ChildProcess } from "node:child_process";

/** What processes and their supervisor say to each other: a shard asks for all, each is asked for its own, all are given. */
export type MetricsMessage =
  | { readonly gather: number }
  | { readonly tell: number }
  | { readonly told: number; readonly text: string }
  | { readonly gathered: number; readonly texts: readonly (readonly [shard: number, text: string])[] };

export function isMetricsMessage(message: unknown): message is MetricsMessage {
  return typeof message === "object" && message !== null && ["gather", "tell", "told", "gathered"].some((key) => key in message);
}

/** In a shard: tells `own` when it is asked, and gives what gathers those of all. */
export function metricsOfShards(own: () => string): () => Promise<string> {
  const asked = new Map<number, (merged: string) => void>();
  let count = 0;
  process.on("message", (message) => {
    if (!isMetricsMessage(message)) return;
    if ("tell" in message) process.send?.({ told: message.tell, text: own() } satisfies MetricsMessage);
    if ("gathered" in message) {
      asked.get(message.gathered)?.(mergeMetrics(new Map(message.texts)));
      asked.delete(message.gathered);
    }
  });
  return () =>
    new Promise((resolve) => {
      const id = ++count;
      asked.set(id, resolve);
      process.send?.({ gather: id } satisfies MetricsMessage);
    });
}

/** One that does not tell in time is left out. */
const LONGEST_MS = 1000;

/** In the supervisor: asks `all` for theirs, and gives them to the one that wants them. */
export class MetricsExchange {
  readonly #all: ReadonlyMap<number, ChildProcess>;
  readonly #asked = new Map<number, (shard: number, text: string) => void>();
  #count = 0;

  constructor(all: ReadonlyMap<number, ChildProcess>) {
    this.#all = all;
  }

  take(message: MetricsMessage, from: number): void {
    if ("told" in message) this.#asked.get(message.told)?.(from, message.text);
    if ("gather" in message) void this.#gather(message.gather, from);
  }

  async #gather(id: number, from: number): Promise<void> {
    const texts = new Map<number, string>();
    const token = ++this.#count;
    await new Promise<void>((resolve) => {
      const expected = this.#all.size;
      const timer = setTimeout(resolve, LONGEST_MS);
      this.#asked.set(token, (shard, text) => {
        if (texts.set(shard, text).size < expected) return;
        clearTimeout(timer);
        resolve();
      });
      for (const shard of this.#all.values()) if (shard.connected) shard.send({ tell: token } satisfies MetricsMessage);
    });
    this.#asked.delete(token);
    const shard = this.#all.get(from);
    const all = [...texts].toSorted(([a], [b]) => a - b);
    if (shard?.connected === true) shard.send({ gathered: id, texts: all } satisfies MetricsMessage);
  }
}

interface Family {
  readonly about: readonly string[];
  readonly samples: string[];
}

/** By number of the process: each sample gets a label `shard`, and those of one metric stand together. */
export function mergeMetrics(texts: ReadonlyMap<number, string>): string {
  const families = new Map<string, Family>();
  for (const [shard, text] of texts) {
    let family: Family | undefined;
    const described = new Map<string, string[]>();
    for (const line of text.split("\n")) {
      const name = /^# (?:HELP|TYPE) (\S+)/.exec(line)?.[1];
      if (name !== undefined) {
        const about = described.getOrInsertComputed(name, () => []);
        about.push(line);
        family = families.getOrInsertComputed(name, () => ({ about, samples: [] }));
      } else if (line !== "" && !line.startsWith("#")) {
        family?.samples.push(labelled(line, shard));
      }
    }
  }
  return families
    .values()
    .flatMap(({ about, samples }) => [...about, ...samples])
    .map((line) => `${line}\n`)
    .toArray()
    .join("");
}

/** `name{a="b"} 1` and `name 1`, with one label more. */
function labelled(sample: string, shard: number): string {
  const [, name = "", labels = ""] = /^([^\s{]+)(\{)?/.exec(sample) ?? [];
  const label = `shard="${shard}"`;
  if (labels === "") return `${name}{${label}}${sample.slice(name.length)}`;
  const rest = sample.slice(name.length + 1);
  return `${name}{${label}${rest.startsWith("}") ? "" : ","}${rest}`;
}
