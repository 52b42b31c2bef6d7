// Hosts: as a guest names them, and as grants do. One host has one spelling here: what could be read in two ways is no host.

import {
  type AddressRange,
  formatAddressRange,
  formatIpAddress,
  type IpAddress,
  isInRange,
  parseAddressRange,
  parseIpAddress,
  sameAddress,
  scopeOf,
} from "./ip-address.ts";

/** A host as it is looked up or connected to. */
export type Host = { readonly kind: "name"; readonly name: string } | { readonly kind: "address"; readonly address: IpAddress };

/** A host as a grant names it. `subdomains` are all names that end in `.suffix`, at any depth, and not the suffix itself. */
export type HostPattern =
  | Host
  | { readonly kind: "subdomains"; readonly suffix: string }
  | { readonly kind: "range"; readonly range: AddressRange };

/**
 * Which addresses may be connected to: places that are public, one address, this machine, or ranges. Never the others, whatever
 * the name of the host resolves to.
 */
export type AddressRule =
  | { readonly kind: "public" }
  | { readonly kind: "address"; readonly address: IpAddress }
  | { readonly kind: "loopback" }
  | { readonly kind: "ranges"; readonly ranges: readonly AddressRange[] };

const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/;
const NUMERIC_LABEL = /^(?:\d+|0x[0-9a-f]*)$/;

/**
 * `example.com` (any case), `127.0.0.1`, `[::1]`. Undefined for the rest: names with a trailing dot or other letters than ASCII's,
 * percent signs, zones, and everything that some systems read as a number (`0177.1`, `2130706433`, `0x7f.1`).
 */
export function parseHost(text: string): Host | undefined {
  const bracketed = /^\[([^\]]*)\]$/.exec(text)?.[1];
  if (bracketed !== undefined) {
    const address = parseIpAddress(bracketed);
    return address?.tag === "ipv6" ? { kind: "address", address } : undefined;
  }
  const address = parseIpAddress(text);
  if (address !== undefined) return address.tag === "ipv4" ? { kind: "address", address } : undefined;
  const name = text.toLowerCase();
  return isName(name) ? { kind: "name", name } : undefined;
}

function isName(name: string): boolean {
  const labels = name.split(".");
  return name.length <= 253 && labels.every((label) => LABEL.test(label)) && !NUMERIC_LABEL.test(labels.at(-1) ?? "");
}

/** As `parseHost`, and `*.example.com`. */
export function parseHostPattern(text: string): HostPattern | undefined {
  if (!text.startsWith("*.")) return parseHost(text);
  const suffix = text.slice(2).toLowerCase();
  return isName(suffix) && suffix.includes(".") ? { kind: "subdomains", suffix } : undefined;
}

/** As `parseHostPattern`, and ranges: `10.0.0.0/8`, `[fd00::/8]`. */
export function parseHostOrRange(text: string): HostPattern | undefined {
  if (!text.includes("/")) return parseHostPattern(text);
  const bracketed = /^\[([^\]]*)\]$/.exec(text)?.[1];
  const range = parseAddressRange(bracketed ?? text);
  if (range === undefined || (range.address.tag === "ipv6") !== (bracketed !== undefined)) return undefined;
  return { kind: "range", range };
}

export function formatHost(host: HostPattern): string {
  switch (host.kind) {
    case "name":
      return host.name;
    case "subdomains":
      return `*.${host.suffix}`;
    case "address":
      return bracketed(host.address, formatIpAddress(host.address));
    case "range":
      return bracketed(host.range.address, formatAddressRange(host.range));
  }
}

function bracketed(address: IpAddress, text: string): string {
  return address.tag === "ipv6" ? `[${text}]` : text;
}

export function matchesHost(pattern: HostPattern, host: Host): boolean {
  if (host.kind === "name") {
    if (pattern.kind === "name") return pattern.name === host.name;
    return pattern.kind === "subdomains" && host.name.endsWith(`.${pattern.suffix}`);
  }
  if (pattern.kind === "address") return sameAddress(pattern.address, host.address);
  return pattern.kind === "range" && isInRange(host.address, pattern.range);
}

/** What a host of a grant may resolve to: itself where it is an address, this machine for `localhost`, else public places. */
export function addressRuleOf(pattern: HostPattern, ranges: readonly AddressRange[] | undefined): AddressRule {
  if (pattern.kind === "address") return { kind: "address", address: pattern.address };
  if (pattern.kind === "range") return { kind: "ranges", ranges: [pattern.range] };
  if (ranges !== undefined) return { kind: "ranges", ranges };
  const name = pattern.kind === "name" ? pattern.name : pattern.suffix;
  return name === "localhost" || name.endsWith(".localhost") ? { kind: "loopback" } : { kind: "public" };
}

export function allowsAddress(rules: readonly AddressRule[], address: IpAddress): boolean {
  return rules.some((rule) => {
    switch (rule.kind) {
      case "public":
        return scopeOf(address) === "public";
      case "loopback":
        return scopeOf(address) === "loopback";
      case "address":
        return sameAddress(rule.address, address);
      case "ranges":
        return rule.ranges.some((range) => isInRange(address, range));
    }
  });
}
