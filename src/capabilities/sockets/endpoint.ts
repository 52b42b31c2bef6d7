// Socket addresses of `wasi:sockets` as the host has them, and the rules that hold for every socket before any grant is asked.

import { misuse } from "../guest.ts";
import { type IpAddress, type IpFamily, isIpv4Mapped, scopeOf } from "./ip-address.ts";
import { type Endpoint, SocketFailure } from "./network.ts";

/** `ip-socket-address`. */
export type IpSocketAddress =
  | {
      readonly tag: "ipv4";
      readonly val: { readonly port: number; readonly address: Extract<IpAddress, { tag: "ipv4" }>["val"] };
    }
  | {
      readonly tag: "ipv6";
      readonly val: {
        readonly port: number;
        readonly flowInfo: number;
        readonly address: Extract<IpAddress, { tag: "ipv6" }>["val"];
        readonly scopeId: number;
      };
    };

/** @throws SocketFailure `invalid-argument` for zones, which are not offered */
export function endpointOf(value: IpSocketAddress): Endpoint {
  if (value.tag === "ipv4") return { address: { tag: "ipv4", val: value.val.address }, port: value.val.port };
  if (value.tag !== "ipv6") throw misuse("a socket address has to be one of IPv4 or IPv6");
  if (value.val.scopeId !== 0) throw new SocketFailure("invalid-argument");
  return { address: { tag: "ipv6", val: value.val.address }, port: value.val.port };
}

export function socketAddressOf({ address, port }: Endpoint): IpSocketAddress {
  if (address.tag === "ipv4") return { tag: "ipv4", val: { port, address: address.val } };
  return { tag: "ipv6", val: { port, flowInfo: 0, address: address.val, scopeId: 0 } };
}

export function isUnicast(address: IpAddress): boolean {
  if (address.tag === "ipv4" && address.val.every((byte) => byte === 255)) return false;
  return scopeOf(address) !== "multicast";
}

export function isUnspecified(address: IpAddress): boolean {
  return address.val.every((part) => part === 0);
}

/** @throws SocketFailure `invalid-argument` */
export function checkLocal(local: Endpoint, family: IpFamily): void {
  if (local.address.tag !== family || isIpv4Mapped(local.address) || !isUnicast(local.address))
    throw new SocketFailure("invalid-argument");
}

/** @throws SocketFailure `invalid-argument` */
export function checkRemote(remote: Endpoint, family: IpFamily): void {
  checkLocal(remote, family);
  if (isUnspecified(remote.address) || remote.port === 0) throw new SocketFailure("invalid-argument");
}
