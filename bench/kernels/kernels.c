// What bench/metering.ts measures: ordinary compute, each kernel of another kind (floats, integers, bytes and recursion, calls through
// pointers, stores). Built by build.sh.

typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef unsigned long size_t;

#define EXPORT(name) __attribute__((export_name(name)))

static u32 seed;
static u32 next_random(void) {
  seed ^= seed << 13;
  seed ^= seed >> 17;
  seed ^= seed << 5;
  return seed;
}

// Matrix multiplication.

#define MATRIX 192
static double left[MATRIX][MATRIX], right[MATRIX][MATRIX], product[MATRIX][MATRIX];

EXPORT("matrix") double matrix(void) {
  for (int i = 0; i < MATRIX; i++)
    for (int j = 0; j < MATRIX; j++) {
      left[i][j] = i + 0.5 * j;
      right[i][j] = i - 0.25 * j;
    }
  for (int i = 0; i < MATRIX; i++)
    for (int j = 0; j < MATRIX; j++) {
      double sum = 0;
      for (int k = 0; k < MATRIX; k++) sum += left[i][k] * right[k][j];
      product[i][j] = sum;
    }
  double trace = 0;
  for (int i = 0; i < MATRIX; i++) trace += product[i][i];
  return trace;
}

// SHA-256 of a buffer.

static const u32 K[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be,
    0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa,
    0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85,
    0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3,
    0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f,
    0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static u8 message[1 << 18];

static u32 rotate(u32 value, int bits) { return value >> bits | value << (32 - bits); }

static void compress(u32 state[8], const u8 *block) {
  u32 w[64], s[8];
  for (int i = 0; i < 16; i++)
    w[i] = (u32)block[4 * i] << 24 | (u32)block[4 * i + 1] << 16 | (u32)block[4 * i + 2] << 8 | block[4 * i + 3];
  for (int i = 16; i < 64; i++) {
    u32 a = w[i - 15], b = w[i - 2];
    w[i] = w[i - 16] + w[i - 7] + (rotate(a, 7) ^ rotate(a, 18) ^ a >> 3) + (rotate(b, 17) ^ rotate(b, 19) ^ b >> 10);
  }
  for (int i = 0; i < 8; i++) s[i] = state[i];
  for (int i = 0; i < 64; i++) {
    u32 t1 = s[7] + (rotate(s[4], 6) ^ rotate(s[4], 11) ^ rotate(s[4], 25)) + ((s[4] & s[5]) ^ (~s[4] & s[6])) + K[i] + w[i];
    u32 t2 = (rotate(s[0], 2) ^ rotate(s[0], 13) ^ rotate(s[0], 22)) + ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]));
    s[7] = s[6], s[6] = s[5], s[5] = s[4], s[4] = s[3] + t1, s[3] = s[2], s[2] = s[1], s[1] = s[0], s[0] = t1 + t2;
  }
  for (int i = 0; i < 8; i++) state[i] += s[i];
}

EXPORT("sha256") u32 sha256(void) {
  u32 state[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  for (u32 i = 0; i < sizeof message; i++) message[i] = i * 7;
  for (u32 i = 0; i < sizeof message; i += 64) compress(state, message + i);
  u8 last[64] = {0x80};
  u64 bits = 8ull * sizeof message;
  for (int i = 0; i < 8; i++) last[63 - i] = bits >> 8 * i;
  compress(state, last);
  return state[0];
}

// JSON: a parser that builds a tree, after a writer made the text.

struct node {
  struct node *first, *next;
  const char *key, *text;
  u32 key_length, length, kind;
  double number;
};

static char json[1 << 19];
static struct node nodes[1 << 16];
static char strings[1 << 19];
static u32 node_count, string_bytes;
static const char *at, *stop;

static struct node *new_node(u32 kind) {
  struct node *node = &nodes[node_count++];
  node->kind = kind;
  node->first = node->next = 0;
  node->key = 0;
  return node;
}

static void space(void) {
  while (at < stop && (*at == ' ' || *at == '\n' || *at == '\t' || *at == '\r')) at++;
}

static char *string(u32 *length) {
  char *start = strings + string_bytes, *out = start;
  at++;
  while (at < stop && *at != '"') {
    char c = *at++;
    if (c == '\\') {
      c = *at++;
      if (c == 'n') c = '\n';
      else if (c == 't') c = '\t';
    }
    *out++ = c;
  }
  at++;
  *length = out - start;
  string_bytes += *length;
  return start;
}

static double number(void) {
  double value = 0, scale = 1;
  int negative = *at == '-';
  if (negative) at++;
  while (at < stop && *at >= '0' && *at <= '9') value = value * 10 + (*at++ - '0');
  if (at < stop && *at == '.') {
    at++;
    while (at < stop && *at >= '0' && *at <= '9') {
      scale /= 10;
      value += (*at++ - '0') * scale;
    }
  }
  return negative ? -value : value;
}

static struct node *value(int depth) {
  if (depth > 100) return 0;
  space();
  if (at >= stop) return 0;
  struct node *node;
  switch (*at) {
  case '{':
  case '[': {
    int object = *at++ == '{';
    node = new_node(object ? 1 : 2);
    struct node **tail = &node->first;
    for (;;) {
      space();
      if (at >= stop || *at == '}' || *at == ']') break;
      const char *key = 0;
      u32 key_length = 0;
      if (object) {
        key = string(&key_length);
        space();
        at++;
      }
      struct node *child = value(depth + 1);
      if (!child) return 0;
      child->key = key;
      child->key_length = key_length;
      *tail = child;
      tail = &child->next;
      space();
      if (at < stop && *at == ',') at++;
    }
    at++;
    return node;
  }
  case '"':
    node = new_node(3);
    node->text = string(&node->length);
    return node;
  case 't':
  case 'n':
    node = new_node(4);
    at += 4;
    return node;
  case 'f':
    node = new_node(5);
    at += 5;
    return node;
  default:
    node = new_node(6);
    node->number = number();
    return node;
  }
}

static char *put(char *out, const char *text) {
  while (*text) *out++ = *text++;
  return out;
}

static char *put_number(char *out, u32 value) {
  char digits[10];
  int count = 0;
  do digits[count++] = '0' + value % 10;
  while (value /= 10);
  while (count) *out++ = digits[--count];
  return out;
}

static u32 json_length;

EXPORT("json_write") u32 json_write(void) {
  char *out = put(json, "[");
  seed = 7;
  for (int i = 0; i < 2500; i++) {
    out = put(out, i ? ",\n  {\"id\": " : "{\"id\": ");
    out = put_number(out, i);
    out = put(out, ", \"name\": \"A person with a \\\"name\\\"\", \"scores\": [");
    for (int j = 0; j < 5; j++) {
      if (j) out = put(out, ", ");
      out = put_number(out, next_random() % 1000);
      out = put(out, ".25");
    }
    out = put(out, "], \"active\": true, \"parent\": null, \"tags\": {\"kind\": \"x\", \"level\": -3}}");
  }
  out = put(out, "]");
  return json_length = out - json;
}

static double sum(const struct node *node) {
  double total = node->kind == 6 ? node->number : node->length;
  for (const struct node *child = node->first; child; child = child->next) total += sum(child);
  return total;
}

EXPORT("json_parse") double json_parse(void) {
  node_count = string_bytes = 0;
  at = json, stop = json + json_length;
  struct node *root = value(0);
  return root ? sum(root) : -1;
}

// Sorting, with the comparison behind a pointer as in qsort.

static u32 numbers[1 << 16];

static int ascending(const void *a, const void *b) {
  u32 x = *(const u32 *)a, y = *(const u32 *)b;
  return x < y ? -1 : x > y;
}
static int descending(const void *a, const void *b) { return ascending(b, a); }

typedef int (*compare)(const void *, const void *);

static void swap(u32 *a, u32 *b) {
  u32 t = *a;
  *a = *b;
  *b = t;
}

static void quick_sort(u32 *from, u32 *to, compare order) {
  while (to - from > 16) {
    u32 *low = from, *high = to - 1, pivot = from[(to - from) / 2];
    while (low <= high) {
      while (order(low, &pivot) < 0) low++;
      while (order(&pivot, high) < 0) high--;
      if (low <= high) swap(low++, high--);
    }
    quick_sort(from, high + 1, order);
    from = low;
  }
  for (u32 *i = from + 1; i < to; i++)
    for (u32 *j = i; j > from && order(j, j - 1) < 0; j--) swap(j, j - 1);
}

EXPORT("sort") u32 sort(u32 direction) {
  const u32 count = sizeof numbers / sizeof *numbers;
  seed = 42;
  for (u32 i = 0; i < count; i++) numbers[i] = next_random();
  quick_sort(numbers, numbers + count, direction ? descending : ascending);
  return numbers[count / 2];
}

// Stores and nothing else.

static u32 target[1 << 22];

EXPORT("store_random") u32 store_random(void) {
  seed = 1;
  for (int i = 0; i < 1000000; i++) {
    u32 random = next_random();
    target[random >> 10] = random;
  }
  return target[77];
}

EXPORT("store_sequential") u32 store_sequential(u32 value) {
  for (u32 i = 0; i < 1 << 20; i++) target[i] = value ^ i;
  return target[77];
}

EXPORT("store_bytes") u32 store_bytes(u32 value) {
  u8 *bytes = (u8 *)target;
  for (u32 i = 0; i < 1 << 20; i++) bytes[i] = bytes[i + 1] + value;
  return target[77];
}
