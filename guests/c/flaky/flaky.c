// Operations that fail by luck: of the host's random numbers, or of a hash of the argument.
#include "../abi.h"

typedef struct {
  u8 failed;
  union {
    text value;
    struct {
      u8 drawn, needed;
    } bad_luck;
  };
} delivery;

_Static_assert(sizeof(delivery) == 12, "as the canonical ABI lays it out");

#define NAME(f) "acme:flaky/flaky@1.0.0#" f

IMPORT("wasi:random/insecure@0.2.6", "get-insecure-random-u64") u64 draw(void);

static delivery *deliver_if(text s, u64 number, u32 percent) {
  delivery *result = take(sizeof *result, 4);
  u8 drawn = (u8)(number % 100), needed = (u8)(percent > 100 ? 100 : percent);
  if (drawn < needed) *result = (delivery){.failed = 1, .bad_luck = {drawn, needed}};
  else *result = (delivery){.value = s};
  return result;
}

EXPORT(NAME("deliver")) delivery *deliver(const u8 *at, u32 length, u32 percent) {
  return deliver_if((text){at, length}, draw(), percent);
}
POST_RETURN(deliver, NAME("deliver"))

EXPORT(NAME("lookup")) delivery *lookup(const u8 *at, u32 length, u32 percent) {
  u64 hash = 0xcbf29ce484222325ull;
  for (u32 i = 0; i < length; i++) hash = (hash ^ at[i]) * 0x100000001b3ull;
  return deliver_if((text){at, length}, (hash ^ hash >> 32) & 0xffffffff, percent);
}
POST_RETURN(lookup, NAME("lookup"))
