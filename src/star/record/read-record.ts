// Reads a record: a file from anywhere, so its shape is checked before it is used. The values in it are checked as they are needed.

import { readFileSync, statSync } from "node:fs";
import { StarlaneError } from "../../base/errors.ts";
import type { Json } from "../../wit/json.ts";
import { shown } from "../files.ts";
import { LARGEST_RECORD_BYTES, RECORD_FORMAT, type TransactionRecord } from "./record.ts";
import { isObject } from "./values.ts";

/** Masking and layout may add to what was counted. */
const LARGEST_FILE_BYTES = 4 * LARGEST_RECORD_BYTES;

/** @throws StarlaneError `star/file`, `replay/bad-record` */
export function readRecord(path: string): TransactionRecord {
  let text: string;
  try {
    if (statSync(path).size > LARGEST_FILE_BYTES) throw bad(path, `has more than ${LARGEST_FILE_BYTES} bytes`);
    text = readFileSync(path, "utf8");
  } catch (error) {
    if (error instanceof StarlaneError) throw error;
    throw new StarlaneError("star/file", `the record ${shown(path)} could not be read`, { cause: error });
  }
  let json: Json;
  try {
    json = JSON.parse(text) as Json;
  } catch (error) {
    throw bad(path, "is no JSON", error);
  }
  if (!isObject(json) || json["starlane"] !== RECORD_FORMAT)
    throw bad(path, "is no record, or one of another version of Starlane");
  const problem = problemOf(json);
  if (problem !== undefined) throw bad(path, problem);
  return json as unknown as TransactionRecord;
}

function problemOf(record: { readonly [key: string]: Json }): string | undefined {
  const kinds = {
    target: "string",
    operation: "string",
    seed: "number",
    timestampMs: "number",
    input: "object",
    environment: "object",
    initial: "object",
    outcome: "object",
  };
  for (const [key, kind] of Object.entries(kinds)) {
    const value = record[key];
    if (kind === "object" ? !isObject(value) : typeof value !== kind) return `has no proper \`${key}\``;
  }
  const { outcome, initial, calls, sleeps, files } = record;
  if (!isObject(outcome) || !(Object.hasOwn(outcome, "result") || isHeld(outcome["held"]) || isFailure(outcome["error"])))
    return "has no proper `outcome`";
  if (!isListOf(files, (file) => isObject(file) && typeof file["file"] === "string" && typeof file["sha256"] === "string"))
    return "has no proper `files`";
  if (!isListOf(sleeps, (sleep) => isArrival(sleep) && typeof sleep["sleep"] === "number")) return "has no proper `sleeps`";
  if (!isListOf(calls, isCall)) return "has no proper `calls`";
  if (!isObject(initial) || !Object.values(initial).every((events) => isListOf(events, isEvent)))
    return "has no proper `initial`";
  const { component, handed, streamed } = record;
  if (component !== undefined && typeof component !== "string") return "has no proper `component`";
  if (handed !== undefined && !Array.isArray(handed)) return "has no proper `handed`";
  if (streamed !== undefined && !(isObject(streamed) && Object.values(streamed).every(isHeld))) return "has no proper `streamed`";
  return record["conclusion"] === undefined || isFailure(record["conclusion"]) ? undefined : "has no proper `conclusion`";
}

type JsonObject = { readonly [key: string]: Json };

function isListOf(value: Json | undefined, isItem: (item: Json) => boolean): boolean {
  return Array.isArray(value) && value.every((item: Json) => isItem(item));
}

function isFailure(value: Json | undefined): boolean {
  return isObject(value) && typeof value["code"] === "string" && typeof value["message"] === "string";
}

function isHeld(value: Json | undefined): boolean {
  if (!isObject(value) || value["value"] === undefined) return false;
  const { streams } = value;
  return isObject(streams) && Object.values(streams).every(isStream);
}

function isStream(value: Json): boolean {
  return (
    isObject(value) &&
    isListOf(value["chunks"], () => true) &&
    (value["end"] === "done" || value["end"] === "open" || isFailure(value["end"]))
  );
}

function isArrival(value: Json): value is JsonObject {
  return isObject(value) && Number.isSafeInteger(value["at"]) && typeof value["ms"] === "number";
}

function isCall(value: Json): boolean {
  return (
    isObject(value) &&
    typeof value["node"] === "string" &&
    typeof value["count"] === "number" &&
    typeof value["component"] === "string" &&
    isListOf(value["events"], isEvent)
  );
}

// oxlint-disable-next-line complexity -- one case an event
function isEvent(value: Json): boolean {
  if (!isObject(value)) return false;
  const answers = Object.hasOwn(value, "ok") || Object.hasOwn(value, "error") || isFailure(value["failed"]);
  if (typeof value["call"] === "string") return Array.isArray(value["args"]) && (answers || typeof value["later"] === "number");
  if (typeof value["print"] === "string")
    return ["stdout", "stderr", "log"].includes(value["print"]) && value["text"] !== undefined;
  if (!isArrival(value)) return false;
  if (typeof value["answer"] === "number" || typeof value["future"] === "string") return answers;
  if (typeof value["chunk"] === "string") return Object.hasOwn(value, "value");
  if (typeof value["end"] === "string") return value["failed"] === undefined || isFailure(value["failed"]);
  return ["ask", "got", "stop"].some((key) => typeof value[key] === "string") || isFailure(value["stopped"]);
}

function bad(path: string, problem: string, cause?: unknown): StarlaneError {
  return new StarlaneError("replay/bad-record", `${shown(path)} ${problem}`, {
    cause,
    cure: "Records are made by `starlane invoke … --record FILE`.",
  });
}
