// Where a function is charged fuel, and how much: one unit an instruction, paid ahead for each stretch of code that is run as a whole.
// Code behind a block that nothing leaves early belongs to the stretch in front of that block, so straight code is paid at once.

import type { InstructionReader } from "./instructions.ts";
import { Op } from "./instruction-table.ts";

/** No stretch is open: the code cannot be reached. */
const DEAD = -1;
const NEVER_LEFT = 0x7fff_ffff;

const FrameKind = { block: 0, loop: 1, if: 2, else: 3 } as const;

/** The stretches of one function, in the order of their places; the lists are used again for the next function. */
export class Metering {
  /** How many stretches there are. The lists are longer: emptying them would give their memory away. */
  count = 0;
  /** Where each stretch is paid, and its cost. */
  readonly places: number[] = [];
  readonly costs: number[] = [];
  #current = DEAD;

  /** How many frames are open, and of what kind they are. */
  #depth = 0;
  readonly #kinds: number[] = [];
  /** The stretch that was open in front of each frame. */
  readonly #before: number[] = [];
  /** The outermost frame that a branch from inside each frame goes to. */
  readonly #leftTo: number[] = [];
  /** Whether something but the code right in front of it reaches the end of each frame. */
  readonly #reached: boolean[] = [];

  begin(place: number): void {
    this.count = this.#depth = 0;
    this.#current = DEAD;
    this.#push(FrameKind.block);
    this.#open(place);
  }

  get reachable(): boolean {
    return this.#current !== DEAD;
  }

  /** How many stretches cost something. */
  get paid(): number {
    let paid = 0;
    for (let i = 0; i < this.count; i++) if ((this.costs[i] ?? 0) > 0) paid++;
    return paid;
  }

  /** Adds to the cost of the open stretch. */
  add(cost: number): void {
    if (this.#current !== DEAD) this.costs[this.#current] = (this.costs[this.#current] ?? 0) + cost;
  }

  /** Takes the instruction that the reader has read. Frames and the ends of arms are free, all others cost a unit. */
  take(reader: InstructionReader): void {
    const { op, pos } = reader;
    switch (op) {
      case Op.nop:
        return;
      case Op.block:
      case Op.try:
        this.#push(FrameKind.block);
        return;
      case Op.tryTable:
        this.#branches(reader);
        this.#push(FrameKind.block);
        return;
      case Op.loop:
        this.#push(FrameKind.loop);
        if (this.reachable) this.#open(pos);
        return;
      case Op.if:
        this.add(1);
        this.#push(FrameKind.if);
        if (this.reachable) this.#open(pos);
        return;
      case Op.else:
      case Op.catch:
      case Op.catchAll:
        this.#nextArm(op, pos);
        return;
      case Op.end:
      case Op.delegate:
        this.#end(pos);
        return;
      case Op.br:
      case Op.brTable:
        this.add(1);
        this.#branches(reader);
        this.#current = DEAD;
        return;
      case Op.brIf:
      case Op.brOnNull:
      case Op.brOnNonNull:
      case Op.brOnCast:
      case Op.brOnCastFail:
        this.add(1);
        this.#branches(reader);
        if (this.reachable) this.#open(pos);
        return;
      case Op.return:
      case Op.returnCall:
      case Op.returnCallIndirect:
      case Op.returnCallRef:
        this.add(1);
        this.#branch(this.#depth - 1);
        this.#current = DEAD;
        return;
      // A trap or an exception may leave code behind it paid and not run: rare, and as reproducible as all else.
      case Op.unreachable:
      case Op.throw:
      case Op.rethrow:
      case Op.throwRef:
        this.add(1);
        this.#current = DEAD;
        return;
      default:
        if (this.#current !== DEAD) this.costs[this.#current] = (this.costs[this.#current] ?? 0) + 1;
    }
  }

  #open(place: number): void {
    this.#current = this.count++;
    this.places[this.#current] = place;
    this.costs[this.#current] = 0;
  }

  #push(kind: number): void {
    const frame = this.#depth++;
    this.#kinds[frame] = kind;
    this.#before[frame] = this.#current;
    this.#leftTo[frame] = NEVER_LEFT;
    this.#reached[frame] = false;
  }

  #branches(reader: InstructionReader): void {
    for (let i = 0; i < reader.labelCount; i++) this.#branch(reader.labels[i] ?? 0);
  }

  #branch(label: number): void {
    if (!this.reachable) return;
    const top = this.#depth - 1;
    const target = top - label;
    this.#leftTo[top] = Math.min(this.#leftTo[top] ?? NEVER_LEFT, target);
    if (this.#kinds[target] !== FrameKind.loop) this.#reached[target] = true;
  }

  #nextArm(op: number, place: number): void {
    const top = this.#depth - 1;
    if (this.reachable) this.#reached[top] = true;
    if (op === Op.else) this.#kinds[top] = FrameKind.else;
    if (this.#before[top] === DEAD) this.#current = DEAD;
    else this.#open(place);
  }

  #end(place: number): void {
    const frame = --this.#depth;
    const kind = this.#kinds[frame];
    const before = this.#before[frame] ?? DEAD;
    const leftTo = this.#leftTo[frame] ?? NEVER_LEFT;
    const reached = this.#reached[frame] === true || this.reachable || kind === FrameKind.if;
    if (frame === 0) return;
    const leaves = leftTo < frame;
    if (leaves) this.#leftTo[frame - 1] = Math.min(this.#leftTo[frame - 1] ?? NEVER_LEFT, leftTo);
    if (before === DEAD || !reached) this.#current = DEAD;
    else if (leaves) this.#open(place);
    else this.#current = before;
  }
}
