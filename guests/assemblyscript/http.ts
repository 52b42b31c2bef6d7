// One GET request by `wasi:http@0.2`, for AssemblyScript guests.
import { utf8 } from "./abi";

@external("wasi:http/types@0.2.12", "[constructor]fields")
declare function newFields(): u32;
@external("wasi:http/types@0.2.12", "[constructor]outgoing-request")
declare function newRequest(headers: u32): u32;
@external("wasi:http/types@0.2.12", "[method]outgoing-request.set-scheme")
declare function setScheme(request: u32, isSome: u32, scheme: u32, otherAt: usize, otherLength: u32): u32;
@external("wasi:http/types@0.2.12", "[method]outgoing-request.set-authority")
declare function setAuthority(request: u32, isSome: u32, at: usize, length: u32): u32;
@external("wasi:http/types@0.2.12", "[method]outgoing-request.set-path-with-query")
declare function setPath(request: u32, isSome: u32, at: usize, length: u32): u32;
@external("wasi:http/outgoing-handler@0.2.12", "handle")
declare function handle(request: u32, hasOptions: u32, options: u32, result: usize): void;
@external("wasi:http/types@0.2.12", "[method]future-incoming-response.subscribe")
declare function subscribe(future: u32): u32;
@external("wasi:io/poll@0.2.12", "[method]pollable.block")
declare function block(pollable: u32): void;
@external("wasi:io/poll@0.2.12", "[resource-drop]pollable")
declare function dropPollable(pollable: u32): void;
@external("wasi:http/types@0.2.12", "[method]future-incoming-response.get")
declare function getResponse(future: u32, result: usize): void;
@external("wasi:http/types@0.2.12", "[resource-drop]future-incoming-response")
declare function dropFuture(future: u32): void;
@external("wasi:http/types@0.2.12", "[method]incoming-response.status")
declare function statusOf(response: u32): u32;
@external("wasi:http/types@0.2.12", "[method]incoming-response.consume")
declare function consume(response: u32, result: usize): void;
@external("wasi:http/types@0.2.12", "[resource-drop]incoming-response")
declare function dropResponse(response: u32): void;
@external("wasi:http/types@0.2.12", "[method]incoming-body.stream")
declare function streamOf(body: u32, result: usize): void;
@external("wasi:http/types@0.2.12", "[resource-drop]incoming-body")
declare function dropBody(body: u32): void;
@external("wasi:io/streams@0.2.12", "[method]input-stream.blocking-read")
declare function blockingRead(stream: u32, most: u64, result: usize): void;
@external("wasi:io/streams@0.2.12", "[resource-drop]input-stream")
declare function dropStream(stream: u32): void;

const PART_BYTES: u64 = 65536;

/** What was answered; `failure` says why nothing was. */
export class Answer {
  status: u32 = 0;
  body: string = "";
  failure: string | null = null;
}

function failed(why: string): Answer {
  const answer = new Answer();
  answer.failure = why;
  return answer;
}

/** `path` begins with a slash. A body of more than `most` bytes is a failure. */
export function get(isSecure: bool, authority: string, path: string, most: u32): Answer {
  const area = heap.alloc(40);
  const request = newRequest(newFields());
  setScheme(request, 1, isSecure ? 1 : 0, 0, 0);
  if (setAuthority(request, 1, changetype<usize>(authority), authority.length) != 0) return failed("no-such-authority");
  if (setPath(request, 1, changetype<usize>(path), path.length) != 0) return failed("no-such-path");
  handle(request, 0, 0, area);
  if (load<u8>(area) != 0) return failed(errorName(load<u8>(area, 8)));
  const future = load<u32>(area, 8);
  const pollable = subscribe(future);
  block(pollable);
  dropPollable(pollable);
  getResponse(future, area);
  // It is there, and it is taken for the first time.
  if (load<u8>(area) == 0 || load<u8>(area, 8) != 0) unreachable();
  dropFuture(future);
  if (load<u8>(area, 16) != 0) return failed(errorName(load<u8>(area, 24)));
  const response = load<u32>(area, 24);
  const answer = new Answer();
  answer.status = statusOf(response);
  readBody(response, most, answer);
  dropResponse(response);
  return answer;
}

function readBody(response: u32, most: u32, answer: Answer): void {
  const area = heap.alloc(16);
  consume(response, area);
  if (load<u8>(area) != 0) unreachable();
  const body = load<u32>(area, 4);
  streamOf(body, area);
  if (load<u8>(area) != 0) unreachable();
  const stream = load<u32>(area, 4);
  const bytes = heap.alloc(most);
  let length: u32 = 0;
  for (;;) {
    blockingRead(stream, PART_BYTES, area);
    if (load<u8>(area) != 0) {
      if (load<u8>(area, 4) == 0) answer.failure = "connection-terminated";
      break;
    }
    const part = load<u32>(area, 8);
    if (part > most - length) {
      answer.failure = "HTTP-response-body-size";
      break;
    }
    memory.copy(bytes + length, load<usize>(area, 4), part);
    length += part;
  }
  dropStream(stream);
  dropBody(body);
  answer.body = utf8(bytes, length);
}

/** The commoner ones of `error-code`, by their place in it. */
function errorName(code: u8): string {
  switch (code) {
    case 0: return "DNS-timeout";
    case 1: return "DNS-error";
    case 2: return "destination-not-found";
    case 3: return "destination-unavailable";
    case 4: return "destination-IP-prohibited";
    case 5: return "destination-IP-unroutable";
    case 6: return "connection-refused";
    case 7: return "connection-terminated";
    case 8: return "connection-timeout";
    case 9: return "connection-read-timeout";
    case 10: return "connection-write-timeout";
    case 12: return "TLS-protocol-error";
    case 13: return "TLS-certificate-error";
    case 15: return "HTTP-request-denied";
    default: return "error " + code.toString();
  } // prettier-ignore
}
