// What is told of sockets and lookups that no grant allows.

import type { Denial } from "../capability.ts";
import type { Endpoint } from "./network.ts";
import { formatIpAddress } from "./ip-address.ts";
import type { Protocol } from "./socket-grant.ts";

export function deniedConnect(protocol: Protocol, remote: Endpoint): Denial {
  const place = endpointText(remote);
  return { target: `a ${protocol.toUpperCase()} connection to ${place}`, grant: connectGrant(place) };
}

export function deniedListen(protocol: Protocol, local: Endpoint): Denial {
  const place = endpointText(local);
  return {
    target: `the local ${protocol.toUpperCase()} address ${place}`,
    grant: `sockets: { listen: [${JSON.stringify(place)}] }`,
  };
}

export function deniedLookup(name: string): Denial {
  return { target: `the addresses of ${JSON.stringify(name)}`, grant: connectGrant(`${name}:PORT`) };
}

/** A socket that could lead nowhere. */
export function deniedSocket(protocol: Protocol): Denial {
  return { target: `a ${protocol.toUpperCase()} socket`, grant: connectGrant("HOST:PORT") };
}

function connectGrant(place: string): string {
  return `sockets: { connect: [${JSON.stringify(place)}] }`;
}

function endpointText({ address, port }: Endpoint): string {
  const text = formatIpAddress(address);
  return `${text.includes(":") ? `[${text}]` : text}:${port}`;
}
