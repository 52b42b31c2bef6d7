// What a message of `wasi:http@0.3` carries beside its head: contents and trailers, from a guest or from outside. Who sends or
// consumes the message takes them; what became of them is told to the guest that made it.

import { HostStream, valueNow } from "../../engine/async/host-streams.ts";
import { bytesOf } from "../guest.ts";
import { type HttpErrorCode } from "./errors.ts";
import {
  bodyForGuest,
  bodyOfGuest,
  giveUpContents,
  type Outcome,
  type TrailersOutcome,
  trailersOfGuest,
} from "./guest-body-0.3.ts";
import { type HttpBody, type HttpFailure, type HttpFields, NO_BODY, NO_TRAILERS } from "./http-message.ts";

export type SentOutcome = Outcome<undefined>;

/** As `consume-body` gives it. */
export type Consumed = [contents: AsyncIterable<unknown>, trailers: Promise<TrailersOutcome>];

/** How much of a body may wait between a guest that writes and whoever sends it, in bytes. */
const CAPACITY = 1 << 16;
const SENT: SentOutcome = { tag: "ok", val: undefined };
const NEVER_SENT: HttpErrorCode = { tag: "internal-error", val: "the message was never sent" };

type Source =
  | { readonly kind: "guest"; readonly contents: AsyncIterable<unknown> | undefined; readonly trailers: Promise<TrailersOutcome> }
  | {
      readonly kind: "host";
      readonly body: HttpBody | undefined;
      readonly trailers: () => Promise<HttpFields | undefined>;
      readonly outlive: (() => void) | undefined;
    };

export interface TakenPayload {
  readonly body: HttpBody | undefined;
  readonly trailers: () => Promise<HttpFields | undefined>;
}

export class Payload {
  readonly #source: Source;
  /** For the guest that made the message. */
  #sent: PromiseWithResolvers<SentOutcome> | undefined;
  #taken = false;

  private constructor(source: Source) {
    this.#source = source;
  }

  static ofGuest(contents: AsyncIterable<unknown> | undefined, trailers: Promise<TrailersOutcome>): Payload {
    trailers.catch(() => undefined);
    return new Payload({ kind: "guest", contents, trailers });
  }

  /** `outlive`: called where the message leaves the transaction that received it. */
  static received(
    body: HttpBody | undefined,
    trailers: () => Promise<HttpFields | undefined> = NO_TRAILERS,
    outlive?: () => void,
  ): Payload {
    return new Payload({ kind: "host", body, trailers, outlive });
  }

  /** For the guest that made the message. */
  get sent(): Promise<SentOutcome> {
    return (this.#sent ??= Promise.withResolvers<SentOutcome>()).promise;
  }

  /** Takes what the guest writes before anybody asks for it, as much as may wait: then it need not wait itself. */
  readAhead(): void {
    const source = this.#source;
    if (source.kind === "guest" && source.contents instanceof HostStream) source.contents.readAhead(CAPACITY);
  }

  /** For sending: the contents where all of them are there and no trailers will follow; nothing is taken where they are not. */
  takeWhole(): readonly Uint8Array[] | undefined {
    const source = this.#source;
    if (source.kind === "host" || !hasNone(source.trailers)) return undefined;
    const { contents } = source;
    if (contents !== undefined && !(contents instanceof HostStream)) return undefined;
    const chunks = contents === undefined ? [] : contents.takeWhole();
    if (chunks === undefined) return undefined;
    this.#taken = true;
    return chunks.map((chunk) => bytesOf(chunk as Uint8Array));
  }

  /** For sending. Afterwards `tellSent` has to be called. */
  take(): TakenPayload {
    this.#taken = true;
    const source = this.#source;
    if (source.kind === "host") {
      source.outlive?.();
      return { body: source.body, trailers: source.trailers };
    }
    return { body: bodyOfGuest(source.contents), trailers: trailersOfGuest(source.trailers) };
  }

  tellSent(failure?: HttpFailure): void {
    this.#sent?.resolve(failure === undefined ? SENT : { tag: "err", val: failure.code });
  }

  /** For a guest that reads it; `result` is what that guest makes of it. */
  consume(result: Promise<SentOutcome>): Consumed {
    this.#taken = true;
    result.then(
      (outcome) => this.#sent?.resolve(outcome),
      () => this.#sent?.resolve({ tag: "err", val: NEVER_SENT }),
    );
    const source = this.#source;
    return source.kind === "host"
      ? bodyForGuest(source.body ?? NO_BODY, source.trailers)
      : [source.contents ?? NO_BODY, source.trailers];
  }

  /** The message was dropped. */
  drop(): void {
    if (this.#taken) return;
    this.#taken = true;
    this.#sent?.resolve({ tag: "err", val: NEVER_SENT });
    const source = this.#source;
    if (source.kind === "guest" || source.body !== undefined) void giveUp(source).catch(() => undefined);
  }
}

/** Whether trailers were promised, and there are none. */
function hasNone(trailers: Promise<TrailersOutcome>): boolean {
  const known = valueNow(trailers)?.value as TrailersOutcome | undefined;
  return known?.tag === "ok" && known.val === undefined;
}

async function giveUp(source: Source): Promise<void> {
  if (source.kind === "host") await source.body?.[Symbol.asyncIterator]().return?.();
  else if (source.contents !== undefined) await giveUpContents(source.contents);
}
