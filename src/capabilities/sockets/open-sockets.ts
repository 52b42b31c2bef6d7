// The sockets of one transaction after another: what its grant allows, how many there may be, which names were looked up; and the
// end of all of them when the transaction ends.

import type { CapabilityTransaction } from "../capability.ts";
import { deniedConnect, deniedListen, deniedLookup, deniedSocket } from "./denied.ts";
import { allowsAddress, type Host, parseHost } from "./host-pattern.ts";
import { formatIpAddress, type IpAddress, isIpv4Mapped } from "./ip-address.ts";
import { type Endpoint, LookupFailure, type Network, SocketFailure } from "./network.ts";
import { lookupRules, mayConnect, mayListen, type ParsedSocketsGrant, type Protocol } from "./socket-grant.ts";

export interface SocketLimits {
  /** Sockets open at once, accepted connections included. */
  readonly sockets: number;
  /** Names looked up at once. */
  readonly lookups: number;
  /** Addresses remembered as those of names. */
  readonly resolvedAddresses: number;
}

export const SOCKET_LIMITS: SocketLimits = { sockets: 128, lookups: 16, resolvedAddresses: 4096 };

/** A lookup that is denied, or of something that is no name. */
export class LookupRefused extends Error {
  readonly code: "access-denied" | "invalid-argument";

  constructor(code: "access-denied" | "invalid-argument") {
    super(`a lookup was refused: ${code}`);
    this.code = code;
  }
}

export interface Closable {
  close(): void;
}

export class OpenSockets {
  readonly network: Network;
  readonly #grant: ParsedSocketsGrant;
  readonly #limits: SocketLimits;
  readonly #open = new Set<Closable>();
  #resolved = new Map<string, Set<string>>();
  #lookups = 0;
  #controller: AbortController | undefined;
  #forget: () => void = () => undefined;
  #denied: CapabilityTransaction["denied"];

  constructor(network: Network, grant: ParsedSocketsGrant, limits: SocketLimits) {
    this.network = network;
    this.#grant = grant;
    this.#limits = limits;
  }

  /** A transaction begins; until then, and after `finish`, everything is denied. */
  prepare(signal: AbortSignal | undefined, denied?: CapabilityTransaction["denied"]): void {
    this.finish();
    this.#denied = denied;
    const controller = new AbortController();
    const onAbort = (): void => {
      controller.abort(signal?.reason);
      this.#closeAll();
    };
    signal?.addEventListener("abort", onAbort);
    if (signal?.aborted === true) onAbort();
    this.#forget = () => signal?.removeEventListener("abort", onAbort);
    this.#controller = controller;
  }

  finish(): void {
    this.#forget();
    this.#forget = () => undefined;
    this.#controller?.abort();
    this.#controller = undefined;
    this.#closeAll();
    this.#resolved = new Map();
    this.#lookups = 0;
  }

  #closeAll(): void {
    const all = [...this.#open];
    this.#open.clear();
    for (const socket of all) socket.close();
  }

  /** Aborts when the transaction ends. @throws SocketFailure `access-denied` outside of one */
  get signal(): AbortSignal {
    const signal = this.#controller?.signal;
    if (signal === undefined || signal.aborted) throw new SocketFailure("access-denied");
    return signal;
  }

  get hasRoom(): boolean {
    return this.#open.size < this.#limits.sockets;
  }

  /** Counts a socket, which is closed with the transaction at the latest. @throws SocketFailure where there are too many */
  add(socket: Closable): void {
    void this.signal;
    if (!this.hasRoom) throw new SocketFailure("new-socket-limit");
    this.#open.add(socket);
  }

  remove(socket: Closable): void {
    this.#open.delete(socket);
  }

  /** Whether sockets of a protocol can be of any use. @throws SocketFailure */
  checkUse(protocol: Protocol): void {
    void this.signal;
    const all = [...this.#grant.connect, ...this.#grant.listen];
    if (all.some((grant) => grant.protocol === undefined || grant.protocol === protocol)) return;
    this.#denied?.(deniedSocket(protocol));
    throw new SocketFailure("access-denied");
  }

  /** @throws SocketFailure `access-denied` */
  checkConnect(protocol: Protocol, remote: Endpoint): void {
    if (this.mayConnect(protocol, remote)) return;
    this.#denied?.(deniedConnect(protocol, remote));
    throw new SocketFailure("access-denied");
  }

  /** @throws SocketFailure `access-denied` */
  checkListen(protocol: Protocol, local: Endpoint): void {
    if (this.mayListen(protocol, local)) return;
    this.#denied?.(deniedListen(protocol, local));
    throw new SocketFailure("access-denied");
  }

  /** A port that the system chooses is taken for connecting too. @throws SocketFailure `access-denied` */
  checkBind(protocol: Protocol, local: Endpoint): void {
    const isForAny = local.port === 0;
    if (isForAny && this.#grant.connect.some((grant) => grant.protocol === undefined || grant.protocol === protocol)) return;
    this.checkListen(protocol, local);
  }

  mayConnect(protocol: Protocol, remote: Endpoint): boolean {
    return this.#controller !== undefined && mayConnect(this.#grant.connect, protocol, remote, this.#resolved);
  }

  mayListen(protocol: Protocol, local: Endpoint): boolean {
    return this.#controller !== undefined && mayListen(this.#grant.listen, protocol, local);
  }

  /**
   * The addresses of a name, as far as its grants allow them, never IPv4 in the clothes of IPv6; an address is its own.
   * @throws LookupRefused, LookupFailure (as rejections)
   */
  async lookup(text: string): Promise<readonly IpAddress[]> {
    void this.signal;
    const host = hostOf(text);
    if (host === undefined) throw new LookupRefused("invalid-argument");
    if (host.kind === "address") return [host.address];
    const rules = lookupRules(this.#grant, host);
    if (rules.length === 0) {
      this.#denied?.(deniedLookup(host.name));
      throw new LookupRefused("access-denied");
    }
    if (this.#lookups >= this.#limits.lookups) throw new LookupFailure("temporary-resolver-failure");
    const resolved = this.#resolved;
    this.#lookups++;
    const found = await this.network.resolve(host.name).finally(() => {
      if (this.#resolved === resolved) this.#lookups--;
    });
    const allowed = found.filter((address) => !isIpv4Mapped(address) && allowsAddress(rules, address));
    if (allowed.length === 0) throw new LookupFailure("name-unresolvable");
    for (const address of allowed) this.#remember(resolved, address, host.name);
    return allowed;
  }

  #remember(resolved: Map<string, Set<string>>, address: IpAddress, name: string): void {
    const key = formatIpAddress(address);
    const names = resolved.get(key) ?? new Set<string>();
    if (names.size === 0 && resolved.size >= this.#limits.resolvedAddresses)
      throw new LookupFailure("temporary-resolver-failure");
    if (names.size < 64) names.add(name);
    resolved.set(key, names);
  }
}

/** A name in any script, an IPv4 address, an IPv6 address without brackets. */
function hostOf(text: string): Host | undefined {
  if (text.length > 1024) return undefined;
  const plain = text.includes(":") ? `[${text}]` : text;
  return parseHost(plain) ?? (/[\u0080-\uffff]/.test(plain) ? parseHost(toAscii(plain)) : undefined);
}

/** IDNA, as URLs do it. */
function toAscii(name: string): string {
  return /[\s/?#@:\\[\]%]/.test(name) ? "" : (URL.parse(`http://${name}`)?.hostname ?? "");
}
