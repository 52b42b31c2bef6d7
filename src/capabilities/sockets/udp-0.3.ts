// `udp-socket` of `wasi:sockets/types@0.3`.

import { answerError, bytesOf } from "../guest.ts";
import { endpointOf, type IpSocketAddress, socketAddressOf } from "./endpoint.ts";
import { answering, errorOf } from "./errors-0.3.ts";
import type { IpFamily } from "./ip-address.ts";
import type { Udp } from "./udp.ts";

export class UdpSocket {
  readonly #udp: Udp;

  constructor(udp: Udp) {
    this.#udp = udp;
  }

  bind(local: IpSocketAddress): void {
    answering(() => this.#udp.bind(endpointOf(local)));
  }

  connect(remote: IpSocketAddress): void {
    answering(() => this.#udp.connect(endpointOf(remote)));
  }

  disconnect(): void {
    answering(() => this.#udp.disconnect());
  }

  async send(data: Uint8Array, remote: IpSocketAddress | undefined): Promise<void> {
    try {
      await this.#udp.send(bytesOf(data), remote === undefined ? undefined : endpointOf(remote));
    } catch (error) {
      throw answerError(errorOf(error));
    }
  }

  async receive(): Promise<[Uint8Array, IpSocketAddress]> {
    try {
      const { data, remote } = await this.#udp.receive();
      return [data, socketAddressOf(remote)];
    } catch (error) {
      throw answerError(errorOf(error));
    }
  }

  getLocalAddress(): IpSocketAddress {
    return answering(() => socketAddressOf(this.#udp.local));
  }

  getRemoteAddress(): IpSocketAddress {
    return answering(() => socketAddressOf(this.#udp.remote));
  }

  getAddressFamily(): IpFamily {
    return this.#udp.family;
  }

  getUnicastHopLimit(): number {
    return this.#udp.options.hopLimit;
  }

  setUnicastHopLimit(value: number): void {
    answering(() => this.#udp.setOption("hopLimit", value));
  }

  getReceiveBufferSize(): bigint {
    return this.#udp.options.receiveBytes;
  }

  setReceiveBufferSize(value: bigint): void {
    answering(() => this.#udp.setOption("receiveBytes", value));
  }

  getSendBufferSize(): bigint {
    return this.#udp.options.sendBytes;
  }

  setSendBufferSize(value: bigint): void {
    answering(() => this.#udp.setOption("sendBytes", value));
  }

  [Symbol.dispose](): void {
    this.#udp.close();
  }
}
