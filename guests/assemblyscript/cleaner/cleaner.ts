// The interface `acme:feedback/cleaning`: rows in, entries and rejected rows out. Every row ends in one of the two.
import { giveText, room, storeList, storeText, text, textAt, Writer } from "../abi";
import { BAD_RATING, cleanDate, cleanName, cleanRating, cleanText, NO_RATING } from "./cells";

export { cabi_realloc } from "../abi";

const COLUMNS: StaticArray<string> = ["id", "date", "product", "channel", "rating", "comment"];
const COLUMN_COUNT = 6;
const LONGEST_REJECTED = 200;

// Sizes and offsets of the records in memory, in bytes.
const ROW_SIZE = 12;
const ENTRY_SIZE = 48;
const REJECTED_SIZE = 20;

class Entry {
  id: string = "";
  date: string = "";
  product: string = "";
  channel: string = "";
  rating: i32 = NO_RATING;
  comment: string = "";
}

/** Where each of the columns stands, or -1. */
function findColumns(headerAt: usize, headerLength: u32, out: Writer): StaticArray<i32> {
  const places = new StaticArray<i32>(COLUMN_COUNT);
  places.fill(-1);
  for (let n: u32 = 0; n < headerLength; n++) {
    const name = cleanText(textAt(headerAt + <usize>n * 8), out).toLowerCase();
    for (let c = 0; c < COLUMN_COUNT; c++) if (COLUMNS[c] == name && places[c] < 0) places[c] = n;
  }
  return places;
}

function cell(cells: usize, count: u32, place: i32): string {
  return <u32>place < count ? textAt(cells + <usize>place * 8) : "";
}

/** Fills the entry; answers why it is no good, or the empty string. */
function read(entry: Entry, cells: usize, count: u32, places: StaticArray<i32>, ids: Set<string>, out: Writer): string {
  entry.id = cleanText(cell(cells, count, places[0]), out);
  entry.date = cleanDate(cell(cells, count, places[1]), out);
  entry.product = cleanName(cell(cells, count, places[2]), out);
  entry.channel = cleanText(cell(cells, count, places[3]), out).toLowerCase();
  entry.rating = cleanRating(cell(cells, count, places[4]), out);
  entry.comment = cleanText(cell(cells, count, places[5]), out);
  if (entry.id == "") return "no id";
  if (ids.has(entry.id)) return "the id of an earlier line";
  if (entry.date == "") return "no valid date";
  if (entry.product == "") return "no product";
  if (entry.rating == BAD_RATING) return "a rating that is not 1 to 5";
  if (entry.comment == "") return "no comment";
  return "";
}

function storeEntry(at: usize, line: u32, entry: Entry): void {
  store<u32>(at, line);
  storeText(at + 4, entry.id);
  storeText(at + 12, entry.date);
  storeText(at + 20, entry.product);
  storeText(at + 28, entry.channel);
  store<u8>(at, entry.rating != NO_RATING, 36);
  store<u8>(at, <u8>entry.rating, 37);
  storeText(at + 40, entry.comment);
}

/** The cells as one line, cut between two characters where it is long. */
function asLine(cells: usize, count: u32): string {
  let line = "";
  for (let n: u32 = 0; n < count && line.length <= LONGEST_REJECTED; n++) {
    line += (n > 0 ? "," : "") + textAt(cells + <usize>n * 8).substring(0, LONGEST_REJECTED + 1);
  }
  if (line.length <= LONGEST_REJECTED) return line;
  const inPair = (line.charCodeAt(LONGEST_REJECTED - 1) & 0xfc00) == 0xd800;
  return line.substring(0, inPair ? LONGEST_REJECTED - 1 : LONGEST_REJECTED) + "…";
}

function missing(places: StaticArray<i32>): usize {
  const names = room(COLUMN_COUNT, 8);
  let count: u32 = 0;
  for (let c = 0; c < COLUMN_COUNT; c++) {
    if (places[c] >= 0) continue;
    storeText(names + <usize>count * 8, COLUMNS[c]);
    count++;
  }
  if (count == 0) return 0;
  const result = room(1, 20);
  store<u8>(result, 1);
  store<u8>(result, 0, 4);
  storeList(result + 8, names, count);
  return result;
}

export function clean(headerAt: usize, headerLength: u32, rowsAt: usize, rowCount: u32): usize {
  const out = new Writer();
  const places = findColumns(headerAt, headerLength, out);
  const problem = missing(places);
  if (problem != 0) return problem;
  const entries = room(rowCount, ENTRY_SIZE);
  const rejected = room(rowCount, REJECTED_SIZE);
  let good: u32 = 0;
  let bad: u32 = 0;
  const ids = new Set<string>();
  const entry = new Entry();
  for (let n: u32 = 0; n < rowCount; n++) {
    const row = rowsAt + <usize>n * ROW_SIZE;
    const line = load<u32>(row);
    const cells = load<usize>(row, 4);
    const count = load<u32>(row, 8);
    const reason = read(entry, cells, count, places, ids, out);
    if (reason == "") {
      ids.add(entry.id);
      storeEntry(entries + <usize>good * ENTRY_SIZE, line, entry);
      good++;
    } else {
      const at = rejected + <usize>bad * REJECTED_SIZE;
      bad++;
      store<u32>(at, line);
      storeText(at + 4, asLine(cells, count));
      storeText(at + 12, reason);
    }
  }
  const result = room(1, 20);
  store<u8>(result, 0);
  storeList(result + 4, entries, good);
  storeList(result + 12, rejected, bad);
  return result;
}

export function cleanTextOf(at: usize, length: u32): usize {
  return giveText(cleanText(text(at, length), new Writer()));
}

export function afterClean(_: usize): void {
  heap.reset();
}

export function afterCleanText(_: usize): void {
  heap.reset();
}
