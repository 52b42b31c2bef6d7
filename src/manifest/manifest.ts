// A manifest as plain, frozen data: what its author wrote, checked for shape, every part with its place in the text.
// `parse.ts` makes it from text or gives every mistake at once; finding and typing the components comes after (`star/`).

import type { Span } from "../base/diagnostics.ts";
import type { ValType } from "../wit/types.ts";
import type { Given } from "./given.ts";
import type { Trigger } from "./triggers.ts";

export interface Manifest {
  /** The file, as people know it; relative paths start from its folder. */
  readonly file: string;
  readonly name?: string | undefined;
  readonly version?: string | undefined;
  readonly description?: string | undefined;
  /** Settings that whoever uses the app gives; read as `${config.NAME}`. */
  readonly parameters: readonly Parameter[];
  readonly components: readonly ComponentUse[];
  /** Named types of the `types:` block, usable in type expressions. */
  readonly types: ReadonlyMap<string, ValType>;
  readonly operations: readonly OperationDeclaration[];
  readonly tests: readonly TestDeclaration[];
  /** Files with further tests (`parseTestsFile` reads them); paths relative to the manifest's folder. */
  readonly testsFiles: readonly TestsFile[];
  readonly resources: readonly ResourceDeclaration[];
  /** One entry for each component that is granted something. */
  readonly grants: readonly ComponentGrants[];
  readonly limits: LimitsDeclaration;
  readonly isolation: Isolation;
  readonly triggers: readonly Trigger[];
  /** Every `${env.…}` and `${secret.…}` of the manifest, in the order of the text. */
  readonly outside: readonly OutsideReference[];
  readonly span: Span;
}

/** `${env.NAME}`, `${env.NAME:-fallback}` or `${secret.NAME}`: a text that only whoever starts the app has. */
export interface OutsideReference {
  readonly kind: "env" | "secret";
  readonly name: string;
  /** What stands for a variable that is unset or empty. */
  readonly fallback?: string | undefined;
  /** The parameter in whose default it stands: it is not needed where that parameter is given. */
  readonly parameter?: string | undefined;
  readonly span: Span;
}

/** `transaction`: fresh memory for each one. `shared`: one instance of each component, kept, for speed. */
export type Isolation = "transaction" | "shared";

/** Bounds of every transaction of the app; undefined where the default holds. */
export interface LimitsDeclaration {
  /** Of each memory of a component. */
  readonly memoryBytes?: number | undefined;
  readonly timeMs?: number | undefined;
  /** Units, about one an instruction, that all calls of a transaction may use together. */
  readonly fuel?: number | undefined;
  /** What a transaction answers and prints. */
  readonly outputBytes?: number | undefined;
}

export type ResourceKind = "keyvalue" | "blobs" | "messaging" | "sql" | "files";

/** One line of `resources:`: `cache: { keyvalue: "sqlite:./data/cache.db" }`. */
export interface ResourceDeclaration {
  readonly name: string;
  readonly kind: ResourceKind;
  /** `sqlite:./data/cache.db`, `./data` for files; references not yet replaced. Understood by the capability, not here. */
  readonly address: string;
  /** Of a `sql` resource: a folder of numbered .sql files, relative to the manifest's folder. */
  readonly migrations?: string | undefined;
  readonly migrationsSpan?: Span | undefined;
  /** Of a `keyvalue` resource: how long after it was last written an entry is gone. */
  readonly expireMs?: number | undefined;
  readonly span: Span;
  readonly addressSpan: Span;
}

export interface ComponentGrants {
  /** A name of `components:`. */
  readonly component: string;
  readonly grants: Grants;
  readonly span: Span;
}

/** What one component is granted; every part is absent where nothing was written. Texts have references not yet replaced. */
export interface Grants {
  readonly cli?: { readonly args: readonly GrantText[]; readonly env: readonly EnvGrant[] } | undefined;
  readonly clock?: "virtual" | "real" | undefined;
  readonly random?: "seeded" | "system" | undefined;
  /** By path as the guest sees it, absolute; `resource` names one of `resources:`, of the kind `files`. */
  readonly files?: readonly FilesGrant[] | undefined;
  readonly sockets?: { readonly connect: readonly GrantText[]; readonly listen: readonly GrantText[] } | undefined;
  readonly http?: readonly GrantText[] | undefined;
  readonly config?: readonly Setting[] | undefined;
  readonly keyvalue?: readonly BoundResource[] | undefined;
  readonly blobs?: readonly BoundResource[] | undefined;
  readonly messaging?: readonly BoundResource[] | undefined;
  readonly sql?: readonly BoundResource[] | undefined;
  /** An interface that the component imports, and the component of this app that answers. */
  readonly calls?: readonly CallGrant[] | undefined;
}

export interface GrantText {
  readonly text: string;
  readonly span: Span;
}

/** `env: [NAME]` takes the value from the environment of whoever starts the app; `env: { NAME: value }` gives it. */
export interface EnvGrant {
  readonly name: string;
  readonly value?: string | undefined;
  readonly span: Span;
}

export interface FilesGrant {
  readonly path: string;
  readonly resource: string;
  readonly readonly: boolean;
  readonly span: Span;
}

/** A name as the guest knows it, and the resource that stands behind it. */
export interface BoundResource {
  readonly name: string;
  readonly resource: string;
  readonly span: Span;
}

export interface CallGrant {
  readonly interface: string;
  readonly component: string;
  readonly span: Span;
}

export interface TestsFile {
  readonly path: string;
  readonly span: Span;
}

export interface Parameter {
  readonly name: string;
  readonly type: ValType;
  /** A JSON value of the type; absent where the parameter must be given. */
  readonly default?: Json | undefined;
  readonly description?: string | undefined;
  readonly span: Span;
}

/** One line of `components:`. */
export interface ComponentUse {
  readonly name: string;
  /** Relative to the manifest's folder, with `/`, starting with `./` or `../`: a `.wasm`, a manifest, or a folder. */
  readonly from: { readonly kind: "path"; readonly path: string };
  /** Values for the parameters of an app. */
  readonly with: readonly Setting[];
  /** How the file of `from` is made, where the manifest says so. */
  readonly build?: BuildDeclaration | undefined;
  readonly span: Span;
  readonly fromSpan: Span;
}

/** `build:` of a component. Paths are in the manifest's folder and relative to it, with `/`, starting with `./`, or `.` itself. */
export type BuildDeclaration = {
  readonly span: Span;
  /** Files and folders that it is made from. */
  readonly watch: readonly string[];
} & (
  | {
      readonly kind: "command";
      /** A line for the shell, or a program with its arguments. */
      readonly run: string | readonly string[];
      readonly in: string;
    }
  | { readonly kind: "typescript"; readonly entry: string; readonly wit: string; readonly world?: string | undefined }
);

/** A name with a JSON value, references not yet replaced. */
export interface Setting {
  readonly name: string;
  readonly value: Json;
  readonly span: Span;
  readonly valueSpan: Span;
  /**
   * Set by `substitute` where the value holds a text from the environment or a secret, `unread`: that was not read, and the value has its
   * reference still. Messages must not show the value.
   */
  readonly outside?: "read" | "unread" | undefined;
}

export interface OperationDeclaration {
  readonly name: string;
  readonly description?: string | undefined;
  /** Declared input ports; undefined where the manifest leaves them to be inferred from the flow. */
  readonly input?: readonly InputPort[] | undefined;
  readonly output?: readonly OutputPort[] | undefined;
  readonly nodes: readonly NodeDeclaration[];
  readonly flow: FlowText;
  readonly span: Span;
}

/** The text of a flow; it knows where each of its characters stands in the manifest. */
export interface FlowText {
  readonly text: string;
  readonly span: Span;
  /** The place in the manifest of a range of `text` (UTF-16 offsets). */
  place(start: number, end: number): Span;
}

export interface InputPort {
  readonly name: string;
  /** Undefined where only rules were written: the type is inferred from the flow. */
  readonly type?: ValType | undefined;
  readonly rules: SanitizationRules;
  /** JSON of the type; checked by `checkPort` where the type is inferred. */
  readonly default?: Json | undefined;
  readonly description?: string | undefined;
  readonly span: Span;
  /** Where the values of its keys stand: `type`, `default`, `min`, … */
  readonly keySpans: ReadonlyMap<string, Span>;
}

export interface OutputPort {
  readonly name: string;
  /** Undefined where it is inferred from the flow. */
  readonly type?: ValType | undefined;
  readonly description?: string | undefined;
  readonly span: Span;
  readonly keySpans: ReadonlyMap<string, Span>;
}

/**
 * What is done to and asked of an input value, in this order; every violation is reported with its path. Rules about text and `oneOf` reach
 * through options and into each element of a list; `min` and `max` of a list are about its length.
 */
export interface SanitizationRules {
  readonly trim?: boolean | undefined;
  readonly lowercase?: boolean | undefined;
  readonly uppercase?: boolean | undefined;
  readonly normalize?: "NFC" | "NFD" | "NFKC" | "NFKD" | undefined;
  /** Of a number its value, of a text its length in code points, of a list its length. */
  readonly min?: number | undefined;
  readonly max?: number | undefined;
  /** A regular expression (`v` flag) that the whole text must match, in linear time: see `pattern.ts`. */
  readonly pattern?: string | undefined;
  readonly format?: "email" | "uri" | "uuid" | "date-time" | "hostname" | "ip" | undefined;
  readonly oneOf?: readonly Json[] | undefined;
}

export interface NodeDeclaration {
  readonly id: string;
  /** `component::operation` or `component::interface#operation`. */
  readonly uses: string;
  readonly with: readonly Setting[];
  readonly timeoutMs?: number | undefined;
  /** `attempts` counts the first one; `backoffMs` is waited between two. */
  readonly retry?: { readonly attempts: number; readonly backoffMs: number } | undefined;
  readonly concurrency?: number | undefined;
  readonly span: Span;
  readonly usesSpan: Span;
}

export interface TestDeclaration {
  readonly name?: string | undefined;
  readonly operation: string;
  readonly input: { readonly [port: string]: Json };
  /** A JSON value with matchers: see `expect.ts`; undefined: it must only succeed. */
  readonly expect?: Json | undefined;
  readonly seed?: number | undefined;
  /** Milliseconds since 1970. */
  readonly timestampMs?: number | undefined;
  /** A record that is replayed, relative to the manifest's folder: its operation, input, seed, time, and all that came from outside. */
  readonly record?: string | undefined;
  /** What capabilities answer, hold and fail with in this test. */
  readonly given?: Given | undefined;
  readonly span: Span;
}

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
