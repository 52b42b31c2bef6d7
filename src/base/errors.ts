// One error class for everything that Starlane reports: a stable code, what went wrong, where, and what to do.

import { ERROR_CODES, type ErrorCode } from "./error-codes.ts";

export interface ErrorDetails {
  /** Where: `file:line:column`, `app/operation/node`, or a byte offset in a binary. */
  readonly at?: string | undefined;
  /** What to do about it, one sentence. */
  readonly cure?: string | undefined;
  readonly cause?: unknown;
  /** Further facts, plain JSON. */
  readonly data?: Readonly<Record<string, unknown>> | undefined;
}

/** How an error crosses a thread, process or lane: as data. */
export interface ErrorData {
  readonly code: ErrorCode;
  readonly message: string;
  readonly at?: string;
  readonly cure?: string;
  readonly data?: Readonly<Record<string, unknown>>;
}

/** An error with a stable `code`; `exit` is the status a command ends with. */
export class StarlaneError extends Error {
  override readonly name = "StarlaneError";
  readonly code: ErrorCode;
  readonly at: string | undefined;
  readonly cure: string | undefined;
  readonly data: Readonly<Record<string, unknown>> | undefined;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.at = details.at;
    this.cure = details.cure;
    this.data = details.data;
  }

  get exit(): 1 | 2 | 3 {
    return ERROR_CODES[this.code].exit;
  }

  toJSON(): ErrorData {
    return {
      code: this.code,
      message: this.message,
      ...(this.at === undefined ? {} : { at: this.at }),
      ...(this.cure === undefined ? {} : { cure: this.cure }),
      ...(this.data === undefined ? {} : { data: this.data }),
    };
  }
}

/** Marks a place that cannot be reached; the type checker proves it where a union is handled whole. */
export function assertNever(value: never): never {
  throw new StarlaneError("starlane/internal", `unexpected value ${JSON.stringify(value)}`);
}
