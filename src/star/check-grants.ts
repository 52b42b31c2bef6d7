// Whether grants can be used, before anything is opened or run: their texts are read, and each grant has to be for something that the
// component imports.

import type { Diagnostic, Span } from "../base/diagnostics.ts";
import { providerOf } from "../capabilities/catalog.ts";
import type { Imports } from "../engine/engine.ts";
import { findImport } from "../engine/host-imports.ts";
import type { CallGrant, ComponentGrants, Grants } from "../manifest/manifest.ts";
import type { NamedExtern } from "../wit/types.ts";
import { mistakesOf } from "./check-resources.ts";
import { STORAGE, STORAGE_KINDS } from "./storage.ts";

/** The mistakes of what one component is granted; `imports` is what it asks for. */
export async function checkGrants(
  { component, grants, span }: ComponentGrants,
  imports: readonly NamedExtern[],
): Promise<Diagnostic[]> {
  return [...(await textMistakes(grants)), ...unusedGrants(component, grants, span, imports)];
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
async function storageImports(grants: Grants): Promise<Imports> {
  const served = STORAGE_KINDS.filter((kind) => grants[kind] !== undefined).map(async (kind) => {
    const { configure } = await STORAGE[kind].capability();
    return configure(new Map<string, never>())().imports;
  });
  return Object.assign({}, ...(await Promise.all(served)));
}
