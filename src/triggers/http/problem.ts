// What is wrong with a request, as clients see it: a status and `application/problem+json`. Source: RFC 9457.

import { STATUS_CODES } from "node:http";
import type { Json } from "../../wit/json.ts";
import type { HeaderPair, PlainResponse } from "./http.ts";

/** One value of a request that is wrong or missing. */
export interface RequestMistake {
  readonly in: "path" | "query" | "header" | "cookie" | "body";
  /** Of the parameter or field; in a body with the way to the wrong part: `order.items[3].name`. */
  readonly name: string;
  readonly message: string;
  readonly cure?: string | undefined;
}

export interface ProblemDetails {
  readonly detail?: string | undefined;
  readonly mistakes?: readonly RequestMistake[] | undefined;
  readonly headers?: readonly HeaderPair[] | undefined;
  readonly title?: string | undefined;
  /** Further members. */
  readonly members?: { readonly [name: string]: Json } | undefined;
}

/** Thrown where a request cannot be answered otherwise; its text is for the client. */
export class HttpProblem extends Error {
  override readonly name = "HttpProblem";
  readonly status: number;
  readonly details: ProblemDetails;

  constructor(status: number, details: ProblemDetails = {}) {
    super(details.detail ?? STATUS_CODES[status] ?? `status ${status}`);
    this.status = status;
    this.details = details;
  }
}

export function problemResponse(status: number, details: ProblemDetails = {}): PlainResponse {
  const { detail, mistakes, title, members, headers } = details;
  const body = {
    type: "about:blank",
    title: title ?? STATUS_CODES[status] ?? String(status),
    status,
    ...(detail === undefined ? {} : { detail }),
    ...(mistakes === undefined ? {} : { mistakes }),
    ...members,
  };
  return {
    status,
    headers: [["content-type", "application/problem+json"], ["cache-control", "no-store"], ...(headers ?? [])],
    body: JSON.stringify(body),
  };
}

/** The server is full, or stops: try again. */
export function unavailable(detail: string): HttpProblem {
  return new HttpProblem(503, { detail, headers: [["retry-after", "1"]] });
}
