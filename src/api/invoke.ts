// Runs an operation for a person: input as JSON by port, every mistake of it at once; streams as lists of their elements. Bounds: TIME_LIMIT_MS,
// MOST_ELEMENTS of a stream, LONGEST_RESULT characters.

import { nearest } from "../base/diagnostics.ts";
import { StarlaneError } from "../base/errors.ts";
import type { LoadedComponent, Operation } from "../star/app.ts";
import { failureOf } from "../star/failure.ts";
import { findOperation } from "../star/operations.ts";
import { randomSeed } from "../star/seeds.ts";
import type { Origin, Telemetry } from "../star/telemetry/telemetry.ts";
import { OperationTelemetry } from "../star/telemetry/transaction-telemetry.ts";
import { runTransaction } from "../star/transaction.ts";
import { type Json, toJson } from "../wit/json.ts";
import { readJson } from "../wit/read-json.ts";
import { fieldsOf } from "../wit/shape.ts";
import { chunkOf, isChunked, isIterable } from "../wit/streams.ts";
import type { ValType } from "../wit/types.ts";
import { errorView } from "./answers.ts";
import type { ApiError, InputMistake, InvokeRequest } from "./contract.ts";
import { jsonTypeOf } from "./state.ts";

const TIME_LIMIT_MS = 60_000;
const MOST_ELEMENTS = 10_000;
const LONGEST_RESULT = 8 * 1024 * 1024;

export interface Invoked {
  /** Of the transaction. */
  readonly id: string;
  /** JSON text. */
  readonly result?: string | undefined;
  readonly error?: ApiError | undefined;
}

/** A request in the shape of the contract. @throws StarlaneError `api/bad-request` */
export function readInvokeRequest(json: unknown): InvokeRequest {
  if (!isObject(json)) throw badRequest("the body is no JSON object");
  const { app, component, operation, input = {} } = json;
  if (typeof app !== "string" || typeof operation !== "string") throw badRequest("`app` and `operation` are names");
  if (component !== undefined && typeof component !== "string") throw badRequest("`component` is a name");
  if (!isObject(input)) throw badRequest("`input` is an object with a value for each port");
  return { app, component, operation, input };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function badRequest(message: string): StarlaneError {
  return new StarlaneError("api/bad-request", message, { cure: "Send what `InvokeRequest` says." });
}

export interface Chosen {
  readonly holder: LoadedComponent;
  readonly operation: Operation;
  /** As transactions are told. */
  readonly name: string;
}

/** @throws StarlaneError `star/unknown-operation` */
export function choose(targets: readonly LoadedComponent[], { app, component, operation: name }: InvokeRequest): Chosen {
  const target = targets.find((one) => one.name === app);
  if (target === undefined) throw new StarlaneError("star/unknown-operation", `there is no app ${app}`);
  if (component === undefined) return { holder: target, operation: findOperation(target, name), name };
  const holder = target.kind === "app" ? target.components.get(component) : undefined;
  if (holder === undefined) throw new StarlaneError("star/unknown-operation", `${app} has no component ${component}`);
  return { holder, operation: findOperation(holder, name), name: `${component}::${name}` };
}

/** The arguments, or what is wrong with the input. */
export function argumentsOf(
  { signature, name }: Operation,
  input: InvokeRequest["input"],
): { readonly args: readonly unknown[]; readonly mistakes: readonly InputMistake[] } {
  const mistakes: InputMistake[] = [];
  const ports = signature.params.map((param) => param.name);
  for (const given of Object.keys(input)) {
    if (ports.includes(given)) continue;
    const meant = nearest(given, ports);
    mistakes.push({
      path: given,
      message: `${name} has no such port`,
      cure: meant === undefined ? undefined : `did you mean ${meant}?`,
    });
  }
  const args = signature.params.map((param) => {
    const json = Object.hasOwn(input, param.name) ? input[param.name] : undefined;
    if (json === undefined) {
      if (!param.optional) mistakes.push({ path: param.name, message: "it needs a value" });
      return undefined;
    }
    try {
      const read = readJson(jsonTypeOf(param.type), json, { path: param.name });
      mistakes.push(...read.mistakes.map(({ path, message, cure }) => ({ path, message, cure })));
      return read.value;
    } catch (error) {
      if (!(error instanceof StarlaneError)) throw error;
      mistakes.push({ path: param.name, message: error.message, cure: error.cure });
      return undefined;
    }
  });
  return { args, mistakes };
}

export async function invoke(
  app: string,
  { holder, operation, name }: Chosen,
  args: readonly unknown[],
  telemetry: Telemetry,
  signal: AbortSignal,
): Promise<Invoked> {
  const origin: Origin = {};
  try {
    const result = await runTransaction(operation, args, {
      seed: randomSeed(),
      timestampMs: Date.now(),
      timeoutMs: TIME_LIMIT_MS,
      signal,
      telemetry: new OperationTelemetry(telemetry, app, name, "api"),
      origin,
    });
    const { result: type } = operation.signature;
    const json = type === undefined ? null : await resultJson(type, result, signal);
    const text = JSON.stringify(json);
    if (text.length > LONGEST_RESULT) throw new StarlaneError("api/too-large", `the result has ${text.length} characters`);
    return { id: origin.transaction ?? "", result: text };
  } catch (error) {
    return { id: origin.transaction ?? "", error: errorView(failureOf(error, holder, operation)) };
  }
}

async function resultJson(type: ValType, value: unknown, signal: AbortSignal): Promise<Json> {
  if (type.kind === "stream") return await elementsJson(type.element, value, signal);
  if (type.kind === "record" && type.fields.some((field) => field.type.kind === "stream") && isObject(value)) {
    const entries: [string, Json][] = [];
    for (const { name, key, type: part } of fieldsOf(type)) entries.push([name, await resultJson(part, value[key], signal)]);
    return Object.fromEntries(entries);
  }
  return toJson(type, value, { path: "the result" });
}

async function elementsJson(element: ValType | undefined, value: unknown, signal: AbortSignal): Promise<Json> {
  if (!isIterable(value)) throw new StarlaneError("starlane/internal", "an operation answered with something that is no stream");
  const elements: Json[] = [];
  for await (const item of asAsync(value)) {
    signal.throwIfAborted();
    for (const one of Array.from(chunkOf(element, item, isChunked(value)))) {
      elements.push(element === undefined ? null : toJson(element, one, { path: "the result" }));
      if (elements.length < MOST_ELEMENTS) continue;
      return elements;
    }
  }
  return elements;
}

async function* asAsync(value: AsyncIterable<unknown> | Iterable<unknown>): AsyncGenerator<unknown> {
  yield* value;
}
