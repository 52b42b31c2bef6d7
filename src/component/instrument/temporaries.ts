// The locals that are added to a function.

export class Temporaries {
  /** The types of the added locals, as they are written. */
  readonly types: number[] = [];
  readonly #roles: string[] = [];
  #first = 0;

  /** Begins a function that has `locals` of its own. */
  begin(locals: number): void {
    this.types.length = this.#roles.length = 0;
    this.#first = locals;
  }

  /** The local for a role; one role can have several types. */
  local(type: number, role: string): number {
    for (let i = 0; i < this.types.length; i++) if (this.types[i] === type && this.#roles[i] === role) return this.#first + i;
    this.#roles.push(role);
    return this.#first + this.types.push(type) - 1;
  }
}
