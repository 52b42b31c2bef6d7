// What starts transactions, a line each.

import type { JSX } from "react";
import { AddressLink } from "../frame/parts.tsx";

export function Triggers({
  triggers,
  addresses,
}: {
  readonly triggers: readonly string[];
  readonly addresses: readonly string[];
}): JSX.Element {
  return (
    <ul className="triggers">
      {triggers.map((trigger, i) => (
        <li key={i}>
          <Trigger trigger={trigger} address={addresses[0]} />
        </li>
      ))}
    </ul>
  );
}

/** `GET /users -> users::list`: where a browser can open it, its path is a link. */
function Trigger({ trigger, address }: { readonly trigger: string; readonly address: string | undefined }): JSX.Element {
  const [, method = "", path = "", query = "", rest = ""] =
    /^(GET |ANY |\* )?(\/[^\s{}*?]*)(\?\S*)?(\s.*|$)/s.exec(trigger) ?? [];
  if (path === "" || address === undefined) return <code>{trigger}</code>;
  return (
    <code>
      {method}
      <AddressLink address={address.replace(/\/+$/, "") + path}>{path}</AddressLink>
      {query}
      {rest}
    </code>
  );
}

/** Those that run an operation: `… -> users::find`. */
export function triggersOf(triggers: readonly string[], component: string | undefined, operation: string): readonly string[] {
  const target = ` -> ${component === undefined ? "" : `${component}::`}${operation}`;
  return triggers.filter((trigger) => trigger.endsWith(target));
}
