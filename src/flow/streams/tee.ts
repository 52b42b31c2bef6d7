// One stream for several readers: each sees all of it. The source is asked for more when any reader wants more, and no reader is more
// than BACKLOG elements ahead of the slowest: then it waits, and the source with it. Where the slowest cannot go on before the
// one that waits does, the run says so and ends.

import { FailedElement, type Step, type Stream } from "./stream.ts";

/** How many elements are kept for the slowest reader; the chunk that passes the bound is the last. */
export const BACKLOG = 10_000;

export class Tee {
  private readonly source: Stream;
  private readonly branches: Branch[] = [];
  private readonly isStuck: (ahead: number, behind: number) => boolean;
  private isPulling = false;
  private hasEnded = false;

  /** `isStuck`: whether the branch that is behind waits for the one ahead; told once for each time that one waits. */
  constructor(source: Stream, count: number, isStuck: (ahead: number, behind: number) => boolean) {
    this.source = source;
    this.isStuck = isStuck;
    const host: BranchHost = {
      more: () => this.more(),
      closed: () => this.closed(),
      hasEnded: () => this.hasEnded,
    };
    for (let i = 0; i < count; i++) this.branches.push(new Branch(host));
  }

  branch(index: number): Stream | undefined {
    return this.branches[index];
  }

  private more(): void {
    if (this.isPulling || this.hasEnded) return;
    const ahead = this.branches.findIndex((branch) => branch.isWaiting);
    if (ahead < 0) return;
    const behind = this.branches.findIndex((branch) => branch.backlog >= BACKLOG);
    if (behind >= 0) {
      if (this.isStuck(ahead, behind)) this.end();
      return;
    }
    this.isPulling = true;
    void this.source.pull().then((step) => {
      this.isPulling = false;
      if (step === undefined) return this.end();
      for (const branch of this.branches) branch.give(step);
      this.more();
    });
  }

  private end(): void {
    this.hasEnded = true;
    for (const branch of this.branches) branch.end();
  }

  private closed(): void {
    if (this.branches.every((branch) => branch.isClosed)) {
      this.hasEnded = true;
      this.source.close();
    } else this.more();
  }
}

interface BranchHost {
  more(): void;
  closed(): void;
  hasEnded(): boolean;
}

class Branch implements Stream {
  isClosed = false;
  /** Elements that are kept for it. */
  backlog = 0;
  private readonly host: BranchHost;
  private readonly kept: Step[] = [];
  private waiting: ((step: Step) => void) | undefined;

  constructor(host: BranchHost) {
    this.host = host;
  }

  get isWaiting(): boolean {
    return this.waiting !== undefined;
  }

  pull(): Promise<Step> {
    const step = this.kept.shift();
    if (step !== undefined) {
      const wasFull = this.backlog >= BACKLOG;
      this.backlog -= sizeOf(step);
      if (wasFull) this.host.more();
      return Promise.resolve(step);
    }
    if (this.isClosed || this.host.hasEnded()) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      this.waiting = resolve;
      this.host.more();
    });
  }

  give(step: Step): void {
    if (this.isClosed) return;
    if (this.waiting !== undefined) return this.answer(step);
    this.kept.push(step);
    this.backlog += sizeOf(step);
  }

  end(): void {
    if (this.waiting !== undefined) this.answer(undefined);
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.kept.length = 0;
    this.backlog = 0;
    this.end();
    this.host.closed();
  }

  private answer(step: Step): void {
    const { waiting } = this;
    this.waiting = undefined;
    waiting?.(step);
  }
}

function sizeOf(step: Step): number {
  return step === undefined || step instanceof FailedElement ? 1 : step.length;
}
