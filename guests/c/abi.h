// What a C guest needs of the canonical ABI: strings and lists as pointer and length, and one arena that the post-return of
// every export empties. WIT records, options, results and variants are laid out exactly as C structs and tagged unions are, so
// there is nothing to convert. No libc. Bounded by the memory that the host allows: when it is used up, the guest traps.
#pragma once

typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef int s32;
typedef double f64;
typedef _Bool bool;
#define true 1
#define false 0

_Static_assert(sizeof(void *) == 4 && sizeof(u32) == 4 && sizeof(u64) == 8, "the layouts below are those of wasm32");

#define EXPORT(name) __attribute__((export_name(name), visibility("default")))
#define IMPORT(module, name) __attribute__((import_module(module), import_name(name)))

typedef struct {
  const u8 *at;
  u32 length; // bytes of UTF-8, checked by the host
} text;

#define TEXT(literal) ((text){(const u8 *)(literal), sizeof(literal) - 1})

extern u8 __heap_base;
static u32 arena_top;

_Noreturn static inline void stop(void) { __builtin_trap(); }

// Memory that lives until the export that is running has returned. `alignment` is a power of two.
static void *take(u32 bytes, u32 alignment) {
  u32 base = (u32)&__heap_base;
  u64 start = ((u64)(arena_top ? arena_top : base) + alignment - 1) & ~(u64)(alignment - 1);
  u64 end = start + bytes;
  u64 have = (u64)__builtin_wasm_memory_size(0) << 16;
  if (end > have) {
    u64 pages = (end - have + 0xffff) >> 16;
    if (end > 0xffff0000ull || __builtin_wasm_memory_grow(0, (u32)pages) == (unsigned long)-1) stop();
  }
  arena_top = (u32)end;
  return (void *)(u32)start;
}

// An array of `count` elements; a count whose size does not fit 32 bits stops the guest.
static void *take_many(u32 count, u32 size, u32 alignment) {
  u64 bytes = (u64)count * size;
  if (bytes > 0xffff0000ull) stop();
  return take((u32)bytes, alignment);
}

EXPORT("cabi_realloc") void *cabi_realloc(void *old, u32 old_size, u32 alignment, u32 new_size) {
  u8 *fresh = take(new_size, alignment ? alignment : 1);
  u32 kept = old_size < new_size ? old_size : new_size;
  if (old && kept) __builtin_memcpy(fresh, old, kept);
  return fresh;
}

static inline void empty_arena(void) { arena_top = 0; }

#define POST_RETURN(name, export)                                                                                              \
  EXPORT("cabi_post_" export) void post_return_##name(void *result) {                                                          \
    (void)result;                                                                                                              \
    empty_arena();                                                                                                             \
  }

// A result that is returned by pointer: it lies in the arena until the post-return.
static text *give_text(text value) {
  text *result = take(sizeof(text), 4);
  *result = value;
  return result;
}

// A string that grows at its end.
typedef struct {
  u8 *at;
  u32 length, room;
} writer;

static void reserve(writer *w, u32 more) {
  if (more <= w->room - w->length) return;
  u64 room = (u64)w->length + more;
  if (room < 2 * (u64)w->room) room = 2 * (u64)w->room;
  if (room < 64) room = 64;
  if (room > 0xffff0000ull) stop();
  bool last = w->at && (u32)w->at + w->room == arena_top;
  if (last) {
    take((u32)room - w->room, 1);
  } else {
    u8 *moved = take((u32)room, 1);
    if (w->length) __builtin_memcpy(moved, w->at, w->length);
    w->at = moved;
  }
  w->room = (u32)room;
}

static void put_byte(writer *w, u8 byte) {
  reserve(w, 1);
  w->at[w->length++] = byte;
}

static void put(writer *w, text s) {
  if (!s.length) return;
  reserve(w, s.length);
  __builtin_memcpy(w->at + w->length, s.at, s.length);
  w->length += s.length;
}

static inline text written(const writer *w) { return (text){w->at, w->length}; }
