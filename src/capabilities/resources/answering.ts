// How a guest's calls of a resource are answered: at once or later, ending when its transaction ends, and with errors of the
// interface's own type that tell nothing of the host.

import type { Maybe } from "../../engine/async/maybe.ts";
import type { CapabilityTransaction } from "../capability.ts";
import { answerError } from "../guest.ts";
import { guestText, isResourceError } from "./resource.ts";

/** Which transaction a binding serves now; undefined before the first one. */
export interface Session {
  transaction: CapabilityTransaction | undefined;
}

/** Does `work` for a guest. A resource that failed is answered with `toPayload` of what the guest may know. */
export function answering<T>(session: Session, work: () => Maybe<T>, toPayload: (text: string) => unknown): Maybe<T> {
  try {
    const answer = work();
    return answer instanceof Promise ? later(session, answer, toPayload) : answer;
  } catch (error) {
    throw forGuest(error, toPayload);
  }
}

async function later<T>(session: Session, answer: Promise<T>, toPayload: (text: string) => unknown): Promise<T> {
  try {
    return await untilAborted(answer, session.transaction?.signal);
  } catch (error) {
    throw forGuest(error, toPayload);
  }
}

function forGuest(error: unknown, toPayload: (text: string) => unknown): unknown {
  return isResourceError(error) ? answerError(toPayload(guestText(error))) : error;
}

/** Rejects with the signal's reason when it aborts first; what was asked for goes on without us. */
export async function untilAborted<T>(answer: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return await answer;
  answer.catch(() => undefined);
  signal.throwIfAborted();
  const { promise, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([answer, promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
