// Who provides what a component imports: the capability by its name in grants, whether it is there without one, and for what
// nothing provides yet, what would.

import { StarlaneError } from "../base/errors.ts";
import type { NamedExtern } from "../wit/types.ts";
import { INERT_CAPABILITIES, INERT_NAMES } from "./inert.ts";
import { WASI_0_2, type MemberShape } from "./wasi-0.2.ts";
import { WASI_0_3 } from "./wasi-0.3.ts";

/** An import that nothing provides, and what would. */
export interface MissingImport {
  readonly import: string;
  /** The word in `grants:` that would provide it; undefined where no capability can. */
  readonly capability?: string | undefined;
  /** What is missing and why, without a full stop. */
  readonly message: string;
  /** The line that would grant it, as it stands in a manifest under the component's name. */
  readonly grant?: string | undefined;
}

/** What stands in `grants:` under the component's name, by capability. */
const GRANTS: Readonly<Record<string, string>> = {
  cli: "cli: { args: [], env: [NAME] }",
  clock: "clock: real",
  random: "random: system",
  files: 'files: { "/data": RESOURCE }',
  sockets: 'sockets: { connect: ["HOST:PORT"] }',
  http: 'http: ["https://HOST"]',
  config: "config: { KEY: VALUE }",
  keyvalue: "keyvalue: { default: RESOURCE }",
  blobs: "blobs: { CONTAINER: RESOURCE }",
  messaging: "messaging: { TOPIC: RESOURCE }",
  sql: "sql: { DATABASE: RESOURCE }",
};

/** Packages of capabilities without an inert form: they are there only where they are granted. */
const GRANTED_ONLY: Readonly<Record<string, string>> = {
  "wasi:keyvalue": "keyvalue",
  "wasi:blobstore": "blobs",
  "wasi:messaging": "messaging",
  "wasi:sql": "sql",
  "starlane:sql": "sql",
  "starlane:messaging": "messaging",
};

const INERT_BY_PACKAGE = new Map(
  INERT_CAPABILITIES.flatMap((capability) => capability.packages.map((name) => [name, capability.name] as const)),
);

/** Interfaces outside the releases of WASI that are served, by the exact versions that exist; without a version where any will do. */
const DRAFTS: Readonly<Record<string, Readonly<Record<string, MemberShape>>>> = {
  "wasi:config/store@0.2.0-rc.1": { get: 1, "get-all": 0 },
  "wasi:config/store@0.2.0-draft": { get: 1, "get-all": 0 },
  "wasi:config/runtime@0.2.0-draft": { get: 1, "get-all": 0 },
  "wasi:logging/logging@0.1.0-draft": { log: 3 },
  "wasi:logging/logging": { log: 3 },
};

interface InterfaceName {
  /** `wasi:io` */
  readonly package: string;
  /** `wasi:io/streams` */
  readonly interface: string;
  readonly version: string | undefined;
}

const INTERFACE_NAME = /^([a-z0-9-]+:[a-z0-9-]+)\/([a-zA-Z0-9-]+)(?:@(.+))?$/;
const WASI_RELEASE = /^(0\.[23])\.\d+$/;

/** The releases of WASI by what stays compatible; a name without a version means the older one. */
const RELEASES = { "0.2": WASI_0_2, "0.3": WASI_0_3 };

/** `0.2` for `0.2.6`; undefined for drafts and for what is no release of WASI. */
function releaseOf(version: string | undefined): keyof typeof RELEASES | undefined {
  const release = version === undefined ? "0.2" : WASI_RELEASE.exec(version)?.[1];
  return release === "0.2" || release === "0.3" ? release : undefined;
}

/** The interface of a release, where its inert form is there. */
function releasedMembers(name: InterfaceName): Readonly<Record<string, MemberShape>> | undefined {
  const release = releaseOf(name.version);
  if (release === undefined || !INERT_NAMES.has(`${name.interface}@${release}.0`)) return undefined;
  const table: Readonly<Record<string, Readonly<Record<string, MemberShape>>>> = RELEASES[release];
  return Object.hasOwn(table, name.interface) ? table[name.interface] : undefined;
}

function parseInterfaceName(name: string): InterfaceName | undefined {
  const match = INTERFACE_NAME.exec(name);
  const [packageName, interfaceName] = [match?.[1], match?.[2]];
  if (packageName === undefined || interfaceName === undefined) return undefined;
  return { package: packageName, interface: `${packageName}/${interfaceName}`, version: match?.[3] };
}

/** Who provides an import; `grant` is the line under the component's name in `grants:` that asks for more than the inert form. */
export interface ImportProvider {
  /** Its word in grants; `calls` for what only another component can provide. */
  readonly capability: string;
  readonly grant?: string | undefined;
  /** Whether its inert form serves this import without a grant. */
  readonly inert: boolean;
}

/** Who provides an import, or undefined where no capability can. */
export function providerOf(importName: string): ImportProvider | undefined {
  const name = parseInterfaceName(importName);
  const capability = name === undefined ? undefined : capabilityOf(name);
  if (name === undefined || capability === undefined) return undefined;
  const grant = capability === "calls" ? `calls: { "${name.interface}": COMPONENT }` : GRANTS[capability];
  return { capability, grant, inert: inertMembers(importName) !== undefined };
}

function capabilityOf(name: InterfaceName): string | undefined {
  const planned = Object.hasOwn(GRANTED_ONLY, name.package) ? GRANTED_ONLY[name.package] : undefined;
  return INERT_BY_PACKAGE.get(name.package) ?? planned ?? (name.package.startsWith("wasi:") ? undefined : "calls");
}

/** The members that the inert form of an interface has, or undefined where there is none for that name and version. */
function inertMembers(importName: string): Readonly<Record<string, MemberShape>> | undefined {
  if (Object.hasOwn(DRAFTS, importName)) return DRAFTS[importName];
  const name = parseInterfaceName(importName);
  if (name !== undefined && Object.hasOwn(DRAFTS, name.interface)) return DRAFTS[name.interface];
  return name === undefined ? undefined : releasedMembers(name);
}

/**
 * Every import that the inert capabilities do not serve, or not with all of its functions. `provided` are the import names that
 * something else serves. A component for which this is empty can be instantiated with `inertImports`.
 */
export function missingImports(
  imports: readonly NamedExtern[],
  provided: ReadonlySet<string> = new Set(),
): readonly MissingImport[] {
  const known = new Set<object>();
  return imports.flatMap((item) => {
    if (!provided.has(item.name)) return missingOf(item, known);
    for (const resource of resourcesOf(item)) known.add(resource);
    return [];
  });
}

/** Those that an interface gives, for others to use. */
function resourcesOf({ type }: NamedExtern): object[] {
  if (type.kind !== "instance") return [];
  return type.exports.flatMap((member) =>
    member.type.kind === "type" && member.type.type.kind === "resource" ? [member.type.type] : [],
  );
}

/** One error that lists what nothing provides, or undefined where everything is provided. `component` is its name for people. */
export function missingImportsError(component: string, missing: readonly MissingImport[]): StarlaneError | undefined {
  if (missing.length === 0) return undefined;
  const lines = [...Map.groupBy(missing, ({ message }) => message)].map(
    ([message, all]) => `  ${all.map(({ import: name }) => name).join(", ")}: ${message}`,
  );
  const what = missing.length === 1 ? "something" : `${missing.length} things`;
  return new StarlaneError("engine/missing-import", `${component} imports ${what} that nothing provides:\n${lines.join("\n")}`, {
    cure: missing.some(({ grant }) => grant !== undefined)
      ? "Grant it in the manifest, under the component's name in `grants:`, or build the component without it."
      : "Build the component without these imports.",
    data: { missing: missing.map((item) => ({ ...item })) },
  });
}

/** `known` collects the resources met so far: interfaces may give one more names (`headers` is `fields`), or use another's. */
function missingOf(item: NamedExtern, known: Set<object>): readonly MissingImport[] {
  // An imported type is given by the interfaces around it, or stands for itself.
  if (item.type.kind === "type") return [];
  const members = inertMembers(item.name);
  if (members === undefined) return [explain(item.name)];
  const capability = providerOf(item.name)?.capability;
  if (item.type.kind !== "instance") {
    return [
      { import: item.name, capability, message: `is an interface, but the component imports a ${item.type.kind} of that name` },
    ];
  }
  return item.type.exports.flatMap((member) => {
    const problem = misfit(member, members, known);
    return problem === undefined ? [] : [{ import: `${item.name}#${member.name}`, capability, message: problem }];
  });
}

/** Why a member that a component expects of an interface is not what the interface has. */
function misfit(member: NamedExtern, members: Readonly<Record<string, MemberShape>>, known: Set<object>): string | undefined {
  const { name, type } = member;
  if (type.kind === "type") {
    if (type.type.kind !== "resource" || known.has(type.type)) return undefined;
    known.add(type.type);
    return Object.hasOwn(members, `[resource]${name}`) ? undefined : "the interface has no such resource";
  }
  const shape = Object.hasOwn(members, name) ? members[name] : undefined;
  if (type.kind !== "func" || shape === undefined)
    return "the interface has no such function in the versions that Starlane knows";
  const parameterCount = type.params.length - (name.startsWith("[method]") ? 1 : 0);
  return parameterCount === shape ? undefined : `takes ${shape} parameters, not ${parameterCount}`;
}

function explain(importName: string): MissingImport {
  const name = parseInterfaceName(importName);
  if (name === undefined) {
    return {
      import: importName,
      message: "is not an interface: Starlane provides interfaces only (namespace:package/interface)",
    };
  }
  const provider = providerOf(importName);
  if (provider === undefined) return { import: importName, message: `Starlane has no capability for ${name.package}` };
  const { capability, grant } = provider;
  if (INERT_BY_PACKAGE.has(name.package)) return { import: importName, capability, message: whyNotServed(name) };
  const who = capability === "calls" ? "another component" : `the capability ${capability}`;
  return {
    import: importName,
    capability,
    grant,
    message: `provided by ${who} where that is granted: \`${grant}\``,
  };
}

/** A package that has an inert form, but not of this version or interface. */
function whyNotServed(name: InterfaceName): string {
  const draft = /^(0\.[23])\.\d+-/.exec(name.version ?? "")?.[1];
  if (draft !== undefined)
    return `a draft of WASI ${draft} is not served; build the component for a release (${draft}.0 or later)`;
  if (
    releaseOf(name.version) === undefined &&
    (Object.hasOwn(WASI_0_2, name.interface) || Object.hasOwn(WASI_0_3, name.interface))
  ) {
    return `version ${name.version} is not served; build the component for WASI 0.2 or 0.3`;
  }
  return `${name.package} has no interface of that name that a component can import`;
}
