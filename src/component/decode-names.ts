// Decodes the `component-name` custom section. It is for people only: what cannot be read is left out, never an error.

import { StarlaneError } from "../base/errors.ts";
import { ByteReader } from "./binary.ts";
import type { ComponentNames, Sort } from "./component.ts";
import { readSort } from "./decode-externs.ts";

/** The names of the section, or undefined where the section cannot be read. */
export function readComponentNames(bytes: Uint8Array): ComponentNames | undefined {
  const reader = new ByteReader(bytes);
  let component: string | undefined;
  const sorts: { sort: Sort; names: Map<number, string> }[] = [];
  try {
    while (reader.remaining > 0) {
      const id = reader.byte("name subsection");
      const size = reader.u32("size of a name subsection");
      if (id === 0) component = reader.within(size, "name subsection", (r) => r.name("component name"));
      else if (id === 1) sorts.push(reader.within(size, "name subsection", readSortNames));
      else reader.take(size, "name subsection");
    }
  } catch (error) {
    if (!(error instanceof StarlaneError)) throw error;
    return undefined;
  }
  return { component, sorts };
}

function readSortNames(reader: ByteReader): { sort: Sort; names: Map<number, string> } {
  const sort = readSort(reader);
  return { sort, names: new Map(reader.vec("names", (r): [number, string] => [r.u32("index"), r.name("name")])) };
}
