// What the page tells the server of the tests while it runs them.

export interface TestResult {
  /** Suites around the test, then its own name. */
  readonly name: readonly string[];
  readonly outcome: "passed" | "failed" | "skipped";
  /** Why it failed, or why it was skipped. */
  readonly reason?: string;
  readonly diagnostics: readonly string[];
  readonly durationMs: number;
}

export type Report =
  | { readonly kind: "file-started"; readonly file: string }
  | { readonly kind: "test-started"; readonly file: string; readonly name: readonly string[] }
  | { readonly kind: "test"; readonly file: string; readonly result: TestResult }
  | { readonly kind: "file-finished"; readonly file: string };

/** What a page says of itself when it asks for its next file. */
export interface PageState {
  /** Name and version of the browser. */
  readonly browser: string;
  /** What the sources need of a browser, and this one has not. */
  readonly lacks: readonly string[];
}
