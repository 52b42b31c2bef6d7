// Where fuel is charged in a function, and how much: one unit an instruction, charged ahead for each stretch of code that runs as a whole.
// Code behind a block that nothing can leave early belongs to the stretch in front of it, so that straight code is charged once.

import type { InstructionReader } from "./instructions.ts";
import { Op } from "./instruction-table.ts";

/** Instructions that do nothing when they are run. */
const FREE: readonly number[] = [Op.nop, Op.block, Op.loop, Op.else, Op.end, Op.try, Op.tryTable, Op.catch, Op.catchAll, Op.delegate];

/** No stretch is open: the code cannot be reached. */
const DEAD = -1;
const NOT_LEFT = 0x7fff_ffff;

const FrameKind = { block: 0, loop: 1, if: 2, else: 3 } as const;

/** Stretches of one function, in the order of their places; the arrays are used again for the next function. */
export class Metering {
  /** Where each stretch is charged, its cost, and whether fuel is checked there (at function entries and loop headers). */
  readonly places: number[] = [];
  readonly costs: number[] = [];
  readonly checked: boolean[] = [];
  /** A stretch that is run whenever this one is. */
  readonly within: number[] = [];
  #current = DEAD;

  readonly #kinds: number[] = [];
  /** The stretch that was open in front of each frame. */
  readonly #before: number[] = [];
  /** The outermost frame that a branch from inside of each frame goes to. */
  readonly #leaves: number[] = [];
  /** Whether the end of each frame can be reached by a branch or from an earlier arm. */
  readonly #reached: boolean[] = [];

  begin(place: number): void {
    for (const list of [this.places, this.costs, this.checked, this.within]) list.length = 0;
    for (const list of [this.#kinds, this.#before, this.#leaves, this.#reached]) list.length = 0;
    this.#current = DEAD;
    this.#push(FrameKind.block);
    this.#open(place, true, 0);
  }

  get depth(): number {
    return this.#kinds.length;
  }

  /** Fixed costs of an instruction beyond its unit. */
  add(cost: number): void {
    if (this.#current >= 0) this.costs[this.#current] = (this.costs[this.#current] ?? 0) + cost;
  }

  #open(place: number, checked: boolean, within: number): void {
    this.#current = this.places.length;
    this.places.push(place);
    this.costs.push(0);
    this.checked.push(checked);
    this.within.push(within);
  }

  #push(kind: number): void {
    this.#kinds.push(kind);
    this.#before.push(this.#current);
    this.#leaves.push(NOT_LEFT);
    this.#reached.push(false);
  }

  /** Takes the instruction that the reader has read. */
  take(reader: InstructionReader): void {
    const { op, pos } = reader;
    switch (op) {
      case Op.block:
      case Op.try:
        this.#push(FrameKind.block);
        return;
      case Op.tryTable:
        for (const label of reader.labels) this.#branch(label);
        this.#push(FrameKind.block);
        return;
      case Op.loop:
        this.#push(FrameKind.loop);
        if (this.#current >= 0) this.#open(pos, true, this.#current);
        return;
      case Op.if:
        this.add(1);
        this.#push(FrameKind.if);
        if (this.#current >= 0) this.#open(pos, false, this.#current);
        return;
      case Op.else:
      case Op.catch:
      case Op.catchAll:
        this.#nextArm(op, pos);
        return;
      case Op.end:
        this.#end(pos);
        return;
      case Op.delegate:
        this.#branch(reader.first + 1);
        this.#end(pos);
        return;
      case Op.br:
        this.add(1);
        this.#branch(reader.first);
        this.#current = DEAD;
        return;
      case Op.brIf:
      case Op.brOnNull:
      case Op.brOnNonNull:
      case Op.brOnCast:
      case Op.brOnCastFail:
        this.add(1);
        this.#branch(reader.first);
        if (this.#current >= 0) this.#open(pos, false, this.#current);
        return;
      case Op.brTable:
        this.add(1);
        for (const label of reader.labels) this.#branch(label);
        this.#current = DEAD;
        return;
      case Op.return:
      case Op.returnCall:
      case Op.returnCallIndirect:
      case Op.returnCallRef:
      case Op.unreachable:
      case Op.throw:
      case Op.rethrow:
      case Op.throwRef:
        this.add(1);
        this.#branch(this.depth - 1);
        this.#current = DEAD;
        return;
      default:
        if (this.#current >= 0 && op !== Op.nop) this.costs[this.#current] = (this.costs[this.#current] ?? 0) + 1;
    }
  }

  #branch(label: number): void {
    const frames = this.#kinds.length;
    const target = frames - 1 - label;
    if (target < 0 || this.#current < 0) return;
    const top = frames - 1;
    this.#leaves[top] = Math.min(this.#leaves[top] ?? 0, target);
    if (this.#kinds[target] !== FrameKind.loop) this.#reached[target] = true;
  }

  #nextArm(op: number, place: number): void {
    const top = this.#kinds.length - 1;
    if (this.#current >= 0) this.#reached[top] = true;
    if (op === Op.else) this.#kinds[top] = FrameKind.else;
    const before = this.#before[top] ?? DEAD;
    if (before < 0) this.#current = DEAD;
    else this.#open(place, false, before);
  }

  #end(place: number): void {
    const top = this.#kinds.length - 1;
    const kind = this.#kinds.pop();
    const before = this.#before.pop() ?? DEAD;
    const leaves = this.#leaves.pop() ?? NOT_LEFT;
    const reached = (this.#reached.pop() ?? false) || this.#current >= 0 || kind === FrameKind.if;
    if (top === 0) return;
    if (leaves < top) this.#leaves[top - 1] = Math.min(this.#leaves[top - 1] ?? 0, leaves);
    if (before < 0 || !reached) this.#current = DEAD;
    else if (leaves < top) this.#open(place, false, before);
    else this.#current = before;
  }
}

export const COSTS_NOTHING: ReadonlySet<number> = new Set(FREE);
