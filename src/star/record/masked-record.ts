// A recording as it may be kept: no secret is in it, also not in bytes, in base64, or cut between two writes.

import { masker, secretForms } from "../../manifest/outside.ts";
import type { Json } from "../../wit/json.ts";
import { base64Forms, secretTexts } from "./secret-texts.ts";
import { asJson, type DraftEvent, type Encoded } from "./values.ts";

const MASK = "***";
/** As `masker`: shorter ones are not masked. */
const SHORTEST_MASKED = 4;

/** Makes events of drafts; `text` masks what is already text. */
export interface RecordMask {
  readonly events: (drafts: readonly DraftEvent[]) => Json[];
  readonly text: (text: string) => string;
}

export function recordMask(secrets: Iterable<string>): RecordMask {
  const all = secretTexts(secrets).filter((secret) => secret.length >= SHORTEST_MASKED);
  const mask = masker(all);
  const encoded = all.flatMap(base64Forms);
  const text = (value: string): string => encoded.reduce((masked, form) => masked.replaceAll(form, MASK), mask(value));
  const forms = [...new Set(all.flatMap(secretForms))]
    .map((secret) => Buffer.from(secret).toString("latin1"))
    .concat(encoded)
    .toSorted((a, b) => b.length - a.length);
  return {
    text,
    events: (drafts) => (forms.length === 0 ? drafts : maskBytes(drafts, forms)).map((event) => maskTexts(asJson(event), text)),
  };
}

function maskTexts(value: Json, mask: (text: string) => string): Json {
  if (typeof value === "string") return mask(value);
  if (typeof value !== "object" || value === null) return value;
  if (isList(value)) return value.map((item) => maskTexts(item, mask));
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [mask(key), maskTexts(part, mask)]));
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

/** The bytes of one direction of one thing: what a file gave, what was written to standard output. */
interface Channel {
  readonly pieces: { readonly bytes: Uint8Array; masked: Uint8Array }[];
}

/** Looks at all bytes that went the same way as one text: a secret may be cut between two of them. */
function maskBytes(drafts: readonly DraftEvent[], forms: readonly string[]): readonly DraftEvent[] {
  const channels = new Map<string, Channel>();
  const masked = new Map<Uint8Array, { masked: Uint8Array }>();
  for (const event of drafts) {
    const way = wayOf(event);
    collect(event, way, (bytes, path) => {
      const channel = channels.get(path) ?? { pieces: [] };
      channels.set(path, channel);
      const piece = { bytes, masked: bytes };
      channel.pieces.push(piece);
      masked.set(bytes, piece);
    });
  }
  for (const channel of channels.values()) maskChannel(channel, forms);
  return drafts.map((event) => replaceBytes(event, masked) as DraftEvent);
}

function wayOf(event: DraftEvent): string {
  const args = Array.isArray(event["args"]) ? (event["args"] as readonly Encoded[]) : [];
  const self = typeof args[0] === "string" && args[0].startsWith("#") ? args[0] : "";
  return [event["call"], self, event["chunk"], event["got"], event["print"]].map(String).join(" ");
}

function collect(value: Encoded, path: string, found: (bytes: Uint8Array, path: string) => void): void {
  if (value instanceof Uint8Array) return found(value, path);
  if (typeof value !== "object" || value === null) return;
  for (const [key, part] of Object.entries(value)) collect(part, /^\d+$/.test(key) ? path : `${path}.${key}`, found);
}

function maskChannel({ pieces }: Channel, forms: readonly string[]): void {
  const whole = Buffer.concat(pieces.map(({ bytes }) => bytes)).toString("latin1");
  const ranges = rangesOf(whole, forms);
  if (ranges.length === 0) return;
  let start = 0;
  for (const piece of pieces) {
    const end = start + piece.bytes.length;
    let text = "";
    let at = start;
    for (const range of ranges) {
      if (range.end <= start || range.start >= end) continue;
      text += whole.slice(at, Math.max(at, range.start)) + (range.start >= start ? MASK : "");
      at = Math.min(end, range.end);
    }
    piece.masked = at === start && text === "" ? piece.bytes : Buffer.from(text + whole.slice(at, end), "latin1");
    start = end;
  }
}

/** Where secrets stand; those that overlap as one. */
function rangesOf(whole: string, forms: readonly string[]): readonly { readonly start: number; end: number }[] {
  const found = forms
    .flatMap((form) => {
      const starts: number[] = [];
      for (let at = whole.indexOf(form); at >= 0; at = whole.indexOf(form, at + form.length)) starts.push(at);
      return starts.map((start) => ({ start, end: start + form.length }));
    })
    .toSorted((a, b) => a.start - b.start);
  const ranges: { readonly start: number; end: number }[] = [];
  for (const range of found) {
    const last = ranges.at(-1);
    if (last !== undefined && range.start < last.end) last.end = Math.max(last.end, range.end);
    else ranges.push(range);
  }
  return ranges;
}

function replaceBytes(value: Encoded, masked: ReadonlyMap<Uint8Array, { readonly masked: Uint8Array }>): Encoded {
  if (value instanceof Uint8Array) return masked.get(value)?.masked ?? value;
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((item: Encoded) => replaceBytes(item, masked));
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, replaceBytes(part, masked)]));
}
