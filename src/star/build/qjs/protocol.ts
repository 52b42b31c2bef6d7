// What the process that makes components of TypeScript is asked, and what it answers.

export interface QjsJob {
  /**
   * `whole`: by componentize-qjs, from nothing. `quick`: put into a component that was prepared for the WIT. `prepare`: make nothing, but make
   * sure that the next quick one can be made.
   */
  readonly kind: "whole" | "quick" | "prepare";
  /** The file of the componentize-qjs package to import, and its version. */
  readonly library: string;
  readonly version: string;
  readonly entry: string;
  /** The folder that sources may be in; paths in messages are relative to it. */
  readonly root: string;
  readonly wit: string;
  readonly world: string | undefined;
  /** Where the component lies. */
  readonly output: string;
}

export type QjsAnswer =
  | { readonly kind: "prepared" }
  | { readonly kind: "made"; readonly component: Uint8Array; readonly quick: boolean }
  | ({ readonly kind: "failed"; readonly message: string } & MistakeDetails);

export interface MistakeDetails {
  readonly cure?: string | undefined;
  /** `file:line:column`, relative to the root folder. */
  readonly at?: string | undefined;
  /** Lines that show more of it. */
  readonly output?: string | undefined;
}

/** What is wrong with the sources of a component, for whoever wrote them. */
export class SourceMistake extends Error {
  override readonly name = "SourceMistake";
  readonly details: MistakeDetails;

  constructor(message: string, details: MistakeDetails = {}) {
    super(message);
    this.details = details;
  }
}
