// `tcp-socket` of `wasi:sockets/tcp@0.2`: what the system does at once is started and finished in two steps.

import { answerError, misuse } from "../guest.ts";
import { changingPollable, type Pollable } from "../io/poll.ts";
import type { InputStream, OutputStream } from "../io/streams.ts";
import { endpointOf, type IpSocketAddress, socketAddressOf } from "./endpoint.ts";
import { answering, errorOf } from "./errors-0.2.ts";
import type { IpFamily } from "./ip-address.ts";
import type { Network02 } from "./network-0.2.ts";
import { SocketFailure } from "./network.ts";
import type { Tcp } from "./tcp.ts";
import { tcpStreams, type TcpStreams } from "./tcp-streams-0.2.ts";

type Pending =
  | { readonly kind: "bind" | "listen" }
  | { readonly kind: "connect"; result: { readonly error?: string } | undefined };

export class TcpSocket {
  readonly #tcp: Tcp;
  readonly #signal: AbortSignal;
  #pending: Pending | undefined;
  #streams: TcpStreams | undefined;

  constructor(tcp: Tcp, signal: AbortSignal) {
    this.#tcp = tcp;
    this.#signal = signal;
    tcp.changes.failOn(signal);
  }

  startBind(_network: Network02, local: IpSocketAddress): void {
    this.#checkIdle();
    answering(() => this.#tcp.bind(endpointOf(local)));
    this.#pending = { kind: "bind" };
  }

  finishBind(): void {
    this.#finish("bind");
  }

  startConnect(_network: Network02, remote: IpSocketAddress): void {
    this.#checkIdle();
    const pending: Pending & { kind: "connect" } = { kind: "connect", result: undefined };
    answering(() => this.#tcp.connect(endpointOf(remote))).then(
      () => this.#connected(pending, {}),
      (error: unknown) => this.#connected(pending, { error: errorOf(error) }),
    );
    this.#pending = pending;
  }

  #connected(pending: Pending & { kind: "connect" }, result: { readonly error?: string }): void {
    pending.result = result;
    this.#tcp.changes.notify();
  }

  finishConnect(): [InputStream, OutputStream] {
    const pending = this.#pending;
    if (pending?.kind !== "connect") throw answerError("not-in-progress");
    if (pending.result === undefined) throw answerError("would-block");
    this.#pending = undefined;
    if (pending.result.error !== undefined) throw answerError(pending.result.error);
    return this.#openStreams();
  }

  #openStreams(): [InputStream, OutputStream] {
    this.#streams = tcpStreams(this.#tcp, this.#signal);
    return [this.#streams.input, this.#streams.output];
  }

  startListen(): void {
    this.#checkIdle();
    if (this.#tcp.state !== "bound") throw answerError("invalid-state");
    answering(() => this.#tcp.listen());
    this.#pending = { kind: "listen" };
  }

  finishListen(): void {
    this.#finish("listen");
  }

  accept(): [TcpSocket, InputStream, OutputStream] {
    if (this.#tcp.state !== "listening") throw answerError("invalid-state");
    const tcp = this.#tcp.takeConnection();
    if (tcp === undefined) throw answerError("would-block");
    const socket = new TcpSocket(tcp, this.#signal);
    return [socket, ...socket.#openStreams()];
  }

  localAddress(): IpSocketAddress {
    return answering(() => socketAddressOf(this.#tcp.local));
  }

  remoteAddress(): IpSocketAddress {
    return answering(() => socketAddressOf(this.#tcp.remote));
  }

  isListening(): boolean {
    return this.#tcp.state === "listening";
  }

  addressFamily(): IpFamily {
    return this.#tcp.family;
  }

  setListenBacklogSize(value: bigint): void {
    answering(() => this.#tcp.setBacklog(value));
  }

  keepAliveEnabled(): boolean {
    return this.#tcp.options.keepAlive;
  }

  setKeepAliveEnabled(value: boolean): void {
    answering(() => this.#tcp.setOption("keepAlive", value));
  }

  keepAliveIdleTime(): bigint {
    return this.#tcp.options.keepAliveIdleNs;
  }

  setKeepAliveIdleTime(value: bigint): void {
    answering(() => this.#tcp.setOption("keepAliveIdleNs", value));
  }

  keepAliveInterval(): bigint {
    return this.#tcp.options.keepAliveIntervalNs;
  }

  setKeepAliveInterval(value: bigint): void {
    answering(() => this.#tcp.setOption("keepAliveIntervalNs", value));
  }

  keepAliveCount(): number {
    return this.#tcp.options.keepAliveCount;
  }

  setKeepAliveCount(value: number): void {
    answering(() => this.#tcp.setOption("keepAliveCount", value));
  }

  hopLimit(): number {
    return this.#tcp.options.hopLimit;
  }

  setHopLimit(value: number): void {
    answering(() => this.#tcp.setOption("hopLimit", value));
  }

  receiveBufferSize(): bigint {
    return this.#tcp.options.receiveBytes;
  }

  setReceiveBufferSize(value: bigint): void {
    answering(() => this.#tcp.setOption("receiveBytes", value));
  }

  sendBufferSize(): bigint {
    return this.#tcp.options.sendBytes;
  }

  setSendBufferSize(value: bigint): void {
    answering(() => this.#tcp.setOption("sendBytes", value));
  }

  subscribe(): Pollable {
    return changingPollable(() => this.#isReady(), this.#tcp.changes);
  }

  shutdown(what: string): void {
    if (this.#streams === undefined || this.#tcp.state !== "connected") throw answerError("invalid-state");
    if (!["receive", "send", "both"].includes(what)) throw misuse("a shutdown has to be of receive, send or both");
    this.#streams.shutdown(what !== "send", what !== "receive");
  }

  [Symbol.dispose](): void {
    this.#tcp.release();
  }

  #isReady(): boolean {
    if (this.#pending?.kind === "connect") return this.#pending.result !== undefined;
    return this.#pending !== undefined || this.#tcp.state !== "listening" || this.#tcp.hasConnection;
  }

  #checkIdle(): void {
    if (this.#pending !== undefined) throw answerError("concurrency-conflict");
    if (this.#tcp.state === "closed") throw answerError(errorOf(new SocketFailure("invalid-state")));
  }

  #finish(kind: "bind" | "listen"): void {
    if (this.#pending?.kind !== kind) throw answerError("not-in-progress");
    this.#pending = undefined;
  }
}
