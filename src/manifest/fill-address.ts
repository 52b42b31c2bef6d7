// Fills the references in the address of a resource. What stands before the `@` of a URL is percent-encoded, so that a password with an `@` or `/` in
// it leads nowhere else.

import type { Filling } from "./filling.ts";
import { segmentsOf, type Segment } from "./references.ts";

export function fillAddress(address: string, filling: Filling): string {
  if (!address.includes("${")) return address;
  const segments = segmentsOf(address);
  const isUser = userPart(segments);
  const pieces = segments.map((segment) => {
    const filled = filling.piece(segment, address);
    const isReplaced =
      segment.kind !== "plain" && segment.kind !== "other" && filled !== address.slice(segment.start, segment.end);
    return isReplaced && isUser(segment) ? encodeURIComponent(filled.toWellFormed()) : filled;
  });
  return pieces.join("");
}

/** Whether a segment lies between `://` and the `@` before the host, as the author wrote them. */
function userPart(segments: readonly Segment[]): (segment: Segment) => boolean {
  let [start, end] = [Infinity, -1];
  for (const segment of segments) {
    if (segment.kind !== "plain") continue;
    const { text } = segment;
    let from = 0;
    if (start === Infinity) {
      const scheme = text.indexOf("://");
      if (scheme < 0) continue;
      start = segment.start + scheme + 3;
      from = scheme + 3;
    }
    const slash = text.slice(from).search(/[/?#]/);
    const authority = slash < 0 ? text.length : from + slash;
    const at = text.lastIndexOf("@", authority - 1);
    if (at >= from) end = segment.start + at;
    if (slash >= 0) break;
  }
  return (segment) => segment.start >= start && segment.end <= end;
}
