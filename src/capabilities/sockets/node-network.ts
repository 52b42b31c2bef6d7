// Sockets of Node. Binding is synchronous (`net.BoundSocket`), and only addresses go in, never names: nothing is resolved here but
// by `resolve`.

import { createSocket, type Socket as DgramSocket } from "node:dgram";
import { type AddressInfo, BoundSocket, createServer, Socket } from "node:net";
import { formatIpAddress, type IpFamily, parseIpAddress } from "./ip-address.ts";
import {
  anyAddress,
  type BoundTcp,
  type Datagram,
  type Endpoint,
  type KeepAlive,
  LookupFailure,
  type Network,
  SocketFailure,
  type SocketErrorCode,
  type TcpConnection,
  type TcpListener,
  type UdpPort,
} from "./network.ts";
import { lookupAll } from "./node-lookup.ts";

const CODES: Readonly<Record<string, SocketErrorCode>> = {
  EACCES: "access-denied",
  EPERM: "access-denied",
  EADDRINUSE: "address-in-use",
  EADDRNOTAVAIL: "address-not-bindable",
  EINVAL: "invalid-argument",
  EAFNOSUPPORT: "invalid-argument",
  ECONNREFUSED: "connection-refused",
  ECONNRESET: "connection-reset",
  ECONNABORTED: "connection-aborted",
  EPIPE: "connection-broken",
  ERR_STREAM_DESTROYED: "connection-broken",
  ERR_STREAM_WRITE_AFTER_END: "connection-broken",
  ERR_STREAM_PREMATURE_CLOSE: "connection-broken",
  ETIMEDOUT: "timeout",
  EHOSTUNREACH: "remote-unreachable",
  EHOSTDOWN: "remote-unreachable",
  ENETUNREACH: "remote-unreachable",
  ENETDOWN: "remote-unreachable",
  EMSGSIZE: "datagram-too-large",
  EMFILE: "new-socket-limit",
  ENFILE: "new-socket-limit",
  ENOBUFS: "out-of-memory",
  ENOMEM: "out-of-memory",
};

function codeOf(error: unknown): string {
  return typeof error === "object" && error !== null && "code" in error && typeof error.code === "string" ? error.code : "";
}

function failureOf(error: unknown): SocketFailure {
  return error instanceof SocketFailure ? error : new SocketFailure(CODES[codeOf(error)] ?? "other", { cause: error });
}

function endpointOf(address: string | undefined, port: number | undefined, family: IpFamily): Endpoint {
  return { address: parseIpAddress(address?.replace(/%.*$/, "") ?? "") ?? anyAddress(family), port: port ?? 0 };
}

class NodeBoundTcp implements BoundTcp {
  readonly socket: BoundSocket;
  readonly local: Endpoint;
  #used = false;

  constructor(local: Endpoint) {
    const host = formatIpAddress(local.address);
    try {
      this.socket = new BoundSocket({ host, port: local.port, ipv6Only: local.address.tag === "ipv6" });
    } catch (error) {
      throw failureOf(error);
    }
    const { address, port } = addressInfo(this.socket.address());
    this.local = endpointOf(address, port, local.address.tag);
  }

  use(): BoundSocket {
    this.#used = true;
    return this.socket;
  }

  close(): void {
    if (!this.#used) this.socket[Symbol.dispose]();
    this.#used = true;
  }
}

function addressInfo(address: AddressInfo | string | null | object): { readonly address?: string; readonly port?: number } {
  return typeof address === "object" && address !== null ? address : {};
}

function nodeBound(bound: BoundTcp): NodeBoundTcp {
  if (!(bound instanceof NodeBoundTcp)) throw new TypeError("a bound socket of another network");
  return bound;
}

class NodeConnection implements TcpConnection {
  readonly local: Endpoint;
  readonly remote: Endpoint;
  readonly #socket: Socket;
  #ended = false;
  #failure: SocketFailure | undefined;
  #wake: (() => void) | undefined;

  constructor(socket: Socket, family: IpFamily) {
    this.#socket = socket;
    this.local = endpointOf(socket.localAddress, socket.localPort, family);
    this.remote = endpointOf(socket.remoteAddress, socket.remotePort, family);
    socket.pause();
    socket.on("readable", () => this.#tell());
    socket.on("end", () => {
      this.#ended = true;
      this.#tell();
    });
    socket.on("error", (error) => {
      this.#failure ??= failureOf(error);
      this.#tell();
    });
    socket.on("close", () => {
      if (!this.#ended) this.#failure ??= new SocketFailure("connection-broken");
      this.#tell();
    });
  }

  async read(): Promise<Uint8Array | undefined> {
    for (;;) {
      const chunk: unknown = this.#socket.read();
      if (chunk instanceof Uint8Array) return chunk;
      if (this.#ended) return undefined;
      if (this.#failure !== undefined) throw this.#failure;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  write(bytes: Uint8Array): Promise<void> {
    return this.#whenDone((done) => this.#socket.write(bytes, done));
  }

  end(): Promise<void> {
    return this.#whenDone((done) => this.#socket.end(done));
  }

  #whenDone(start: (done: (error?: Error | null) => void) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) return reject(this.#failure);
      start((error) => (error === undefined || error === null ? resolve() : reject(failureOf(error))));
    });
  }

  stopReading(): void {
    this.#ended = true;
    this.#socket.removeAllListeners("readable");
    this.#socket.resume();
    this.#tell();
  }

  keepAlive({ enabled, idleMs, intervalMs, count }: KeepAlive): void {
    this.#socket.setKeepAlive(enabled, idleMs, intervalMs, count);
  }

  close(): void {
    this.#failure ??= new SocketFailure("connection-aborted");
    this.#socket.destroy();
    this.#tell();
  }

  #tell(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}

function bindTcp(local: Endpoint): BoundTcp {
  return new NodeBoundTcp(local);
}

function connectTcp(remote: Endpoint, bound: BoundTcp | undefined, signal: AbortSignal): Promise<TcpConnection> {
  const family = remote.address.tag;
  return new Promise((resolve, reject) => {
    const handle = bound === undefined ? undefined : nodeBound(bound).use();
    const socket = new Socket({ allowHalfOpen: true, ...(handle === undefined ? {} : { handle }) });
    const onAbort = (): void => void socket.destroy(new SocketFailure("connection-aborted"));
    const onError = (error: unknown): void => {
      signal.removeEventListener("abort", onAbort);
      const failure = failureOf(error);
      // Connecting, it is the ports that ran out.
      reject(failure.code === "address-not-bindable" ? new SocketFailure("address-in-use", { cause: error }) : failure);
    };
    socket.once("error", onError);
    socket.once("connect", () => {
      signal.removeEventListener("abort", onAbort);
      const connection = new NodeConnection(socket, family);
      socket.off("error", onError);
      resolve(connection);
    });
    signal.addEventListener("abort", onAbort);
    if (signal.aborted) return onAbort();
    try {
      socket.connect({ host: formatIpAddress(remote.address), port: remote.port });
    } catch (error) {
      onError(error);
      socket.destroy();
    }
  });
}

function listenTcp(bound: BoundTcp, backlog: number, onConnection: (connection: TcpConnection) => void): TcpListener {
  const { local } = bound;
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) =>
    onConnection(new NodeConnection(socket, local.address.tag)),
  );
  server.on("error", () => undefined);
  try {
    server.listen(nodeBound(bound).use(), backlog);
  } catch (error) {
    throw failureOf(error);
  }
  return { local, close: () => void server.close() };
}

class NodeUdpPort implements UdpPort {
  readonly #socket: DgramSocket;
  readonly #family: IpFamily;
  #connected = false;

  constructor(local: Endpoint, onDatagram: (datagram: Datagram) => void) {
    this.#family = local.address.tag;
    this.#socket = createSocket({
      type: this.#family === "ipv4" ? "udp4" : "udp6",
      ipv6Only: this.#family === "ipv6",
      lookup: (address, _, callback) => callback(null, address, this.#family === "ipv4" ? 4 : 6),
    });
    // What the network answers to a datagram comes with its sending, or is lost like any datagram.
    this.#socket.on("error", () => undefined);
    this.#socket.on("message", (data, { address, port }) =>
      onDatagram({ data, remote: endpointOf(address, port, this.#family) }),
    );
    try {
      this.#socket.bindSync({ address: formatIpAddress(local.address), port: local.port });
    } catch (error) {
      this.#socket.close();
      throw failureOf(error);
    }
  }

  get local(): Endpoint {
    const { address, port } = this.#socket.address();
    return endpointOf(address, port, this.#family);
  }

  connect(remote: Endpoint): void {
    this.disconnect();
    try {
      this.#socket.connectSync(remote.port, formatIpAddress(remote.address));
    } catch (error) {
      throw failureOf(error);
    }
    this.#connected = true;
  }

  disconnect(): void {
    if (this.#connected) this.#socket.disconnect();
    this.#connected = false;
  }

  send(data: Uint8Array, remote: Endpoint | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const done = (error: Error | null): void => (error === null ? resolve() : reject(failureOf(error)));
      try {
        if (this.#connected || remote === undefined) this.#socket.send(data, done);
        else this.#socket.send(data, remote.port, formatIpAddress(remote.address), done);
      } catch (error) {
        reject(failureOf(error));
      }
    });
  }

  tune(settings: Parameters<UdpPort["tune"]>[0]): void {
    try {
      if (settings.receiveBytes !== undefined) this.#socket.setRecvBufferSize(settings.receiveBytes);
      if (settings.sendBytes !== undefined) this.#socket.setSendBufferSize(settings.sendBytes);
      if (settings.hopLimit !== undefined) this.#socket.setTTL(settings.hopLimit);
    } catch {
      // Hints only: what the system does not take is left as it is.
    }
  }

  close(): void {
    this.#socket.close();
  }
}

async function resolve(name: string): ReturnType<Network["resolve"]> {
  try {
    const found = await lookupAll(name);
    return found.flatMap(({ address }) => parseIpAddress(address) ?? []);
  } catch (error) {
    const code = codeOf(error);
    if (code === "EAI_AGAIN" || code === "ETIMEOUT") throw new LookupFailure("temporary-resolver-failure", { cause: error });
    if (code === "EAI_FAIL") throw new LookupFailure("permanent-resolver-failure", { cause: error });
    throw new LookupFailure("name-unresolvable", { cause: error });
  }
}

/** The network of this machine. */
export const nodeNetwork: Network = {
  bindTcp,
  connectTcp,
  listenTcp,
  bindUdp: (local, onDatagram) => new NodeUdpPort(local, onDatagram),
  resolve,
};
