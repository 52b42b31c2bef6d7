// Whether grants can be used, before anything is opened or run: their texts are read, addresses of resources too, and each grant has to be
// for something that the component imports.

import type { Diagnostic, Span } from "../base/diagnostics.ts";
import { StarlaneError } from "../base/errors.ts";
import { providerOf } from "../capabilities/catalog.ts";
import type { Imports } from "../engine/engine.ts";
import { findImport } from "../engine/host-imports.ts";
import type { CallGrant, ComponentGrants, Grants, ResourceDeclaration } from "../manifest/manifest.ts";
import type { NamedExtern } from "../wit/types.ts";

/** The mistakes of what one component is granted; `imports` is what it asks for. */
export async function checkGrants(
  { component, grants, span }: ComponentGrants,
  imports: readonly NamedExtern[],
): Promise<Diagnostic[]> {
  return [...(await textMistakes(grants)), ...unusedGrants(component, grants, span, imports)];
}

/** The mistakes in the addresses of an app's resources. */
export async function checkResources(resources: readonly ResourceDeclaration[]): Promise<Diagnostic[]> {
  const found = await Promise.all(
    resources.map(async ({ kind, address, addressSpan }) => {
      if (kind === "files" || address.includes("${")) return [];
      return mistakesOf(addressSpan, await addressReader(kind), address);
    }),
  );
  return found.flat();
}

async function addressReader(kind: Exclude<ResourceDeclaration["kind"], "files">): Promise<(text: string) => unknown> {
  switch (kind) {
    case "keyvalue":
      return (await import("../capabilities/keyvalue/keyvalue.ts")).parseKeyValueAddress;
    case "blobs":
      return (await import("../capabilities/blobstore/blobstore.ts")).parseBlobStoreAddress;
    case "messaging":
      return (await import("../capabilities/messaging/messaging.ts")).parseMessagingAddress;
    case "sql":
      return (await import("../capabilities/sql/sql.ts")).parseSqlAddress;
  }
}

async function textMistakes({ http, sockets }: Grants): Promise<Diagnostic[]> {
  const mistakes: Diagnostic[] = [];
  if (http !== undefined) {
    const { parseHttpGrant } = await import("../capabilities/http/http-grant.ts");
    for (const { text, span } of http) mistakes.push(...mistakesOf(span, parseHttpGrant, text));
  }
  if (sockets !== undefined) {
    const { parseSocketsGrant } = await import("../capabilities/sockets/socket-grant.ts");
    for (const { text, span } of sockets.connect)
      mistakes.push(...mistakesOf(span, (one) => parseSocketsGrant({ connect: [one] }), text));
    for (const { text, span } of sockets.listen)
      mistakes.push(...mistakesOf(span, (one) => parseSocketsGrant({ listen: [one] }), text));
  }
  return mistakes;
}

function mistakesOf(span: Span, read: (text: string) => unknown, text: string): Diagnostic[] {
  if (text.includes("${")) return [];
  try {
    read(text);
    return [];
  } catch (error) {
    if (!(error instanceof StarlaneError)) throw error;
    return [{ code: error.code, severity: "error", message: error.message, span, cure: error.cure }];
  }
}

function unusedGrants(component: string, grants: Grants, span: Span, imports: readonly NamedExtern[]): Diagnostic[] {
  const asked = new Set(imports.map(({ name }) => providerOf(name)?.capability));
  const unused: Diagnostic[] = [];
  const warn = (what: string, at: Span): void => {
    unused.push({
      code: "grant/unused",
      severity: "warning",
      message: `${component} does not import what ${what} would give it`,
      span: at,
      cure: "Remove the grant; `starlane inspect` shows what a component asks for.",
    });
  };
  for (const [name, grant] of Object.entries(grants)) {
    if (grant !== undefined && name !== "calls" && !asked.has(name)) warn(`the grant \`${name}\``, span);
  }
  for (const call of grants.calls ?? []) {
    if (!imports.some(({ name }) => answers(call, name))) warn(`\`calls\` of \`${call.interface}\``, call.span);
  }
  return unused;
}

/** Whether a call is for an import: with or without its version. */
export function answers(call: CallGrant, importName: string): boolean {
  return call.interface === importName || call.interface === importName.replace(/@.*$/, "");
}

/** The imports that grants serve, among those of a component. */
export async function servedByGrants(grants: Grants, imports: readonly NamedExtern[]): Promise<ReadonlySet<string>> {
  const served = await storageImports(grants);
  return new Set(
    imports
      .map(({ name }) => name)
      .filter((name) => findImport(served, name) !== undefined || (grants.calls ?? []).some((call) => answers(call, name))),
  );
}

/** What capabilities without an inert form would give; with nothing behind it. */
async function storageImports({ keyvalue, blobs, messaging, sql }: Grants): Promise<Imports> {
  const imports: Record<string, unknown> = {};
  const nothing = new Map<string, never>();
  if (keyvalue !== undefined) {
    Object.assign(imports, (await import("../capabilities/keyvalue/wasi.ts")).keyValueCapability.configure(nothing)().imports);
  }
  if (blobs !== undefined) {
    Object.assign(imports, (await import("../capabilities/blobstore/wasi.ts")).blobstoreCapability.configure(nothing)().imports);
  }
  if (messaging !== undefined) {
    Object.assign(imports, (await import("../capabilities/messaging/wasi.ts")).messagingCapability.configure(nothing)().imports);
  }
  if (sql !== undefined)
    Object.assign(imports, (await import("../capabilities/sql/wasi.ts")).sqlCapability.configure(nothing)().imports);
  return imports;
}
