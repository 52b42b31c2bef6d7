// Reads `calls:` of a grant: interfaces that a component imports and another component of the app answers; and finds circles of them, in which
// no component could be started before the others.

import { parseInterfaceName } from "../wit/wit-names.ts";
import { isLabel } from "../wit/labels.ts";
import { isNamed, type GrantSurroundings } from "./grant-names.ts";
import type { CallGrant, ComponentGrants } from "./manifest.ts";
import { named, quoted, type Mistakes } from "./mistakes.ts";
import { readEntries, readText } from "./reading.ts";
import type { Entry, Tree } from "./tree.ts";

const LONGEST_INTERFACE = 512;
const EXAMPLE = 'calls: { "acme:geo/lookup": geo }';

export function readCalls(tree: Tree, component: string, around: GrantSurroundings): readonly CallGrant[] {
  const entries = readEntries(tree, `\`calls\` of the grant of \`${component}\``, EXAMPLE, around.mistakes);
  return entries.flatMap((entry) => readCall(entry, around) ?? []);
}

function readCall({ key, keySpan, value }: Entry, around: GrantSurroundings): CallGrant | undefined {
  const { mistakes } = around;
  const isGood = isInterface(key);
  if (!isGood) {
    const message = `${quoted(key)} is no name of an interface`;
    const cure = "Write the name that the component imports, as in `acme:geo/lookup` or `acme:geo/lookup@1.2.0`.";
    mistakes.error("manifest/bad-grant", keySpan, message, cure);
  }
  const name = readText(value, `${named(key)} in \`calls\``, EXAMPLE, mistakes);
  if (name === undefined || !isNamed(name.value, name.span, around) || !isGood) return undefined;
  return { interface: key, component: name.value, span: name.span };
}

/** An interface, or a plain name of an import. */
function isInterface(name: string): boolean {
  return name.length <= LONGEST_INTERFACE && (isLabel(name) || parseInterfaceName(name) !== undefined);
}

/** Reports each circle of calls once, at the call that closes it. */
export function checkCallCycles(grants: readonly ComponentGrants[], mistakes: Mistakes): void {
  const calls = new Map(grants.map(({ component, grants: { calls: given } }) => [component, given ?? []]));
  const done = new Set<string>();
  for (const start of calls.keys()) {
    // A walk in depth without recursion: the way from the start, and where in each list of calls it stands.
    const way = [{ component: start, next: 0 }];
    const onWay = new Set([start]);
    for (let step = way.at(-1); step !== undefined; step = way.at(-1)) {
      const call = done.has(step.component) ? undefined : calls.get(step.component)?.[step.next++];
      if (call === undefined) {
        done.add(step.component);
        onWay.delete(step.component);
        way.pop();
        continue;
      }
      if (!onWay.has(call.component)) {
        onWay.add(call.component);
        way.push({ component: call.component, next: 0 });
      } else {
        const from = way.findIndex(({ component }) => component === call.component);
        const circle = [...way.slice(from).map(({ component }) => component), call.component];
        const message =
          circle.length === 2
            ? `the component ${named(call.component)} is granted calls of itself`
            : `these components call each other in a circle: ${circle.slice(0, 8).join(" -> ")}${circle.length > 8 ? " …" : ""}`;
        const cure = "Move what both need into a component of its own.";
        mistakes.error("manifest/cyclic-calls", call.span, message, cure);
      }
    }
  }
}
