// `wasi:http` with a network: requests that a grant allows are sent, everything else is denied.

import type { Binding, Capability } from "../capability.ts";
import type { HttpClient } from "./http-client.ts";
import { parseHttpGrant } from "./http-grant.ts";
import { grantedHttpImports } from "./interfaces.ts";
import { HTTP_LIMITS, type HttpLimits, OutgoingHttp } from "./outgoing.ts";
import { TracedClient } from "./traced-client.ts";

/**
 * HTTP over a client, which belongs to the app; the grant is the lines that `parseHttpGrant` reads. With an empty grant messages
 * stream, and sending one is denied: what a component needs that is served and sends nothing.
 */
export function grantedHttp(client: HttpClient, limits: Partial<HttpLimits> = {}): Capability<readonly string[]> {
  return {
    name: "http",
    packages: ["wasi:http"],
    configure(grant) {
      const grants = grant.map(parseHttpGrant);
      return (): Binding => {
        const traced = new TracedClient(client);
        const outgoing = new OutgoingHttp(traced, grants, { ...HTTP_LIMITS, ...limits });
        return {
          imports: grantedHttpImports(outgoing),
          prepare: (transaction) => {
            traced.outgoing = transaction.outgoing;
            outgoing.prepare(transaction.signal, transaction.denied);
          },
          finish: (outcome) => outgoing.finish(outcome),
          // Whatever is sent ends an attempt before it is.
          restart: () => outgoing.finish("failed"),
        };
      };
    },
  };
}
