// Prints what the page tells, in the manner of TAP: a line for each file, below it what there is to say of its tests.

import type { PageState, Report, TestResult } from "./protocol.ts";
import type { Listener } from "./run.ts";

export class Printer implements Listener {
  readonly #verbose: boolean;
  readonly #count = { passed: 0, failed: 0, skipped: 0 };
  readonly #startedAt = performance.now();
  #finished = 0;
  #lines = 0;
  #bailed = false;
  readonly #results = new Map<string, TestResult[]>();

  constructor(verbose: boolean) {
    this.#verbose = verbose;
  }

  browser({ browser, lacks }: PageState): void {
    print(`# ${browser}${lacks.length > 0 ? `, which lacks ${lacks.join(", ")}` : ""}`);
  }

  report(report: Report): void {
    if (report.kind === "file-started") this.#results.set(report.file, []);
    if (report.kind === "test") this.#results.getOrInsert(report.file, []).push(report.result);
    if (report.kind === "file-finished") this.#file(report.file, this.#results.get(report.file) ?? []);
  }

  /** A file that is not run here. */
  skip(file: string, reason: string): void {
    print(`ok ${++this.#lines} - ${file} # SKIP ${reason}`);
  }

  /** The run ended before its time. */
  bail(why: string): void {
    this.#bailed = true;
    for (const [file, results] of this.#results) this.#tests(`not ok ${++this.#lines} - ${file} # not all of it`, results);
    print(`Bail out! ${inCheckout(why)}`);
  }

  /** Whether all went well. */
  end(files: number): boolean {
    const { passed, failed, skipped } = this.#count;
    const seconds = ((performance.now() - this.#startedAt) / 1000).toFixed(1);
    print(`1..${this.#lines}`);
    print(`# ${this.#finished} of ${files} files: ${passed} tests passed, ${failed} failed, ${skipped} skipped, in ${seconds} s`);
    return !this.#bailed && failed === 0 && passed > 0 && this.#finished === files;
  }

  #file(file: string, results: readonly TestResult[]): void {
    this.#results.delete(file);
    this.#finished++;
    const isOk = results.every(({ outcome }) => outcome !== "failed");
    const ms = results.reduce((sum, { durationMs }) => sum + durationMs, 0);
    this.#tests(`${isOk ? "ok" : "not ok"} ${++this.#lines} - ${file} # ${results.length} tests, ${Math.round(ms)} ms`, results);
  }

  #tests(line: string, results: readonly TestResult[]): void {
    print(line);
    for (const result of results) this.#test(result);
  }

  #test({ name, outcome, reason = "", diagnostics, durationMs }: TestResult): void {
    this.#count[outcome]++;
    if (this.#verbose || outcome !== "passed") {
      const end = outcome === "skipped" ? ` # SKIP ${reason}` : "";
      print(`    ${outcome === "failed" ? "not ok" : "ok"} - ${name.join(" > ")}${end}`);
      if (outcome === "failed") for (const line of inCheckout(reason).split("\n")) print(`        ${line}`);
      if (this.#verbose) print(`        # ${durationMs.toFixed(1)} ms`);
    }
    for (const text of diagnostics) print(`    # ${text}`);
  }
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Paths in stack traces as people know them. */
function inCheckout(text: string): string {
  return text.replaceAll(/http:\/\/127\.0\.0\.1:\d+\/(?:checkout\/)?/g, "");
}
