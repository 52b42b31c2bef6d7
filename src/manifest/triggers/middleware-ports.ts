// What fills the ports of middleware operations where the manifest does not say it, and what becomes of their results: by the names
// of ports. `check` and the server read it here, so that they cannot differ.

import { assignable, explainMismatch, needsStreams } from "../../wit/assignable.ts";
import { printType } from "../../wit/type-text.ts";
import type { Field, ValType } from "../../wit/types.ts";
import { listed } from "../mistakes.ts";
import type { OperationMiddleware, PathSegment } from "../triggers.ts";
import { isTextType } from "./binding-types.ts";

const TEXT: ValType = { kind: "string" };
/** Names and values, a line each. */
export const HEADERS: ValType = { kind: "list", element: { kind: "tuple", types: [TEXT, TEXT] } };

/** What is known of every request, by the names of the ports that take it; those of a record `request` too. */
export const REQUEST_FACTS = {
  method: TEXT,
  scheme: TEXT,
  /** As the client named it, perhaps with a port. */
  host: TEXT,
  /** As sent, without the query. */
  path: TEXT,
  /** As sent, without its mark; empty where there is none. */
  query: TEXT,
  headers: HEADERS,
  cookies: HEADERS,
  /** The address that the connection comes from. */
  client: TEXT,
  /** The route as it is written. */
  route: TEXT,
} as const satisfies Readonly<Record<string, ValType>>;

/** The same of an answer. */
export const ANSWER_FACTS = { status: { kind: "u16" }, headers: HEADERS } as const satisfies Readonly<Record<string, ValType>>;

export type RequestFact = keyof typeof REQUEST_FACTS;
export type AnswerFact = keyof typeof ANSWER_FACTS;

/** Where a port takes its value. */
export type MiddlewareSource =
  /** Texts of the request; of `header` in `after`, those of the answer. */
  | { readonly kind: "path"; readonly name: string }
  | { readonly kind: "header"; readonly name: string }
  /** What an earlier middleware gave. */
  | { readonly kind: "value"; readonly name: string; readonly type: ValType }
  | { readonly kind: "request"; readonly fact: RequestFact; readonly type: ValType }
  | { readonly kind: "answer"; readonly fact: AnswerFact; readonly type: ValType }
  /** A record of facts: those that the port has fields for. */
  | { readonly kind: "request-record"; readonly facts: readonly RequestFact[]; readonly type: ValType }
  | { readonly kind: "answer-record"; readonly facts: readonly AnswerFact[]; readonly type: ValType };

export interface Problem {
  readonly message: string;
  readonly cure?: string | undefined;
}

/** Around which a middleware stands. */
export interface MiddlewarePlace {
  readonly kind: "before" | "after";
  /** Parameters of the path, where it is that of one route. */
  readonly path: readonly string[];
  /** What the ones before it give. */
  readonly values: ReadonlyMap<string, ValType>;
}

export function parametersOf(path: readonly PathSegment[]): readonly string[] {
  return path.flatMap((segment) => (segment.kind === "parameter" || segment.kind === "rest" ? [segment.binding.name] : []));
}

/** What fills a port that no binding names; undefined: nothing does. */
export function sourceOf(port: string, type: ValType, place: MiddlewarePlace): MiddlewareSource | Problem | undefined {
  if (place.kind === "before" && place.path.includes(port)) return { kind: "path", name: port };
  const given = place.kind === "before" ? place.values.get(port) : undefined;
  if (given !== undefined) return valueSource(port, given, type);
  const isAnswer = place.kind === "after";
  if (port === "request") return recordSource("request", type);
  if (port === "answer" && isAnswer) return recordSource("answer", type);
  if (isAnswer && isAnswerFact(port)) return fitting({ kind: "answer", fact: port, type: ANSWER_FACTS[port] }, port, type);
  if (isRequestFact(port)) return fitting({ kind: "request", fact: port, type: REQUEST_FACTS[port] }, port, type);
  return isTextType(type, "header") ? { kind: "header", name: port } : undefined;
}

function isRequestFact(name: string): name is RequestFact {
  return Object.hasOwn(REQUEST_FACTS, name);
}

function isAnswerFact(name: string): name is AnswerFact {
  return Object.hasOwn(ANSWER_FACTS, name);
}

function fits(from: ValType, to: ValType): boolean {
  const conversion = assignable(from, to);
  return conversion !== undefined && !needsStreams(conversion);
}

/** A value of an earlier middleware for a port of its name, whatever takes it. */
export function valueSource(name: string, given: ValType, type: ValType): MiddlewareSource | Problem {
  if (fits(given, type)) return { kind: "value", name, type: given };
  return {
    message: `the value \`${name}\` of a middleware is of the type \`${printType(given, 60)}\`, but the port takes \`${printType(type, 60)}\``,
    cure: "Give one of them another name, or say where the port takes its value.",
  };
}

function fitting<Source extends MiddlewareSource & { readonly type: ValType }>(
  source: Source,
  port: string,
  type: ValType,
): Source | Problem {
  if (fits(source.type, type)) return source;
  return {
    message: `the port \`${port}\` takes what that is of the ${source.kind === "answer" ? "answer" : "request"}, which is of the type \`${printType(source.type, 60)}\`, not \`${printType(type, 60)}\``,
    cure: `Write \`${printType(source.type, 60)}\`, or say where the port takes its value.`,
  };
}

function recordSource(of: "request" | "answer", type: ValType): MiddlewareSource | Problem {
  const facts: Readonly<Record<string, ValType>> = of === "request" ? REQUEST_FACTS : ANSWER_FACTS;
  const cure = `Its fields can be ${listed(Object.keys(facts))}.`;
  if (type.kind !== "record")
    return { message: `the port \`${of}\` takes the ${of}, so it must be a record, not \`${printType(type, 60)}\``, cure };
  const fields = type.fields.flatMap(({ name }): Field[] => {
    const fact = Object.hasOwn(facts, name) ? facts[name] : undefined;
    return fact === undefined ? [] : [{ name, type: fact }];
  });
  const record: ValType = { kind: "record", fields };
  const mismatch = explainMismatch(record, type);
  if (mismatch !== undefined) {
    const at = mismatch.path === "" ? "" : ` at \`${mismatch.path}\``;
    return { message: `the record of the port \`${of}\` is not one of the ${of}${at}: ${mismatch.message}`, cure };
  }
  const names = fields.map(({ name }) => name);
  return of === "request"
    ? { kind: "request-record", facts: names.filter(isRequestFact), type: record }
    : { kind: "answer-record", facts: names.filter(isAnswerFact), type: record };
}

/** What a result has: ports with names. */
export function resultPorts(result: ValType | undefined, { as }: OperationMiddleware): readonly Field[] | Problem {
  if (result === undefined) return [];
  if (as !== undefined) return [{ name: as.port, type: result }];
  if (result.kind === "record") return result.fields;
  return {
    message: `the result is a \`${printType(result, 60)}\`, which has no name`,
    cure: "Add `as: NAME`, or answer with an error what is to be refused.",
  };
}

/** What becomes of the result of a `before` operation. */
export interface BeforeResults {
  /** It is the answer, where there is one. */
  readonly answers: boolean;
  /** Headers are added to the request, or to the answer. */
  readonly headers: boolean;
  /** What routes, and later middleware, can take by name. */
  readonly values: ReadonlyMap<string, ValType>;
}

export function resultsOf(kind: "before" | "after", item: OperationMiddleware, ports: readonly Field[]): BeforeResults | Problem {
  const values = new Map<string, ValType>();
  let [answers, headers] = [false, false];
  for (const { name, type } of ports) {
    if (name === "headers" && item.as === undefined) {
      if (!fits(type, HEADERS))
        return {
          message: `the output port \`headers\` is of the type \`${printType(type, 60)}\``,
          cure: "Make it `list<tuple<string, string>>`.",
        };
      headers = true;
    } else if (name === "answer" && item.as === undefined && kind === "before") {
      const problem = answerProblem(type);
      if (problem !== undefined) return problem;
      answers = true;
    } else if (kind === "before") values.set(name, type);
    else if (!item.set.some(({ port }) => port === name))
      return {
        message: `nothing takes the output port \`${name}\``,
        cure: `Name it under \`set\`, as in \`set: { x-${name}: ${name} }\`.`,
      };
  }
  return { answers, headers, values };
}

const ANSWER_CURE =
  "Make it `option<record { status: u16, headers: list<tuple<string, string>>, body: string }>`, as far as it is needed.";

/** `status` is there; `headers` and `body` may be. */
function answerProblem(type: ValType): Problem | undefined {
  const record = type.kind === "option" ? type.type : type;
  const wrong = (why: string): Problem => ({
    message: `the output port \`answer\` is no answer to a request: ${why}`,
    cure: ANSWER_CURE,
  });
  if (record.kind !== "record") return wrong(`it is a \`${printType(type, 60)}\``);
  if (!record.fields.some(({ name }) => name === "status")) return wrong("it has no `status`");
  for (const { name, type: field } of record.fields) {
    const bare = field.kind === "option" ? field.type : field;
    const isGood =
      name === "status"
        ? field.kind === "u16" || field.kind === "u32"
        : name === "headers"
          ? fits(bare, HEADERS)
          : name === "body" && (bare.kind === "string" || (bare.kind === "list" && bare.element.kind === "u8"));
    if (!isGood) return wrong(`\`${name}\` cannot be a \`${printType(field, 60)}\``);
  }
  return undefined;
}
