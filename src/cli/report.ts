// Shows an error on standard error and says which status to end with. Stack traces only with `--verbose`.

import { DiagnosticsError, renderDiagnostic, type Diagnostic } from "../base/diagnostics.ts";
import { StarlaneError } from "../base/errors.ts";
import { Mistakes } from "../star/mistakes.ts";
import { paintFor, printable, type Paint } from "./terminal.ts";

export interface ReportOptions {
  readonly verbose: boolean;
  readonly json: boolean;
}

// A file can be wrong in thousands of places; nobody reads more than this.
const MAX_SHOWN = 50;
const MAX_MESSAGE = 4000;

/** Writes the error to standard error; the answer is the exit status. */
export function report(thrown: unknown, options: ReportOptions): number {
  const error = asStarlaneError(thrown);
  if (options.json) process.stderr.write(`${JSON.stringify({ error: dataOf(error) })}\n`);
  else process.stderr.write(`${renderError(error, paintFor(process.stderr))}\n`);
  if (options.verbose) process.stderr.write(`${stackOf(thrown)}\n`);
  return error.exit;
}

function asStarlaneError(thrown: unknown): StarlaneError {
  if (thrown instanceof StarlaneError) return thrown;
  const message = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
  return new StarlaneError("starlane/internal", message, {
    cause: thrown,
    cure: "run again with --verbose and report what it shows",
  });
}

/** An error for people: every mistake it carries, each with where and what to do. */
function renderError(error: StarlaneError, paint: Paint): string {
  if (error instanceof DiagnosticsError) return renderDiagnostics(error.diagnostics, paint);
  if (error instanceof Mistakes) return error.errors.map((e) => renderOne(e, paint)).join("\n");
  return renderOne(error, paint);
}

/** Diagnostics with their frames, errors first as they stand, and how many there are. */
export function renderDiagnostics(diagnostics: readonly Diagnostic[], paint: Paint): string {
  const blocks = diagnostics.slice(0, MAX_SHOWN).map((d) => paintDiagnostic(d, paint));
  if (diagnostics.length > MAX_SHOWN) blocks.push(`… and ${diagnostics.length - MAX_SHOWN} more`);
  return `${blocks.join("\n\n")}\n\n${countOf(diagnostics)}`;
}

/** `2 errors, 1 warning`. */
export function countOf(diagnostics: readonly Diagnostic[]): string {
  const errors = diagnostics.filter((d) => d.severity === "error").length;
  const warnings = diagnostics.length - errors;
  const parts = [];
  if (errors > 0) parts.push(`${errors} error${errors === 1 ? "" : "s"}`);
  if (warnings > 0) parts.push(`${warnings} warning${warnings === 1 ? "" : "s"}`);
  return parts.join(", ");
}

function paintDiagnostic(diagnostic: Diagnostic, paint: Paint): string {
  const style = diagnostic.severity === "error" ? "red" : "yellow";
  const [head = "", ...frame] = printable(renderDiagnostic(diagnostic)).split("\n");
  const coloured = frame.map((line) => {
    if (/^\s*\| *\^+$/.test(line)) return line.replace(/\^+/, (carets) => paint(style, carets));
    return /^\s*(-->|= )/.test(line) ? paint("cyan", line) : line;
  });
  const colon = head.indexOf(":");
  return [paint(style, head.slice(0, colon)) + paint("bold", head.slice(colon)), ...coloured].join("\n");
}

function renderOne(error: StarlaneError, paint: Paint): string {
  const lines = [`${paint("red", `error[${error.code}]`)}${paint("bold", `: ${shorten(error.message)}`)}`];
  if (error.at !== undefined) lines.push(paint("cyan", `  --> ${shorten(error.at)}`));
  for (const cause of causesOf(error)) lines.push(`  because: ${shorten(cause)}`);
  if (error.cure !== undefined) lines.push(paint("cyan", `  = ${shorten(error.cure)}`));
  return lines.join("\n");
}

function shorten(text: string): string {
  const safe = printable(text);
  return safe.length <= MAX_MESSAGE ? safe : `${safe.slice(0, MAX_MESSAGE)}… (${safe.length} characters)`;
}

/** The messages of the causes that the error's own message does not already say. */
function causesOf(error: StarlaneError): string[] {
  const out: string[] = [];
  let said = error.message;
  for (let cause = error.cause; cause instanceof Error && out.length < 5; cause = cause.cause) {
    const text = cause instanceof StarlaneError ? `${cause.message} [${cause.code}]` : cause.message;
    if (!said.includes(cause.message)) out.push(text);
    said += `\n${cause.message}`;
  }
  return out;
}

function dataOf(error: StarlaneError): unknown {
  if (error instanceof Mistakes) return { ...error.toJSON(), errors: error.errors.map((e) => e.toJSON()) };
  if (error instanceof DiagnosticsError) {
    return { ...error.toJSON(), diagnostics: error.diagnostics.map((d) => diagnosticData(d)) };
  }
  return error.toJSON();
}

/** A diagnostic as plain JSON. */
export function diagnosticData(diagnostic: Diagnostic): Record<string, unknown> {
  const { code, severity, message, cure, span } = diagnostic;
  return {
    code,
    severity,
    message,
    file: span.source.file,
    start: span.start,
    end: span.end,
    ...(cure === undefined ? {} : { cure }),
  };
}

function stackOf(thrown: unknown): string {
  const out: string[] = [];
  for (let at: unknown = thrown; at instanceof Error && out.length < 10; at = at.cause)
    out.push(printable(at.stack ?? at.message));
  return out.join("\ncaused by: ");
}
