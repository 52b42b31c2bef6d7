// Text operations of the world `acme:text/text`. Time is linear in the input, but for `replace`: times the length of `from`.
#include "../unicode.h"

typedef struct {
  text *at;
  u32 length;
} texts;

static texts *give_texts(text *at, u32 length) {
  texts *result = take(sizeof(texts), 4);
  *result = (texts){at, length};
  return result;
}

static text trimmed(text s) {
  u32 start = 0, end = 0;
  bool found = false;
  for (u32 i = 0; i < s.length;) {
    u32 from = i;
    if (is_space(next_code_point(s, &i))) continue;
    if (!found) start = from;
    found = true;
    end = i;
  }
  return (text){s.at + start, found ? end - start : 0};
}

// The next word at or after `*position`, which moves past it; false when there is none.
static bool next_word(text s, u32 *position, text *word) {
  u32 i = *position, start = s.length;
  bool inside = false;
  while (i < s.length) {
    u32 from = i;
    bool space = is_space(next_code_point(s, &i));
    if (inside && space) {
      *word = (text){s.at + start, from - start};
      *position = i;
      return true;
    }
    if (!inside && !space) {
      inside = true;
      start = from;
    }
  }
  *position = s.length;
  *word = (text){s.at + start, s.length - start};
  return inside;
}

static u32 count_words(text s) {
  u32 count = 0, i = 0;
  text word;
  while (next_word(s, &i, &word)) count++;
  return count;
}

static u32 count_code_points(text s) {
  u32 count = 0;
  for (u32 i = 0; i < s.length; count++) next_code_point(s, &i);
  return count;
}

EXPORT("upper") text *upper(const u8 *at, u32 length) {
  text s = {at, length};
  writer out = {0};
  reserve(&out, length);
  for (u32 i = 0; i < s.length;) {
    u32 code = next_code_point(s, &i);
    if (code == 0xdf) put(&out, TEXT("SS"));
    else put_code_point(&out, to_upper(code));
  }
  return give_text(written(&out));
}
POST_RETURN(upper, "upper")

EXPORT("lower") text *lower(const u8 *at, u32 length) {
  text s = {at, length};
  writer out = {0};
  reserve(&out, length);
  bool after_letter = false;
  for (u32 i = 0; i < s.length;) {
    u32 code = next_code_point(s, &i), ahead = i;
    bool before_letter = i < s.length && is_word(next_code_point(s, &ahead));
    put_code_point(&out, code == 0x3a3 && after_letter && !before_letter ? 0x3c2 : to_lower(code));
    after_letter = is_word(code);
  }
  return give_text(written(&out));
}
POST_RETURN(lower, "lower")

EXPORT("capitalize") text *capitalize(const u8 *at, u32 length) {
  text s = {at, length};
  writer out = {0};
  reserve(&out, length);
  bool first = true;
  for (u32 i = 0; i < s.length;) {
    u32 code = next_code_point(s, &i);
    if (first && code == 0xdf) put(&out, TEXT("Ss"));
    else put_code_point(&out, first ? to_upper(code) : code);
    first = is_space(code) || code == '-';
  }
  return give_text(written(&out));
}
POST_RETURN(capitalize, "capitalize")

EXPORT("trim") text *trim(const u8 *at, u32 length) { return give_text(trimmed((text){at, length})); }
POST_RETURN(trim, "trim")

EXPORT("squeeze") text *squeeze(const u8 *at, u32 length) {
  text s = {at, length}, word;
  writer out = {0};
  reserve(&out, length);
  for (u32 i = 0; next_word(s, &i, &word);) {
    if (out.length) put_byte(&out, ' ');
    put(&out, word);
  }
  return give_text(written(&out));
}
POST_RETURN(squeeze, "squeeze")

// What Latin letters with marks are without them, from U+00C0 on.
static const char *const LATIN[] = {
    "a", "a", "a", "a", "a", "a", "ae", "c", "e", "e", "e", "e", "i", "i", "i", "i", "d", "n", "o", "o", "o", "o", "o", "", "o", "u",
    "u", "u", "u", "y", "th", "ss", "a", "a", "a", "a", "a", "a", "ae", "c", "e", "e", "e", "e", "i", "i", "i", "i", "d", "n", "o", "o",
    "o", "o", "o", "", "o", "u", "u", "u", "u", "y", "th", "y", "a", "a", "a", "a", "a", "a", "c", "c", "c", "c", "c", "c", "c", "c",
    "d", "d", "d", "d", "e", "e", "e", "e", "e", "e", "e", "e", "e", "e", "g", "g", "g", "g", "g", "g", "g", "g", "h", "h", "h", "h",
    "i", "i", "i", "i", "i", "i", "i", "i", "i", "i", "ij", "ij", "j", "j", "k", "k", "k", "l", "l", "l", "l", "l", "l", "l", "l", "l",
    "l", "n", "n", "n", "n", "n", "n", "n", "n", "n", "o", "o", "o", "o", "o", "o", "oe", "oe", "r", "r", "r", "r", "r", "r", "s", "s",
    "s", "s", "s", "s", "s", "s", "t", "t", "t", "t", "t", "t", "u", "u", "u", "u", "u", "u", "u", "u", "u", "u", "u", "u", "w", "w",
    "y", "y", "y", "z", "z", "z", "z", "z", "z", "s"};
_Static_assert(sizeof LATIN / sizeof *LATIN == 0x180 - 0xc0, "one entry for each letter from U+00C0 to U+017F");

EXPORT("slugify") text *slugify(const u8 *at, u32 length) {
  text s = {at, length};
  writer out = {0};
  bool gap = false;
  for (u32 i = 0; i < s.length;) {
    u32 code = next_code_point(s, &i);
    if (code == '\'' || code == 0x2019 || (code >= 0x300 && code <= 0x36f)) continue;
    if (!is_word(code)) {
      gap = true;
      continue;
    }
    if (gap && out.length) put_byte(&out, '-');
    gap = false;
    if (code >= 0xc0 && code < 0x180) {
      for (const char *c = LATIN[code - 0xc0]; *c; c++) put_byte(&out, (u8)*c);
    } else {
      put_code_point(&out, to_lower(code));
    }
  }
  return give_text(written(&out));
}
POST_RETURN(slugify, "slugify")

EXPORT("reverse") text *reverse(const u8 *at, u32 length) {
  text s = {at, length};
  u8 *out = take(length, 1);
  u32 end = length;
  for (u32 i = 0; i < s.length;) {
    u32 from = i;
    next_code_point(s, &i);
    end -= i - from;
    __builtin_memcpy(out + end, at + from, i - from);
  }
  return give_text((text){out, length});
}
POST_RETURN(reverse, "reverse")

EXPORT("word-count") u32 word_count(const u8 *at, u32 length) {
  u32 count = count_words((text){at, length});
  empty_arena();
  return count;
}

EXPORT("length") u32 length_of(const u8 *at, u32 length) {
  u32 count = count_code_points((text){at, length});
  empty_arena();
  return count;
}

EXPORT("words") texts *words(const u8 *at, u32 length) {
  text s = {at, length};
  u32 count = count_words(s);
  text *list = take_many(count, sizeof(text), 4);
  u32 i = 0;
  for (u32 n = 0; n < count; n++) next_word(s, &i, &list[n]);
  return give_texts(list, count);
}
POST_RETURN(words, "words")

EXPORT("lines") texts *lines(const u8 *at, u32 length) {
  u32 count = 0;
  for (u32 i = 0; i < length; i++) count += at[i] == '\n';
  if (length && at[length - 1] != '\n') count++;
  text *list = take_many(count, sizeof(text), 4);
  u32 start = 0;
  for (u32 n = 0; n < count; n++) {
    u32 end = start;
    while (end < length && at[end] != '\n') end++;
    u32 stop_at = end > start && end < length && at[end - 1] == '\r' ? end - 1 : end;
    list[n] = (text){at + start, stop_at - start};
    start = end + 1;
  }
  return give_texts(list, count);
}
POST_RETURN(lines, "lines")

EXPORT("join") text *join(const text *parts, u32 count, const u8 *separator, u32 length) {
  writer out = {0};
  for (u32 n = 0; n < count; n++) {
    if (n) put(&out, (text){separator, length});
    put(&out, parts[n]);
  }
  return give_text(written(&out));
}
POST_RETURN(join, "join")

EXPORT("concat") text *concat(const u8 *left, u32 left_length, const u8 *right, u32 right_length) {
  writer out = {0};
  put(&out, (text){left, left_length});
  put(&out, (text){right, right_length});
  return give_text(written(&out));
}
POST_RETURN(concat, "concat")

EXPORT("replace") text *replace(const u8 *at, u32 length, const u8 *from, u32 from_length, const u8 *to, u32 to_length) {
  if (!from_length) return give_text((text){at, length});
  writer out = {0};
  u32 i = 0;
  while (i < length) {
    bool match = length - i >= from_length;
    for (u32 k = 0; match && k < from_length; k++) match = at[i + k] == from[k];
    if (match) {
      put(&out, (text){to, to_length});
      i += from_length;
    } else {
      put_byte(&out, at[i++]);
    }
  }
  return give_text(written(&out));
}
POST_RETURN(replace, "replace")

EXPORT("truncate") text *truncate(const u8 *at, u32 length, u32 most) {
  text s = {at, length};
  u32 count = 0, cut = 0;
  for (u32 i = 0; i < s.length; count++) {
    if (count + 1 == most) cut = i;
    if (count == most) {
      writer out = {0};
      if (most) {
        put(&out, (text){at, cut});
        put(&out, TEXT("…"));
      }
      return give_text(written(&out));
    }
    next_code_point(s, &i);
  }
  return give_text(s);
}
POST_RETURN(truncate, "truncate")
