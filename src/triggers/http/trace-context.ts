// W3C trace context: what came in is handed on, where it is well-formed. Source: Trace Context, level 1.

const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const NO_TRACE = "0".repeat(32);
const NO_SPAN = "0".repeat(16);
const LONGEST_STATE = 512;

/** The field as it was sent, where it is valid. */
export function validTraceparent(field: string | undefined): string | undefined {
  if (field === undefined || field.length > LONGEST_STATE) return undefined;
  const [whole, version, trace, span, , more] = TRACEPARENT.exec(field) ?? [];
  if (whole === undefined || version === "ff" || trace === NO_TRACE || span === NO_SPAN) return undefined;
  // Version 00 has nothing after the flags; later ones may.
  return version === "00" && more !== undefined ? undefined : field;
}

/** The state belongs to its parent: without a valid one it is dropped. */
export function validTracestate(field: string | undefined, traceparent: string | undefined): string | undefined {
  return traceparent === undefined || field === undefined || field.length > LONGEST_STATE ? undefined : field;
}
