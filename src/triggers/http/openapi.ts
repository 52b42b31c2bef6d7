// The OpenAPI document of a host's operation routes, made from their types alone. Source: OpenAPI 3.1.1.

import type { Json } from "../../wit/json.ts";
import { jsonSchema, type JsonSchema } from "../../wit/json-schema.ts";
import type { ValType } from "../../wit/types.ts";
import { bodyPart, mediaTypesOf, partOf, payloadOf } from "./answer.ts";
import { bindPorts, defaultBindings, isBytes, type BoundPort } from "./bindings.ts";
import type { OpenApiOptions, OperationRoute } from "./http.ts";
import { parsePattern, type PatternSegment } from "./router.ts";

type JsonObject = { readonly [key: string]: Json };

const METHODS: ReadonlySet<string> = new Set(["GET", "PUT", "POST", "DELETE", "OPTIONS", "HEAD", "PATCH"]);

/** The document as JSON. Methods that OpenAPI 3.1 has no place for are left out. */
export function openApiDocument(options: OpenApiOptions, routes: readonly OperationRoute[]): JsonObject {
  const writer = new Writer();
  const paths: Record<string, Record<string, Json>> = {};
  for (const route of routes) {
    for (const method of route.methods ?? ["GET"]) {
      if (!METHODS.has(method)) continue;
      const item = (paths[pathOf(route.path)] ??= {});
      item[method.toLowerCase()] = writer.operation(route, method);
    }
  }
  const { title, version, description } = options;
  return {
    openapi: "3.1.1",
    info: { title, version, ...(description === undefined ? {} : { description }) },
    paths,
    components: { schemas: writer.schemas() },
  };
}

/** `/files/{path...}`: OpenAPI has no name for the rest of a path. */
function pathOf(path: string): string {
  return `/${parsePattern(path).segments.map(segmentText).join("/")}`;
}

function segmentText(segment: PatternSegment): string {
  return segment.kind === "literal" ? encodeURIComponent(segment.text) : `{${segment.name}}`;
}

const PROBLEM: JsonSchema = {
  type: "object",
  description: "What is wrong, by RFC 9457.",
  properties: {
    type: { type: "string" },
    title: { type: "string" },
    status: { type: "integer" },
    detail: { type: "string" },
    id: { type: "string", description: "Finds the failure in the logs of the server." },
    mistakes: {
      type: "array",
      items: {
        type: "object",
        properties: {
          in: { enum: ["path", "query", "header", "cookie", "body"] },
          name: { type: "string" },
          message: { type: "string" },
          cure: { type: "string" },
        },
        required: ["in", "name", "message"],
      },
    },
  },
  required: ["title", "status"],
};

const PROBLEM_REF: JsonObject = { $ref: "#/components/schemas/problem" };

class Writer {
  readonly #schemas = new Map<string, JsonSchema>([["problem", PROBLEM]]);
  readonly #ids = new Set<string>();

  schemas(): JsonObject {
    return Object.fromEntries(this.#schemas);
  }

  operation(route: OperationRoute, method: string): JsonObject {
    const { signature } = route;
    const id = this.#unique(`${route.operation.replaceAll(/[^A-Za-z0-9]+/g, "-").replaceAll(/^-|-$/g, "")}`, method);
    const ports = bindPorts(
      route.path,
      signature,
      route.bindings ?? defaultBindings(route.path, route.methods ?? ["GET"], signature),
    );
    const parameters = ports
      .filter((port) => port.from !== "body" && port.from !== "field" && port.from !== "made")
      .map((port) => this.#parameter(route, port, id));
    const body = this.#body(route, ports, id);
    const description = route.description ?? signature.description;
    return {
      operationId: id,
      summary: route.summary ?? route.operation,
      ...(description === undefined ? {} : { description }),
      ...(route.tags === undefined ? {} : { tags: route.tags }),
      ...(parameters.length === 0 ? {} : { parameters }),
      ...(body === undefined ? {} : { requestBody: body }),
      responses: this.#responses(route, method, id),
    };
  }

  #unique(base: string, method: string): string {
    const names = [base, `${base}-${method.toLowerCase()}`];
    for (let i = 2; ; i++) {
      const name = names.shift() ?? `${base}-${method.toLowerCase()}-${i}`;
      if (name === "" || this.#ids.has(name)) continue;
      this.#ids.add(name);
      return name;
    }
  }

  /** Types that occur more than once move to the components, under a name that is this operation's own. */
  #schema(type: ValType, at: string): JsonSchema {
    const { $defs, ...schema } = jsonSchema(type, { embedded: true, defsAt: `#/components/schemas/${at}.` });
    if (typeof $defs === "object" && $defs !== null && !Array.isArray($defs)) {
      for (const [name, definition] of Object.entries($defs)) {
        if (isSchema(definition)) this.#schemas.set(`${at}.${name}`, definition);
      }
    }
    return schema;
  }

  #portSchema(route: OperationRoute, port: BoundPort, id: string, type: ValType = port.type): JsonSchema {
    return { ...this.#schema(type, `${id}.${port.param.name}`), ...route.portSchemas?.get(port.param.name) };
  }

  #parameter(route: OperationRoute, port: BoundPort, id: string): JsonObject {
    const { description } = port.param;
    const schema = this.#portSchema(route, port, id);
    const isList = port.type.kind === "list" && !isBytes(port.type);
    return {
      name: port.name,
      in: port.from,
      required: port.from === "path" || !(port.param.optional || port.hasDefault || isList),
      ...(description === undefined ? {} : { description }),
      ...(isCompound(port.type) ? { content: { "application/json": { schema } } } : { schema }),
    };
  }

  #body(route: OperationRoute, ports: readonly BoundPort[], id: string): JsonObject | undefined {
    const whole = ports.find((port) => port.from === "body");
    if (whole !== undefined) {
      const content = Object.fromEntries(
        bodyTypes(route, whole).map((mediaType) => [mediaType, { schema: this.#bodySchema(route, whole, mediaType, id) }]),
      );
      return { required: !(whole.param.optional || whole.hasDefault), content };
    }
    const fields = ports.filter((port) => port.from === "field");
    if (fields.length === 0) return undefined;
    const properties = Object.fromEntries(
      fields.map((port) => [port.name, describedSchema(this.#portSchema(route, port, id, port.param.type), port)]),
    );
    const required = fields.filter((port) => !port.param.optional && !port.hasDefault).map((port) => port.name);
    const schema = { type: "object", properties, required, additionalProperties: false };
    return { required: required.length > 0, content: { "application/json": { schema } } };
  }

  #bodySchema(route: OperationRoute, port: BoundPort, mediaType: string, id: string): JsonSchema {
    if (port.type.kind === "stream") {
      return port.type.element === undefined || port.type.element.kind === "u8"
        ? {}
        : this.#schema(port.type.element, `${id}.${port.param.name}`);
    }
    return mediaType === "application/json"
      ? this.#portSchema(route, port, id, port.param.type)
      : isBytes(port.type)
        ? {}
        : { type: "string" };
  }

  #responses(route: OperationRoute, method: string, id: string): JsonObject {
    const { result, error } = route.signature;
    const { status, contentType, errorStatus = new Map<string, number>() } = route.answer ?? {};
    const part = bodyPart(result, route.answer ?? {});
    const type = payloadOf(part.type);
    const responses: Record<string, Json> = {};
    const headers = this.#headers(route, id);
    if (type === undefined) responses[String(status ?? 204)] = { description: "Done.", ...headers };
    else {
      const content = Object.fromEntries(
        mediaTypesOf(type, contentType).map((mediaType) => [
          bare(mediaType),
          { schema: this.#resultSchema(type, mediaType, id) },
        ]),
      );
      responses[String(status ?? 200)] = { description: "The result.", ...headers, content };
      if (type !== part.type) {
        if (method === "GET" || method === "HEAD") responses["404"] = problem("There is none.");
        else responses["204"] = { description: "There is none." };
      }
    }
    for (const [name, code] of errorStatus)
      responses[String(code)] = this.#errorResponse(error, name === "*" ? "The operation's own error." : name, id);
    return {
      ...responses,
      "400": responses["400"] ?? problem("The request cannot be accepted."),
      default: problem("It failed."),
    };
  }

  #headers(route: OperationRoute, id: string): JsonObject {
    const { headers = [] } = route.answer ?? {};
    if (headers.length === 0) return {};
    const entries = headers.map(({ name, port }) => {
      const type = payloadOf(partOf(route.signature.result, port).type);
      return [name, { schema: type === undefined ? {} : this.#schema(type, `${id}.${port}`) }];
    });
    return { headers: Object.fromEntries(entries) };
  }

  #resultSchema(type: ValType, mediaType: string, id: string): JsonSchema {
    if (type.kind === "stream")
      return type.element === undefined || type.element.kind === "u8" ? {} : this.#schema(type.element, `${id}.result`);
    if (mediaType === "application/json") return this.#schema(type, `${id}.result`);
    return isBytes(type) ? {} : { type: "string" };
  }

  #errorResponse(error: ValType | undefined, description: string, id: string): JsonObject {
    if (error === undefined) return problem(description);
    const schema = { allOf: [PROBLEM_REF, { type: "object", properties: { error: this.#schema(error, `${id}.error`) } }] };
    return { description, content: { "application/problem+json": { schema } } };
  }
}

function isSchema(value: Json): value is JsonSchema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function describedSchema(schema: JsonSchema, port: BoundPort): JsonSchema {
  return port.param.description === undefined ? schema : { ...schema, description: port.param.description };
}

function problem(description: string): JsonObject {
  return { description, content: { "application/problem+json": { schema: PROBLEM_REF } } };
}

function bare(mediaType: string): string {
  return mediaType.split(";")[0]?.trim() ?? mediaType;
}

function bodyTypes(route: OperationRoute, { type }: BoundPort): readonly string[] {
  const { as = "auto", contentTypes } = route.body ?? {};
  if (contentTypes !== undefined) return contentTypes;
  if (type.kind === "stream") return type.element?.kind === "u8" ? ["application/octet-stream"] : ["application/x-ndjson"];
  if (as === "bytes" || (as === "auto" && isBytes(type))) return ["application/octet-stream"];
  if (as === "text") return ["text/plain"];
  return as === "auto" && type.kind === "string" ? ["application/json", "text/plain"] : ["application/json"];
}

/** A value that a parameter holds as JSON text. */
function isCompound(type: ValType): boolean {
  if (type.kind === "list") return !isBytes(type) && isCompound(type.element);
  return ["record", "variant", "tuple", "map", "result", "option"].includes(type.kind);
}
