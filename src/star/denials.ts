// What components asked for and are not granted, as lines for the author of the app: each once, however often it is asked for. Bounded:
// MOST_TOLD lines, because names are the component's to choose.

import type { Denial } from "../capabilities/capability.ts";

const MOST_TOLD = 100;
const LONGEST_TEXT = 300;

/** A receiver for `LoadOptions.denied`; the lines that `write` gets may hold control characters and secrets. */
export function denialLines(write: (line: string) => void): (component: string, denial: Denial) => void {
  const told = new Set<string>();
  return (component, { target, grant }) => {
    if (told.size > MOST_TOLD) return;
    const line = `${component} asked for ${cut(target)}; what would allow it: ${grantLine(component, cut(grant))}`;
    // One line for each grant: of a host that is asked for a thousand paths one is told.
    const key = `${component}\n${grant}`;
    if (told.has(key)) return;
    told.add(key);
    write(told.size > MOST_TOLD ? "components asked for more than is told here" : line);
  };
}

/** As it stands in the manifest that names the component. */
function grantLine(component: string, grant: string): string {
  const at = component.lastIndexOf("/");
  const where = at < 0 ? "" : ` in the manifest of ${component.slice(0, at)}`;
  return `grants: { ${component.slice(at + 1)}: { ${grant} } }${where}`;
}

function cut(text: string): string {
  return text.length <= LONGEST_TEXT ? text : `${text.slice(0, LONGEST_TEXT)}…`;
}
