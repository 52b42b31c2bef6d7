// Reading and writing UTF-8, white space, and case for the scripts most text is in: ASCII, Latin-1, Latin Extended-A, Greek
// and Cyrillic. Other letters pass unchanged. Never reads past the end, whatever the bytes are.
#pragma once
#include "abi.h"

// The code point at `*position`, which moves past it. Bytes that are no UTF-8 read as U+FFFD, one byte at a time.
static u32 next_code_point(text s, u32 *position) {
  u32 i = *position;
  u8 first = s.at[i];
  u32 extra = first < 0x80 ? 0 : first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : first >= 0xc2 ? 1 : 4;
  if (extra == 4 || first > 0xf4 || s.length - i <= extra) {
    *position = i + 1;
    return extra == 0 ? first : 0xfffd;
  }
  u32 code = extra == 0 ? first : first & (0x3f >> extra);
  for (u32 k = 1; k <= extra; k++) {
    u8 byte = s.at[i + k];
    if ((byte & 0xc0) != 0x80) {
      *position = i + 1;
      return 0xfffd;
    }
    code = code << 6 | (byte & 0x3f);
  }
  *position = i + extra + 1;
  return code;
}

static void put_code_point(writer *w, u32 code) {
  reserve(w, 4);
  u8 *to = w->at + w->length;
  if (code < 0x80) {
    to[0] = (u8)code;
    w->length += 1;
  } else if (code < 0x800) {
    to[0] = (u8)(0xc0 | code >> 6);
    to[1] = (u8)(0x80 | (code & 0x3f));
    w->length += 2;
  } else if (code < 0x10000) {
    to[0] = (u8)(0xe0 | code >> 12);
    to[1] = (u8)(0x80 | (code >> 6 & 0x3f));
    to[2] = (u8)(0x80 | (code & 0x3f));
    w->length += 3;
  } else {
    to[0] = (u8)(0xf0 | code >> 18);
    to[1] = (u8)(0x80 | (code >> 12 & 0x3f));
    to[2] = (u8)(0x80 | (code >> 6 & 0x3f));
    to[3] = (u8)(0x80 | (code & 0x3f));
    w->length += 4;
  }
}

static bool is_space(u32 c) {
  return c == ' ' || (c >= 9 && c <= 13) || c == 0x85 || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x2028 ||
         c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000 || c == 0xfeff;
}

// In these ranges capital and small letter alternate; the capital is the even or the odd one.
static bool even_capitals(u32 c) {
  return (c >= 0x100 && c <= 0x12f) || (c >= 0x132 && c <= 0x137) || (c >= 0x14a && c <= 0x177) || (c >= 0x3d8 && c <= 0x3ef) ||
         (c >= 0x460 && c <= 0x481) || (c >= 0x48a && c <= 0x4bf) || (c >= 0x4d0 && c <= 0x52f) || (c >= 0x1e00 && c <= 0x1e95) ||
         (c >= 0x1ea0 && c <= 0x1eff);
}

static bool odd_capitals(u32 c) { return (c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17e) || (c >= 0x4c1 && c <= 0x4ce); }

static u32 to_upper(u32 c) {
  if (c < 0x80) return c >= 'a' && c <= 'z' ? c - 32 : c;
  if (c == 0xb5) return 0x39c;
  if (c == 0xff) return 0x178;
  if (c >= 0xe0 && c <= 0xfe && c != 0xf7) return c - 32;
  if (c == 0x131) return 'I';
  if (c == 0x17f) return 'S';
  if (even_capitals(c)) return c & ~1u;
  if (odd_capitals(c)) return (c & 1) ? c : c - 1;
  if (c == 0x3ac) return 0x386;
  if (c >= 0x3ad && c <= 0x3af) return c - 37;
  if (c == 0x3c2) return 0x3a3;
  if (c >= 0x3b1 && c <= 0x3cb) return c - 32;
  if (c == 0x3cc) return 0x38c;
  if (c == 0x3cd || c == 0x3ce) return c - 63;
  if (c >= 0x430 && c <= 0x44f) return c - 32;
  if (c >= 0x450 && c <= 0x45f) return c - 80;
  if (c == 0x4cf) return 0x4c0;
  return c;
}

static u32 to_lower(u32 c) {
  if (c < 0x80) return c >= 'A' && c <= 'Z' ? c + 32 : c;
  if (c >= 0xc0 && c <= 0xde && c != 0xd7) return c + 32;
  if (c == 0x178) return 0xff;
  if (c == 0x1e9e) return 0xdf;
  if (even_capitals(c)) return c | 1;
  if (odd_capitals(c)) return (c & 1) ? c + 1 : c;
  if (c == 0x386) return 0x3ac;
  if (c >= 0x388 && c <= 0x38a) return c + 37;
  if (c == 0x38c) return 0x3cc;
  if (c == 0x38e || c == 0x38f) return c + 63;
  if (c >= 0x391 && c <= 0x3ab && c != 0x3a2) return c + 32;
  if (c >= 0x410 && c <= 0x42f) return c + 32;
  if (c >= 0x400 && c <= 0x40f) return c + 80;
  if (c == 0x4c0) return 0x4cf;
  return c;
}

// Letters and digits, as far as telling them from punctuation needs it: beyond Greek, what is no space or punctuation.
static bool is_word(u32 c) {
  if (c < 0x80) return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  if (c < 0xc0) return c == 0xaa || c == 0xb5 || c == 0xba;
  if (c == 0xd7 || c == 0xf7) return false;
  if (c >= 0x2000 && c <= 0x2bff) return false;
  if (c >= 0x3000 && c <= 0x303f) return false;
  if (c >= 0xfe00 && c <= 0xfe6f) return false;
  return c < 0xff00 ? !is_space(c) && !(c >= 0xd800 && c < 0xf900) : !(c <= 0xff0f || (c >= 0xfff0 && c <= 0xffff) || c >= 0x1f000);
}
