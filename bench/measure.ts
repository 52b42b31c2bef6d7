// How benchmarks measure: two ways of doing the same, in turn, in one run; the medians and their ratio.

export interface BenchRow {
  readonly name: string;
  readonly unit: TimeUnit | "KB";
  /** Medians, in `unit`. */
  readonly ours: number;
  readonly peer: number;
  /** How many times as fast, or as small, as the peer: above 1 is better. */
  readonly ratio: number;
}

const UNITS = { ns: 1e6, us: 1e3, ms: 1 } as const;
type TimeUnit = keyof typeof UNITS;

type Work = () => unknown;

/** Times `ours` and `peer` round by round, alternating; each round repeats the work until it takes about `roundMs`. */
export async function compare(name: string, unit: TimeUnit, ours: Work, peer: Work, rounds = 9, roundMs = 40): Promise<BenchRow> {
  const [oursCount, peerCount] = [await countFor(ours, roundMs), await countFor(peer, roundMs)];
  const oursTimes: number[] = [];
  const peerTimes: number[] = [];
  for (let i = 0; i < rounds; i++) {
    oursTimes.push(await timeOnce(ours, oursCount));
    peerTimes.push(await timeOnce(peer, peerCount));
  }
  return row(name, unit, median(oursTimes), median(peerTimes));
}

export function row(name: string, unit: TimeUnit, oursMs: number, peerMs: number): BenchRow {
  return { name, unit, ours: oursMs * UNITS[unit], peer: peerMs * UNITS[unit], ratio: peerMs / oursMs };
}

/** How often to repeat the work so that a round takes long enough to be timed; warms it up on the way. */
async function countFor(work: Work, roundMs: number): Promise<number> {
  let count = 1;
  for (;;) {
    const each = await timeOnce(work, count);
    if (each * count >= roundMs / 2) return Math.max(1, Math.ceil(roundMs / each));
    count *= 4;
  }
}

/** Milliseconds for one repetition. Work that answers with a promise is awaited, other work is not. */
async function timeOnce(work: Work, count: number): Promise<number> {
  const start = performance.now();
  for (let i = 0; i < count; i++) {
    const result = work();
    if (result instanceof Promise) await result;
  }
  return (performance.now() - start) / count;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}

/** The rows as a table for people. */
export function table(rows: readonly BenchRow[], peerName: string): string {
  const cells = rows.map(({ name, unit, ours, peer, ratio }) => [
    name,
    amount(ours, unit),
    amount(peer, unit),
    `${ratio.toFixed(ratio < 10 ? 2 : 0)} x`,
  ]);
  const all = [["", "starlane", peerName, "ratio"], ...cells];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...all.map((line) => line[column]?.length ?? 0)));
  return all
    .map((line) => line.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join("  "))
    .join("\n");
}

function amount(value: number, unit: string): string {
  return `${value >= 1000 ? Math.round(value).toLocaleString("en").replaceAll(",", " ") : value.toPrecision(3)} ${unit}`;
}
