// A nondeterministic automaton made from a pattern (Thompson's construction), run as a deterministic one that is built while it is used and
// thrown away when it grows too large: time is linear in the text, memory is bounded.

import { MOST_STATES, PatternError, type PatternNode } from "./pattern-syntax.ts";

/** The deterministic states that are kept before starting over. */
const MOST_KEPT = 500;
const MATCHED = -1;

type Step =
  | { readonly kind: "set"; readonly set: number; next: number }
  | { readonly kind: "fork"; next: number; other: number }
  | { readonly kind: "start" | "end"; next: number }
  | { readonly kind: "match" };

/** Deterministic: the steps that wait for a code point, and what follows each code point seen so far. */
interface State {
  readonly steps: readonly number[];
  readonly accepts: boolean;
  readonly next: Map<string, State>;
}

export interface Automaton {
  matches(text: string): boolean;
}

/** @throws PatternError where the pattern unfolds into too many steps */
export function compileAutomaton(pattern: PatternNode): Automaton {
  const builder = new AutomatonBuilder();
  const start = builder.add(pattern, builder.match);
  return new LazyAutomaton(builder.steps, builder.sets, start);
}

class AutomatonBuilder {
  readonly steps: Step[] = [];
  readonly sets: ((codePoint: string) => boolean)[] = [];
  readonly match = this.#push({ kind: "match" });
  readonly #setBySource = new Map<string, number>();

  /** Adds the steps of `node`, built from its end: they go on at `next`. Answers where they start. */
  add(node: PatternNode, next: number): number {
    switch (node.kind) {
      case "set":
        return this.#push({ kind: "set", set: this.#set(node.source, node.has), next });
      case "start":
      case "end":
        return this.#push({ kind: node.kind, next });
      case "sequence":
        return node.parts.reduceRight((after, part) => this.add(part, after), next);
      case "choice":
        return node.options
          .map((option) => this.add(option, next))
          .reduceRight((other, option) => this.#push({ kind: "fork", next: option, other }));
      case "repeat":
        return this.#repeat(node.part, node.min, node.max, next);
    }
  }

  /** Equal sets are asked once for a code point, however often the pattern repeats them. */
  #set(source: string, has: (codePoint: string) => boolean): number {
    const known = this.#setBySource.get(source);
    if (known !== undefined) return known;
    const index = this.sets.push(has) - 1;
    this.#setBySource.set(source, index);
    return index;
  }

  #repeat(part: PatternNode, min: number, max: number, next: number): number {
    let at = next;
    if (max === Infinity) {
      const loop: Step = { kind: "fork", next, other: next };
      at = this.#push(loop);
      loop.next = this.add(part, at);
    } else {
      for (let i = min; i < max; i++) at = this.#push({ kind: "fork", next: this.add(part, at), other: next });
    }
    for (let i = 0; i < min; i++) at = this.add(part, at);
    return at;
  }

  #push(step: Step): number {
    if (this.steps.length >= MOST_STATES)
      throw new PatternError(
        "the pattern unfolds into too many steps",
        0,
        0,
        "Use smaller counts in `{…}`, or bound the length with `max`.",
      );
    return this.steps.push(step) - 1;
  }
}

class LazyAutomaton implements Automaton {
  readonly #steps: readonly Step[];
  readonly #sets: readonly ((codePoint: string) => boolean)[];
  readonly #start: number;
  readonly #states = new Map<string, State>();
  #kept = 0;

  constructor(steps: readonly Step[], sets: readonly ((codePoint: string) => boolean)[], start: number) {
    this.#steps = steps;
    this.#sets = sets;
    this.#start = start;
  }

  matches(text: string): boolean {
    if (text.length === 0) return this.#reach([this.#start], true, true).includes(MATCHED);
    let state = this.#state(this.#reach([this.#start], true, false));
    for (const codePoint of text) {
      state = state.next.get(codePoint) ?? this.#advance(state, codePoint);
      if (state.steps.length === 0 && !state.accepts) return false;
    }
    return state.accepts;
  }

  #advance(state: State, codePoint: string): State {
    if (++this.#kept > MOST_KEPT * 4) this.#forget();
    const reached: number[] = [];
    const answers: (boolean | undefined)[] = [];
    for (const index of state.steps) {
      const step = this.#steps[index];
      if (step?.kind !== "set") continue;
      const has = (answers[step.set] ??= this.#sets[step.set]?.(codePoint) === true);
      if (has) reached.push(step.next);
    }
    const next = this.#state(this.#reach(reached, false, false));
    state.next.set(codePoint, next);
    return next;
  }

  #state(steps: readonly number[]): State {
    const key = steps.join(",");
    const known = this.#states.get(key);
    if (known !== undefined) return known;
    if (this.#states.size >= MOST_KEPT) this.#forget();
    const accepts = this.#reach(steps, false, true).includes(MATCHED);
    const state: State = { steps, accepts, next: new Map() };
    this.#states.set(key, state);
    return state;
  }

  /** States that are in use stay alive with their caller; their memory of what follows goes too. */
  #forget(): void {
    for (const state of this.#states.values()) state.next.clear();
    this.#states.clear();
    this.#kept = 0;
  }

  /**
   * The steps reached without reading: those that wait for a code point or for the end of the text, sorted; MATCHED where the match is complete.
   */
  #reach(from: readonly number[], atStart: boolean, atEnd: boolean): readonly number[] {
    const seen = new Set<number>();
    const waiting: number[] = [];
    const pending = [...from];
    for (let index = pending.pop(); index !== undefined; index = pending.pop()) {
      if (seen.has(index)) continue;
      seen.add(index);
      const step = index === MATCHED ? undefined : this.#steps[index];
      if (step === undefined) waiting.push(index);
      else if (step.kind === "fork") pending.push(step.next, step.other);
      else if (step.kind === "start") {
        if (atStart) pending.push(step.next);
      } else if (step.kind === "end") {
        if (atEnd) pending.push(step.next);
        else waiting.push(index);
      } else if (step.kind === "match") pending.push(MATCHED);
      else waiting.push(index);
    }
    return waiting.toSorted((a, b) => a - b);
  }
}
