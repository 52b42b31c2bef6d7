// The command as a component that has an operation too: what it counts in a file, for a text.
#include "wordcount.c"

_Static_assert(sizeof(counts) == 32, "as the canonical ABI lays out the record");

#define EXPORT(name) __attribute__((export_name(name)))

void __wasm_call_ctors(void);
int __main_void(void);

// In place of wasi-libc's own: where nobody calls the constructors, the linker puts them in front of every export, also of
// `cabi_realloc`, which must not call out.
EXPORT("_start") void _start(void) {
  __wasm_call_ctors();
  exit(__main_void());
}

EXPORT("cabi_realloc") void *cabi_realloc(void *old, size_t old_size, size_t alignment, size_t size) {
  (void)old_size, (void)alignment;
  void *fresh = realloc(old, size);
  if (!fresh) abort();
  return fresh;
}

EXPORT("acme:wordcount/counting@1.0.0#count") const counts *count(char *at, size_t length) {
  static counts result;
  setlocale(LC_ALL, "C.UTF-8");
  counter to = {0};
  count_part(&to, at, length);
  if (length > 0) free(at);
  result = to.so_far;
  return &result;
}
