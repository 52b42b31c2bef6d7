// Serves `wasi:http/handler@0.3`: a page that greets the member, and 404 for every other path.
#include "../http.h"

static void put_escaped(writer *w, text s) {
  for (u32 i = 0; i < s.length; i++) {
    switch (s.at[i]) {
      case '&': put(w, TEXT("&amp;")); break;
      case '<': put(w, TEXT("&lt;")); break;
      case '>': put(w, TEXT("&gt;")); break;
      case '"': put(w, TEXT("&quot;")); break;
      default: put_byte(w, s.at[i]);
    }
  }
}

static bool is(text a, text b) {
  if (a.length != b.length) return false;
  for (u32 i = 0; i < a.length; i++)
    if (a.at[i] != b.at[i]) return false;
  return true;
}

static text without_query(text path) {
  u32 end = 0;
  while (end < path.length && path.at[end] != '?') end++;
  return (text){path.at, end};
}

static void respond(u32 status, text page) {
  static const u64 no_trailers[8];
  u32 headers = new_fields();
  add_field(headers, TEXT("content-type"), TEXT("text/html; charset=utf-8"));
  add_field(headers, TEXT("cache-control"), TEXT("no-store"));
  u64 body = new_body(), trailers = new_trailers();
  new_response(headers, 1, low(body), low(trailers), area);
  u32 response = words[0], sent = words[1];
  set_status(response, status);
  answer(0, response, 0, 0, 0, 0, 0, 0);
  while (page.length) {
    u32 result = write_body(high(body), SPLIT(page)), count = result >> 4;
    page = (text){page.at + count, page.length - count};
    if (result & 0xf) break;
  }
  close_body(high(body));
  write_trailers(high(trailers), no_trailers);
  close_trailers(high(trailers));
  drop_sent(sent);
}

HANDLE void handle(u32 request) {
  request_path(request, area);
  text path = without_query(words[0] & 0xff ? *(text *)&words[1] : TEXT("/"));
  u32 headers = request_headers(request);
  text member = first_field(headers, TEXT("x-member"));
  drop_fields(headers);
  drop_request(request);
  writer page = {0};
  put(&page, TEXT("<!doctype html><meta charset=utf-8><title>Members</title><link rel=stylesheet href=/style.css>\n"));
  if (!is(path, TEXT("/members/")) && !is(path, TEXT("/members"))) {
    put(&page, TEXT("<h1>There is no such page</h1>\n"));
    return respond(404, written(&page));
  }
  put(&page, TEXT("<h1>Hello, "));
  put_escaped(&page, member.length ? member : TEXT("stranger"));
  put(&page, TEXT("!</h1>\n<p>Only members see this page.</p>\n"));
  respond(200, written(&page));
}
