// IP addresses: their text, their values in WIT, and what kind of place they are. Reading is strict: only what every system reads
// alike (no octal, hexadecimal or short forms, no zones), so that what is checked is what is connected to.

export type Ipv4 = readonly [number, number, number, number];
export type Ipv6 = readonly [number, number, number, number, number, number, number, number];

/** `ip-address` of `wasi:sockets`. */
export type IpAddress = { readonly tag: "ipv4"; readonly val: Ipv4 } | { readonly tag: "ipv6"; readonly val: Ipv6 };
export type IpFamily = IpAddress["tag"];

/** Where an address leads; `public` is everywhere that is nowhere special. */
export type AddressScope = "public" | "loopback" | "private" | "link-local" | "unspecified" | "multicast" | "reserved";

/** Addresses that share their first `bits` bits with `address`. */
export interface AddressRange {
  readonly address: IpAddress;
  readonly bits: number;
}

/** `127.0.0.1`, `::1`, `::ffff:10.0.0.1`; undefined for everything else. */
export function parseIpAddress(text: string): IpAddress | undefined {
  if (text.length > 45) return undefined;
  if (!text.includes(":")) {
    const bytes = ipv4Of(text);
    return bytes === undefined ? undefined : { tag: "ipv4", val: bytes };
  }
  const words = ipv6Of(text);
  return words === undefined ? undefined : { tag: "ipv6", val: words };
}

function ipv4Of(text: string): Ipv4 | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  if (match === null) return undefined;
  const parts = match.slice(1);
  if (parts.some((part) => Number(part) > 255 || (part.length > 1 && part.startsWith("0")))) return undefined;
  const [a = 0, b = 0, c = 0, d = 0] = parts.map(Number);
  return [a, b, c, d];
}

function ipv6Of(text: string): Ipv6 | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const [head, tail] = [wordsOf(halves[0] ?? "", halves.length === 1), halves.length === 2 ? wordsOf(halves[1] ?? "", true) : []];
  if (head === undefined || tail === undefined) return undefined;
  const gap = 8 - head.length - tail.length;
  if (halves.length === 1 ? gap !== 0 : gap < 1) return undefined;
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = [...head, ...new Array<number>(gap).fill(0), ...tail];
  return [a, b, c, d, e, f, g, h];
}

/** `2001:db8`; the last part may be an IPv4 address where the text ends there. */
function wordsOf(text: string, endsHere: boolean): number[] | undefined {
  if (text === "") return [];
  const parts = text.split(":");
  const words: number[] = [];
  for (const [i, part] of parts.entries()) {
    const v4 = endsHere && i === parts.length - 1 && part.includes(".") ? ipv4Of(part) : undefined;
    if (v4 !== undefined) words.push(v4[0] * 256 + v4[1], v4[2] * 256 + v4[3]);
    else if (/^[0-9a-fA-F]{1,4}$/.test(part)) words.push(Number.parseInt(part, 16));
    else return undefined;
  }
  return words;
}

/** The text that `parseIpAddress` and every system reads; IPv6 with its longest row of zeroes left out (RFC 5952). */
export function formatIpAddress(address: IpAddress): string {
  if (address.tag === "ipv4") return address.val.join(".");
  const words = address.val.map((word) => word.toString(16));
  const { start, length } = longestZeroes(address.val);
  if (length < 2) return words.join(":");
  return `${words.slice(0, start).join(":")}::${words.slice(start + length).join(":")}`;
}

function longestZeroes(words: Ipv6): { start: number; length: number } {
  const longest = { start: 0, length: 0 };
  let length = 0;
  for (const [i, word] of words.entries()) {
    length = word === 0 ? length + 1 : 0;
    if (length > longest.length) Object.assign(longest, { start: i - length + 1, length });
  }
  return longest;
}

/** Numbers of the address, from the first bit on, and how many bits each has. */
function partsOf(address: IpAddress): { readonly parts: readonly number[]; readonly width: number } {
  return { parts: address.val, width: address.tag === "ipv4" ? 8 : 16 };
}

export function sameAddress(a: IpAddress, b: IpAddress): boolean {
  return a.tag === b.tag && a.val.every((part, i) => part === b.val[i]);
}

export function isInRange(address: IpAddress, range: AddressRange): boolean {
  if (address.tag !== range.address.tag) return false;
  const { parts, width } = partsOf(address);
  const wanted = partsOf(range.address).parts;
  let bits = range.bits;
  for (let i = 0; bits > 0; i++, bits -= width) {
    const ignored = Math.max(0, width - bits);
    if ((parts[i] ?? 0) >> ignored !== (wanted[i] ?? 0) >> ignored) return false;
  }
  return true;
}

/** `10.0.0.0/8`, `fd00::/8`, or one address; undefined where it is neither, or has bits set beyond its length. */
export function parseAddressRange(text: string): AddressRange | undefined {
  const [host = "", bitsText, ...more] = text.split("/");
  const address = parseIpAddress(host);
  if (address === undefined || more.length > 0) return undefined;
  const most = address.tag === "ipv4" ? 32 : 128;
  if (bitsText === undefined) return { address, bits: most };
  if (!/^(?:0|[1-9]\d{0,2})$/.test(bitsText) || Number(bitsText) > most) return undefined;
  const range = { address, bits: Number(bitsText) };
  return isNetwork(range) ? range : undefined;
}

function isNetwork({ address, bits }: AddressRange): boolean {
  const { parts, width } = partsOf(address);
  return parts.every((part, i) => {
    const kept = Math.min(width, Math.max(0, bits - i * width));
    return part % 2 ** (width - kept) === 0;
  });
}

export function formatAddressRange({ address, bits }: AddressRange): string {
  return `${formatIpAddress(address)}/${bits}`;
}

type Scoped = readonly [range: AddressRange, scope: AddressScope];

function scoped(scope: AddressScope, ...texts: string[]): Scoped[] {
  return texts.map((text) => {
    const range = parseAddressRange(text);
    if (range === undefined) throw new TypeError(`${text} is no range of addresses`);
    return [range, scope];
  });
}

/**
 * Special addresses (the registries of IANA for IPv4 and IPv6), the first that fits counts. `168.63.129.16` answers with secrets on
 * one large cloud; it is the only such address in the midst of public ones.
 */
const SCOPES: readonly Scoped[] = [
  ...scoped("unspecified", "0.0.0.0/8", "::/128"),
  ...scoped("loopback", "127.0.0.0/8", "::1/128"),
  ...scoped("private", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7", "64:ff9b:1::/48"),
  ...scoped("link-local", "169.254.0.0/16", "fe80::/10"),
  ...scoped("multicast", "224.0.0.0/4", "ff00::/8"),
  ...scoped("reserved", "192.0.0.0/24", "192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "198.18.0.0/15", "192.88.99.0/24"),
  ...scoped("reserved", "240.0.0.0/4", "168.63.129.16/32", "2001::/23", "2001:db8::/32", "3fff::/20", "100::/64", "fec0::/10"),
];

/** Ranges of IPv6 that carry an IPv4 address, and the word where it begins. */
const CARRIES_IPV4: readonly (readonly [range: AddressRange, word: number])[] = [
  ...scoped("public", "::ffff:0:0/96", "::/96", "::ffff:0:0:0/96", "64:ff9b::/96").map(([range]) => [range, 6] as const),
  ...scoped("public", "2002::/16").map(([range]) => [range, 1] as const),
];

/** What kind of place an address is; one that carries an IPv4 address is what that one is. */
export function scopeOf(address: IpAddress): AddressScope {
  const found = SCOPES.find(([range]) => isInRange(address, range));
  if (found !== undefined) return found[1];
  const inner = embeddedIpv4(address);
  if (inner !== undefined) return scopeOf(inner);
  return address.tag === "ipv6" && address.val[0] >> 13 !== 1 ? "reserved" : "public";
}

function embeddedIpv4(address: IpAddress): IpAddress | undefined {
  if (address.tag === "ipv4") return undefined;
  const found = CARRIES_IPV4.find(([range]) => isInRange(address, range));
  if (found === undefined) return undefined;
  const [high = 0, low = 0] = address.val.slice(found[1], found[1] + 2);
  return { tag: "ipv4", val: [high >> 8, high & 0xff, low >> 8, low & 0xff] };
}

/** `::ffff:a.b.c.d`, which a socket of IPv6 would connect to by IPv4. */
export function isIpv4Mapped(address: IpAddress): boolean {
  return address.tag === "ipv6" && address.val.slice(0, 5).every((word) => word === 0) && address.val[5] === 0xffff;
}
