// A UDP socket, beneath the resources of every version of `wasi:sockets`. What arrives waits for the guest, bounded; the rest is lost,
// as datagrams are. A socket that may not listen hears only from those it may send to; one that may listen may answer them.

import { Changes } from "../io/changes.ts";
import { checkLocal, checkRemote } from "./endpoint.ts";
import { formatIpAddress, type IpFamily, sameAddress } from "./ip-address.ts";
import { anyAddress, type Datagram, type Endpoint, SocketFailure, type UdpPort } from "./network.ts";
import type { OpenSockets } from "./open-sockets.ts";

const MOST_WAITING = 256;
const MOST_WAITING_BYTES = 1 << 20;
const MOST_PEERS = 1024;
/** What fits into a datagram of the family, without its headers. */
const LARGEST = { ipv4: 65_507, ipv6: 65_527 } as const;
/** What a guest may ask the system for. */
const LARGEST_BUFFER = 1 << 22;

export interface UdpOptions {
  hopLimit: number;
  receiveBytes: bigint;
  sendBytes: bigint;
}

export class Udp {
  readonly family: IpFamily;
  readonly options: UdpOptions = { hopLimit: 64, receiveBytes: 0x10000n, sendBytes: 0x10000n };
  /** Something arrived, or the socket was closed. */
  readonly changes = new Changes();
  readonly #sockets: OpenSockets;
  readonly #waiting: Datagram[] = [];
  readonly #peers = new Set<string>();
  #waitingBytes = 0;
  #port: UdpPort | undefined;
  #listens = false;
  #remote: Endpoint | undefined;
  #closed = false;

  /** @throws SocketFailure */
  constructor(sockets: OpenSockets, family: IpFamily) {
    this.family = family;
    this.#sockets = sockets;
    sockets.add(this);
  }

  get isBound(): boolean {
    return this.#port !== undefined;
  }

  /** @throws SocketFailure */
  bind(local: Endpoint): void {
    checkLocal(local, this.family);
    if (this.#port !== undefined || this.#closed) throw new SocketFailure("invalid-state");
    this.#sockets.checkBind("udp", local);
    this.#listens = this.#sockets.mayListen("udp", local);
    this.#port = this.#sockets.network.bindUdp(local, (datagram) => this.#receive(datagram));
    this.#tune();
  }

  #bound(): UdpPort {
    if (this.#port === undefined) this.bind({ address: anyAddress(this.family), port: 0 });
    if (this.#port === undefined) throw new SocketFailure("invalid-state");
    return this.#port;
  }

  #receive(datagram: Datagram): void {
    if (this.#closed || !this.#hears(datagram.remote)) return;
    if (this.#waiting.length >= MOST_WAITING || this.#waitingBytes + datagram.data.length > MOST_WAITING_BYTES) return;
    this.#waiting.push(datagram);
    this.#waitingBytes += datagram.data.length;
    this.changes.notify();
  }

  #hears(remote: Endpoint): boolean {
    if (this.#remote !== undefined && !sameEndpoint(this.#remote, remote)) return false;
    return this.#listens || this.#sockets.mayConnect("udp", remote);
  }

  /** @throws SocketFailure */
  connect(remote: Endpoint): void {
    checkRemote(remote, this.family);
    this.#checkMaySendTo(remote);
    this.#bound().connect(remote);
    this.#remote = remote;
    this.#waiting.splice(0, this.#waiting.length, ...this.#waiting.filter((datagram) => sameEndpoint(datagram.remote, remote)));
    this.#waitingBytes = this.#waiting.reduce((sum, { data }) => sum + data.length, 0);
  }

  /** @throws SocketFailure `invalid-state` where there is no peer */
  disconnect(): void {
    if (this.#remote === undefined) throw new SocketFailure("invalid-state");
    this.#port?.disconnect();
    this.#remote = undefined;
  }

  /** Whether `send` would be let through. @throws SocketFailure */
  checkSend(data: Uint8Array, remote: Endpoint | undefined): void {
    const to = remote ?? this.#remote;
    if (to === undefined) throw new SocketFailure("invalid-argument");
    checkRemote(to, this.family);
    if (this.#remote !== undefined && !sameEndpoint(this.#remote, to)) throw new SocketFailure("invalid-argument");
    if (data.length > LARGEST[this.family]) throw new SocketFailure("datagram-too-large");
    this.#checkMaySendTo(to);
  }

  /** @throws SocketFailure (as a rejection) */
  async send(data: Uint8Array, remote: Endpoint | undefined): Promise<void> {
    this.checkSend(data, remote);
    await this.#bound().send(data, remote);
  }

  /** Whoever was heard may be answered. */
  #checkMaySendTo(remote: Endpoint): void {
    if (!this.#listens || !this.#peers.has(keyOf(remote))) this.#sockets.checkConnect("udp", remote);
  }

  /** The datagram that came first, if there is one. */
  take(): Datagram | undefined {
    const datagram = this.#waiting.shift();
    if (datagram === undefined) return undefined;
    this.#waitingBytes -= datagram.data.length;
    if (this.#listens) this.#meet(datagram.remote);
    return datagram;
  }

  /** The oldest acquaintance makes room for a new one. */
  #meet(remote: Endpoint): void {
    const key = keyOf(remote);
    this.#peers.delete(key);
    for (const oldest of this.#peers) {
      if (this.#peers.size < MOST_PEERS) break;
      this.#peers.delete(oldest);
    }
    this.#peers.add(key);
  }

  get hasDatagram(): boolean {
    return this.#closed || this.#waiting.length > 0;
  }

  /** @throws SocketFailure (as a rejection) */
  async receive(): Promise<Datagram> {
    if (this.#port === undefined) throw new SocketFailure("invalid-state");
    await this.changes.until(() => this.hasDatagram);
    const datagram = this.take();
    if (datagram === undefined) throw new SocketFailure("invalid-state");
    return datagram;
  }

  /** @throws SocketFailure `invalid-state` */
  get local(): Endpoint {
    if (this.#port === undefined) throw new SocketFailure("invalid-state");
    return this.#port.local;
  }

  /** @throws SocketFailure `invalid-state` */
  get remote(): Endpoint {
    if (this.#remote === undefined) throw new SocketFailure("invalid-state");
    return this.#remote;
  }

  get isConnected(): boolean {
    return this.#remote !== undefined;
  }

  /** @throws SocketFailure `invalid-argument` for 0 */
  setOption<Key extends keyof UdpOptions>(key: Key, value: UdpOptions[Key]): void {
    if (value === 0 || value === 0n) throw new SocketFailure("invalid-argument");
    this.options[key] = value;
    this.#tune();
  }

  #tune(): void {
    const { hopLimit, receiveBytes, sendBytes } = this.options;
    this.#port?.tune({ hopLimit, receiveBytes: bufferSize(receiveBytes), sendBytes: bufferSize(sendBytes) });
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#sockets.remove(this);
    this.#port?.close();
    this.#port = undefined;
    this.#waiting.length = 0;
    this.changes.notify();
  }
}

function bufferSize(bytes: bigint): number {
  return bytes > BigInt(LARGEST_BUFFER) ? LARGEST_BUFFER : Math.max(2048, Number(bytes));
}

function sameEndpoint(a: Endpoint, b: Endpoint): boolean {
  return a.port === b.port && sameAddress(a.address, b.address);
}

function keyOf({ address, port }: Endpoint): string {
  return `${formatIpAddress(address)} ${port}`;
}
