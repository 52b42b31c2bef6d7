// Operations that fail in every way a guest can. The faults are the purpose; each is only as dangerous as its arguments say.
#include "../unicode.h"

typedef long long s64;

enum { EMPTY, NOT_A_NUMBER, OUT_OF_RANGE, DIVISION_BY_ZERO };

typedef struct {
  u8 kind;
  union {
    text given;
    struct {
      s64 given, least, most;
    } range;
  };
} failure;

typedef struct {
  u8 failed;
  union {
    s64 value;
    failure error;
  };
} number_result;

typedef struct {
  u8 failed;
  union {
    s32 value;
    failure error;
  };
} quotient_result;

typedef struct {
  u8 failed;
  union {
    u8 value;
    failure error;
  };
} percentage_result;

typedef struct {
  u8 failed;
  u32 pages;
} pages_result;

_Static_assert(sizeof(failure) == 32 && sizeof(number_result) == 40 && sizeof(quotient_result) == 40, "as the canonical ABI lays them out");

#define NAME(f) "acme:faults/faults@1.0.0#" f

#define S64_MAX 0x7fffffffffffffffll
#define S64_MIN (-S64_MAX - 1)

static failure out_of_range(s64 given, s64 least, s64 most) {
  return (failure){.kind = OUT_OF_RANGE, .range = {given, least, most}};
}

EXPORT(NAME("parse-number")) number_result *parse_number(const u8 *at, u32 length) {
  number_result *result = take(sizeof *result, 8);
  text s = {at, length};
  u32 i = 0;
  if (!length) {
    *result = (number_result){.failed = 1, .error = {.kind = EMPTY}};
    return result;
  }
  bool minus = at[0] == '-';
  if (minus || at[0] == '+') i++;
  s64 value = 0;
  bool number = i < length, fits = true;
  for (; number && i < length; i++) {
    number = at[i] >= '0' && at[i] <= '9';
    s64 digit = at[i] - '0';
    if (minus) fits = fits && (value > S64_MIN / 10 || (value == S64_MIN / 10 && digit <= 8));
    else fits = fits && (value < S64_MAX / 10 || (value == S64_MAX / 10 && digit <= 7));
    if (number && fits) value = minus ? value * 10 - digit : value * 10 + digit;
  }
  if (!number) *result = (number_result){.failed = 1, .error = {.kind = NOT_A_NUMBER, .given = s}};
  else if (!fits) *result = (number_result){.failed = 1, .error = out_of_range(minus ? S64_MIN : S64_MAX, S64_MIN, S64_MAX)};
  else *result = (number_result){.value = value};
  return result;
}
POST_RETURN(parse_number, NAME("parse-number"))

EXPORT(NAME("percentage")) percentage_result *percentage(s64 value) {
  percentage_result *result = take(sizeof *result, 8);
  if (value < 0 || value > 100) *result = (percentage_result){.failed = 1, .error = out_of_range(value, 0, 100)};
  else *result = (percentage_result){.value = (u8)value};
  return result;
}
POST_RETURN(percentage, NAME("percentage"))

EXPORT(NAME("checked-divide")) quotient_result *checked_divide(s32 dividend, s32 divisor) {
  quotient_result *result = take(sizeof *result, 8);
  s64 quotient = divisor ? (s64)dividend / divisor : 0;
  if (!divisor) *result = (quotient_result){.failed = 1, .error = {.kind = DIVISION_BY_ZERO}};
  else if (quotient > 0x7fffffff) *result = (quotient_result){.failed = 1, .error = out_of_range(quotient, -0x80000000ll, 0x7fffffff)};
  else *result = (quotient_result){.value = (s32)quotient};
  return result;
}
POST_RETURN(checked_divide, NAME("checked-divide"))

// The compiler takes for granted that nobody divides by zero; `volatile` keeps the instruction, which traps.
EXPORT(NAME("divide")) s32 divide(s32 dividend, s32 divisor) {
  volatile s32 by = divisor;
  return dividend / by;
}

EXPORT(NAME("refuse")) u32 refuse(void) { return 1; }

EXPORT(NAME("trap-if")) text *trap_if(const u8 *at, u32 length, u32 trap) {
  if (trap) stop();
  return give_text((text){at, length});
}
POST_RETURN(trap_if, NAME("trap-if"))

EXPORT(NAME("read-outside")) u32 read_outside(void) {
  volatile u8 *outside = (volatile u8 *)0xfffffff0u;
  return *outside;
}

static volatile u32 deepest;

// The store after the call keeps the compiler from making a loop of it.
static __attribute__((noinline)) u32 descend(u32 depth) {
  u32 below = depth > 1 ? descend(depth - 1) : 0;
  deepest = below;
  return below + 1;
}

EXPORT(NAME("recurse")) u32 recurse(u32 depth) { return depth ? descend(depth) : 0; }

EXPORT(NAME("allocate")) pages_result *allocate(u32 pages) {
  pages_result *result = take(sizeof *result, 4);
  u32 before = (u32)__builtin_wasm_memory_grow(0, pages);
  if (before == (u32)-1) *result = (pages_result){1, (u32)__builtin_wasm_memory_size(0)};
  else *result = (pages_result){0, before + pages};
  return result;
}
POST_RETURN(allocate, NAME("allocate"))

EXPORT(NAME("slow")) u64 slow(u64 rounds) {
  u64 x = 0x9e3779b97f4a7c15ull;
  for (; rounds; rounds--) {
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
  }
  return x;
}

EXPORT(NAME("spin")) void spin(void) {
  volatile u32 forever = 1;
  while (forever) {
  }
}
