// Counts lines, words, characters and bytes, as `wc` does in a UTF-8 locale: `wordcount [-lwmc] [FILE...]`, or standard input where no
// file is named. Ordinary C on wasi-libc: it opens, reads and prints, and knows nothing of components.
#include <errno.h>
#include <locale.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <wchar.h>
#include <wctype.h>

typedef struct {
  uint64_t lines, words, characters, bytes;
} counts;

typedef struct {
  counts so_far;
  mbstate_t decoder;
  bool in_word;
} counter;

// What separates words: also the spaces at which no line may break, as GNU wc has it.
static bool is_space(wint_t c) { return iswspace(c) || c == 0xa0 || c == 0x2007 || c == 0x202f || c == 0x2060; }

static void count_character(counter *to, wchar_t c) {
  to->so_far.characters++;
  if (c == L'\n') to->so_far.lines++;
  if (is_space((wint_t)c)) to->in_word = false;
  else if (iswprint((wint_t)c) && !to->in_word) {
    to->in_word = true;
    to->so_far.words++;
  }
}

// Characters may be cut anywhere between two parts; bytes that are no UTF-8 are no characters.
static void count_part(counter *to, const char *at, size_t length) {
  to->so_far.bytes += length;
  while (length > 0) {
    wchar_t c;
    size_t used = mbrtowc(&c, at, length, &to->decoder);
    if (used == (size_t)-2) return;
    if (used == (size_t)-1) {
      memset(&to->decoder, 0, sizeof to->decoder);
      used = 1;
    } else {
      if (used == 0) used = 1;
      count_character(to, c);
    }
    at += used;
    length -= used;
  }
}

static bool count_file(FILE *file, counts *result) {
  static char part[65536];
  counter to = {0};
  size_t length;
  while ((length = fread(part, 1, sizeof part, file)) > 0) count_part(&to, part, length);
  *result = to.so_far;
  return !ferror(file);
}

typedef struct {
  bool lines, words, characters, bytes;
} columns;

static void print_counts(counts of, columns shown, int width, const char *name) {
  const char *gap = "";
  const struct {
    bool is_shown;
    uint64_t value;
  } cells[] = {{shown.lines, of.lines}, {shown.words, of.words}, {shown.characters, of.characters}, {shown.bytes, of.bytes}};
  for (size_t i = 0; i < sizeof cells / sizeof *cells; i++) {
    if (!cells[i].is_shown) continue;
    printf("%s%*llu", gap, width, (unsigned long long)cells[i].value);
    gap = " ";
  }
  printf(name ? " %s\n" : "\n", name);
}

// All numbers line up: as wide as the size of all files, or 7 where a size is not known.
static int width_for(char **files, int count, columns shown) {
  if (shown.lines + shown.words + shown.characters + shown.bytes == 1 && count <= 1) return 1;
  if (count == 0) return 7;
  uint64_t total = 0;
  int least = 1;
  for (int i = 0; i < count; i++) {
    struct stat found;
    if (strcmp(files[i], "-") == 0) least = 7;
    else if (stat(files[i], &found) != 0) continue;
    else if (S_ISREG(found.st_mode)) total += (uint64_t)found.st_size;
    else least = 7;
  }
  int width = 1;
  for (; total >= 10; total /= 10) width++;
  return width > least ? width : least;
}

static bool complain(const char *file) {
  fflush(stdout);
  fprintf(stderr, "wordcount: %s: %s\n", file, strerror(errno));
  return false;
}

// Whether there are counts to print; a directory counts as an empty file that cannot be read, as `wc` has it.
static bool count_named(const char *name, counts *result, bool *worked) {
  bool is_input = strcmp(name, "-") == 0;
  struct stat found;
  if (!is_input && stat(name, &found) == 0 && S_ISDIR(found.st_mode)) {
    errno = EISDIR;
    *worked = complain(name);
    return true;
  }
  FILE *file = is_input ? stdin : fopen(name, "rb");
  if (!file) return *worked = complain(name);
  if (!count_file(file, result)) *worked = complain(name);
  if (!is_input) fclose(file);
  return true;
}

static bool read_options(int *argc, char ***argv, columns *shown) {
  for (; *argc > 0 && (*argv)[0][0] == '-' && (*argv)[0][1] != 0; ++*argv, --*argc) {
    if (strcmp((*argv)[0], "--") == 0) return ++*argv, --*argc, true;
    for (const char *letter = (*argv)[0] + 1; *letter; letter++) {
      switch (*letter) {
        case 'l': shown->lines = true; break;
        case 'w': shown->words = true; break;
        case 'm': shown->characters = true; break;
        case 'c': shown->bytes = true; break;
        default:
          fprintf(stderr, "wordcount: no option -%c\nusage: wordcount [-lwmc] [FILE...]\n", *letter);
          return false;
      }
    }
  }
  return true;
}

int main(int argc, char **argv) {
  setlocale(LC_ALL, "C.UTF-8");
  columns shown = {0};
  argc--, argv++;
  if (!read_options(&argc, &argv, &shown)) return 1;
  if (!shown.lines && !shown.words && !shown.characters && !shown.bytes) shown = (columns){.lines = true, .words = true, .bytes = true};
  int width = width_for(argv, argc, shown);
  counts total = {0};
  bool worked = true;
  if (argc == 0) {
    worked = count_file(stdin, &total) || complain("standard input");
    print_counts(total, shown, width, NULL);
  }
  for (int i = 0; i < argc; i++) {
    counts one = {0};
    if (!count_named(argv[i], &one, &worked)) continue;
    print_counts(one, shown, width, argv[i]);
    total = (counts){total.lines + one.lines, total.words + one.words, total.characters + one.characters, total.bytes + one.bytes};
  }
  if (argc > 1) print_counts(total, shown, width, "total");
  return worked && fflush(stdout) == 0 ? 0 : 1;
}
