// The results of tests: for people with what differs, TAP 14, JUnit XML.

import type { Json } from "../manifest/manifest.ts";
import { placeOf } from "../base/diagnostics.ts";
import type { Mismatch } from "../manifest/expect.ts";
import type { TestResult } from "../star/tests.ts";
import { printable, type Paint } from "./terminal.ts";

export interface TestSummary {
  readonly app: string;
  readonly results: readonly TestResult[];
  readonly tookMs: number;
}

export function forPeople(summary: TestSummary, paint: Paint): string {
  const out: string[] = [];
  for (const result of summary.results) {
    const failed = result.mismatches.length > 0;
    out.push(
      `${failed ? paint("red", "✘") : paint("green", "✔")} ${printable(result.name)} ${paint("dim", `(${result.tookMs.toFixed(1)} ms)`)}`,
    );
    if (failed) out.push(...failureLines(result, paint).map((line) => `    ${line}`));
  }
  const failures = summary.results.filter((result) => result.mismatches.length > 0).length;
  const passed = summary.results.length - failures;
  const parts = [paint("green", `${passed} passed`), ...(failures > 0 ? [paint("red", `${failures} failed`)] : [])];
  out.push("", `${parts.join(", ")} ${paint("dim", `(${summary.tookMs.toFixed(0)} ms)`)}`, "");
  return out.join("\n");
}

function failureLines(result: TestResult, paint: Paint): string[] {
  const out = [paint("cyan", `--> ${placeOf(result.test.span)}`)];
  for (const mismatch of result.mismatches) out.push(...mismatchLines(mismatch, paint));
  if (result.printed !== "")
    out.push(
      paint("dim", "printed:"),
      ...printable(result.printed)
        .trimEnd()
        .split("\n")
        .map((line) => `  ${line}`),
    );
  return out;
}

function mismatchLines(mismatch: Mismatch, paint: Paint): string[] {
  const { path, expected, actual } = mismatch;
  if (expected === undefined || actual === undefined) return [printable(mismatch.message)];
  if (typeof expected === "string" && typeof actual === "string" && (expected.includes("\n") || actual.includes("\n"))) {
    return [`${path}:`, ...lineDiff(expected.split("\n"), actual.split("\n"), paint)];
  }
  return [
    printable(mismatch.message),
    paint("green", `  - expected ${text(expected)}`),
    paint("red", `  + came     ${text(actual)}`),
  ];
}

const MOST_SHOWN = 2000;

function text(json: Json): string {
  const shown = JSON.stringify(json);
  return printable(shown.length > MOST_SHOWN ? `${shown.slice(0, MOST_SHOWN)}…` : shown);
}

const MOST_LINES = 400;

/** The lines that differ, with one line of what is equal around them (longest common subsequence). */
function lineDiff(expected: readonly string[], actual: readonly string[], paint: Paint): string[] {
  const a = expected.slice(0, MOST_LINES);
  const b = actual.slice(0, MOST_LINES);
  const width = b.length + 1;
  const lengths = new Uint16Array((a.length + 1) * width);
  const at = (i: number, j: number): number => lengths[i * width + j] ?? 0;
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      lengths[i * width + j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const lines: { readonly mark: " " | "-" | "+"; readonly line: string }[] = [];
  for (let i = 0, j = 0; i < a.length || j < b.length;) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      lines.push({ mark: " ", line: a[i] ?? "" });
      i++;
      j++;
    } else if (j >= b.length || (i < a.length && at(i + 1, j) >= at(i, j + 1))) lines.push({ mark: "-", line: a[i++] ?? "" });
    else lines.push({ mark: "+", line: b[j++] ?? "" });
  }
  const near = lines.map((_, i) => lines.slice(Math.max(0, i - 1), i + 2).some(({ mark }) => mark !== " "));
  return lines.flatMap(({ mark, line }, i) => {
    if (near[i] !== true) return near[i - 1] === true ? [paint("dim", "  …")] : [];
    const shown = `  ${mark} ${printable(line)}`;
    return [mark === " " ? shown : paint(mark === "-" ? "green" : "red", shown)];
  });
}

export function asTap(summary: TestSummary): string {
  const out = ["TAP version 14", `1..${summary.results.length}`];
  summary.results.forEach((result, i) => {
    const failed = result.mismatches.length > 0;
    out.push(`${failed ? "not ok" : "ok"} ${i + 1} - ${oneLine(result.name).replace(/[#\\]/g, "\\$&")}`);
    out.push("  ---", `  duration_ms: ${result.tookMs.toFixed(3)}`);
    if (failed) {
      out.push(`  at: ${JSON.stringify(placeOf(result.test.span))}`, "  mismatches:");
      for (const { path, message, expected, actual } of result.mismatches) {
        out.push(`    - path: ${JSON.stringify(path)}`, `      message: ${JSON.stringify(message)}`);
        if (expected !== undefined) out.push(`      expected: ${JSON.stringify(expected)}`);
        if (actual !== undefined) out.push(`      actual: ${JSON.stringify(actual)}`);
      }
    }
    out.push("  ...");
  });
  return `${out.join("\n")}\n`;
}

export function asJunit(summary: TestSummary): string {
  const { results } = summary;
  const failures = results.filter((result) => result.mismatches.length > 0).length;
  const suite = `name="${xml(summary.app)}" tests="${results.length}" failures="${failures}" errors="0" skipped="0" time="${seconds(summary.tookMs)}"`;
  const cases = results.map((result) => {
    const head = `    <testcase name="${xml(result.name)}" classname="${xml(`${summary.app}.${result.test.operation}`)}" file="${xml(result.test.span.source.file)}" time="${seconds(result.tookMs)}"`;
    if (result.mismatches.length === 0 && result.printed === "") return `${head}/>`;
    const [first] = result.mismatches;
    const body =
      first === undefined
        ? ""
        : `      <failure message="${xml(first.message)}">${xml(result.mismatches.map((m) => m.message).join("\n"))}</failure>\n`;
    const printed = result.printed === "" ? "" : `      <system-out>${xml(result.printed)}</system-out>\n`;
    return `${head}>\n${body}${printed}    </testcase>`;
  });
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites tests="${results.length}" failures="${failures}" time="${seconds(summary.tookMs)}">\n  <testsuite ${suite}>\n${cases.join("\n")}\n  </testsuite>\n</testsuites>\n`;
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(6);
}

function oneLine(name: string): string {
  return printable(name.replaceAll(/\s+/g, " "));
}

// oxlint-disable-next-line no-control-regex
const NOT_IN_XML = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g;

function xml(value: string): string {
  const named: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\n": "&#10;" };
  return value
    .toWellFormed()
    .replace(NOT_IN_XML, "\ufffd")
    .replace(/[&<>"\n]/g, (c) => named[c] ?? c);
}
