// What a message of `wasi:http@0.3` carries beside its head: contents and trailers, from a guest or from outside. Who sends or
// consumes the message takes them; what became of them is told to the guest that made it.

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
  readonly #sent = Promise.withResolvers<SentOutcome>();
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
    return this.#sent.promise;
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
    this.#sent.resolve(failure === undefined ? SENT : { tag: "err", val: failure.code });
  }

  /** For a guest that reads it; `result` is what that guest makes of it. */
  consume(result: Promise<SentOutcome>): Consumed {
    this.#taken = true;
    result.then(
      (outcome) => this.#sent.resolve(outcome),
      () => this.#sent.resolve({ tag: "err", val: NEVER_SENT }),
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
    this.#sent.resolve({ tag: "err", val: NEVER_SENT });
    void giveUp(this.#source).catch(() => undefined);
  }
}

async function giveUp(source: Source): Promise<void> {
  if (source.kind === "host") await source.body?.[Symbol.asyncIterator]().return?.();
  else if (source.contents !== undefined) await giveUpContents(source.contents);
}
