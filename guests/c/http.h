// What a C guest needs of `wasi:http@0.3` to answer requests, and to change answers: the functions as the canonical ABI has them. A
// guest blocks where it waits; the host may suspend it anywhere.
#pragma once
#include "abi.h"

#define TYPES "wasi:http/types@0.3.0"

IMPORT(TYPES, "[constructor]fields") u32 new_fields(void);
IMPORT(TYPES, "[method]fields.append")
void append_field(u32 fields, const u8 *name, u32 name_length, const u8 *value, u32 value_length, void *result);
IMPORT(TYPES, "[method]fields.delete") void delete_field(u32 fields, const u8 *name, u32 name_length, void *result);
IMPORT(TYPES, "[method]fields.get") void get_field(u32 fields, const u8 *name, u32 name_length, void *result);
IMPORT(TYPES, "[method]fields.clone") u32 clone_fields(u32 fields);
IMPORT(TYPES, "[resource-drop]fields") void drop_fields(u32 fields);
IMPORT(TYPES, "[method]request.get-path-with-query") void request_path(u32 request, void *result);
IMPORT(TYPES, "[method]request.get-headers") u32 request_headers(u32 request);
IMPORT(TYPES, "[resource-drop]request") void drop_request(u32 request);
IMPORT(TYPES, "[static]response.new") void new_response(u32 headers, u32 has_body, u32 body, u32 trailers, void *result);
IMPORT(TYPES, "[stream-new-0][static]response.new") u64 new_body(void);
IMPORT(TYPES, "[stream-write-0][static]response.new") u32 write_body(u32 stream, const u8 *bytes, u32 count);
IMPORT(TYPES, "[stream-drop-writable-0][static]response.new") void close_body(u32 stream);
IMPORT(TYPES, "[future-new-1][static]response.new") u64 new_trailers(void);
IMPORT(TYPES, "[future-write-1][static]response.new") u32 write_trailers(u32 future, const void *value);
IMPORT(TYPES, "[future-drop-writable-1][static]response.new") void close_trailers(u32 future);
IMPORT(TYPES, "[future-drop-readable-2][static]response.new") void drop_sent(u32 future);
IMPORT(TYPES, "[method]response.set-status-code") u32 set_status(u32 response, u32 status);
IMPORT("[export]wasi:http/handler@0.3.0", "[task-return]handle")
void answer(u32 is_error, u32 response_or_code, u32 a, u64 b, u32 c, u32 d, u32 e, u32 f);

#define HANDLE EXPORT("[async-lift-stackful]wasi:http/handler@0.3.0#handle")
/** A text as the two arguments that it is in the canonical ABI. */
#define SPLIT(value) (value).at, (value).length

static u64 area[16];
static u32 *const words = (u32 *)area;

static u32 low(u64 pair) { return (u32)pair; }
static u32 high(u64 pair) { return (u32)(pair >> 32); }

/** Adds a line; what the host refuses is left out. */
static void add_field(u32 fields, text name, text value) { append_field(fields, SPLIT(name), SPLIT(value), area); }

/** The first line of a field; empty where there is none. */
static text first_field(u32 fields, text name) {
  get_field(fields, SPLIT(name), area);
  return words[1] ? *(text *)words[0] : (text){0, 0};
}
