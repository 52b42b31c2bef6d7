// Loaded apps as the page sees them: their operations with forms' worth of types, their components with what those are granted, and what starts
// transactions.

import type { Grants } from "../manifest/manifest.ts";
import { sampleOf } from "../manifest/sample.ts";
import type { OperationTarget, Trigger } from "../manifest/triggers.ts";
import type { App, LoadedComponent, Operation } from "../star/app.ts";
import type { Standing } from "../star/dev/development.ts";
import { graphOf } from "../star/graph-of.ts";
import { portSchemas } from "../star/port-schemas.ts";
import type { Address } from "../triggers/http/server.ts";
import { type JsonSchema, jsonSchema } from "../wit/json-schema.ts";
import { takesStream } from "../wit/streams.ts";
import { printType } from "../wit/type-text.ts";
import type { ValType } from "../wit/types.ts";
import type { AppView, ComponentView, OperationView, PortView, State } from "./contract.ts";

const LONGEST_TYPE = 2000;

export function stateOf({ version, status, targets, problems }: Standing, addresses: readonly Address[]): State {
  return { version, status, addresses: addresses.map(addressUrl), apps: targets.map(viewOf), problems };
}

export function addressUrl({ host, port, isSecure }: Address): string {
  // What listens everywhere is found at this machine's own name.
  const shown = host === "0.0.0.0" || host === "::" ? "localhost" : host.includes(":") ? `[${host}]` : host;
  return `${isSecure ? "https" : "http"}://${shown}:${port}`;
}

/** A target never changes: it is looked at once. */
const VIEWS = new WeakMap<LoadedComponent, AppView>();

function viewOf(target: LoadedComponent): AppView {
  let view = VIEWS.get(target);
  if (view === undefined) VIEWS.set(target, (view = appView(target)));
  return view;
}

export function appView(target: LoadedComponent): AppView {
  const { name, file } = target;
  const operations = operationViews(target);
  if (target.kind === "wasm") return { name, file, operations, components: [], triggers: [] };
  const { version, description, triggers } = target.manifest;
  const components = [...target.components].map(([component, loaded]) => componentView(target, component, loaded));
  return { name, version, description, file, operations, components, triggers: triggers.flatMap(triggerLines) };
}

function componentView({ manifest }: App, name: string, component: LoadedComponent): ComponentView {
  const grants = manifest.grants.find((one) => one.component === name)?.grants;
  return {
    name,
    kind: component.kind,
    file: component.file,
    sizeBytes: component.kind === "wasm" ? component.sizeBytes : undefined,
    grants: grants === undefined ? [] : grantLines(grants),
    operations: operationViews(component),
  };
}

function operationViews({ operations }: LoadedComponent): readonly OperationView[] {
  return [...operations.values()].map(operationView);
}

function operationView(operation: Operation): OperationView {
  const { params, result, description } = operation.signature;
  const declaration = operation.kind === "flow" ? operation.declaration : undefined;
  const further = portSchemas(operation);
  return {
    name: operation.name,
    description: declaration?.description ?? description,
    ports: params.map(({ name, type, optional }): PortView => {
      const declared = declaration?.input?.find((port) => port.name === name);
      const value = jsonTypeOf(type);
      const told = declared?.description === undefined ? {} : { description: declared.description };
      return {
        name,
        type: printType(type, LONGEST_TYPE),
        schema: { ...schemaOf(value), ...further.get(name), ...told },
        isRequired: !optional && declared?.default === undefined,
        default: declared?.default,
        sample: declared?.default ?? sampleOf(value),
      };
    }),
    result: result === undefined ? undefined : printType(result, LONGEST_TYPE),
    graph: operation.kind === "flow" ? graphOf(operation.flow) : undefined,
  };
}

/** What a person gives for a type: for a stream the list of its elements. */
export function jsonTypeOf(type: ValType): ValType {
  if (!takesStream(type)) return type;
  if (type.kind === "option") return { kind: "option", type: jsonTypeOf(type.type) };
  const element = type.kind === "stream" ? type.element : undefined;
  return { kind: "list", element: element ?? { kind: "tuple", types: [] } };
}

/** Nothing is known of what JSON has no form for. */
function schemaOf(type: ValType): JsonSchema {
  try {
    return jsonSchema(type, { embedded: true });
  } catch {
    return {};
  }
}

function triggerLines(trigger: Trigger): readonly string[] {
  switch (trigger.kind) {
    case "http":
      return trigger.routes.map((route) => {
        const methods = route.methods?.join("|") ?? (route.kind === "static" ? "GET" : "ANY");
        const match = `${route.kind === "websocket" ? "WEBSOCKET" : methods} ${route.pathText}`;
        switch (route.kind) {
          case "operation":
          case "websocket":
            return `${match} -> ${targetText(route.target)}`;
          case "component":
            return `${match} -> ${route.component}`;
          case "static":
            return `${match} -> files of ${route.from}`;
          case "proxy":
          case "redirect":
            return `${match} -> ${route.to}`;
        }
      });
    case "cli":
      return [
        `cli ${trigger.name} -> ${trigger.runs.kind === "component" ? trigger.runs.component : targetText(trigger.runs.target)}`,
      ];
    case "schedule":
      return [`schedule ${trigger.cron}${trigger.zone === "UTC" ? "" : ` ${trigger.zone}`} -> ${targetText(trigger.target)}`];
  }
}

function targetText({ component, interface: of, operation }: OperationTarget): string {
  return `${component === undefined ? "" : `${component}::`}${of === undefined ? "" : `${of}#`}${operation}`;
}

/** One line each; values of variables and settings, which may be secrets, stay out of them. */
function grantLines(grants: Grants): readonly string[] {
  const { cli, clock, random, files = [], sockets, http, config = [], keyvalue, blobs, messaging, sql, calls = [] } = grants;
  const bound = Object.entries({ keyvalue, blobs, messaging, sql });
  return [
    ...(cli?.env ?? []).map(({ name }) => `env: ${name}`),
    ...(cli === undefined || cli.args.length === 0 ? [] : [`args: ${cli.args.length}`]),
    ...(clock === undefined ? [] : [`clock: ${clock}`]),
    ...(random === undefined ? [] : [`random: ${random}`]),
    ...files.map(({ path, resource, readonly }) => `files: ${path} -> ${resource}${readonly ? " (read only)" : ""}`),
    ...(sockets?.connect ?? []).map(({ text }) => `sockets: connect ${text}`),
    ...(sockets?.listen ?? []).map(({ text }) => `sockets: listen ${text}`),
    ...(http ?? []).map(({ text }) => `http: ${text}`),
    ...config.map(({ name }) => `config: ${name}`),
    ...bound.flatMap(([kind, uses = []]) => uses.map(({ name, resource }) => `${kind}: ${name} -> ${resource}`)),
    ...calls.map((call) => `calls: ${call.interface} -> ${call.component}`),
  ];
}
