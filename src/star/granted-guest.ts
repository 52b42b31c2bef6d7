// A component binary with what one app grants it: grants are checked against what it imports, and where it is to run, bound to what they
// name. What is granted belongs to this one use of the binary.

import type { Diagnostic } from "../base/diagnostics.ts";
import type { ConfiguredCapability } from "../capabilities/capability.ts";
import type { ComponentGrants, Grants, Isolation, LimitsDeclaration } from "../manifest/manifest.ts";
import type { LoadedComponent, WasmComponent } from "./app.ts";
import { answeredCalls } from "./calls.ts";
import { answers, checkGrants, servedByGrants } from "./check-grants.ts";
import { environmentHere } from "./environment.ts";
import type { CommandStart } from "./grants.ts";
import { type Binary, type GuestSettings, SERVED, wasmComponent } from "./load-wasm.ts";
import { importsHandler } from "./next-handler.ts";
import type { Resources } from "./resources.ts";
import type { LoadOptions } from "./star.ts";

/** How an app uses a binary that is granted something. */
export interface GrantedUse {
  /** In records and messages: `shop/cart` for one of an app inside. */
  readonly name: string;
  readonly granted: ComponentGrants | undefined;
  /** It answers requests: their bodies stream, though it may send nothing itself. */
  readonly isServed: boolean;
  readonly command: CommandStart | undefined;
  readonly limits: LimitsDeclaration;
  readonly isolation: Isolation;
  readonly resources: Resources;
  /** Those of the app that can answer its calls. */
  readonly components: ReadonlyMap<string, LoadedComponent>;
}

/**
 * Mistakes in the grants are told to `report`.
 * @throws StarlaneError `engine/missing-import`, `grant/…`, `resource/…` (rejects)
 */
export async function grantedGuest(
  binary: Binary,
  use: GrantedUse,
  options: LoadOptions,
  report: (diagnostics: readonly Diagnostic[]) => void,
): Promise<WasmComponent> {
  const { granted, isServed, limits, isolation } = use;
  const { imports } = binary.type;
  const grants: Grants = { ...(isServed ? SERVED : {}), ...granted?.grants };
  const mistakes = granted === undefined ? [] : await checkGrants(granted, imports);
  report(mistakes);
  const calls = await callsOf(binary, grants, use, options);
  const settings: GuestSettings = { limits, isolation, provided: await servedByGrants(grants, imports) };
  // Grants with mistakes have been told; using them would tell them again.
  const isUsable = mistakes.every(({ severity }) => severity !== "error");
  const runs = (options.use === "run" || options.use === "once") && isUsable;
  const given = runs ? await importsOf(binary, grants, calls, use, options) : undefined;
  const { denied, records } = options;
  const as = { component: use.name, denied, recordedAs: records === undefined ? undefined : { records, component: use.name } };
  return await wasmComponent(binary, options.use, { ...settings, imports: given }, as);
}

/** What other components of the app answer. */
async function callsOf(
  { type }: Binary,
  { calls = [] }: Grants,
  { components }: GrantedUse,
  { doubles }: LoadOptions,
): Promise<ConfiguredCapability | undefined> {
  const bindings = calls.flatMap((call) => {
    const callee = components.get(call.component);
    if (callee === undefined) return [];
    const asked = type.imports.filter(({ name }) => answers(call, name));
    return asked.map((item) => ({ import: item, component: call.component, callee }));
  });
  const answered = bindings.length === 0 ? undefined : answeredCalls(bindings);
  return doubles === undefined ? answered : (await import("./doubles/faulty-calls.ts")).faultyCalls(answered, doubles);
}

/** What its instances are given: what the grants name, or where a record is replayed, what it says. */
async function importsOf(
  { type }: Binary,
  grants: Grants,
  calls: ConfiguredCapability | undefined,
  { name, resources, command, isServed, granted }: GrantedUse,
  { environment = environmentHere, doubles, record, records, replay }: LoadOptions,
): Promise<GuestSettings["imports"]> {
  if (replay !== undefined) {
    const { replayedInstances } = await import("./record/replayed-instance.ts");
    return replayedInstances(name, replay, type.imports, calls);
  }
  const { grantedInstances } = await import("./grants.ts");
  // What only answers requests sees nothing but those: recording them costs more than many of them do.
  const isRecorded = record === true || (records !== undefined && (records.keepsAll || granted !== undefined));
  const recordedAs = isRecorded ? name : undefined;
  const passesOn = isServed && importsHandler(type);
  return await grantedInstances(grants, { resources, environment, calls, command, doubles, recordedAs, passesOn });
}
