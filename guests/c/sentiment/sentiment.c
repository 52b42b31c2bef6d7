// Sentiment by word list: the weights of the words that are in the list are summed, turned round after a negation ("not",
// "never", "isn't", within three words), raised after an intensifier, lowered after a softener, and the sum is brought into -1 … 1.
#include "../unicode.h"
#include "lexicon.h"

#define LONGEST_WORD 24
#define REACH_OF_NEGATION 3

enum { NEGATIVE, NEUTRAL, POSITIVE };

typedef struct {
  u8 some, value;
} maybe_u8;

typedef struct {
  u32 line;
  text id, date, product, channel;
  maybe_u8 rating;
  text comment;
} entry;

typedef struct {
  u32 line;
  text id, date, product, channel;
  maybe_u8 rating;
  text comment;
  f64 score;
  u8 mood;
} scored_entry;

typedef struct {
  scored_entry *at;
  u32 length;
} scored_entries;

typedef struct {
  f64 score;
  u8 mood;
  u32 positive, negative;
  text *hits;
  u32 hit_count;
} assessment;

_Static_assert(sizeof(entry) == 48 && sizeof(scored_entry) == 64 && sizeof(assessment) == 32, "as the canonical ABI lays them out");

// Below zero, zero or above it, as the word comes before, is, or comes after the other.
static s32 compare(const char *listed, const u8 *word, u32 length) {
  for (u32 i = 0; i < length; i++) {
    s32 difference = (s32)(u8)listed[i] - (s32)word[i];
    if (difference) return difference;
  }
  return (s32)(u8)listed[length];
}

static s32 weight_of(const u8 *word, u32 length) {
  u32 low = 0, high = sizeof LEXICON / sizeof *LEXICON;
  while (low < high) {
    u32 middle = (low + high) / 2;
    s32 order = compare(LEXICON[middle].word, word, length);
    if (order == 0) return LEXICON[middle].weight;
    if (order < 0) low = middle + 1;
    else high = middle;
  }
  return 0;
}

static bool is_one_of(const char *const *words, const u8 *word, u32 length) {
  for (; *words; words++)
    if (compare(*words, word, length) == 0) return true;
  return false;
}

static const char *const NEGATIONS[] = {"not", "no", "never", "hardly", "barely", "without", "cannot", "cant", "nothing", 0};
static const char *const INTENSIFIERS[] = {"very", "really", "extremely", "so", "absolutely", "totally", "incredibly", "highly", 0};
static const char *const SOFTENERS[] = {"slightly", "somewhat", "quite", "fairly", "bit", "little", "rather", 0};

static bool is_negation(const u8 *word, u32 length) {
  bool contracted = length > 3 && word[length - 3] == 'n' && word[length - 2] == '\'' && word[length - 1] == 't';
  return contracted || is_one_of(NEGATIONS, word, length);
}

static bool is_letter(u8 byte) {
  u8 small = byte | 0x20;
  return (small >= 'a' && small <= 'z') || byte >= 0x80;
}

// The next run of letters, apostrophes and hyphens at or after `*position`, which moves past it. A typographic apostrophe counts.
static bool next_token(text s, u32 *position, text *token) {
  u32 i = *position;
  while (i < s.length && !is_letter(s.at[i])) i++;
  u32 start = i;
  while (i < s.length && (is_letter(s.at[i]) || ((s.at[i] == '\'' || s.at[i] == '-') && i + 1 < s.length && is_letter(s.at[i + 1])))) i++;
  *position = i;
  *token = (text){s.at + start, i - start};
  return i > start;
}

// The token in small letters, with `’` as `'`. Returns its length, or 0 when it is longer than any word of the list.
static u32 plain(text token, u8 *word) {
  u32 length = 0;
  for (u32 i = 0; i < token.length;) {
    u32 code = next_code_point(token, &i);
    if (code == 0x2019) code = '\'';
    if (length == LONGEST_WORD || code >= 0x80) return 0;
    word[length++] = (u8)to_lower(code);
  }
  return length;
}

// Ends a sentence or a clause: a negation does not reach beyond it.
static bool breaks_clause(text s, u32 from, u32 to) {
  for (u32 i = from; i < to; i++)
    if (s.at[i] == '.' || s.at[i] == ',' || s.at[i] == ';' || s.at[i] == '!' || s.at[i] == '?' || s.at[i] == ':') return true;
  return false;
}

static u8 mood_of(f64 score) { return score > 0.15 ? POSITIVE : score < -0.15 ? NEGATIVE : NEUTRAL; }

// `hits`, where given, has room for every token.
static assessment judge(text s, text *hits) {
  assessment result = {.hits = hits};
  f64 sum = 0, factor = 1;
  u32 since_negation = REACH_OF_NEGATION + 1, i = 0, end_of_last = 0;
  text token;
  u8 word[LONGEST_WORD];
  while (next_token(s, &i, &token)) {
    u32 start = (u32)(token.at - s.at);
    if (breaks_clause(s, end_of_last, start)) since_negation = REACH_OF_NEGATION + 1, factor = 1;
    end_of_last = i;
    since_negation++;
    u32 length = plain(token, word);
    if (!length) continue;
    if (is_negation(word, length)) {
      since_negation = 0;
    } else if (is_one_of(INTENSIFIERS, word, length)) {
      factor = 1.5;
    } else if (is_one_of(SOFTENERS, word, length)) {
      factor = 0.6;
    } else {
      s32 weight = weight_of(word, length);
      if (weight) {
        f64 counted = weight * factor * (since_negation <= REACH_OF_NEGATION ? -0.75 : 1);
        sum += counted;
        if (counted > 0) result.positive++;
        else result.negative++;
        if (hits) hits[result.hit_count++] = token;
      }
      factor = 1;
    }
  }
  result.score = sum / __builtin_sqrt(sum * sum + 10);
  result.mood = mood_of(result.score);
  return result;
}

EXPORT("acme:sentiment/scoring@1.0.0#assess") assessment *assess(const u8 *at, u32 length) {
  text s = {at, length}, token;
  u32 tokens = 0;
  for (u32 i = 0; next_token(s, &i, &token);) tokens++;
  text *hits = take_many(tokens, sizeof(text), 4);
  assessment *result = take(sizeof(assessment), 8);
  *result = judge(s, hits);
  return result;
}
POST_RETURN(assess, "acme:sentiment/scoring@1.0.0#assess")

EXPORT("acme:sentiment/scoring@1.0.0#score") scored_entries *score(const entry *entries, u32 count) {
  scored_entry *list = take_many(count, sizeof(scored_entry), 8);
  for (u32 n = 0; n < count; n++) {
    const entry *e = &entries[n];
    assessment a = judge(e->comment, 0);
    list[n] = (scored_entry){e->line, e->id, e->date, e->product, e->channel, e->rating, e->comment, a.score, a.mood};
  }
  scored_entries *result = take(sizeof(scored_entries), 4);
  *result = (scored_entries){list, count};
  return result;
}
POST_RETURN(score, "acme:sentiment/scoring@1.0.0#score")
