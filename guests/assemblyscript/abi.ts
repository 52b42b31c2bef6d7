// What an AssemblyScript guest needs of the canonical ABI. Its strings are UTF-16 in memory, and so the component says:
// `string-encoding=utf16`; a string crosses as the address and number of its code units. Guests that keep nothing between
// calls are built with the stub runtime and empty the heap after each call (so nothing that lasts may live on it: no global
// arrays or classes, only numbers, strings and `StaticArray`s of constants).

export function cabi_realloc(old: usize, oldSize: usize, align: usize, size: usize): usize {
  if (size == 0) return align;
  return oldSize == 0 ? heap.alloc(size) : heap.realloc(old, size);
}

/** A string that the host passed. */
export function text(at: usize, length: u32): string {
  return length == 0 ? "" : String.UTF16.decodeUnsafe(at, (<usize>length) << 1);
}

/** The text in bytes that the host passed as a list. */
export function utf8(at: usize, length: u32): string {
  return length == 0 ? "" : String.UTF8.decodeUnsafe(at, length);
}

/** The string of a list or record that the host passed: its address and length lie at `field`. */
export function textAt(field: usize): string {
  return text(load<usize>(field), load<u32>(field, 4));
}

export function storeText(field: usize, value: string): void {
  store<usize>(field, changetype<usize>(value));
  store<u32>(field, <u32>value.length, 4);
}

export function storeList(field: usize, at: usize, length: u32): void {
  store<usize>(field, at);
  store<u32>(field, length, 4);
}

/** Memory for `count` elements of `size` bytes. */
export function room(count: u32, size: u32): usize {
  const bytes = <u64>count * <u64>size;
  if (bytes > 0x3fffffff) unreachable();
  return heap.alloc(<usize>bytes);
}

/** A string that is returned: its address and length, in memory of their own. */
export function giveText(value: string): usize {
  const area = heap.alloc(8);
  storeText(area, value);
  return area;
}

export function giveTexts(values: string[]): usize {
  const count = <u32>values.length;
  const list = room(count, 8);
  for (let n: u32 = 0; n < count; n++) storeText(list + <usize>n * 8, values[n]);
  const area = heap.alloc(8);
  storeList(area, list, count);
  return area;
}

/** Builds long strings in linear time; `clear` makes it ready for the next one, in the same memory. */
export class Writer {
  private parts: u16[] = [];

  put(unit: u32): void {
    this.parts.push(<u16>unit);
  }

  write(value: string): void {
    for (let i = 0; i < value.length; i++) this.parts.push(<u16>value.charCodeAt(i));
  }

  clear(): this {
    this.parts.length = 0;
    return this;
  }

  get length(): i32 {
    return this.parts.length;
  }

  finish(): string {
    return String.UTF16.decodeUnsafe(this.parts.dataStart, (<usize>this.parts.length) << 1);
  }
}

export function isSpace(unit: u32): bool {
  if (unit < 0x80) return unit == 0x20 || (unit >= 9 && unit <= 13);
  return (
    unit == 0x85 || unit == 0xa0 || unit == 0x1680 || (unit >= 0x2000 && unit <= 0x200a) || unit == 0x2028 || unit == 0x2029 ||
    unit == 0x202f || unit == 0x205f || unit == 0x3000 || unit == 0xfeff
  ); // prettier-ignore
}
