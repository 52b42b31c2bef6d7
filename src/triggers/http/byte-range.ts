// Which part of a file a `Range` field asks for: one range of bytes; what is malformed, or asks for several, is ignored. Source: RFC 9110
// (section 14).

export type ByteRange = { readonly start: number; readonly end: number } | "unsatisfiable" | undefined;

const RANGE = /^bytes=(\d{0,15})-(\d{0,15})$/;

/** `end` is inclusive. */
export function byteRange(field: string | undefined, size: number): ByteRange {
  const [, first, last] = field === undefined ? [] : (RANGE.exec(field.replaceAll(" ", "")) ?? []);
  if (first === undefined || last === undefined || (first === "" && last === "")) return undefined;
  if (first === "") {
    const length = Number(last);
    return length === 0 || size === 0 ? "unsatisfiable" : { start: Math.max(0, size - length), end: size - 1 };
  }
  const start = Number(first);
  const end = last === "" ? size - 1 : Math.min(Number(last), size - 1);
  if (last !== "" && Number(last) < start) return undefined;
  return start >= size ? "unsatisfiable" : { start, end };
}
