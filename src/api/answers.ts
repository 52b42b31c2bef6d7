// How the API answers: JSON that nobody keeps, and errors as data.

import { StarlaneError } from "../base/errors.ts";
import { Mistakes } from "../star/mistakes.ts";
import type { HeaderPair, PlainResponse } from "../triggers/http/http.ts";
import type { ApiError, InputMistake } from "./contract.ts";

const HEADERS: readonly HeaderPair[] = [
  ["content-type", "application/json"],
  ["cache-control", "no-store"],
  ["x-content-type-options", "nosniff"],
  ["cross-origin-resource-policy", "same-origin"],
];

export function jsonAnswer(text: string, status = 200): PlainResponse {
  return { status, headers: HEADERS, body: text };
}

export function apiError(status: number, error: ApiError): PlainResponse {
  return jsonAnswer(JSON.stringify(error), status);
}

/** An error as the page shows it. */
export function errorView(thrown: unknown): ApiError {
  if (!(thrown instanceof StarlaneError)) {
    return { code: "starlane/internal", message: thrown instanceof Error ? thrown.message : String(thrown) };
  }
  const { code, message, at, cure, data } = thrown;
  const payload = data?.["payload"];
  const mistakes = mistakesOf(thrown);
  return {
    code,
    message,
    at,
    cure,
    ...(payload === undefined ? {} : { payload }),
    ...(mistakes.length === 0 ? {} : { mistakes }),
  };
}

/** What is wrong with the values of ports. */
function mistakesOf(error: StarlaneError): readonly InputMistake[] {
  if (error instanceof Mistakes) return error.errors.flatMap(mistakesOf);
  const listed = error.data?.["violations"] ?? error.data?.["mistakes"];
  if (!Array.isArray(listed)) return [];
  return listed.flatMap((one: unknown): InputMistake[] => {
    if (typeof one !== "object" || one === null || !("path" in one) || !("message" in one)) return [];
    const cure = "cure" in one && typeof one.cure === "string" ? one.cure : undefined;
    return [{ path: String(one.path), message: String(one.message), cure }];
  });
}
