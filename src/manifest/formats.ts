// The formats that an input text can be asked to have. Each check is linear in the text and bounded in its length; none asks a network.

import type { SanitizationRules } from "./manifest.ts";

export type Format = NonNullable<SanitizationRules["format"]>;

/** Whether a text has a format. Sources stand at each check. */
export const FORMATS: Readonly<Record<Format, { readonly has: (text: string) => boolean; readonly example: string }>> = {
  email: { has: isEmail, example: "ada@example.com" },
  uri: { has: isUri, example: "https://example.com/a?b=c" },
  uuid: { has: isUuid, example: "123e4567-e89b-12d3-a456-426614174000" },
  "date-time": { has: isDateTime, example: "2026-08-01T12:30:00Z" },
  hostname: { has: isHostname, example: "api.example.com" },
  ip: { has: (text) => isIpv4(text) || isIpv6(text), example: "192.0.2.1" },
};

/** RFC 5321, section 4.1.2 (dot-string local part; no quoted one, no address literal), length by section 4.5.3.1; UTF-8 by RFC 6531. */
function isEmail(text: string): boolean {
  if (text.length > 254) return false;
  const at = text.lastIndexOf("@");
  const local = text.slice(0, Math.max(0, at));
  if (local.length === 0 || local.length > 64) return false;
  const isAtom = (atom: string): boolean =>
    /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~\u00a0-\ud7ff\ue000-\uffff\u{10000}-\u{10ffff}-]+$/u.test(atom);
  return local.split(".").every(isAtom) && isHostname(text.slice(at + 1)) && text.slice(at + 1).includes(".");
}

const LONGEST_URI = 8192;

/** RFC 3986: an absolute URI (with a scheme), only characters that may stand in one, complete percent escapes, a sound authority. */
function isUri(text: string): boolean {
  if (text.length > LONGEST_URI) return false;
  const scheme = /^[A-Za-z][A-Za-z0-9+.-]*:/.exec(text);
  if (scheme === null) return false;
  const rest = text.slice(scheme[0].length);
  if (!/^[A-Za-z0-9\-._~:/?#[\]@!$&'()*+,;=%]*$/.test(rest) || /%(?![0-9A-Fa-f]{2})/.test(rest)) return false;
  const hash = rest.indexOf("#");
  if (hash >= 0 && /[#[\]]/.test(rest.slice(hash + 1))) return false;
  const before = hash < 0 ? rest : rest.slice(0, hash);
  if (!before.startsWith("//")) return before.length > 0 && !/[[\]]/.test(before);
  const end = before.slice(2).search(/[/?]/);
  const authority = end < 0 ? before.slice(2) : before.slice(2, 2 + end);
  return isAuthority(authority) && (end < 0 || !/[[\]]/.test(before.slice(2 + end)));
}

/** RFC 3986, section 3.2: `[user@]host[:port]`; the host may be empty (`file:///a`). */
function isAuthority(authority: string): boolean {
  const at = authority.indexOf("@");
  const hostAndPort = authority.slice(at + 1);
  if (/[[\]@]/.test(authority.slice(0, Math.max(0, at)))) return false;
  const bracketed = /^\[([0-9A-Fa-f:.]*)\](?::([0-9]*))?$/.exec(hostAndPort);
  if (bracketed !== null) return isIpv6(bracketed[1] ?? "") && isPort(bracketed[2]);
  const plain = /^([^:[\]@]*)(?::([0-9]*))?$/.exec(hostAndPort);
  return plain !== null && isPort(plain[2]) && (plain[1] !== "" || hostAndPort === "");
}

function isPort(port: string | undefined): boolean {
  return port === undefined || port === "" || (port.length <= 5 && Number(port) <= 65_535);
}

/** RFC 9562, section 4: 8-4-4-4-12 hexadecimal digits of either case, of any version (nil and max included). */
function isUuid(text: string): boolean {
  return text.length === 36 && /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i.test(text);
}

const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** RFC 3339, section 5.6: a real day, an offset, a leap second only as the last second of a UTC day. */
function isDateTime(text: string): boolean {
  if (text.length > 64) return false;
  const match = /^(\d{4})-(\d{2})-(\d{2})[Tt ](\d{2}):(\d{2}):(\d{2})(?:\.\d+)?(?:[Zz]|([+-])(\d{2}):(\d{2}))$/.exec(text);
  if (match === null) return false;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number);
  const offset = (match[7] === "-" ? -1 : 1) * (Number(match[8] ?? 0) * 60 + Number(match[9] ?? 0));
  if (
    year === undefined ||
    month === undefined ||
    day === undefined ||
    hour === undefined ||
    minute === undefined ||
    second === undefined
  )
    return false;
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const days = month === 2 && isLeap ? 29 : (DAYS[month - 1] ?? 0);
  if (day < 1 || day > days || hour > 23 || minute > 59 || Number(match[8] ?? 0) > 23 || Number(match[9] ?? 0) > 59) return false;
  const utcMinute = (((hour * 60 + minute - offset) % 1440) + 1440) % 1440;
  return second < 60 || (second === 60 && utcMinute === 1439);
}

/** RFC 1123, section 2.1: labels of letters, digits and inner hyphens, 1 to 63 long, 253 in all; not only numbers (that is an address). */
function isHostname(text: string): boolean {
  if (text.length === 0 || text.length > 253) return false;
  const labels = text.split(".");
  if (/^[0-9]+$/.test(labels.at(-1) ?? "")) return false;
  return labels.every((label) => label.length <= 63 && /^[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?$/.test(label));
}

/** RFC 3986, section 3.2.2: four decimal bytes without leading zeros. */
function isIpv4(text: string): boolean {
  if (text.length > 15) return false;
  const bytes = text.split(".");
  return bytes.length === 4 && bytes.every((byte) => /^(?:0|[1-9][0-9]{0,2})$/.test(byte) && Number(byte) <= 255);
}

/** RFC 4291, section 2.2: eight groups, one `::` for one or more of zero, the last two may be an IPv4 address; no zone. */
function isIpv6(text: string): boolean {
  if (text.length > 45 || text.length < 2) return false;
  const halves = text.split("::");
  if (halves.length > 2) return false;
  const groups = halves.flatMap((half) => (half === "" ? [] : half.split(":")));
  const last = groups.at(-1);
  const endsInIpv4 = last !== undefined && last.includes(".") && !text.endsWith("::");
  if (endsInIpv4 && !isIpv4(last)) return false;
  const hex = endsInIpv4 ? groups.slice(0, -1) : groups;
  if (!hex.every((group) => /^[0-9A-Fa-f]{1,4}$/.test(group))) return false;
  const count = hex.length + (endsInIpv4 ? 2 : 0);
  return halves.length === 2 ? count <= 7 : count === 8;
}
