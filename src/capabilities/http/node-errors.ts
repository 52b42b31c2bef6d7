// What Node and undici say of a failed exchange, in the words of `wasi:http`. Nothing else of the error reaches a guest.

import type { HttpErrorCode } from "./errors.ts";
import { HttpFailure } from "./http-message.ts";

const CODES: Readonly<Record<string, HttpErrorCode>> = {
  EAI_AGAIN: { tag: "DNS-timeout" },
  EAI_FAIL: { tag: "DNS-error", val: { rcode: "SERVFAIL" } },
  ENOTFOUND: { tag: "DNS-error", val: { rcode: "NXDOMAIN" } },
  ENODATA: { tag: "DNS-error", val: { rcode: "NXDOMAIN" } },
  PROHIBITED_ADDRESS: { tag: "destination-IP-prohibited" },
  ECONNREFUSED: { tag: "connection-refused" },
  ECONNRESET: { tag: "connection-terminated" },
  ECONNABORTED: { tag: "connection-terminated" },
  EPIPE: { tag: "connection-terminated" },
  UND_ERR_SOCKET: { tag: "connection-terminated" },
  ETIMEDOUT: { tag: "connection-timeout" },
  UND_ERR_CONNECT_TIMEOUT: { tag: "connection-timeout" },
  UND_ERR_HEADERS_TIMEOUT: { tag: "connection-read-timeout" },
  UND_ERR_BODY_TIMEOUT: { tag: "connection-read-timeout" },
  EHOSTUNREACH: { tag: "destination-IP-unroutable" },
  ENETUNREACH: { tag: "destination-IP-unroutable" },
  EADDRNOTAVAIL: { tag: "destination-IP-unroutable" },
  EMFILE: { tag: "connection-limit-reached" },
  ENFILE: { tag: "connection-limit-reached" },
  UND_ERR_HEADERS_OVERFLOW: { tag: "HTTP-response-header-section-size" },
  HPE_HEADER_OVERFLOW: { tag: "HTTP-response-header-section-size" },
  UND_ERR_REQ_CONTENT_LENGTH_MISMATCH: { tag: "HTTP-request-body-size" },
  ERR_HTTP_CONTENT_LENGTH_MISMATCH: { tag: "HTTP-request-body-size" },
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: { tag: "HTTP-response-incomplete" },
  UND_ERR_RES_EXCEEDED_MAX_SIZE: { tag: "HTTP-response-body-size" },
  UND_ERR_INVALID_ARG: { tag: "HTTP-protocol-error" },
  UND_ERR_NOT_SUPPORTED: { tag: "HTTP-protocol-error" },
  ERR_INVALID_CHAR: { tag: "HTTP-protocol-error" },
  ERR_TLS_CERT_ALTNAME_INVALID: { tag: "TLS-certificate-error" },
};

/** `received` says that a part of the answer was there already. */
export function httpFailure(error: unknown, received = false): HttpFailure {
  if (error instanceof HttpFailure) return error;
  if (error instanceof AggregateError && error.errors.length > 0) return httpFailure(error.errors[0], received);
  const code = errorCode(error);
  const known = CODES[code] ?? (isOfParser(error) ? ofFamily("HPE_") : ofFamily(code));
  if (known !== undefined && !(received && known.tag === "connection-terminated"))
    return new HttpFailure(known, { cause: error });
  if (received) return new HttpFailure({ tag: "HTTP-response-incomplete" }, { cause: error });
  return new HttpFailure({ tag: "internal-error" }, { cause: error });
}

function errorCode(error: unknown): string {
  if (typeof error !== "object" || error === null || !("code" in error)) return "";
  return typeof error.code === "string" ? error.code : "";
}

/** undici's parser has no code for some of its errors. */
function isOfParser(error: unknown): boolean {
  return error instanceof Error && error.name === "HTTPParserError";
}

function ofFamily(code: string): HttpErrorCode | undefined {
  if (code.startsWith("HPE_")) return { tag: "HTTP-protocol-error" };
  if (/CERT|SIGNATURE|SELF_SIGNED|CRL/.test(code)) return { tag: "TLS-certificate-error" };
  return /^(?:ERR_SSL|ERR_TLS|EPROTO)/.test(code) ? { tag: "TLS-protocol-error" } : undefined;
}
