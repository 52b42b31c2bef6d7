// The world `greeter` of wit/greeter.wit: a function for each that it exports, as bindings/greeter.h has them.

#include "bindings/greeter.h"
#include <stdlib.h>
#include <string.h>

void exports_greeter_greet(greeter_string_t *name, greeter_string_t *ret) {
  static const char before[] = "Hello, ";
  static const char after[] = "!";
  const size_t start = sizeof before - 1;
  const size_t end = sizeof after - 1;

  ret->len = start + name->len + end;
  ret->ptr = malloc(ret->len);
  if (ret->ptr == NULL) abort();
  memcpy(ret->ptr, before, start);
  memcpy(ret->ptr + start, name->ptr, name->len);
  memcpy(ret->ptr + start + name->len, after, end);

  // What is passed belongs to the function; what it returns is freed when it was read.
  greeter_string_free(name);
}
