// `resolve-address-stream` of `wasi:sockets/ip-name-lookup@0.2`.

import { answerError } from "../guest.ts";
import { Changes } from "../io/changes.ts";
import { changingPollable, type Pollable } from "../io/poll.ts";
import { errorOf } from "./errors-0.2.ts";
import type { IpAddress } from "./ip-address.ts";

export class ResolveAddressStream {
  readonly #changes = new Changes();
  #addresses: IpAddress[] | undefined;
  #error: string | undefined;

  constructor(lookup: Promise<readonly IpAddress[]>, signal: AbortSignal) {
    this.#changes.failOn(signal);
    lookup.then(
      (addresses) => {
        this.#addresses = [...addresses];
        this.#changes.notify();
      },
      (error: unknown) => {
        this.#error = errorOf(error);
        this.#changes.notify();
      },
    );
  }

  resolveNextAddress(): IpAddress | undefined {
    if (this.#error !== undefined) throw answerError(this.#error);
    if (this.#addresses === undefined) throw answerError("would-block");
    return this.#addresses.shift();
  }

  subscribe(): Pollable {
    return changingPollable(() => this.#addresses !== undefined || this.#error !== undefined, this.#changes);
  }
}
