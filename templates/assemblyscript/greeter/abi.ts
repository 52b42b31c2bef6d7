// Texts on their way into the component and out of it, as the canonical ABI has them: an address, and the number of UTF-16 units.
// The runtime `stub` frees nothing; Starlane gives every call fresh memory.

/** The host asks for memory here, for what it passes. */
export function cabi_realloc(old: usize, oldSize: usize, align: usize, size: usize): usize {
  if (size == 0) return align;
  return oldSize == 0 ? heap.alloc(size) : heap.realloc(old, size);
}

/** A text that was passed. */
export function taken(address: usize, length: u32): string {
  return String.UTF16.decodeUnsafe(address, (<usize>length) << 1);
}

/** A text that is returned: where its address and length stand. */
export function give(text: string): usize {
  const result = heap.alloc(8);
  store<usize>(result, changetype<usize>(text));
  store<u32>(result, <u32>text.length, 4);
  return result;
}
