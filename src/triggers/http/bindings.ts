// Which part of a request feeds which port: checked once when a route is made, so that requests only look values up.

import { StarlaneError } from "../../base/errors.ts";
import type { Signature, SignatureParam } from "../../flow/flow.ts";
import type { ValType } from "../../wit/types.ts";
import type { Binding } from "./http.ts";
import { parsePattern } from "./router.ts";

/** A port, and where its value is found. */
export interface BoundPort {
  readonly param: SignatureParam;
  /** Its place in the arguments. */
  readonly index: number;
  readonly from: Binding["from"];
  /** There; in lower case for headers. */
  readonly name: string;
  /** Of the values there: the payload where the port is an option. */
  readonly type: ValType;
  readonly hasDefault: boolean;
  readonly default: unknown;
  readonly make: Binding["make"];
}

/**
 * By name: parameters of the path first; then the query for methods without a body; else the body, whole where exactly one port is left
 * and it is bytes, a stream or a record, as fields of an object otherwise.
 */
export function defaultBindings(path: string, methods: readonly string[], signature: Signature): readonly Binding[] {
  const { names } = parsePattern(path);
  const others = signature.params.filter((param) => !names.includes(param.name));
  const fromPath = signature.params
    .filter((param) => names.includes(param.name))
    .map((param): Binding => ({ port: param.name, from: "path" }));
  const [only] = others;
  const hasBody = methods.some((method) => method === "POST" || method === "PUT" || method === "PATCH" || method === "QUERY");
  const from = !hasBody ? "query" : others.length === 1 && only !== undefined && isWhole(only.type) ? "body" : "field";
  return [...fromPath, ...others.map((param): Binding => ({ port: param.name, from }))];
}

function isWhole(type: ValType): boolean {
  return isBytes(type) || type.kind === "stream" || type.kind === "record";
}

export function isBytes(type: ValType): boolean {
  return type.kind === "list" && type.element.kind === "u8";
}

/** @throws StarlaneError `http/bad-route` where the bindings, the path and the signature do not fit each other */
export function bindPorts(path: string, signature: Signature, bindings: readonly Binding[]): readonly BoundPort[] {
  const wrong = (why: string): StarlaneError => new StarlaneError("http/bad-route", `the route ${path} cannot be bound: ${why}`);
  const { names } = parsePattern(path);
  const ports = bindings.map((binding): BoundPort => {
    const index = signature.params.findIndex((param) => param.name === binding.port);
    const param = signature.params[index];
    if (param === undefined) throw wrong(`the operation has no port ${JSON.stringify(binding.port)}`);
    const name = binding.name ?? binding.port;
    if (binding.from === "path" && !names.includes(name)) throw wrong(`the path has no {${name}}`);
    if (param.type.kind === "stream" && binding.from !== "body" && binding.from !== "made")
      throw wrong(`the stream ${param.name} can only be the whole body`);
    const type = binding.type ?? param.type;
    return {
      param,
      index,
      from: binding.from,
      name: binding.from === "header" ? name.toLowerCase() : name,
      type: type.kind === "option" && type.type.kind !== "option" ? type.type : type,
      hasDefault: "default" in binding,
      default: binding.default,
      make: binding.make,
    };
  });
  for (const [i, port] of ports.entries()) {
    if (ports.findIndex((other) => other.index === port.index) !== i) throw wrong(`the port ${port.param.name} is bound twice`);
  }
  const whole = ports.filter((port) => port.from === "body");
  if (whole.length > 1 || (whole.length === 1 && ports.some((port) => port.from === "field"))) {
    throw wrong("a body that is the value of one port cannot be that of others");
  }
  for (const param of signature.params) {
    if (!param.optional && !ports.some((port) => port.param === param)) throw wrong(`nothing feeds the port ${param.name}`);
  }
  return ports;
}
