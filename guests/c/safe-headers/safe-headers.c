// Imports and exports `wasi:http/handler@0.3`. Bodies and trailers pass through as they came: not a byte of them is seen here.
#include "../http.h"

IMPORT("wasi:http/handler@0.3.0", "handle") void pass_on(u32 request, void *result);
IMPORT(TYPES, "[method]response.get-status-code") u32 get_status(u32 response);
IMPORT(TYPES, "[method]response.get-headers") u32 response_headers(u32 response);
IMPORT(TYPES, "[static]response.consume-body") void consume_body(u32 response, u32 result_future, void *result);
IMPORT(TYPES, "[future-new-0][static]response.consume-body") u64 new_result(void);
IMPORT(TYPES, "[future-write-0][static]response.consume-body") u32 write_result(u32 future, const void *value);
IMPORT(TYPES, "[future-drop-writable-0][static]response.consume-body") void close_result(u32 future);

/** What is behind has the last word. */
static void add_missing(u32 fields, text name, text value) {
  if (!first_field(fields, name).length) add_field(fields, name, value);
}

HANDLE void handle(u32 request) {
  static const u64 done[8];
  pass_on(request, area);
  // Of the payload of an `error-code` only its case is handed on.
  if (words[0] & 0xff) return answer(1, words[2] & 0xff, 0, 0, 0, 0, 0, 0);
  u32 inner = words[2], status = get_status(inner), received = response_headers(inner), headers = clone_fields(received);
  drop_fields(received);
  add_missing(headers, TEXT("content-security-policy"), TEXT("default-src 'self'; frame-ancestors 'none'"));
  add_missing(headers, TEXT("referrer-policy"), TEXT("same-origin"));
  add_missing(headers, TEXT("x-content-type-options"), TEXT("nosniff"));
  u64 result = new_result();
  consume_body(inner, low(result), area);
  u32 body = words[0], trailers = words[1];
  new_response(headers, 1, body, trailers, area);
  u32 response = words[0], sent = words[1];
  set_status(response, status);
  answer(0, response, 0, 0, 0, 0, 0, 0);
  write_result(high(result), done);
  close_result(high(result));
  drop_sent(sent);
}
