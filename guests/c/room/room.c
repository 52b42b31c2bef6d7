// A room of a chat over live messages: the name, a zero byte, and the text. What comes in is another's, so it is checked.
#include "../abi.h"

enum { LONGEST_NAME = 40, LONGEST_TEXT = 2000 };
enum { LENGTH = 0, BROKER = 1 };

typedef struct {
  u8 tag;
  text why;
} refusal;

typedef struct {
  u8 failed;
  refusal error;
} said;

typedef struct {
  u8 failed;
  union {
    u32 stream;
    refusal error;
  };
} entered;

typedef struct {
  u8 failed;
  union {
    struct {
      text name, text;
    } message;
    refusal error;
  };
} understood;

_Static_assert(sizeof(said) == 16 && sizeof(entered) == 16 && sizeof(understood) == 20, "as the canonical ABI lays them out");

#define NAME(f) "acme:room/talking@1.0.0#" f
#define TOPIC TEXT("room")

IMPORT("starlane:messaging/live@0.1.0", "send") void live_send(const u8 *topic, u32 topic_length, const u8 *at, u32 length, said *result);
IMPORT("starlane:messaging/live@0.1.0", "listen") void live_listen(const u8 *topic, u32 topic_length, entered *result);

static bool fits(u32 length, u32 longest) { return length >= 1 && length <= longest; }

static refusal too_long(void) {
  return (refusal){LENGTH, TEXT("a name has 1 to 40 bytes, a text 1 to 2000")};
}

EXPORT(NAME("say")) said *say(const u8 *name, u32 name_length, const u8 *at, u32 length) {
  said *result = take(sizeof *result, 4);
  if (!fits(name_length, LONGEST_NAME) || !fits(length, LONGEST_TEXT)) {
    *result = (said){.failed = 1, .error = too_long()};
    return result;
  }
  writer message = {0};
  put(&message, (text){name, name_length});
  put_byte(&message, 0);
  put(&message, (text){at, length});
  live_send(TOPIC.at, TOPIC.length, message.at, message.length, result);
  if (result->failed) result->error.tag = BROKER;
  return result;
}
POST_RETURN(say, NAME("say"))

EXPORT(NAME("enter")) entered *enter(void) {
  entered *result = take(sizeof *result, 4);
  live_listen(TOPIC.at, TOPIC.length, result);
  if (result->failed) result->error.tag = BROKER;
  return result;
}
POST_RETURN(enter, NAME("enter"))

// Whether the bytes are UTF-8 as Unicode has it (3.9, table 3-7): the host traps a guest that says so of others.
static bool is_text(const u8 *at, u32 length) {
  for (u32 i = 0; i < length;) {
    u8 first = at[i++];
    if (first < 0x80) continue;
    u32 more = first >= 0xc2 && first <= 0xdf ? 1 : first >= 0xe0 && first <= 0xef ? 2 : first >= 0xf0 && first <= 0xf4 ? 3 : 0;
    if (!more || length - i < more) return false;
    u8 low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80, high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    if (at[i] < low || at[i] > high) return false;
    for (u32 k = 1; k < more; k++)
      if (at[i + k] < 0x80 || at[i + k] > 0xbf) return false;
    i += more;
  }
  return true;
}

EXPORT(NAME("understand")) understood *understand(const u8 *at, u32 length) {
  understood *result = take(sizeof *result, 4);
  u32 zero = 0;
  while (zero < length && at[zero]) zero++;
  bool whole = zero < length && fits(zero, LONGEST_NAME) && fits(length - zero - 1, LONGEST_TEXT) && is_text(at, length);
  if (whole) *result = (understood){.message = {{at, zero}, {at + zero + 1, length - zero - 1}}};
  else *result = (understood){.failed = 1, .error = too_long()};
  return result;
}
POST_RETURN(understand, NAME("understand"))
