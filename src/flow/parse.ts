// The flow language: text -> tree, or every mistake at once. Recursive descent over the grammar of the flow language; after a
// mistake parsing goes on behind the line. Bounded by MAX_TEXT and MAX_LINES; time is linear in the text.
//
//   flow   := { line ( newline | ";" ) }                 literal := JSON
//   line   := source { "->" step } "->" sink             source may carry "??" literal
//   source := "<>" [path] | node [path] | node "!" | literal
//   step   := node [ "." port ]
//   sink   := "<>" [ "." port ] | node [ "." port ] | "drop"
//   node   := component "::" operation [ "[" id "]" ] | id
//   path   := { "." name | "[" index "]" }

import type { Diagnostic } from "../base/diagnostics.ts";
import type { FlowText } from "../manifest/manifest.ts";
import { FlowSyntaxError, Lexer } from "./lexer.ts";
import type {
  FlowLine,
  LiteralSyntax,
  NameSyntax,
  NodeSyntax,
  PathPart,
  SinkSyntax,
  SourceSyntax,
  StepSyntax,
} from "./syntax.ts";

/** In UTF-16 units. */
export const MAX_TEXT = 1 << 20;
export const MAX_LINES = 20_000;
const MAX_MISTAKES = 100;
const MAX_STEPS = 20_000;
const MAX_PATH = 64;

/** Words of the language that cannot name a node. */
const RESERVED = new Set(["drop", "true", "false", "null"]);

interface ParsedFlow {
  readonly lines: readonly FlowLine[];
  readonly diagnostics: readonly Diagnostic[];
}

/** Parses a flow; the lines that are sound come back even where others have mistakes. */
export function parseFlow(flow: FlowText): ParsedFlow {
  const { text } = flow;
  const lines: FlowLine[] = [];
  const diagnostics: Diagnostic[] = [];
  const report = (code: "flow/syntax" | "flow/too-large", start: number, end: number, message: string, cure: string): void => {
    diagnostics.push({ code, severity: "error", message, span: flow.place(start, end), cure });
  };
  if (text.length > MAX_TEXT) {
    report(
      "flow/too-large",
      0,
      1,
      `this flow has ${text.length} characters; at most ${MAX_TEXT} are read`,
      "Split it into several operations.",
    );
    return { lines, diagnostics };
  }
  const lexer = new Lexer(text);
  while (!lexer.atEnd && diagnostics.length < MAX_MISTAKES) {
    lexer.skipBlank();
    if (!lexer.atLineEnd) {
      if (lines.length >= MAX_LINES) {
        report(
          "flow/too-large",
          lexer.at,
          lexer.at + 1,
          `this flow has more than ${MAX_LINES} lines`,
          "Split it into several operations.",
        );
        break;
      }
      try {
        lines.push(parseLine(lexer));
      } catch (error) {
        if (!(error instanceof FlowSyntaxError)) throw error;
        report("flow/syntax", error.start, Math.max(error.end, error.start), error.message, error.cure);
        lexer.skipLine();
      }
    }
    lexer.at++;
  }
  return { lines, diagnostics };
}

function parseLine(lexer: Lexer): FlowLine {
  const start = lexer.at;
  const source = parseSource(lexer);
  lexer.skipBlank();
  const fallback = parseFallback(lexer);
  const steps: StepSyntax[] = [];
  let end = lexer.at;
  for (;;) {
    expectArrow(lexer, steps.length === 0);
    const sink = parseSink(lexer);
    end = lexer.at;
    lexer.skipBlank();
    if (lexer.atLineEnd) return { start, end, source, fallback, steps, sink };
    if (sink.kind !== "node") throw afterSink(lexer, sink);
    refuseAfterStep(lexer, sink);
    if (steps.length >= MAX_STEPS)
      throw new FlowSyntaxError(lexer.here(), `a line may have ${MAX_STEPS} steps`, "Start a new line.");
    steps.push(sink);
  }
}

function parseSource(lexer: Lexer): SourceSyntax {
  const start = lexer.at;
  if (lexer.has("->")) {
    throw new FlowSyntaxError(
      { start, end: start + 2 },
      "a line starts with a source, not with `->`",
      "Join it to the line before: a line break ends a line.",
    );
  }
  if (lexer.accept("<>")) {
    refuseNameBehindBoundary(lexer);
    return { kind: "boundary", path: parsePath(lexer), start, end: lexer.at };
  }
  if (lexer.atLiteral) return parseLiteral(lexer);
  if (lexer.has("<"))
    throw new FlowSyntaxError(
      lexer.here(),
      "`<` starts nothing here",
      "The input of the operation is written `<>`, without a space.",
    );
  if (lexer.has("'"))
    throw new FlowSyntaxError(lexer.here(), "`'` starts nothing here", "Literals are JSON: texts stand in double quotes.");
  if (lexer.hasWord("drop"))
    throw new FlowSyntaxError(
      lexer.here(),
      "`drop` gives nothing: it stands at the end of a line",
      "Start the line with a source: `<>.port`, a node or a literal.",
    );
  const node = parseNode(lexer, "a source: `<>`, a node or a JSON literal");
  if (lexer.accept("!")) {
    if (lexer.has(".") || lexer.has("[")) {
      throw new FlowSyntaxError(
        lexer.here(),
        "an error is taken whole: `!` has no path behind it",
        "Take one field of it with `core::pick`, `with: { path: message }`.",
      );
    }
    return { kind: "error", node, start, end: lexer.at };
  }
  return { kind: "node", node, path: parsePath(lexer), start, end: lexer.at };
}

function parseLiteral(lexer: Lexer): LiteralSyntax {
  const { start, end, value } = lexer.literal();
  return { kind: "literal", start, end, value };
}

function parseFallback(lexer: Lexer): LiteralSyntax | undefined {
  if (!lexer.accept("??")) return undefined;
  lexer.skipBlank();
  if (lexer.atLiteral) return parseLiteral(lexer);
  const found = lexer.has("->") ? "`->`" : lexer.found();
  throw new FlowSyntaxError(
    lexer.here(),
    `expected a JSON literal behind \`??\`, found ${found}`,
    'Write the value to use instead: `?? "none"`, `?? 0`, `?? null`.',
  );
}

function parseSink(lexer: Lexer): SinkSyntax {
  lexer.skipBlank();
  const start = lexer.at;
  if (lexer.atLineEnd)
    throw new FlowSyntaxError(
      lexer.here(),
      "`->` leads nowhere: the line ends behind it",
      "Name a node, `<>` or `drop` on the same line.",
    );
  if (lexer.has("->"))
    throw new FlowSyntaxError(
      { start, end: start + 2 },
      "two `->` with nothing between them",
      "Take one out, or write the node that belongs between them.",
    );
  if (lexer.accept("<>")) {
    refuseNameBehindBoundary(lexer);
    const port = parsePort(lexer);
    return { kind: "boundary", port, start, end: lexer.at };
  }
  if (lexer.hasWord("drop")) {
    lexer.at += "drop".length;
    return { kind: "drop", start, end: lexer.at };
  }
  if (lexer.atLiteral || lexer.has("'")) {
    throw new FlowSyntaxError(
      lexer.here(),
      "a literal takes no input: it stands at the start of a line",
      "Set a constant input with `with`, or start a line of its own with the literal.",
    );
  }
  const node = parseNode(lexer, "a node, `<>` or `drop`");
  return { kind: "node", node, port: parsePort(lexer), start, end: lexer.at };
}

/** `component::operation[id]` or `id`. */
function parseNode(lexer: Lexer, what: string): NodeSyntax {
  const start = lexer.at;
  const first = lexer.name(what);
  if (lexer.has(":") && !lexer.has("::")) {
    throw new FlowSyntaxError(
      { start: lexer.at, end: lexer.at + 1 },
      "expected `::` between component and operation, found `:`",
      `Write \`${first.name}::\` and the operation.`,
    );
  }
  if (!lexer.accept("::")) {
    if (RESERVED.has(first.name))
      throw new FlowSyntaxError(first, `\`${first.name}\` is a word of the language and names no node`, "Choose another id.");
    return { kind: "id", id: first.name, start, end: lexer.at };
  }
  const operation = lexer.operation();
  const id = parseId(lexer);
  return { kind: "use", component: first, operation, id, start, end: lexer.at };
}

/** `[id]`; an index (`[0]`) is left to the path. */
function parseId(lexer: Lexer): NameSyntax | undefined {
  if (lexer.has("[]"))
    throw new FlowSyntaxError(
      { start: lexer.at, end: lexer.at + 2 },
      "expected an id between `[` and `]`",
      "Write one, or leave out the brackets.",
    );
  if (!/^\[\s*[A-Za-z_$]/.test(lexer.text.slice(lexer.at, lexer.at + 8))) return undefined;
  lexer.accept("[");
  lexer.skipBlank();
  const id = lexer.name("an id");
  if (RESERVED.has(id.name))
    throw new FlowSyntaxError(id, `\`${id.name}\` is a word of the language and names no node`, "Choose another id.");
  lexer.skipBlank();
  if (!lexer.accept("]"))
    throw new FlowSyntaxError(
      lexer.here(),
      `expected \`]\` behind the id, found ${lexer.found()}`,
      "Write the id between `[` and `]`: `component::operation[id]`.",
    );
  return id;
}

function parsePath(lexer: Lexer): PathPart[] {
  const path: PathPart[] = [];
  for (;;) {
    if (path.length > MAX_PATH)
      throw new FlowSyntaxError(lexer.here(), `a path may have ${MAX_PATH} parts`, "Take the value apart in several steps.");
    if (lexer.accept(".")) {
      path.push({ kind: "name", ...lexer.name("the name of a port or field behind `.`") });
    } else if (lexer.has("[")) {
      const start = lexer.at++;
      const index = lexer.index();
      if (index === undefined) throw badIndex(lexer);
      if (!lexer.accept("]"))
        throw new FlowSyntaxError(
          lexer.here(),
          `expected \`]\` behind the index, found ${lexer.found()}`,
          "Write the index between `[` and `]`: `[0]`.",
        );
      path.push({ kind: "index", index, start, end: lexer.at });
    } else return path;
  }
}

function parsePort(lexer: Lexer): NameSyntax | undefined {
  if (!lexer.accept(".")) return undefined;
  const port = lexer.name("the name of a port behind `.`");
  if (lexer.has(".") || lexer.has("[")) {
    throw new FlowSyntaxError(
      lexer.here(),
      "a connection ends at a port, not at a part of its value",
      "Make the whole value first, for example with `core::expr`.",
    );
  }
  return port;
}

function expectArrow(lexer: Lexer, first: boolean): void {
  lexer.skipBlank();
  if (lexer.accept("->")) return;
  const { at, text } = lexer;
  const arrow = /^(?:[-=~]+>+|→|⇒|➔|>+|\|>?|- >|<-+)/.exec(text.slice(at, at + 8))?.[0];
  if (arrow !== undefined) {
    throw new FlowSyntaxError(
      { start: at, end: at + arrow.length },
      `expected \`->\`, found \`${arrow}\``,
      arrow.startsWith("<") ? "Data goes from left to right: swap the two sides and write `->`." : "Write `->`.",
    );
  }
  if (lexer.atLineEnd && first) {
    throw new FlowSyntaxError(
      lexer.here(),
      "this line leads nowhere: there is no `->` in it",
      "Connect it to a node or to `<>`, or end it with `-> drop`.",
    );
  }
  throw new FlowSyntaxError(
    lexer.here(),
    `expected \`->\`, found ${lexer.found()}`,
    "A line is `source -> node -> sink`: every connection is written `->`.",
  );
}

function afterSink(lexer: Lexer, sink: SinkSyntax): FlowSyntaxError {
  const name = sink.kind === "drop" ? "drop" : "<>";
  if (lexer.has("->")) {
    const cure = name === "<>" ? "Start a new line for what comes behind it." : "Leave out what comes behind it.";
    return new FlowSyntaxError({ start: lexer.at, end: lexer.at + 2 }, `\`${name}\` ends a line: nothing comes behind it`, cure);
  }
  return new FlowSyntaxError(
    lexer.here(),
    `expected the end of the line behind \`${name}\`, found ${lexer.found()}`,
    "Put the next connection on a line of its own, or write `;` between them.",
  );
}

/** What people write behind a step, and what the grammar does not have there. */
function refuseAfterStep(lexer: Lexer, step: StepSyntax): void {
  if (lexer.has("->")) return;
  const { start } = lexer.here();
  if (lexer.has("??")) {
    throw new FlowSyntaxError(
      { start, end: start + 2 },
      "`??` belongs to the source at the start of a line",
      `End this line here and start a new one: \`${nodeName(step.node)} ?? …\`.`,
    );
  }
  if (lexer.has("!")) {
    throw new FlowSyntaxError(
      { start, end: start + 1 },
      "`!` belongs to the source at the start of a line",
      `Start a new line with \`${nodeName(step.node)}! -> …\`.`,
    );
  }
  if (lexer.has("[")) {
    throw new FlowSyntaxError(
      lexer.here(),
      "a step has no index: it takes its input by a port",
      `Start a new line with \`${nodeName(step.node)}[…] -> …\`.`,
    );
  }
}

function refuseNameBehindBoundary(lexer: Lexer): void {
  const word = lexer.peekWord();
  if (word === undefined) return;
  throw new FlowSyntaxError(
    lexer.here(),
    `expected \`.\` between \`<>\` and \`${word.slice(0, 40)}\``,
    `Write \`<>.${word.slice(0, 40)}\`.`,
  );
}

function badIndex(lexer: Lexer): FlowSyntaxError {
  const cure = lexer.has("-")
    ? "Elements are counted from 0."
    : "An index is a number; an id belongs directly behind `component::operation`.";
  return new FlowSyntaxError(lexer.here(), `expected an index, found ${lexer.found()}`, cure);
}

/** The id by which a line can refer to this node. */
function nodeName(node: NodeSyntax): string {
  if (node.kind === "id") return node.id;
  return node.id?.name ?? defaultId(node.operation.name);
}

/** A node that is named where it is wired has its function's name as id. */
export function defaultId(operation: string): string {
  return operation.slice(operation.lastIndexOf("#") + 1);
}

/** The parts of a path that is written for itself, `customer.name[0]`; undefined where it is none. */
export function parsePathText(text: string): readonly PathPart[] | undefined {
  if (text.length > MAX_PATH * 100) return undefined;
  const lexer = new Lexer(text.startsWith("[") || text.startsWith(".") ? text : `.${text}`);
  try {
    const path = parsePath(lexer);
    return lexer.atEnd ? path : undefined;
  } catch (error) {
    if (error instanceof FlowSyntaxError) return undefined;
    throw error;
  }
}
