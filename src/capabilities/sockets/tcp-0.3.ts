// `tcp-socket` of `wasi:sockets/types@0.3`.

import { answerError, bytesOf } from "../guest.ts";
import { endpointOf, type IpSocketAddress, socketAddressOf } from "./endpoint.ts";
import { answering, errorOf, type ErrorCode } from "./errors-0.3.ts";
import type { IpFamily } from "./ip-address.ts";
import { SocketFailure } from "./network.ts";
import type { Tcp } from "./tcp.ts";

export type Outcome = { readonly tag: "ok"; readonly val: undefined } | { readonly tag: "err"; readonly val: ErrorCode };

const OK: Outcome = { tag: "ok", val: undefined };
type Step<Value> = IteratorResult<Value, undefined>;
const DONE = { done: true, value: undefined } as const;

function failed(error: unknown): Outcome {
  return { tag: "err", val: errorOf(error) };
}

export class TcpSocket {
  readonly #tcp: Tcp;
  #sent = false;
  #received = false;

  constructor(tcp: Tcp) {
    this.#tcp = tcp;
  }

  bind(local: IpSocketAddress): void {
    answering(() => this.#tcp.bind(endpointOf(local)));
  }

  async connect(remote: IpSocketAddress): Promise<void> {
    try {
      await this.#tcp.connect(endpointOf(remote));
    } catch (error) {
      throw answerError(errorOf(error));
    }
  }

  listen(): AsyncIterable<TcpSocket> {
    answering(() => this.#tcp.listen());
    const connections = new Connections(this.#tcp);
    return { [Symbol.asyncIterator]: () => connections };
  }

  send(data: AsyncIterable<unknown>): Promise<Outcome> {
    const again = this.#sent;
    this.#sent = true;
    return send(this.#tcp, data, again);
  }

  receive(): [AsyncIterable<Uint8Array>, Promise<Outcome>] {
    const again = this.#received;
    this.#received = true;
    try {
      if (again) throw new SocketFailure("invalid-state");
      const received = new Received(this.#tcp);
      return [{ [Symbol.asyncIterator]: () => received }, received.outcome];
    } catch (error) {
      return [{ [Symbol.asyncIterator]: () => ({ next: () => Promise.resolve(DONE) }) }, Promise.resolve(failed(error))];
    }
  }

  getLocalAddress(): IpSocketAddress {
    return answering(() => socketAddressOf(this.#tcp.local));
  }

  getRemoteAddress(): IpSocketAddress {
    return answering(() => socketAddressOf(this.#tcp.remote));
  }

  getIsListening(): boolean {
    return this.#tcp.state === "listening";
  }

  getAddressFamily(): IpFamily {
    return this.#tcp.family;
  }

  setListenBacklogSize(value: bigint): void {
    answering(() => this.#tcp.setBacklog(value));
  }

  getKeepAliveEnabled(): boolean {
    return this.#tcp.options.keepAlive;
  }

  setKeepAliveEnabled(value: boolean): void {
    answering(() => this.#tcp.setOption("keepAlive", value));
  }

  getKeepAliveIdleTime(): bigint {
    return this.#tcp.options.keepAliveIdleNs;
  }

  setKeepAliveIdleTime(value: bigint): void {
    answering(() => this.#tcp.setOption("keepAliveIdleNs", value));
  }

  getKeepAliveInterval(): bigint {
    return this.#tcp.options.keepAliveIntervalNs;
  }

  setKeepAliveInterval(value: bigint): void {
    answering(() => this.#tcp.setOption("keepAliveIntervalNs", value));
  }

  getKeepAliveCount(): number {
    return this.#tcp.options.keepAliveCount;
  }

  setKeepAliveCount(value: number): void {
    answering(() => this.#tcp.setOption("keepAliveCount", value));
  }

  getHopLimit(): number {
    return this.#tcp.options.hopLimit;
  }

  setHopLimit(value: number): void {
    answering(() => this.#tcp.setOption("hopLimit", value));
  }

  getReceiveBufferSize(): bigint {
    return this.#tcp.options.receiveBytes;
  }

  setReceiveBufferSize(value: bigint): void {
    answering(() => this.#tcp.setOption("receiveBytes", value));
  }

  getSendBufferSize(): bigint {
    return this.#tcp.options.sendBytes;
  }

  setSendBufferSize(value: bigint): void {
    answering(() => this.#tcp.setOption("sendBytes", value));
  }

  [Symbol.dispose](): void {
    this.#tcp.release();
  }
}

/** Sends to the end of the stream, and says so to the peer. */
async function send(tcp: Tcp, data: AsyncIterable<unknown>, again: boolean): Promise<Outcome> {
  const letGo = tcp.hold();
  try {
    if (again) throw new SocketFailure("invalid-state");
    const { connection } = tcp;
    for await (const chunk of data) await connection.write(bytesOf(chunk as Uint8Array));
    await connection.end();
    return OK;
  } catch (error) {
    await stop(data);
    return failed(error);
  } finally {
    letGo();
  }
}

async function stop(data: AsyncIterable<unknown>): Promise<void> {
  const stream: AsyncIterable<unknown> & Partial<AsyncDisposable> = data;
  await stream[Symbol.asyncDispose]?.();
}

/** What a listening socket accepts. */
class Connections implements AsyncIterator<TcpSocket, undefined> {
  readonly #tcp: Tcp;
  readonly #letGo: () => void;
  #stopped = false;

  constructor(tcp: Tcp) {
    this.#tcp = tcp;
    this.#letGo = tcp.hold();
  }

  async next(): Promise<Step<TcpSocket>> {
    await this.#tcp.changes.until(() => this.#isOver());
    if (this.#waiting === undefined) return DONE;
    const value = new TcpSocket(this.#waiting);
    this.#waiting = undefined;
    return { done: false, value };
  }

  #waiting: Tcp | undefined;

  #isOver(): boolean {
    if (this.#stopped || this.#tcp.state !== "listening") return true;
    this.#waiting ??= this.#tcp.takeConnection();
    return this.#waiting !== undefined;
  }

  return(): Promise<Step<TcpSocket>> {
    this.#stopped = true;
    this.#waiting?.close();
    this.#waiting = undefined;
    this.#letGo();
    return Promise.resolve(DONE);
  }
}

/** What the peer sends, and how that ended. */
class Received implements AsyncIterator<Uint8Array, undefined> {
  readonly #tcp: Tcp;
  readonly #letGo: () => void;
  readonly #outcome = Promise.withResolvers<Outcome>();

  /** @throws SocketFailure `invalid-state` */
  constructor(tcp: Tcp) {
    this.#tcp = tcp;
    void tcp.connection;
    this.#letGo = tcp.hold();
  }

  get outcome(): Promise<Outcome> {
    return this.#outcome.promise;
  }

  async next(): Promise<Step<Uint8Array>> {
    try {
      const bytes = await this.#tcp.connection.read();
      if (bytes !== undefined) return { done: false, value: bytes };
      this.#outcome.resolve(OK);
    } catch (error) {
      this.#outcome.resolve(failed(error));
    }
    this.#letGo();
    return DONE;
  }

  return(): Promise<Step<Uint8Array>> {
    this.#outcome.resolve(OK);
    if (this.#tcp.state === "connected") this.#tcp.connection.stopReading();
    this.#letGo();
    return Promise.resolve(DONE);
  }
}
