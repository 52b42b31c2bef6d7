// Grants of sockets: what may be connected to, which ports may be listened on, which names may be looked up.
//
//   connect: ["db.example.com:5432", "10.0.0.0/8:*", "udp://192.0.2.7:53", "cache.internal:6379 at 10.1.0.0/16"]
//   listen: [8080, "127.0.0.1:9000", "udp://5353", 0]
//   resolve: ["*.example.com"]
//
// Without `tcp://` or `udp://` an entry is for both. A name in `connect` is for its addresses as they were looked up in the
// same transaction; it may be looked up without standing in `resolve`. Port 0 is any port that the system chooses, `*` every port.

import { StarlaneError } from "../../base/errors.ts";
import {
  allowsAddress,
  type AddressRule,
  addressRuleOf,
  type Host,
  type HostPattern,
  matchesHost,
  parseHostOrRange,
  parseHostPattern,
} from "./host-pattern.ts";
import { type AddressRange, formatIpAddress, type IpAddress, parseAddressRange, sameAddress } from "./ip-address.ts";
import type { Endpoint } from "./network.ts";

/** As it stands in a manifest. */
export interface SocketsGrant {
  readonly connect?: readonly string[] | undefined;
  readonly listen?: readonly (number | string)[] | undefined;
  readonly resolve?: readonly string[] | undefined;
}

export type Protocol = "tcp" | "udp";

export interface ConnectGrant {
  /** Left out: both. */
  readonly protocol?: Protocol | undefined;
  readonly host: HostPattern;
  /** Left out: every port. */
  readonly port?: number | undefined;
  readonly addresses: AddressRule;
}

export interface ListenGrant {
  readonly protocol?: Protocol | undefined;
  /** Left out: every address of this machine. */
  readonly address?: IpAddress | undefined;
  /** Left out: every port; 0: one that the system chooses. */
  readonly port?: number | undefined;
}

export interface ResolveGrant {
  readonly host: HostPattern;
  readonly addresses: AddressRule;
}

export interface ParsedSocketsGrant {
  readonly connect: readonly ConnectGrant[];
  readonly listen: readonly ListenGrant[];
  readonly resolve: readonly ResolveGrant[];
}

const LONGEST_GRANT = 2048;

/** @throws StarlaneError `grant/bad-value`, saying what is wrong in which entry */
export function parseSocketsGrant(grant: SocketsGrant): ParsedSocketsGrant {
  return {
    connect: (grant.connect ?? []).map(parseConnectGrant),
    listen: (grant.listen ?? []).map(parseListenGrant),
    resolve: (grant.resolve ?? []).map(parseResolveGrant),
  };
}

type Wrong = (what: string) => never;

function complain(kind: string, entry: string | number, example: string): Wrong {
  return (what) => {
    throw new StarlaneError(
      "grant/bad-value",
      `the sockets grant ${kind} ${JSON.stringify(String(entry).slice(0, 200))}: ${what}`,
      {
        cure: `Write it like ${example}.`,
      },
    );
  };
}

function parseConnectGrant(text: string): ConnectGrant {
  const wrong = complain("connect", text, '"db.example.com:5432", "[::1]:80" or "udp://10.0.0.0/8:53"');
  const { protocol, place, ranges } = split(text, wrong);
  const match = /^(\[[^\]]*\](?:\/\d+)?|[^:[\]]+):([^:]+)$/.exec(place);
  const host = match === null ? undefined : parseHostOrRange(match[1] ?? "");
  if (match === null || host === undefined) return wrong("has no host and port that can be matched exactly");
  if (ranges !== undefined && (host.kind === "address" || host.kind === "range"))
    wrong('has "at" behind addresses, which stand for themselves');
  const port = match[2] === "*" ? undefined : portOf(match[2] ?? "", 1, wrong);
  return { ...protocol, host, ...(port === undefined ? {} : { port }), addresses: addressRuleOf(host, ranges) };
}

function parseListenGrant(entry: number | string): ListenGrant {
  const wrong = complain("listen", entry, '8080, "127.0.0.1:8080" or "udp://5353"');
  const { protocol, place, ranges } = split(String(entry), wrong);
  if (ranges !== undefined) wrong('has "at", which stands only in connect');
  const match = /^(?:(\[[^\]]*\]|[^:[\]]+):)?(\*|\d+)$/.exec(place);
  if (match === null) return wrong("is no port, and no address and port");
  const host =
    match[1] === undefined ? undefined : (parseHostPattern(match[1]) ?? wrong("has no address that can be listened on"));
  if (host !== undefined && host.kind !== "address") return wrong("names a host: only addresses can be listened on");
  const port = match[2] === "*" ? undefined : portOf(match[2] ?? "", 0, wrong);
  return { ...protocol, ...(host === undefined ? {} : { address: host.address }), ...(port === undefined ? {} : { port }) };
}

function parseResolveGrant(text: string): ResolveGrant {
  const wrong = complain("resolve", text, '"db.example.com" or "*.example.com"');
  const { protocol, place, ranges } = split(text, wrong);
  const host = parseHostPattern(place);
  if (protocol.protocol !== undefined || host === undefined || host.kind === "address")
    return wrong("is no name that can be matched exactly");
  return { host, addresses: addressRuleOf(host, ranges) };
}

interface Split {
  readonly protocol: { readonly protocol?: Protocol };
  readonly place: string;
  readonly ranges: readonly AddressRange[] | undefined;
}

/** `[tcp://]place[ at ranges]` */
function split(text: string, wrong: Wrong): Split {
  if (text.length > LONGEST_GRANT) wrong(`is longer than ${LONGEST_GRANT} characters`);
  const [first = "", at, list = "", ...more] = text.trim().split(/\s+/);
  if ((at !== undefined && at !== "at") || more.length > 0)
    wrong('goes on with something else than "at" and ranges of addresses');
  const ranges =
    at === undefined
      ? undefined
      : list
          .split(",")
          .map((range) => parseAddressRange(range) ?? wrong(`has ${JSON.stringify(range)} where a range of addresses stands`));
  const match = /^(tcp|udp):\/\/(.*)$/.exec(first);
  if (match === null) return { protocol: {}, place: first, ranges };
  return { protocol: { protocol: match[1] === "tcp" ? "tcp" : "udp" }, place: match[2] ?? "", ranges };
}

function portOf(text: string, least: 0 | 1, wrong: Wrong): number {
  if (!/^(?:0|[1-9]\d{0,4})$/.test(text) || Number(text) > 65_535 || Number(text) < least)
    return wrong(`has the port ${JSON.stringify(text)}, not ${least} to 65535 or *`);
  return Number(text);
}

function isFor(
  grant: { readonly protocol?: Protocol | undefined; readonly port?: number | undefined },
  protocol: Protocol,
  port: number,
): boolean {
  return (grant.protocol === undefined || grant.protocol === protocol) && (grant.port === undefined || grant.port === port);
}

/** Names looked up in this transaction, by address. */
export type Resolved = ReadonlyMap<string, ReadonlySet<string>>;

export function mayConnect(grants: readonly ConnectGrant[], protocol: Protocol, remote: Endpoint, resolved: Resolved): boolean {
  const names = resolved.get(formatIpAddress(remote.address)) ?? new Set<string>();
  return grants.some((grant) => {
    if (!isFor(grant, protocol, remote.port)) return false;
    if (matchesHost(grant.host, { kind: "address", address: remote.address })) return true;
    if (grant.host.kind === "name" && grant.host.name === "localhost" && allowsAddress([grant.addresses], remote.address))
      return true;
    const isNamed = [...names].some((name) => matchesHost(grant.host, { kind: "name", name }));
    return isNamed && allowsAddress([grant.addresses], remote.address);
  });
}

export function mayListen(grants: readonly ListenGrant[], protocol: Protocol, local: Endpoint): boolean {
  return grants.some(
    (grant) => isFor(grant, protocol, local.port) && (grant.address === undefined || sameAddress(grant.address, local.address)),
  );
}

/** The rules for the addresses of a name; none where it may not be looked up. */
export function lookupRules(grant: ParsedSocketsGrant, host: Host): readonly AddressRule[] {
  return [...grant.connect, ...grant.resolve].filter((entry) => matchesHost(entry.host, host)).map((entry) => entry.addresses);
}
