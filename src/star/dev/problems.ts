// What keeps the last change from being served, as plain data: for the terminal, the page, and the overlay in the browser. Bounds: MOST_PROBLEMS,
// LONGEST_TEXT of each text.

import { DiagnosticsError, placeOf, renderDiagnostic, type Diagnostic } from "../../base/diagnostics.ts";
import { StarlaneError } from "../../base/errors.ts";
import type { Failed } from "../build/build.ts";
import { Mistakes } from "../mistakes.ts";

export interface Problem {
  readonly severity: "error" | "warning";
  readonly code: string;
  readonly message: string;
  /** `file:line:column`, or where else. */
  readonly at?: string | undefined;
  /** The lines around it, with a caret; or what a tool printed. */
  readonly frame?: string | undefined;
  readonly cure?: string | undefined;
}

const MOST_PROBLEMS = 100;
const LONGEST_TEXT = 16 * 1024;

/** Every mistake that an error carries. */
export function problemsOf(thrown: unknown): readonly Problem[] {
  if (thrown instanceof DiagnosticsError) return problemsOfDiagnostics(thrown.diagnostics);
  if (thrown instanceof Mistakes) return thrown.errors.slice(0, MOST_PROBLEMS).map(problemOfError);
  return [problemOfError(thrown)];
}

export function problemsOfDiagnostics(diagnostics: readonly Diagnostic[]): readonly Problem[] {
  return diagnostics.slice(0, MOST_PROBLEMS).map(({ severity, code, message, cure, span }) => {
    // Its first lines say what stands beside it, its last one the cure.
    const lines = renderDiagnostic({ severity, code, message: "", span }).split("\n").slice(2);
    return { severity, code, message: cut(message), at: placeOf(span), frame: lines.join("\n"), cure };
  });
}

/** A component that could not be built. */
export function problemOfBuild({ plan, error, output }: Failed): Problem {
  const problem = problemOfError(error);
  const printed = output.trim();
  return { ...problem, at: problem.at ?? plan.component, ...(printed === "" ? {} : { frame: lastOf(printed) }) };
}

function problemOfError(thrown: unknown): Problem {
  if (!(thrown instanceof StarlaneError)) {
    return {
      severity: "error",
      code: "starlane/internal",
      message: cut(thrown instanceof Error ? thrown.message : String(thrown)),
    };
  }
  const { code, message, at, cure } = thrown;
  const causes = causesOf(thrown);
  return { severity: "error", code, message: cut(message), at, cure, ...(causes === "" ? {} : { frame: cut(causes) }) };
}

/** What the causes say that the error does not. */
function causesOf(error: StarlaneError): string {
  const told: string[] = [];
  let said = error.message;
  for (let cause = error.cause; cause instanceof Error && told.length < 5; cause = cause.cause) {
    if (!said.includes(cause.message)) told.push(`because: ${cause.message}`);
    said += `\n${cause.message}`;
  }
  return told.join("\n");
}

function cut(text: string): string {
  return text.length <= LONGEST_TEXT ? text : `${text.slice(0, LONGEST_TEXT)}…`;
}

function lastOf(text: string): string {
  return text.length <= LONGEST_TEXT ? text : `…${text.slice(-LONGEST_TEXT)}`;
}
