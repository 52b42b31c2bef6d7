// The table of commands: what each is for, its options, and the file that runs it (loaded only when it is called).

import type { CommandLine, LineSpec } from "./command-line.ts";

export interface Command extends LineSpec {
  readonly name: string;
  readonly summary: string;
  /** What stands after `starlane NAME`. */
  readonly usage: string;
  readonly examples: readonly string[];
  /** What else can be written, and what it means. */
  readonly values?: readonly (readonly [written: string, means: string])[];
  /** The status to end with. */
  load(): Promise<{ run(line: CommandLine): Promise<number> }>;
}

const TARGET = "TARGET is a manifest, a folder with a starlane.yaml, or a .wasm component.";

export const COMMANDS: readonly Command[] = [
  {
    name: "check",
    summary: "Find every mistake of a manifest and the components it names; run nothing.",
    usage: "TARGET [--json]",
    options: [{ name: "json", summary: "Print what was found as one JSON value." }],
    maxPositionals: 1,
    examples: ["starlane check examples/hello", "starlane check app/starlane.yaml"],
    load: () => import("./check.ts"),
  },
  {
    name: "invoke",
    summary: "Run one operation and print its result.",
    usage: "TARGET [OPERATION] [--PORT VALUE …] [options]",
    options: [
      {
        name: "input",
        value: "JSON|@FILE|-",
        summary: "All ports as one JSON object: written here, in a file, or on standard input.",
      },
      { name: "seed", value: "N", summary: "Seed of everything random; the same seed gives the same result." },
      { name: "timestamp", value: "T", summary: "What the clock shows: ISO 8601, or milliseconds since 1970." },
      { name: "timeout", value: "D", summary: "Stop after this time: 500ms, 2s, 1m." },
      { name: "json", summary: "Print the result as JSON on a terminal too, and errors as JSON." },
      { name: "record", value: "FILE", summary: "Keep a record of the transaction. Not supported yet." },
    ],
    maxPositionals: 2,
    takesPorts: true,
    values: [
      ["--PORT VALUE", "Text, numbers and names as they are, JSON for the rest; a list is its port given several times."],
      ["--PORT @FILE", "What is in a file: its text, or its bytes where the type is list<u8>."],
      ["--PORT @-", "What standard input gives."],
      ["--PORT @@TEXT", "The text @TEXT."],
    ],
    examples: [
      "starlane invoke examples/hello greet --name Ada",
      "starlane invoke examples/feedback --csv @examples/feedback/feedback.csv",
      'echo \'{"name":"Ada"}\' | starlane invoke examples/hello greet --input -',
      "starlane invoke text.wasm upper --s straße",
    ],
    load: () => import("./invoke.ts"),
  },
  {
    name: "test",
    summary: "Run the tests of a manifest.",
    usage: "TARGET [NAME] [--tap | --junit] [--watch]",
    options: [
      { name: "tap", summary: "Print TAP version 14." },
      { name: "junit", summary: "Print JUnit XML." },
      { name: "watch", summary: "Run again whenever a file of the app changes." },
    ],
    maxPositionals: 2,
    examples: ["starlane test examples/hello", "starlane test examples/hello greets --tap"],
    load: () => import("./test.ts"),
  },
  {
    name: "inspect",
    summary: "Show what a component or app asks for and offers, and the graphs of its flows.",
    usage: "TARGET [--operation NAME] [--wit | --json | --dot | --svg]",
    options: [
      { name: "operation", value: "NAME", summary: "Only this operation." },
      { name: "wit", summary: "Print WIT: every interface with its types." },
      { name: "json", summary: "Print one JSON value." },
      { name: "dot", summary: "Print the graph of a flow for Graphviz." },
      { name: "svg", summary: "Print the graph of a flow as an SVG image." },
    ],
    maxPositionals: 1,
    examples: ["starlane inspect text.wasm --wit", "starlane inspect examples/feedback --svg > graph.svg"],
    load: () => import("./inspect.ts"),
  },
];

export const TARGET_HELP = TARGET;

/** Known, planned, and answered with "not supported yet". */
export const PLANNED_COMMANDS: readonly string[] = [
  "new",
  "dev",
  "build",
  "run",
  "serve",
  "replay",
  "bundle",
  "package",
  "star",
  "deploy",
  "upgrade",
  "rollback",
  "status",
  "logs",
  "trace",
  "lane",
];
