// `fields` of `wasi:http/types`, which both versions have with other names for some of its members. A class is made for each, since
// what a guest may call must be the class's own.

import { misuse } from "../guest.ts";
import { FieldList, type FieldEntry } from "./field-list.ts";
import type { HttpFields } from "./http-message.ts";

/** What a guest may do with fields, in one version or the other. */
export interface AllFields {
  get(name: string): Uint8Array[];
  has(name: string): boolean;
  set(name: string, values: readonly Uint8Array[]): void;
  delete(name: string): void;
  append(name: string, value: Uint8Array): void;
  clone(): AllFields;
  entries(): FieldEntry[];
  copyAll(): FieldEntry[];
  getAndDelete(name: string): Uint8Array[];
}

export interface FieldsConstructor<Fields> {
  readonly prototype: Fields;
  new (): Fields;
  fromList(entries: readonly FieldEntry[]): Fields;
}

/** The class, and what may be done with fields beside what a guest may: functions, not methods, so that no guest can name them. */
export interface FieldsOfVersion<Fields> {
  readonly Fields: FieldsConstructor<Fields>;
  /** The same fields, which cannot be changed from now on. */
  readonly freeze: (fields: Fields) => Fields;
  /** A handle on the same entries that cannot change them. */
  readonly immutableView: (fields: Fields) => Fields;
  /** Fields of a message that came in. */
  readonly receivedFields: (fields: HttpFields) => Fields;
  /** As they go out. */
  readonly plainFields: (fields: Fields) => HttpFields;
  /** As `contentLengthOf`. */
  readonly promisedLength: (fields: Fields) => number | "wrong" | undefined;
}

/** `others` are the members that the other version has. */
export function fieldsOfVersion<Other extends "entries" | "copyAll" | "getAndDelete">(
  tooLarge: (bytes: number) => Error,
  others: readonly Other[],
): FieldsOfVersion<Omit<AllFields, Other>> {
  let listOf: (fields: object) => FieldList;

  class Made implements AllFields {
    readonly #list: FieldList;

    static {
      listOf = (fields) => {
        if (!(#list in fields)) throw misuse("fields have to be fields");
        return fields.#list;
      };
    }

    constructor() {
      this.#list = given ?? new FieldList(tooLarge);
      given = undefined;
    }

    static fromList(entries: readonly FieldEntry[]): AllFields {
      const fields = new Made();
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

    getAndDelete(name: string): Uint8Array[] {
      const values = this.#list.get(name);
      this.#list.delete(name);
      return values;
    }

    append(name: string, value: Uint8Array): void {
      this.#list.append(name, value);
    }

    entries(): FieldEntry[] {
      return this.#list.entries();
    }

    copyAll(): FieldEntry[] {
      return this.#list.entries();
    }

    clone(): AllFields {
      return over(this.#list.clone());
    }
  }

  /** Taken by the next constructor: a guest's call of it has no arguments that could be one. */
  let given: FieldList | undefined;
  const over = (list: FieldList): AllFields => {
    given = list;
    return new Made();
  };
  for (const name of others) Reflect.deleteProperty(Made.prototype, name);
  return {
    Fields: Made,
    freeze(fields) {
      listOf(fields).freeze();
      return fields;
    },
    immutableView: (fields) => over(listOf(fields).frozenCopy()),
    receivedFields: (received) => over(new FieldList(tooLarge).receive(received).freeze()),
    plainFields: (fields) => listOf(fields).plain(),
    promisedLength: (fields) => listOf(fields).promisedLength(),
  };
}
