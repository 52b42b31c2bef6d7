// What is in a cell: text as it should read, dates and ratings in the forms in which people write them. All work in one writer,
// because nothing is freed before the call is over.
import { isSpace, Writer } from "../abi";

const MONTHS = "janfebmaraprmayjunjulaugsepoctnovdec";
const LONGEST_ENTITY = 8;

function entity(name: string): u32 {
  if (name == "amp") return 0x26;
  if (name == "lt") return 0x3c;
  if (name == "gt") return 0x3e;
  if (name == "quot") return 0x22;
  if (name == "apos" || name == "#39") return 0x27;
  if (name == "nbsp") return 0x20;
  return 0;
}

/** Where the tag that starts at `start` ends, or -1: `<br>`, `</p>`, but no `<3` and no `a < b`. */
function tagEnd(value: string, start: i32): i32 {
  const first = start + 1 < value.length ? <u32>value.charCodeAt(start + 1) : 0;
  const letter = (first | 0x20) >= 0x61 && (first | 0x20) <= 0x7a;
  if (!letter && first != 0x2f) return -1;
  const bound = min(value.length, start + 60);
  for (let i = start + 1; i < bound; i++) if (value.charCodeAt(i) == 0x3e) return i;
  return -1;
}

/** Tags and control characters become blanks, entities what they stand for, and blanks in a row become one. */
export function cleanText(value: string, out: Writer): string {
  out.clear();
  let gap = false;
  for (let i = 0; i < value.length; i++) {
    let unit = <u32>value.charCodeAt(i);
    if (unit == 0x3c) {
      const end = tagEnd(value, i);
      if (end >= 0) {
        i = end;
        unit = 0x20;
      }
    } else if (unit == 0x26) {
      const end = value.substring(i + 1, i + 1 + LONGEST_ENTITY).indexOf(";");
      const meant = end < 0 ? 0 : entity(value.substring(i + 1, i + 1 + end));
      if (meant != 0) {
        i += end + 1;
        unit = meant;
      }
    }
    if (isSpace(unit) || unit < 0x20 || (unit >= 0x7f && unit < 0xa0)) {
      gap = true;
      continue;
    }
    if (unit == 0x200b || unit == 0xfffd) continue;
    if (gap && out.length > 0) out.put(0x20);
    gap = false;
    out.put(unit);
  }
  return out.finish();
}

/** A name in one form: `ESPRESSO machine ` and `espresso Machine` are the same product. */
export function cleanName(value: string, out: Writer): string {
  const name = cleanText(value, out);
  out.clear();
  let first = true;
  for (let i = 0; i < name.length; i++) {
    const unit = <u32>name.charCodeAt(i);
    const capital = unit >= 0x41 && unit <= 0x5a;
    const small = unit >= 0x61 && unit <= 0x7a;
    out.put(first && small ? unit - 32 : !first && capital ? unit + 32 : unit);
    first = unit == 0x20 || unit == 0x2d;
  }
  return out.finish();
}

/** The digits at `at` as a number, at most `most` of them; -1 when there is none. */
function digits(value: string, at: i32, most: i32): i32 {
  let number = 0;
  let count = 0;
  while (at + count < value.length && count < most) {
    const digit = value.charCodeAt(at + count) - 0x30;
    if (digit < 0 || digit > 9) break;
    number = number * 10 + digit;
    count++;
  }
  return count == 0 ? -1 : number;
}

function daysIn(year: i32, month: i32): i32 {
  if (month == 2) return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 ? 29 : 28;
  return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

function iso(year: i32, month: i32, day: i32): string {
  if (year < 1970 || year > 2199 || month < 1 || month > 12 || day < 1 || day > daysIn(year, month)) return "";
  return `${year}-${month.toString().padStart(2, "0")}-${day.toString().padStart(2, "0")}`;
}

function monthOf(name: string): i32 {
  if (name.length < 3) return 0;
  const found = MONTHS.indexOf(name.substring(0, 3).toLowerCase());
  return found >= 0 && found % 3 == 0 ? found / 3 + 1 : 0;
}

/** `2026-03-14` (with or without a time), `14.03.2026`, `14 Mar 2026`, `March 14, 2026`; else the empty string. */
export function cleanDate(value: string, out: Writer): string {
  const date = cleanText(value, out);
  if (date.length < 8 || date.length > 40) return "";
  if (date.charAt(4) == "-" && date.charAt(7) == "-") {
    const rest = date.length == 10 || date.charAt(10) == "T" || date.charAt(10) == " ";
    return rest ? iso(digits(date, 0, 4), digits(date, 5, 2), digits(date, 8, 2)) : "";
  }
  const dotted = date.split(".");
  if (dotted.length == 3 && dotted[2].length == 4) {
    return iso(digits(dotted[2], 0, 4), digits(dotted[1], 0, 2), digits(dotted[0], 0, 2));
  }
  const words = date.replaceAll(",", "").split(" ");
  if (words.length != 3 || words[2].length != 4) return "";
  const monthFirst = monthOf(words[0]);
  const month = monthFirst > 0 ? monthFirst : monthOf(words[1]);
  return iso(digits(words[2], 0, 4), month, digits(words[monthFirst > 0 ? 1 : 0], 0, 2));
}

export const NO_RATING = 0;
export const BAD_RATING = -1;

/** `4`, `4/5`, `4.0`, `4 stars`, `★★★★☆`, `****`; nothing, `-` and `n/a` are no rating. */
export function cleanRating(value: string, out: Writer): i32 {
  const rating = cleanText(value, out).toLowerCase();
  if (rating == "" || rating == "-" || rating == "n/a" || rating == "–") return NO_RATING;
  let stars = 0;
  let others = 0;
  for (let i = 0; i < rating.length; i++) {
    const unit = rating.charCodeAt(i);
    if (unit == 0x2605 || unit == 0x2a) stars++;
    else if (unit != 0x2606) others++;
  }
  if (stars > 0) return others == 0 && stars <= 5 ? stars : BAD_RATING;
  const number = digits(rating, 0, 1);
  const rest = rating.substring(1);
  const known =
    rest == "" || rest == "/5" || rest == ".0" || rest == " stars" || rest == " star" || rest == " of 5" || rest == "/ 5";
  return known && number >= 1 && number <= 5 ? number : BAD_RATING;
}
