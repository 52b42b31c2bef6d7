// Names to addresses with Node: resolved once, held against the rules, and only what fits is handed on. What connects is given these
// very addresses, so a name that resolves to something else a moment later leads nowhere.

import { lookup, type LookupAddress, type LookupOptions } from "node:dns";
import type { LookupFunction } from "node:net";
import { allowsAddress, type AddressRule } from "./host-pattern.ts";
import { parseIpAddress } from "./ip-address.ts";

/** Every address of the name was forbidden. */
export class ProhibitedAddressError extends Error {
  readonly code = "PROHIBITED_ADDRESS";

  constructor() {
    super("the host leads to addresses that are not allowed");
  }
}

/** What resolves names: all addresses of one, those to try first first. */
export type Resolve = (name: string) => Promise<readonly LookupAddress[]>;

/** For `net.connect` and its like. Fails with `ProhibitedAddressError` where no address fits. */
export function lookupWithin(rules: readonly AddressRule[], resolve: Resolve = lookupAll): LookupFunction {
  return (hostname, options, callback) => {
    const family = familyOf(options.family);
    resolve(hostname).then(
      (found) => {
        const allowed = found.filter((entry) => (family === 0 || entry.family === family) && isAllowed(rules, entry.address));
        const [first] = allowed;
        if (first === undefined) callback(new ProhibitedAddressError(), "", 0);
        else if (options.all === true) callback(null, allowed);
        else callback(null, first.address, first.family);
      },
      (error: unknown) => callback(error instanceof Error ? error : new Error("the name was not resolved"), "", 0),
    );
  };
}

function familyOf(family: LookupOptions["family"]): 0 | 4 | 6 {
  if (family === 4 || family === "IPv4") return 4;
  return family === 6 || family === "IPv6" ? 6 : 0;
}

function isAllowed(rules: readonly AddressRule[], text: string): boolean {
  const address = parseIpAddress(text);
  return address !== undefined && allowsAddress(rules, address);
}

/** As the system resolves names. */
export function lookupAll(name: string): Promise<readonly LookupAddress[]> {
  return new Promise((fulfil, reject) => {
    lookup(name, { all: true }, (error, found) => (error === null ? fulfil(found) : reject(error)));
  });
}
