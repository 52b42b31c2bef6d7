// The two streams of a connection in `wasi:sockets@0.2`, over `wasi:io`. At most 64 KiB wait to be sent; nothing is read ahead but one
// chunk.

import { Changes } from "../io/changes.ts";
import type { IoError } from "../io/error.ts";
import { type ByteSink, type ByteSource, InputStream, OutputStream } from "../io/streams.ts";
import { ioErrorOf } from "./errors-0.2.ts";
import type { Tcp } from "./tcp.ts";

const CAPACITY = 1 << 16;
const NOTHING = new Uint8Array(0);

class TcpSource implements ByteSource {
  readonly changes = new Changes();
  readonly #tcp: Tcp;
  readonly #letGo: () => void;
  #chunk: Uint8Array = NOTHING;
  #state: "idle" | "asking" | "ended" = "idle";
  #failure: IoError | undefined;

  constructor(tcp: Tcp) {
    this.#tcp = tcp;
    this.#letGo = tcp.hold();
  }

  ready(): boolean {
    if (this.#chunk.length === 0 && this.#state === "idle") void this.#ask();
    return this.#chunk.length > 0 || this.#state === "ended";
  }

  read(limit: number): Uint8Array | undefined {
    if (!this.ready()) return NOTHING;
    if (this.#chunk.length === 0) return undefined;
    const taken = this.#chunk.subarray(0, limit);
    this.#chunk = this.#chunk.subarray(taken.length);
    return taken;
  }

  failure(): IoError | undefined {
    return this.#failure;
  }

  /** `shutdown(receive)`: what still comes is thrown away. */
  stop(): void {
    if (this.#state === "ended") return;
    this.#state = "ended";
    this.#chunk = NOTHING;
    if (this.#tcp.state === "connected") this.#tcp.connection.stopReading();
    this.changes.notify();
  }

  close(): void {
    this.#letGo();
  }

  async #ask(): Promise<void> {
    this.#state = "asking";
    try {
      const bytes = await this.#tcp.connection.read();
      if (this.#isEnded()) return;
      this.#state = bytes === undefined ? "ended" : "idle";
      this.#chunk = bytes ?? NOTHING;
    } catch (error) {
      if (this.#isEnded()) return;
      this.#failure = ioErrorOf(error);
      this.#state = "ended";
    }
    this.changes.notify();
  }

  #isEnded(): boolean {
    return this.#state === "ended";
  }
}

class TcpSink implements ByteSink {
  readonly changes = new Changes();
  readonly #tcp: Tcp;
  readonly #letGo: () => void;
  readonly #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #writing = false;
  #ending = false;
  #failure: IoError | undefined;

  constructor(tcp: Tcp) {
    this.#tcp = tcp;
    this.#letGo = tcp.hold();
  }

  room(): number {
    return this.#failure === undefined && !this.#ending ? CAPACITY - this.#waitingBytes : 0;
  }

  write(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    void this.#go();
  }

  failure(): IoError | undefined {
    return this.#failure ?? (this.#ending ? ioErrorOf(undefined) : undefined);
  }

  flushed(): boolean {
    return this.#waitingBytes === 0;
  }

  /** Says that nothing more comes, after what waits; `shutdown(send)` and dropping the stream do. */
  end(): void {
    if (this.#ending) return;
    this.#ending = true;
    void this.#go();
  }

  close(): void {
    this.end();
  }

  async #go(): Promise<void> {
    if (this.#writing) return;
    this.#writing = true;
    try {
      for (let bytes = this.#waiting.shift(); bytes !== undefined; bytes = this.#waiting.shift()) {
        await this.#tcp.connection.write(bytes);
        this.#waitingBytes -= bytes.length;
        this.changes.notify();
      }
      if (this.#ending) await this.#tcp.connection.end();
    } catch (error) {
      this.#failure = ioErrorOf(error);
      this.#waiting.length = 0;
      this.#waitingBytes = 0;
    }
    this.#writing = false;
    if (this.#ending) this.#letGo();
    this.changes.notify();
  }
}

export interface TcpStreams {
  readonly input: InputStream;
  readonly output: OutputStream;
  shutdown(receive: boolean, send: boolean): void;
}

/** `signal`: who waits for the streams when the transaction ends, waits no longer. */
export function tcpStreams(tcp: Tcp, signal: AbortSignal): TcpStreams {
  const [source, sink] = [new TcpSource(tcp), new TcpSink(tcp)];
  source.changes.failOn(signal);
  sink.changes.failOn(signal);
  return {
    input: new InputStream(source),
    output: new OutputStream(sink),
    shutdown: (receive, send) => {
      if (receive) source.stop();
      if (send) sink.end();
    },
  };
}
