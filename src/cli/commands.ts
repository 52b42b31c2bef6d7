// The table of commands: what each is for, its options, and the file that runs it (loaded only when it is called).

import type { CommandLine, LineSpec } from "./command-line.ts";

export interface Command extends LineSpec {
  readonly name: string;
  readonly summary: string;
  /** What stands after `starlane NAME`. */
  readonly usage: string;
  readonly examples: readonly string[];
  /** Words that there must be; 1 where it is left out. */
  readonly minPositionals?: number;
  /** What else can be written, and what it means. */
  readonly values?: readonly (readonly [written: string, means: string])[];
  /** The status to end with. */
  load(): Promise<{ run(line: CommandLine): Promise<number> }>;
}

const TARGET = "TARGET is a manifest, a folder with a starlane.yaml, or a .wasm component.";

export const COMMANDS: readonly Command[] = [
  {
    name: "new",
    summary: "Write a new app into a folder, with a component in a language of your choice.",
    usage: "[NAME] [--template LANGUAGE] [--dir FOLDER]",
    options: [
      {
        name: "template",
        short: "t",
        value: "LANGUAGE",
        summary: "typescript, rust, go, python, c or assemblyscript; typescript where it is left out.",
      },
      { name: "dir", value: "FOLDER", summary: "Write it there; a folder of its name where it is left out." },
    ],
    minPositionals: 0,
    maxPositionals: 1,
    values: [
      ["NAME", "What the app is called: lower-case words joined by hyphens, behind your space if you have one: acme/shop."],
    ],
    examples: ["starlane new shop", "starlane new acme/shop --template rust"],
    load: () => import("./new.ts"),
  },
  {
    name: "build",
    summary: "Build the components that say how they are built, where their sources have changed.",
    usage: "[TARGET] [COMPONENT …] [--force] [options]",
    options: [
      { name: "force", summary: "Build what has not changed too." },
      { name: "timeout", value: "D", summary: "Stop the build of a component after this time; 15m where it is left out." },
      { name: "json", summary: "Print what became of each component as one JSON value." },
    ],
    minPositionals: 0,
    maxPositionals: 1000,
    values: [
      ["TARGET", "The folder you are in, where it is left out."],
      ["COMPONENT", "Names of components; all of them, and those of apps inside the app, where none is given."],
    ],
    examples: ["starlane build", "starlane build shop", "starlane build shop text --force"],
    load: () => import("./build.ts"),
  },
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
      { name: "usage", summary: "Tell what was used: fuel, memory, calls." },
      { name: "record", value: "FILE", summary: "Keep a record of the transaction, for `starlane replay`." },
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
    name: "replay",
    summary: "Run a recorded transaction again, answered from its record: no network, clock or storage is touched.",
    usage: "FILE [TARGET] [--as-test] [--json]",
    options: [
      { name: "as-test", summary: "Add it to the tests of the app." },
      { name: "json", summary: "Print the result as JSON on a terminal too, and errors as JSON." },
    ],
    maxPositionals: 2,
    values: [["TARGET", "What to run; the target that was recorded where it is left out."]],
    examples: ["starlane replay failed.json", "starlane replay failed.json app --as-test"],
    load: () => import("./replay.ts"),
  },
  {
    name: "run",
    summary: "Run a command: a wasi:cli component, or what the `cli` triggers of an app name.",
    usage: "[options] TARGET [NAME] [ARGUMENT …]",
    options: [
      {
        name: "env",
        value: "NAME[=VALUE]",
        repeats: true,
        summary: "Let a component see a variable, of this environment or with this value.",
      },
      {
        name: "dir",
        value: "GUEST=HOST[:ro]",
        repeats: true,
        summary: "Let a component use a folder under the path GUEST; :ro to read only.",
      },
      { name: "timeout", value: "D", summary: "Stop after this time: 500ms, 2s, 1m." },
      { name: "usage", summary: "Tell what was used: fuel, memory, calls." },
      { name: "record", value: "FILE", summary: "Keep a record of the transaction, for `starlane replay`." },
      { name: "json", summary: "Print the result of an operation as JSON on a terminal too, and errors as JSON." },
      { name: "completion", value: "bash|zsh|fish", summary: "Print a script that makes this shell complete `starlane run`." },
    ],
    maxPositionals: 1,
    takesRest: true,
    examples: [
      "starlane run examples/wordcount -- haiku.txt",
      "starlane run examples/cron --help",
      "starlane run --dir /=. wc.wasm -l /notes.txt",
      "source <(starlane run examples/cron --completion bash)",
    ],
    load: () => import("./run.ts"),
  },
  {
    name: "serve",
    summary: "Answer HTTP requests and run schedules, as the triggers of apps say.",
    usage: "TARGET … [--port N] [--host ADDRESS] [--shards N] [options]",
    options: [
      { name: "port", value: "N", summary: "Listen at this port; 0: any that is free." },
      { name: "host", value: "ADDRESS", summary: "Listen at this address; 127.0.0.1 where a manifest names none." },
      { name: "shards", value: "N", summary: "Processes that serve side by side; one that ends is replaced." },
      { name: "record", value: "DIR", summary: "Keep a record of every transaction there, and not only of those that fail." },
      {
        name: "log-level",
        value: "LEVEL",
        summary: "Log from this level on: trace, debug, info, warn, error, critical; else info.",
      },
      { name: "log-format", value: "json|text", summary: "How it is logged: text on a terminal, else lines of JSON." },
    ],
    maxPositionals: 64,
    examples: ["starlane serve examples/hello", "starlane serve shop blog --shards 2"],
    load: () => import("./serve.ts"),
  },
  {
    name: "dev",
    summary: "Serve apps while they are written: changes are built and served at once, mistakes shown in the browser.",
    usage: "TARGET … [--port N] [--host ADDRESS] [--dashboard-port N]",
    options: [
      { name: "port", value: "N", summary: "Listen at this port; 0: any that is free." },
      { name: "host", value: "ADDRESS", summary: "Listen at this address; 127.0.0.1 where a manifest names none." },
      {
        name: "dashboard-port",
        value: "N",
        summary: "Where the page with the app's graph is; 7420, or the next one that is free.",
      },
    ],
    maxPositionals: 64,
    examples: ["starlane dev examples/hello", "starlane dev shop blog --port 3000"],
    load: () => import("./dev.ts"),
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
