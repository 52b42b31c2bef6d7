// The contract of a fuzz target: it makes one case from one seed, and throws `Finding` where Starlane did what it must never do.

/** What the case that is running is doing; where it hangs decides whether that is a mistake. */
export const STAGES = ["idle", "generate", "decode", "validate", "inspect", "compile", "instantiate", "call", "check"] as const;
export type Stage = (typeof STAGES)[number];

/** Something to look at beside the seed: a binary, a text. */
export interface Sample {
  readonly extension: string;
  readonly content: Uint8Array | string;
}

export class Finding extends Error {
  override readonly name = "Finding";
  readonly sample: Sample | undefined;

  constructor(message: string, sample?: Sample, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.sample = sample;
  }
}

/** What a running case tells: where it is, what it works on, and what came of it. */
export interface Report {
  stage(stage: Stage): void;
  /** Kept in case the process does not survive. */
  sample(sample: Sample): void;
  count(what: string): void;
}

export interface Target {
  /** Made once: corpora, tools. `small`: only what every checkout has. */
  prepare(small: boolean): Promise<RunCase> | RunCase;
}

export type RunCase = (seed: number, report: Report) => Promise<void> | void;
