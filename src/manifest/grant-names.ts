// What grants name: components and resources of the manifest, and names that only the component gives a meaning.

import type { Span } from "../base/diagnostics.ts";
import { isLabel } from "../wit/labels.ts";
import type { ComponentUse, ResourceDeclaration, ResourceKind } from "./manifest.ts";
import { listed, named, quoted, type Mistakes } from "./mistakes.ts";
import { meantName } from "./port-types.ts";
import { readText } from "./reading.ts";
import type { ReferenceScope } from "./references.ts";
import { ADDRESS_EXAMPLES } from "./resources.ts";
import type { Tree } from "./tree.ts";

export const LONGEST_GRANT_NAME = 256;

/** What grants are held against. */
export interface GrantSurroundings {
  readonly components: ReadonlyMap<string, ComponentUse>;
  /** All names, also of those that have mistakes. */
  readonly componentNames: ReadonlySet<string>;
  readonly resources: ReadonlyMap<string, ResourceDeclaration>;
  readonly resourceNames: ReadonlySet<string>;
  readonly scope: ReferenceScope;
  readonly mistakes: Mistakes;
}

/** Whether a component of that name is declared. */
export function isNamed(
  name: string,
  span: Span,
  { componentNames, mistakes }: Pick<GrantSurroundings, "componentNames" | "mistakes">,
): boolean {
  if (componentNames.has(name)) return true;
  const known =
    componentNames.size === 0
      ? "Name it under `components:`."
      : `The components are ${listed(componentNames)}; name others under \`components:\`.`;
  const message = `there is no component ${named(name)}`;
  mistakes.error("manifest/unknown-component", span, message, meantName(name, componentNames, known));
  return false;
}

/** A name that only the guest gives a meaning: short and visible. */
export function isGuestName(name: string, span: Span, what: string, mistakes: Mistakes): boolean {
  if (name !== "" && name.length <= LONGEST_GRANT_NAME && !/[\p{Cc}\p{Cs}]/u.test(name)) return true;
  const message = `${quoted(name)} cannot be the ${what}: it ${name === "" ? "is empty" : name.length > LONGEST_GRANT_NAME ? `may have ${LONGEST_GRANT_NAME} characters` : "has characters that cannot be seen"}`;
  mistakes.error("manifest/bad-grant", span, message, "Write the name that the component asks for.");
  return false;
}

/** A name of `resources:`, of the kind that is needed. */
export function readResourceName(
  tree: Tree,
  kind: ResourceKind,
  what: string,
  example: string,
  around: GrantSurroundings,
): string | undefined {
  const { mistakes, resourceNames } = around;
  const text = readText(tree, what, example, mistakes);
  if (text === undefined) return undefined;
  const name = text.value;
  const resource = around.resources.get(name);
  if (resource !== undefined && resource.kind !== kind) {
    const message = `the resource \`${name}\` is of the kind \`${resource.kind}\`, but ${what} needs one of the kind \`${kind}\``;
    const others = [...around.resources.values()]
      .filter((candidate) => candidate.kind === kind)
      .map((candidate) => candidate.name);
    const cure =
      others.length === 0
        ? `Declare one: \`resources: { NAME: { ${kind}: "${ADDRESS_EXAMPLES[kind]}" } }\`.`
        : `Resources of that kind are ${listed(others)}.`;
    mistakes.error("manifest/wrong-resource", text.span, message, cure);
    return undefined;
  }
  if (resourceNames.has(name)) return name;
  const isAddress = /[:/.]/.test(name);
  const label = !isAddress && isLabel(name) ? name.slice(0, 60) : "NAME";
  const declared = `\`resources: { ${label}: { ${kind}: "${isAddress ? name.slice(0, 60) : ADDRESS_EXAMPLES[kind]}" } }\``;
  const known =
    resourceNames.size === 0
      ? `Declare it: ${declared}.`
      : `The resources are ${listed(resourceNames)}; declare others: ${declared}.`;
  mistakes.error(
    "manifest/unknown-resource",
    text.span,
    isAddress ? `${what} needs the name of a resource, not an address` : `there is no resource ${named(name)}`,
    isAddress ? `Declare it, ${declared}, and write its name here.` : meantName(name, resourceNames, known),
  );
  return undefined;
}
