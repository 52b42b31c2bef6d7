// `fields` of `wasi:http/types@0.2`.

import { tooMuch } from "../guest.ts";
import { FieldList, LARGEST_FIELDS_BYTES, type FieldEntry } from "./field-list.ts";
import type { HttpFields } from "./http-message.ts";

// No error of `header-error` says "too large", so the guest is stopped.
const tooLarge = (bytes: number): Error => tooMuch(`${bytes} bytes of header fields`, LARGEST_FIELDS_BYTES);

/** A handle on the same entries that cannot change them. A function, not a method, so that no guest can name it. */
export let immutableView: (fields: Fields) => Fields;
/** Fields of a message that came in. */
export let receivedFields: (fields: HttpFields) => Fields;
/** As they go out. */
export let plainFields: (fields: Fields) => HttpFields;

export class Fields {
  #list = new FieldList(tooLarge);

  static {
    immutableView = (fields) => {
      const view = new Fields();
      view.#list = fields.#list.frozenCopy();
      return view;
    };
    receivedFields = (received) => {
      const fields = new Fields();
      fields.#list.receive(received).freeze();
      return fields;
    };
    plainFields = (fields) => fields.#list.plain();
  }

  static fromList(entries: readonly FieldEntry[]): Fields {
    const fields = new Fields();
    for (const [name, value] of entries) fields.#list.append(name, value);
    return fields;
  }

  get(name: string): Uint8Array[] {
    return this.#list.get(name);
  }

  has(name: string): boolean {
    return this.#list.has(name);
  }

  set(name: string, values: readonly Uint8Array[]): void {
    this.#list.set(name, values);
  }

  delete(name: string): void {
    this.#list.delete(name);
  }

  append(name: string, value: Uint8Array): void {
    this.#list.append(name, value);
  }

  entries(): FieldEntry[] {
    return this.#list.entries();
  }

  clone(): Fields {
    const copy = new Fields();
    copy.#list = this.#list.clone();
    return copy;
  }
}
