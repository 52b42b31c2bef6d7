// `error-code` of `wasi:http/types`: why a request or response failed.

import { originOf, type IoError } from "../io/error.ts";

export interface FieldSize {
  readonly fieldName?: string | undefined;
  readonly fieldSize?: number | undefined;
}

export type HttpErrorCode =
  | { readonly tag: "DNS-error"; readonly val: { readonly rcode?: string | undefined; readonly infoCode?: number | undefined } }
  | {
      readonly tag: "TLS-alert-received";
      readonly val: { readonly alertId?: number | undefined; readonly alertMessage?: string | undefined };
    }
  | { readonly tag: "HTTP-request-body-size" | "HTTP-response-body-size"; readonly val?: bigint | undefined }
  | {
      readonly tag:
        | "HTTP-request-header-section-size" | "HTTP-request-trailer-section-size" | "HTTP-response-header-section-size"
        | "HTTP-response-trailer-section-size"; // prettier-ignore
      readonly val?: number | undefined;
    }
  | { readonly tag: "HTTP-request-header-size"; readonly val?: FieldSize | undefined }
  | {
      readonly tag: "HTTP-request-trailer-size" | "HTTP-response-header-size" | "HTTP-response-trailer-size";
      readonly val: FieldSize;
    }
  | {
      readonly tag: "HTTP-response-transfer-coding" | "HTTP-response-content-coding" | "internal-error";
      readonly val?: string | undefined;
    }
  | {
      readonly tag:
        | "DNS-timeout" | "destination-not-found" | "destination-unavailable" | "destination-IP-prohibited" | "destination-IP-unroutable"
        | "connection-refused" | "connection-terminated" | "connection-timeout" | "connection-read-timeout" | "connection-write-timeout"
        | "connection-limit-reached" | "TLS-protocol-error" | "TLS-certificate-error" | "HTTP-request-denied"
        | "HTTP-request-length-required" | "HTTP-request-method-invalid" | "HTTP-request-URI-invalid" | "HTTP-request-URI-too-long"
        | "HTTP-response-incomplete" | "HTTP-response-timeout" | "HTTP-upgrade-failed" | "HTTP-protocol-error" | "loop-detected"
        | "configuration-error"; // prettier-ignore
    };

/** `http-error-code`: what an error of a stream means for HTTP, where it came from there. */
export function httpErrorCode(error: IoError): HttpErrorCode | undefined {
  return originOf(error).http;
}
