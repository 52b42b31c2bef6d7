// `core::collect`, `core::spread`, `core::batch`: between lists and streams.

import { StarlaneError } from "../../base/errors.ts";
import { BIGINT_ARRAYS, isBigInteger, isNumberArrayKind, NUMBER_ARRAYS } from "../../wit/numeric.ts";
import { printType } from "../../wit/type-text.ts";
import type { Chunk } from "../../wit/streams.ts";
import type { ValType } from "../../wit/types.ts";
import { Pause } from "../streams/pause.ts";
import { FailedElement, ReadyStream, type Step, type Stream } from "../streams/stream.ts";
import type { CoreNode, CoreOperation, CoreUse } from "./operation.ts";
import { signatureOf, streamCall, streamInput, valueInput } from "./types.ts";

const DEFAULT_LIMIT = 1_000_000;
const LARGEST_LIMIT = 100_000_000;
const LARGEST_BATCH = 1_000_000;

export const collectOperation: CoreOperation = {
  name: "collect",
  description: "Gathers all elements of a stream into a list.",
  inputs: "`value`, a stream.",
  outputs: "The list, when the stream has ended.",
  settings: [
    {
      name: "limit",
      kind: "number",
      required: false,
      description: `how many elements it takes at most, ${DEFAULT_LIMIT} without it: more fail the node.`,
    },
  ],
  takes: "value",
  streams: true,
  check: checkCollect,
};

export const spreadOperation: CoreOperation = {
  name: "spread",
  description: "Makes a stream of the elements of a list.",
  inputs: "`value`, a list, or a stream of lists.",
  outputs: "The stream of their elements.",
  settings: [],
  takes: "value",
  streams: true,
  check: checkSpread,
};

export const batchOperation: CoreOperation = {
  name: "batch",
  description: "Gathers the elements of a stream into lists of a size; the last one may be shorter.",
  inputs: "`value`, a stream.",
  outputs: "A stream of lists.",
  settings: [
    { name: "size", kind: "number", required: true, description: "how many elements a list has." },
    {
      name: "within",
      kind: "duration",
      required: false,
      description: "gives what there is so long after the first element of a list, full or not.",
    },
  ],
  takes: "value",
  streams: true,
  check: checkBatch,
};

function checkCollect(use: CoreUse): CoreNode | undefined {
  const element = streamInput(use);
  const limit = use.settings.count("limit", LARGEST_LIMIT) ?? DEFAULT_LIMIT;
  if (element === undefined) return undefined;
  return {
    signature: signatureOf([{ name: "value", type: { kind: "stream", element } }], { kind: "list", element }, true),
    run: { kind: "call", call: streamCall((stream) => collected(stream, element, limit)) },
  };
}

async function collected(stream: Stream, element: ValType, limit: number): Promise<unknown> {
  const chunks: Chunk[] = [];
  let length = 0;
  try {
    for (;;) {
      const step = await stream.pull();
      if (step === undefined) return listOf(element, chunks, length);
      if (step instanceof FailedElement) throw step.failure.error;
      length += step.length;
      if (length > limit) {
        throw new StarlaneError("flow/too-many-elements", `the stream has more than ${limit} elements`, {
          cure: "Raise the `limit` of the node, or take fewer with `core::take`.",
        });
      }
      chunks.push(step);
    }
  } finally {
    stream.close();
  }
}

function listOf({ kind }: ValType, chunks: readonly Chunk[], length: number): unknown {
  if (isNumberArrayKind(kind)) {
    const list = new NUMBER_ARRAYS[kind](length);
    let at = 0;
    for (const chunk of chunks) for (let i = 0; i < chunk.length; i++) list[at++] = Number(chunk[i]);
    return list;
  }
  if (isBigInteger(kind)) {
    return BIGINT_ARRAYS[kind].from(chunks.flatMap((chunk) => Array.from(chunk).filter((item) => typeof item === "bigint")));
  }
  return chunks.flatMap((chunk) => Array.from(chunk));
}

function checkSpread(use: CoreUse): CoreNode | undefined {
  const input = valueInput(use);
  if (input === undefined) return undefined;
  const { type } = input;
  const list = type.kind === "stream" ? type.element : type;
  if (list?.kind !== "list") {
    use.wrong(
      "flow/type-mismatch",
      `it takes a list or a stream of lists, not \`${printType(type, 80)}\``,
      "Name the list behind a `.`, or leave the node out.",
    );
    return undefined;
  }
  const signature = signatureOf([{ name: "value", type }], { kind: "stream", element: list.element });
  if (type.kind === "stream") return { signature, run: { kind: "call", call: streamCall((stream) => new SpreadStream(stream)) } };
  return { signature, run: { kind: "call", call: ([value]) => new ReadyStream(chunkFrom(value)) } };
}

function chunkFrom(list: unknown): Chunk {
  if (Array.isArray(list)) return list;
  if (ArrayBuffer.isView(list) && !(list instanceof DataView)) return list as unknown as Chunk;
  if (typeof list === "object" && list !== null && Symbol.iterator in list) return Array.from(list as Iterable<unknown>);
  throw new StarlaneError("wit/bad-value", "expected a list");
}

class SpreadStream implements Stream {
  private readonly source: Stream;
  private readonly later: Chunk[] = [];

  constructor(source: Stream) {
    this.source = source;
  }

  async pull(): Promise<Step> {
    for (;;) {
      const kept = this.later.shift();
      if (kept !== undefined) return kept;
      const step = await this.source.pull();
      if (step === undefined || step instanceof FailedElement) return step;
      for (let i = 0; i < step.length; i++) {
        const chunk = chunkFrom(step[i]);
        if (chunk.length > 0) this.later.push(chunk);
      }
    }
  }

  close(): void {
    this.later.length = 0;
    this.source.close();
  }
}

function checkBatch(use: CoreUse): CoreNode | undefined {
  const element = streamInput(use);
  const size = use.settings.count("size", LARGEST_BATCH);
  const withinMs = use.settings.durationMs("within");
  if (element === undefined || size === undefined) return undefined;
  return {
    signature: signatureOf([{ name: "value", type: { kind: "stream", element } }], {
      kind: "stream",
      element: { kind: "list", element },
    }),
    run: {
      kind: "call",
      call: streamCall((stream, transaction) => new BatchStream(stream, element, size, withinMs, new Pause(transaction))),
    },
  };
}

class BatchStream implements Stream {
  private readonly source: Stream;
  private readonly element: ValType;
  private readonly size: number;
  private readonly withinMs: number | undefined;
  private readonly pause: Pause;
  private chunks: Chunk[] = [];
  private length = 0;
  /** A pull of the source that is under way, or what came of it. */
  private coming: Promise<Step> | undefined;
  private later: FailedElement | undefined;
  private hasEnded = false;
  private isTimed = false;
  private isTimeOver = false;

  constructor(source: Stream, element: ValType, size: number, withinMs: number | undefined, pause: Pause) {
    this.source = source;
    this.element = element;
    this.size = size;
    this.withinMs = withinMs;
    this.pause = pause;
  }

  async pull(): Promise<Step> {
    for (;;) {
      if (this.length >= this.size) return this.full();
      if (this.length > 0 && (this.hasEnded || this.isTimeOver || this.later !== undefined)) return [this.take(this.length)];
      const { later } = this;
      this.later = undefined;
      if (later !== undefined) return later;
      if (this.hasEnded) return undefined;
      await this.more();
    }
  }

  close(): void {
    this.hasEnded = true;
    this.chunks = [];
    this.length = 0;
    this.pause.end();
    this.source.close();
  }

  /** As many whole lists as there are. */
  private full(): Step {
    const lists: unknown[] = [];
    while (this.length >= this.size) lists.push(this.take(this.size));
    return lists;
  }

  /** Waits for the next step of the source, or for the end of the time. */
  private async more(): Promise<void> {
    this.coming ??= this.source.pull();
    const { coming } = this;
    let step: Step | "time" = undefined;
    if (this.length > 0 && this.withinMs !== undefined) {
      this.isTimed = true;
      step = await Promise.race([coming, this.pause.wait(this.withinMs).then((): "time" => "time")]);
    } else step = await coming;
    if (step === "time") {
      this.isTimeOver = true;
      return;
    }
    this.coming = undefined;
    if (step === undefined) this.hasEnded = true;
    else if (step instanceof FailedElement) this.later = step;
    else {
      this.chunks.push(step);
      this.length += step.length;
    }
  }

  /** The first `count` elements that are kept. */
  private take(count: number): unknown {
    const taken: Chunk[] = [];
    let missing = count;
    while (missing > 0) {
      const [first] = this.chunks;
      if (first === undefined) break;
      if (first.length <= missing) {
        this.chunks.shift();
        taken.push(first);
        missing -= first.length;
      } else {
        taken.push(sliceOf(first, 0, missing));
        this.chunks[0] = sliceOf(first, missing, first.length);
        missing = 0;
      }
    }
    this.length -= count;
    this.isTimeOver = false;
    if (this.isTimed) this.pause.stop();
    this.isTimed = false;
    return listOf(this.element, taken, count);
  }
}

export function sliceOf(chunk: Chunk, from: number, to: number): Chunk {
  if (from === 0 && to >= chunk.length) return chunk;
  if (Array.isArray(chunk)) return chunk.slice(from, to);
  if (chunk instanceof Uint8Array) return chunk.subarray(from, to);
  return Array.from(chunk).slice(from, to);
}
