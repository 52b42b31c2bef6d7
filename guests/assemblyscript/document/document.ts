// The interface `acme:document/documents`. Documents stay between calls, so this guest has a collected heap (the incremental
// runtime) and frees by hand what crosses the boundary. A handle stands for a place in
// `documents`, counted from 1: some hosts take a representation of 0 for none.
import { storeText, text } from "../abi";

export { cabi_realloc } from "../abi";

@external("[export]acme:document/documents@1.0.0", "[resource-new]document")
declare function newHandle(place: i32): i32;
@external("[export]acme:document/documents@1.0.0", "[resource-rep]document")
declare function placeOfHandle(handle: i32): i32;
@external("[export]acme:document/documents@1.0.0", "[resource-drop]document")
declare function dropHandle(handle: i32): void;

class Document {
  parts: string[] = [];

  constructor(public title: string) {}

  render(): string {
    const title = `# ${this.title}\n`;
    return this.parts.length == 0 ? title : title + "\n" + this.parts.join("\n");
  }
}

const documents: Array<Document | null> = [];
const free: i32[] = [];

// What the host reads after a call: the string is kept from the collector until the next result replaces it.
let lastResult = "";
const RESULT_AREA = memory.data(8);

function keep(document: Document): i32 {
  if (free.length > 0) {
    const index = free.pop();
    documents[index] = document;
    return index + 1;
  }
  return documents.push(document);
}

function get(place: i32): Document {
  const document = place > 0 && place <= documents.length ? documents[place - 1] : null;
  if (document === null) unreachable();
  return document as Document;
}

/** A string that the host passed, in memory that is now ours to free. */
function given(at: usize, length: u32): string {
  const value = text(at, length);
  if (length > 0) heap.free(at);
  return value;
}

function give(value: string): usize {
  lastResult = value;
  storeText(RESULT_AREA, value);
  return RESULT_AREA;
}

export function create(titleAt: usize, titleLength: u32): i32 {
  return newHandle(keep(new Document(given(titleAt, titleLength))));
}

export function drop(place: i32): void {
  get(place);
  documents[place - 1] = null;
  free.push(place - 1);
}

export function heading(place: i32, at: usize, length: u32): void {
  get(place).parts.push("## " + given(at, length) + "\n");
}

export function paragraph(place: i32, at: usize, length: u32): void {
  get(place).parts.push(given(at, length) + "\n");
}

export function bullet(place: i32, at: usize, length: u32): void {
  get(place).parts.push("- " + given(at, length) + "\n");
}

export function length(place: i32): u32 {
  return get(place).parts.length;
}

export function render(place: i32): usize {
  return give(get(place).render());
}

export function concat(first: i32, second: i32): i32 {
  const document = get(placeOfHandle(first));
  document.parts = document.parts.concat(get(second).parts);
  return first;
}

export function finish(handle: i32): usize {
  const result = give(get(placeOfHandle(handle)).render());
  dropHandle(handle);
  return result;
}

export function alive(): u32 {
  return documents.length - free.length;
}
