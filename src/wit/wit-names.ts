// The names of imports and exports, taken apart: interface names and the names of functions that belong to a resource.
// Source: component-model `Explainer.md`, import and export names (August 2026).

import { escapeLabel } from "./labels.ts";

/** `wasi:io/streams@0.2.0`. */
export interface InterfaceName {
  /** `wasi:io`, or with nested packages `a:b:c/d`. */
  readonly package: string;
  readonly name: string;
  /** Without the `@`. */
  readonly version?: string | undefined;
}

const WORDS = "[a-z][0-9a-z]*(?:-[0-9a-z]+)*";
const INTERFACE = new RegExp(`^((?:${WORDS}:)+${WORDS}(?:/[0-9A-Za-z-]+)*)/([0-9A-Za-z-]+)(?:@([0-9A-Za-z.+-]+))?$`);
const FUNCTION = /^\[(constructor|method|static)\]([^.]+)(?:\.(.+))?$/;

/** The parts of an interface name; undefined where it is a plain name. */
export function parseInterfaceName(text: string): InterfaceName | undefined {
  const [, owner, name, version] = INTERFACE.exec(text) ?? [];
  return owner === undefined || name === undefined ? undefined : { package: owner, name, version };
}

/** `wasi:io@0.2.0`. */
export function packageOf({ package: name, version }: InterfaceName): string {
  return version === undefined ? name : `${name}@${version}`;
}

/** A package name as WIT text. */
export function witPackage(text: string): string {
  const [name = "", ...version] = text.split("@");
  const escaped = name.replace(/[^:/]+/g, escapeLabel);
  return [escaped, ...version].join("@");
}

/** An interface name as WIT text. */
export function witPath({ package: owner, name, version }: InterfaceName): string {
  return `${witPackage(owner)}/${escapeLabel(name)}${version === undefined ? "" : `@${version}`}`;
}

/** What a function is: free, or a part of a resource. */
type FunctionName =
  | { readonly kind: "free"; readonly name: string }
  | { readonly kind: "constructor"; readonly resource: string }
  | { readonly kind: "method" | "static"; readonly resource: string; readonly name: string };

/** The parts of a function's name: `[method]input-stream.read`. */
export function parseFunctionName(text: string): FunctionName {
  const [, kind, resource, name] = FUNCTION.exec(text) ?? [];
  if (resource === undefined) return { kind: "free", name: text };
  if (kind === "constructor" && name === undefined) return { kind, resource };
  return (kind === "method" || kind === "static") && name !== undefined ? { kind, resource, name } : { kind: "free", name: text };
}
