// A TCP socket, beneath the resources of every version of `wasi:sockets`: its states, its grants and its end. The socket of the
// system is closed when nobody holds it any more: neither the handle, nor a stream that it gave.

import { Changes } from "../io/changes.ts";
import { checkLocal, checkRemote } from "./endpoint.ts";
import type { IpFamily } from "./ip-address.ts";
import {
  anyAddress,
  type BoundTcp,
  type Endpoint,
  type KeepAlive,
  SocketFailure,
  type TcpConnection,
  type TcpListener,
} from "./network.ts";
import type { OpenSockets } from "./open-sockets.ts";

const MOST_BACKLOG = 128;
const NS_PER_MS = 1_000_000n;
const NS_PER_S = 1_000_000_000n;

type State =
  | { readonly kind: "unbound" }
  | { readonly kind: "bound"; readonly bound: BoundTcp; readonly requested: Endpoint }
  | { readonly kind: "connecting"; readonly local: Endpoint | undefined }
  | { readonly kind: "connected"; readonly connection: TcpConnection }
  | { readonly kind: "listening"; readonly listener: TcpListener }
  | { readonly kind: "closed" };

/** What can be set on a socket; those that it accepts inherit it. */
export interface TcpOptions {
  keepAlive: boolean;
  keepAliveIdleNs: bigint;
  keepAliveIntervalNs: bigint;
  keepAliveCount: number;
  hopLimit: number;
  receiveBytes: bigint;
  sendBytes: bigint;
}

const DEFAULTS: Readonly<TcpOptions> = {
  keepAlive: false,
  keepAliveIdleNs: 7200n * NS_PER_S,
  keepAliveIntervalNs: 75n * NS_PER_S,
  keepAliveCount: 9,
  hopLimit: 64,
  receiveBytes: 0x10000n,
  sendBytes: 0x10000n,
};

export class Tcp {
  readonly family: IpFamily;
  readonly options: TcpOptions;
  /** Something came: a connection to accept, the end of one being made. */
  readonly changes = new Changes();
  readonly #sockets: OpenSockets;
  readonly #queue: Tcp[] = [];
  #state: State = { kind: "unbound" };
  #backlog = MOST_BACKLOG;
  #holders = 1;

  /** @throws SocketFailure */
  constructor(sockets: OpenSockets, family: IpFamily, options: Readonly<TcpOptions> = DEFAULTS) {
    this.family = family;
    this.options = { ...options };
    this.#sockets = sockets;
    sockets.add(this);
  }

  get state(): State["kind"] {
    return this.#state.kind;
  }

  /** @throws SocketFailure */
  bind(local: Endpoint): void {
    checkLocal(local, this.family);
    if (this.#state.kind !== "unbound") throw new SocketFailure("invalid-state");
    this.#sockets.checkBind("tcp", local);
    this.#state = { kind: "bound", bound: this.#sockets.network.bindTcp(local), requested: local };
  }

  /**
   * Begins to connect. @throws SocketFailure at once where that cannot begin, and nothing has changed; else as a rejection, and the
   * socket is closed
   */
  connect(remote: Endpoint): Promise<void> {
    checkRemote(remote, this.family);
    const before = this.#state;
    if (before.kind !== "unbound" && before.kind !== "bound") throw new SocketFailure("invalid-state");
    this.#sockets.checkConnect("tcp", remote);
    const bound = before.kind === "bound" ? before.bound : undefined;
    this.#state = { kind: "connecting", local: bound?.local };
    return this.#connect(remote, bound);
  }

  async #connect(remote: Endpoint, bound: BoundTcp | undefined): Promise<void> {
    try {
      const connection = await this.#sockets.network.connectTcp(remote, bound, this.#sockets.signal);
      if (this.state !== "connecting") {
        connection.close();
        throw new SocketFailure("connection-aborted");
      }
      this.#begin(connection);
    } catch (error) {
      if (this.state === "connecting") this.#state = { kind: "closed" };
      throw error instanceof SocketFailure ? error : new SocketFailure("other", { cause: error });
    } finally {
      this.changes.notify();
    }
  }

  #begin(connection: TcpConnection): void {
    this.#state = { kind: "connected", connection };
    if (this.options.keepAlive) this.#applyKeepAlive();
  }

  /** @throws SocketFailure */
  listen(): void {
    if (this.#state.kind !== "unbound" && this.#state.kind !== "bound") throw new SocketFailure("invalid-state");
    const requested = this.#state.kind === "bound" ? this.#state.requested : { address: anyAddress(this.family), port: 0 };
    this.#sockets.checkListen("tcp", requested);
    const { network } = this.#sockets;
    const bound = this.#state.kind === "bound" ? this.#state.bound : network.bindTcp(requested);
    const listener = network.listenTcp(bound, this.#backlog, (connection) => this.#accept(connection));
    this.#state = { kind: "listening", listener };
  }

  /** A connection that comes where nobody can take it is closed again. */
  #accept(connection: TcpConnection): void {
    if (this.state !== "listening" || this.#queue.length >= this.#backlog || !this.#sockets.hasRoom) return connection.close();
    const accepted = new Tcp(this.#sockets, this.family, this.options);
    accepted.#begin(connection);
    this.#queue.push(accepted);
    this.changes.notify();
  }

  /** The connection that came first, if there is one. */
  takeConnection(): Tcp | undefined {
    return this.#queue.shift();
  }

  get hasConnection(): boolean {
    return this.#queue.length > 0;
  }

  /** @throws SocketFailure `invalid-state` */
  get connection(): TcpConnection {
    if (this.#state.kind !== "connected") throw new SocketFailure("invalid-state");
    return this.#state.connection;
  }

  get local(): Endpoint {
    const state = this.#state;
    if (state.kind === "bound") return state.bound.local;
    if (state.kind === "connected") return state.connection.local;
    if (state.kind === "listening") return state.listener.local;
    if (state.kind === "connecting" && state.local !== undefined) return state.local;
    throw new SocketFailure("invalid-state");
  }

  get remote(): Endpoint {
    return this.connection.remote;
  }

  /** @throws SocketFailure */
  setBacklog(size: bigint): void {
    if (size === 0n) throw new SocketFailure("invalid-argument");
    if (["connecting", "connected", "closed"].includes(this.state)) throw new SocketFailure("invalid-state");
    this.#backlog = size > BigInt(MOST_BACKLOG) ? MOST_BACKLOG : Number(size);
  }

  /** @throws SocketFailure `invalid-argument` for 0 */
  setOption<Key extends keyof TcpOptions>(key: Key, value: TcpOptions[Key]): void {
    if (value === 0 || value === 0n) throw new SocketFailure("invalid-argument");
    this.options[key] = value;
    if (this.#state.kind === "connected" && key.startsWith("keepAlive")) this.#applyKeepAlive();
  }

  #applyKeepAlive(): void {
    if (this.#state.kind !== "connected") return;
    const { keepAlive: enabled, keepAliveIdleNs, keepAliveIntervalNs, keepAliveCount } = this.options;
    const settings: KeepAlive = {
      enabled,
      idleMs: wholeSeconds(keepAliveIdleNs),
      intervalMs: wholeSeconds(keepAliveIntervalNs),
      count: Math.min(keepAliveCount, 127),
    };
    this.#state.connection.keepAlive(settings);
  }

  /** Somebody more holds the socket, until the function given is called. */
  hold(): () => void {
    this.#holders++;
    let held = true;
    return () => {
      if (held) this.release();
      held = false;
    };
  }

  /** Somebody less holds the socket; the handle that it was made for is one. */
  release(): void {
    if (--this.#holders === 0) this.close();
  }

  close(): void {
    const state = this.#state;
    this.#state = { kind: "closed" };
    this.#sockets.remove(this);
    for (const waiting of this.#queue.splice(0)) waiting.close();
    if (state.kind === "bound") state.bound.close();
    if (state.kind === "connected") state.connection.close();
    if (state.kind === "listening") state.listener.close();
    this.changes.notify();
  }
}

/** What the system counts in, at most what it takes: seconds, 1 to 32767. */
function wholeSeconds(durationNs: bigint): number {
  const seconds = (durationNs + NS_PER_S - 1n) / NS_PER_S;
  return Number(seconds > 32_767n ? 32_767n : seconds) * Number(NS_PER_S / NS_PER_MS);
}
