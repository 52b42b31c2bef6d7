// `udp-socket` and its streams of datagrams, of `wasi:sockets/udp@0.2`.

import { answerError, atMost, bytesOf, misuse } from "../guest.ts";
import { Changes } from "../io/changes.ts";
import { changingPollable, readyPollable, type Pollable } from "../io/poll.ts";
import { endpointOf, type IpSocketAddress, socketAddressOf } from "./endpoint.ts";
import { answering, errorOf } from "./errors-0.2.ts";
import type { IpFamily } from "./ip-address.ts";
import type { Network02 } from "./network-0.2.ts";
import type { Udp } from "./udp.ts";

/** Datagrams given out or taken at once. */
const MOST_AT_ONCE = 64;

export interface IncomingDatagram {
  readonly data: Uint8Array;
  readonly remoteAddress: IpSocketAddress;
}

export interface OutgoingDatagram {
  readonly data: Uint8Array;
  readonly remoteAddress?: IpSocketAddress | undefined;
}

export class UdpSocket {
  readonly #udp: Udp;
  readonly #signal: AbortSignal;
  #binding = false;
  /** The streams given last; those before them are over. */
  #streams: { over: boolean } = { over: true };

  constructor(udp: Udp, signal: AbortSignal) {
    this.#udp = udp;
    this.#signal = signal;
    udp.changes.failOn(signal);
  }

  startBind(_network: Network02, local: IpSocketAddress): void {
    if (this.#binding) throw answerError("concurrency-conflict");
    answering(() => this.#udp.bind(endpointOf(local)));
    this.#binding = true;
  }

  finishBind(): void {
    if (!this.#binding) throw answerError("not-in-progress");
    this.#binding = false;
  }

  stream(remote: IpSocketAddress | undefined): [IncomingDatagramStream, OutgoingDatagramStream] {
    if (!this.#udp.isBound || this.#binding) throw answerError("invalid-state");
    answering(() => {
      if (remote !== undefined) this.#udp.connect(endpointOf(remote));
      else if (this.#udp.isConnected) this.#udp.disconnect();
    });
    this.#streams.over = true;
    this.#streams = { over: false };
    return [
      new IncomingDatagramStream(this.#udp, this.#streams),
      new OutgoingDatagramStream(this.#udp, this.#streams, this.#signal),
    ];
  }

  localAddress(): IpSocketAddress {
    return answering(() => socketAddressOf(this.#udp.local));
  }

  remoteAddress(): IpSocketAddress {
    return answering(() => socketAddressOf(this.#udp.remote));
  }

  addressFamily(): IpFamily {
    return this.#udp.family;
  }

  unicastHopLimit(): number {
    return this.#udp.options.hopLimit;
  }

  setUnicastHopLimit(value: number): void {
    answering(() => this.#udp.setOption("hopLimit", value));
  }

  receiveBufferSize(): bigint {
    return this.#udp.options.receiveBytes;
  }

  setReceiveBufferSize(value: bigint): void {
    answering(() => this.#udp.setOption("receiveBytes", value));
  }

  sendBufferSize(): bigint {
    return this.#udp.options.sendBytes;
  }

  setSendBufferSize(value: bigint): void {
    answering(() => this.#udp.setOption("sendBytes", value));
  }

  /** What binds, binds at once. */
  subscribe(): Pollable {
    return readyPollable();
  }

  [Symbol.dispose](): void {
    this.#streams.over = true;
    this.#udp.close();
  }
}

export class IncomingDatagramStream {
  readonly #udp: Udp;
  readonly #life: { readonly over: boolean };

  constructor(udp: Udp, life: { readonly over: boolean }) {
    this.#udp = udp;
    this.#life = life;
  }

  receive(maxResults: bigint): IncomingDatagram[] {
    if (this.#life.over) throw answerError("invalid-state");
    const received: IncomingDatagram[] = [];
    for (let count = atMost(maxResults, MOST_AT_ONCE); count > 0; count--) {
      const datagram = this.#udp.take();
      if (datagram === undefined) break;
      received.push({ data: datagram.data, remoteAddress: socketAddressOf(datagram.remote) });
    }
    return received;
  }

  subscribe(): Pollable {
    return changingPollable(() => this.#life.over || this.#udp.hasDatagram, this.#udp.changes);
  }
}

export class OutgoingDatagramStream {
  readonly #udp: Udp;
  readonly #life: { readonly over: boolean };
  readonly #changes = new Changes();
  #sending = 0;
  #permit = 0;
  #failure: unknown;

  constructor(udp: Udp, life: { readonly over: boolean }, signal: AbortSignal) {
    this.#udp = udp;
    this.#life = life;
    this.#changes.failOn(signal);
  }

  checkSend(): bigint {
    this.#check();
    this.#permit = MOST_AT_ONCE - this.#sending;
    return BigInt(this.#permit);
  }

  send(datagrams: readonly OutgoingDatagram[]): bigint {
    this.#check();
    if (datagrams.length > this.#permit) throw misuse(`${datagrams.length} datagrams where check-send permitted ${this.#permit}`);
    this.#permit -= datagrams.length;
    let sent = 0;
    for (const { data, remoteAddress } of datagrams) {
      try {
        const remote = remoteAddress === undefined ? undefined : endpointOf(remoteAddress);
        this.#udp.checkSend(bytesOf(data), remote);
        this.#begin(this.#udp.send(data, remote));
      } catch (error) {
        // What was sent before is told first; the next call meets the error again.
        if (sent > 0) break;
        throw answerError(errorOf(error));
      }
      sent++;
    }
    return BigInt(sent);
  }

  subscribe(): Pollable {
    return changingPollable(() => this.#life.over || this.#sending < MOST_AT_ONCE, this.#changes);
  }

  #begin(sending: Promise<void>): void {
    this.#sending++;
    const done = (error?: unknown): void => {
      this.#sending--;
      this.#failure ??= error;
      this.#changes.notify();
    };
    sending.then(() => done(), done);
  }

  /** What went wrong with a datagram is told by the call after it. */
  #check(): void {
    if (this.#life.over) throw answerError("invalid-state");
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure !== undefined) throw answerError(errorOf(failure));
  }
}
