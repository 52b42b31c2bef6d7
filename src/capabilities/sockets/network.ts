// What sockets are made of: the one thing of `wasi:sockets` that is not portable. A network knows nothing of grants; whoever uses it
// has asked them.

import type { IpAddress, IpFamily } from "./ip-address.ts";

export interface Endpoint {
  readonly address: IpAddress;
  readonly port: number;
}

/** Why something on a socket failed: the words of `wasi:sockets@0.3`. */
export type SocketErrorCode =
  | "access-denied"
  | "not-supported"
  | "invalid-argument"
  | "out-of-memory"
  | "timeout"
  | "invalid-state"
  | "address-not-bindable"
  | "address-in-use"
  | "remote-unreachable"
  | "connection-refused"
  | "connection-broken"
  | "connection-reset"
  | "connection-aborted"
  | "datagram-too-large"
  | "new-socket-limit"
  | "other";

export class SocketFailure extends Error {
  override readonly name = "SocketFailure";
  readonly code: SocketErrorCode;

  constructor(code: SocketErrorCode, options?: ErrorOptions) {
    super(`a socket failed: ${code}`, options);
    this.code = code;
  }
}

export type LookupErrorCode = "name-unresolvable" | "temporary-resolver-failure" | "permanent-resolver-failure";

export class LookupFailure extends Error {
  override readonly name = "LookupFailure";
  readonly code: LookupErrorCode;

  constructor(code: LookupErrorCode, options?: ErrorOptions) {
    super(`a name was not resolved: ${code}`, options);
    this.code = code;
  }
}

/** What the system does for keeping a connection alive; times in milliseconds. */
export interface KeepAlive {
  readonly enabled: boolean;
  readonly idleMs: number;
  readonly intervalMs: number;
  readonly count: number;
}

/** A local address that is taken. It is used up by `connect` or `listen`; else it has to be closed. */
export interface BoundTcp {
  readonly local: Endpoint;
  close(): void;
}

export interface TcpConnection {
  readonly local: Endpoint;
  readonly remote: Endpoint;
  /** The next bytes, undefined at the end; one call at a time. @throws SocketFailure (as a rejection) */
  read(): Promise<Uint8Array | undefined>;
  /** Resolves when there is room for more. @throws SocketFailure (as a rejection) */
  write(bytes: Uint8Array): Promise<void>;
  /** Says that nothing more is written, after everything was handed on. @throws SocketFailure (as a rejection) */
  end(): Promise<void>;
  /** What still comes is thrown away; a pending `read` ends. */
  stopReading(): void;
  keepAlive(settings: KeepAlive): void;
  close(): void;
}

export interface TcpListener {
  readonly local: Endpoint;
  close(): void;
}

export interface Datagram {
  readonly data: Uint8Array;
  readonly remote: Endpoint;
}

export interface UdpPort {
  readonly local: Endpoint;
  /** Limits the port to one peer; another call, to another. @throws SocketFailure */
  connect(remote: Endpoint): void;
  disconnect(): void;
  /** @throws SocketFailure (as a rejection) */
  send(data: Uint8Array, remote: Endpoint | undefined): Promise<void>;
  /** Sizes in bytes, hop limit 1 to 255; hints. */
  tune(settings: {
    readonly receiveBytes?: number | undefined;
    readonly sendBytes?: number | undefined;
    readonly hopLimit?: number | undefined;
  }): void;
  close(): void;
}

export interface Network {
  /** @throws SocketFailure */
  bindTcp(local: Endpoint): BoundTcp;
  /** @throws SocketFailure (as a rejection); `signal` ends the attempt */
  connectTcp(remote: Endpoint, bound: BoundTcp | undefined, signal: AbortSignal): Promise<TcpConnection>;
  /** `onConnection` gets each connection, which rests until it is read; it may close it. @throws SocketFailure */
  listenTcp(bound: BoundTcp, backlog: number, onConnection: (connection: TcpConnection) => void): TcpListener;
  /** `onDatagram` gets everything that arrives; nothing waits for it. @throws SocketFailure */
  bindUdp(local: Endpoint, onDatagram: (datagram: Datagram) => void): UdpPort;
  /** All addresses of a name, those to try first first. @throws LookupFailure (as a rejection) */
  resolve(name: string): Promise<readonly IpAddress[]>;
}

/** Everywhere of a family: `0.0.0.0`, `::`. */
export function anyAddress(family: IpFamily): IpAddress {
  return family === "ipv4" ? { tag: "ipv4", val: [0, 0, 0, 0] } : { tag: "ipv6", val: [0, 0, 0, 0, 0, 0, 0, 0] };
}
