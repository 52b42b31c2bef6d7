// What passes between the process that watches and the process that runs the cases of a target. Where a case hangs or takes its process
// with it, its number and stage are in a file of eight bytes, and its sample in another.

import type { Stage } from "./target.ts";

export interface Work {
  readonly target: string;
  readonly small: boolean;
  readonly seed: number;
  /** The cases `from` up to, not including, `to`. */
  readonly from: number;
  readonly to: number;
  readonly stateFile: string;
  readonly sampleFile: string;
}

export type FromRunner =
  | { readonly kind: "finding"; readonly index: number; readonly message: string; readonly extension: string | undefined }
  | { readonly kind: "counts"; readonly counts: Readonly<Record<string, number>> }
  | { readonly kind: "end" };

/** Stages in which guest code runs: there an endless loop is the guest's own. */
export const GUEST_STAGES: ReadonlySet<Stage> = new Set<Stage>(["instantiate", "call"]);
