// Which of the media types that are offered a client would have. Source: RFC 9110 (section 12.5.1).

interface Range {
  readonly type: string;
  readonly subtype: string;
  readonly q: number;
}

/** The offer the client likes best, the earlier one where it likes several alike; undefined: it takes none. Offers are lower case, without parameters. */
export function negotiate(accept: string | undefined, offers: readonly string[]): string | undefined {
  const [first] = offers;
  if (accept === undefined || accept === "*/*" || accept.trim() === "") return first;
  const ranges = accept.split(",", 100).flatMap(rangeOf);
  let best: string | undefined;
  let bestQ = 0;
  for (const offer of offers) {
    const q = qualityOf(offer, ranges);
    if (q > bestQ) [best, bestQ] = [offer, q];
  }
  return best;
}

function rangeOf(text: string): Range[] {
  const [media = "", ...parameters] = text.split(";");
  const [type, subtype, more] = media.trim().toLowerCase().split("/");
  if (type === undefined || subtype === undefined || more !== undefined) return [];
  const weight = parameters
    .map((parameter) => /^\s*q\s*=\s*([01](?:\.\d{0,3})?)\s*$/i.exec(parameter)?.[1])
    .find((q) => q !== undefined);
  return [{ type, subtype, q: weight === undefined ? 1 : Math.min(1, Number(weight)) }];
}

/** By the range that says most about it. */
function qualityOf(offer: string, ranges: readonly Range[]): number {
  const [type, subtype] = offer.split("/");
  let [q, best] = [0, 0];
  for (const range of ranges) {
    const closeness =
      range.type === type && range.subtype === subtype
        ? 3
        : range.type === type && range.subtype === "*"
          ? 2
          : range.type === "*" && range.subtype === "*"
            ? 1
            : 0;
    if (closeness > best) [q, best] = [range.q, closeness];
  }
  return q;
}

/** `text/plain; charset=utf-8` in parts, lower case; undefined where it is no media type. */
export function mediaTypeOf(field: string): { readonly type: string; readonly charset: string | undefined } | undefined {
  const [media = "", ...parameters] = field.split(";");
  const type = media.trim().toLowerCase();
  if (!/^[^\s/]+\/[^\s/]+$/.test(type)) return undefined;
  const charset = parameters
    .map((parameter) => /^\s*charset\s*=\s*"?([^\s"]+)"?\s*$/i.exec(parameter)?.[1])
    .find((name) => name !== undefined);
  return { type, charset: charset?.toLowerCase() };
}
