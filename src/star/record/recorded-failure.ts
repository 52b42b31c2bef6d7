// Errors in records: what a function of the host stopped a component with, or what a call or a transaction ended with.

import { ERROR_CODES, type ErrorCode } from "../../base/error-codes.ts";
import { StarlaneError } from "../../base/errors.ts";
import type { RecordedFailure } from "./record.ts";
import { type DraftEvent, type Encoded, isObject } from "./values.ts";

/** An error as data; what is no error of ours tells nothing but its name. */
export function failureData(error: unknown): RecordedFailure & DraftEvent {
  if (!(error instanceof StarlaneError)) {
    return { code: "starlane/internal", message: error instanceof Error ? error.message : String(error) };
  }
  const { code, message, data } = error;
  return data === undefined ? { code, message } : { code, message, data: plain(data) };
}

/** Data of errors are plain; what is not is left out. */
function plain(data: Readonly<Record<string, unknown>>): RecordedFailure["data"] & Encoded {
  const parsed: RecordedFailure["data"] & Encoded = JSON.parse(
    JSON.stringify(data, (_, value: unknown) => (typeof value === "bigint" ? String(value) : value)),
  );
  return parsed;
}

export function failure({ code, message, data }: RecordedFailure): StarlaneError {
  return new StarlaneError(isCode(code) ? code : "starlane/internal", message, isObject(data) ? { data: { ...data } } : {});
}

function isCode(code: string): code is ErrorCode {
  return Object.hasOwn(ERROR_CODES, code);
}

export function incomplete(): StarlaneError {
  return new StarlaneError("replay/incomplete", "the record is incomplete: what happened from here on was too much to keep");
}
