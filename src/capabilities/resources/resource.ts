// What all storage and messaging backends share: the settings a resource is opened with, and the errors they report.
// Messages of `resource/limit` and `resource/rejected` are shown to guests, so they tell nothing of the host.

import { StarlaneError } from "../../base/errors.ts";

/** What every resource is opened with. */
export interface OpenSettings {
  /** The manifest's folder, absolute: relative paths start here. */
  readonly folder: string;
  /** Milliseconds since 1970, for what expires and for times of creation; the real clock where it is left out. */
  readonly now?: (() => number) | undefined;
  /** Reads an environment variable, where a server's credentials come from there. */
  readonly environment?: ((name: string) => string | undefined) | undefined;
}

/** Larger than the resource takes; `what` is said to the guest. */
export function overLimit(what: string, limit: number): StarlaneError {
  return new StarlaneError("resource/limit", `${what}; the limit is ${limit}`, { data: { limit } });
}

/** The resource answered that it cannot do this; `why` is said to the guest. */
export function rejected(why: string, cause?: unknown): StarlaneError {
  return new StarlaneError("resource/rejected", why, { cause });
}

/** `resource`: what it is, for people, without address or password. */
export function unavailable(resource: string, cause: unknown): StarlaneError {
  return new StarlaneError("resource/unavailable", `${resource} cannot be reached, or did not answer`, {
    cause,
    cure: "check that it runs, and that the address and credentials in the manifest are right",
  });
}

/** Runs something that may fail in a library; whatever is not one of our errors means that the resource is unavailable. */
export async function reaching<T>(resource: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw isResourceError(error) ? error : unavailable(resource, error);
  }
}

/** The same for work that answers at once. */
export function reachingNow<T>(resource: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw isResourceError(error) ? error : unavailable(resource, error);
  }
}

export function isResourceError(error: unknown): error is StarlaneError {
  return error instanceof StarlaneError && error.code.startsWith("resource/");
}

/** What a guest may know of a failure. */
export function guestText(error: StarlaneError): string {
  return error.code === "resource/limit" || error.code === "resource/rejected" ? error.message : "the resource did not answer";
}

/** The bytes that a text takes in UTF-8, counted only where its length does not already tell that it is short enough. */
export function isLonger(text: string, limitBytes: number): boolean {
  if (text.length * 3 <= limitBytes) return false;
  return text.length > limitBytes || new TextEncoder().encode(text).length > limitBytes;
}
