// The interface `acme:weather/reports`. A report is kept as the service wrote it; how long, the store decides that the app grants.
import { storeText, text, utf8 } from "../abi";
import { get } from "../http";

export { cabi_realloc } from "../abi";

@external("wasi:config/store@0.2.0-rc.1", "get")
declare function getSetting(keyAt: usize, keyLength: u32, result: usize): void;
@external("wasi:keyvalue/store@0.2.0-draft2", "open")
declare function openBucket(nameAt: usize, nameLength: u32, result: usize): void;
@external("wasi:keyvalue/store@0.2.0-draft2", "[method]bucket.get")
declare function getValue(bucket: u32, keyAt: usize, keyLength: u32, result: usize): void;
@external("wasi:keyvalue/store@0.2.0-draft2", "[method]bucket.set")
declare function setValue(bucket: u32, keyAt: usize, keyLength: u32, valueAt: usize, valueLength: u32, result: usize): void;
@external("wasi:keyvalue/store@0.2.0-draft2", "[resource-drop]bucket")
declare function dropBucket(bucket: u32): void;

const MOST_BODY_BYTES: u32 = 65536;

const UNKNOWN_PLACE: u8 = 0;
const UNREACHABLE: u8 = 1;
const STATUS: u8 = 2;
const UNREADABLE: u8 = 3;
const SET_UP: u8 = 4;

/** In memory as the result of `current`: its tag, then the report or the refusal. */
const RESULT_BYTES: usize = 48;

function refuse(why: u8, value: string): usize {
  const result = heap.alloc(RESULT_BYTES);
  store<u8>(result, 1);
  store<u8>(result, why, 8);
  storeText(result + 12, value);
  return result;
}

function refuseStatus(status: u32): usize {
  const result = refuse(STATUS, "");
  store<u16>(result, <u16>status, 12);
  return result;
}

/** The value of a field of flat JSON, without its quotes; null where it is not there. */
function field(json: string, name: string): string | null {
  const at = json.indexOf('"' + name + '":');
  if (at < 0) return null;
  const rest = json.substring(at + name.length + 3).trimStart();
  if (rest.startsWith('"')) {
    const end = rest.indexOf('"', 1);
    return end < 0 ? null : rest.substring(1, end);
  }
  for (let i = 0; i < rest.length; i++) {
    const unit = rest.charCodeAt(i);
    if (unit == 0x2c || unit == 0x7d) return rest.substring(0, i).trim();
  }
  return null;
}

/** Zero where the text is no report. */
function reportOf(json: string, kept: bool): usize {
  const place = field(json, "place");
  const celsius = field(json, "celsius");
  const sky = field(json, "sky");
  if (place === null || celsius === null || sky === null) return 0;
  const degrees = F64.parseFloat(celsius);
  if (!isFinite<f64>(degrees)) return 0;
  const result = heap.alloc(RESULT_BYTES);
  store<u8>(result, 0);
  storeText(result + 8, place);
  store<f64>(result, degrees, 16);
  storeText(result + 24, sky);
  store<u8>(result, kept, 32);
  return result;
}

/** Asks the service, and keeps what it answers as `key`. */
function ask(service: string, place: string, bucket: u32, key: string): usize {
  const isSecure = service.startsWith("https://");
  const authority = service.substring(isSecure ? 8 : 7);
  const path = "/current?place=" + encodeURIComponent(place);
  const answer = get(isSecure, authority, path, MOST_BODY_BYTES);
  const failure = answer.failure;
  if (failure !== null) return refuse(UNREACHABLE, failure);
  if (answer.status == 404) return refuse(UNKNOWN_PLACE, place);
  if (answer.status != 200) return refuseStatus(answer.status);
  const report = reportOf(answer.body, false);
  if (report == 0) return refuse(UNREADABLE, answer.body.substring(0, 100));
  const bytes = String.UTF8.encode(answer.body);
  setValue(bucket, changetype<usize>(key), key.length, changetype<usize>(bytes), bytes.byteLength, heap.alloc(16));
  return report;
}

export function current(placeAt: usize, placeLength: u32): usize {
  const place = text(placeAt, placeLength);
  const area = heap.alloc(16);
  const setting = "service";
  getSetting(changetype<usize>(setting), setting.length, area);
  if (load<u8>(area) != 0 || load<u8>(area, 4) == 0) return refuse(SET_UP, "no setting `service`");
  const service = text(load<usize>(area, 8), load<u32>(area, 12));
  const name = "reports";
  openBucket(changetype<usize>(name), name.length, area);
  if (load<u8>(area) != 0) return refuse(SET_UP, "no bucket `reports`");
  const bucket = load<u32>(area, 4);
  const key = place.toLowerCase();
  getValue(bucket, changetype<usize>(key), key.length, area);
  const isKept = load<u8>(area) == 0 && load<u8>(area, 4) != 0;
  const result = isKept
    ? reportOf(utf8(load<usize>(area, 8), load<u32>(area, 12)), true)
    : ask(service, place, bucket, key);
  dropBucket(bucket);
  return result;
}

export function afterCurrent(_: usize): void {
  heap.reset();
}
