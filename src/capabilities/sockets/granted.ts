// `wasi:sockets` with a network: what the grant names can be reached, listened on and looked up, everything else is denied.

import type { Binding, Capability } from "../capability.ts";
import { grantedSocketImports } from "./interfaces.ts";
import type { Network } from "./network.ts";
import { OpenSockets, SOCKET_LIMITS, type SocketLimits } from "./open-sockets.ts";
import { parseSocketsGrant, type SocketsGrant } from "./socket-grant.ts";

/** Sockets over a network; the grant is what `parseSocketsGrant` reads. */
export function grantedSockets(network: Network, limits: Partial<SocketLimits> = {}): Capability<SocketsGrant> {
  return {
    name: "sockets",
    packages: ["wasi:sockets"],
    configure(grant) {
      const parsed = parseSocketsGrant(grant);
      return (): Binding => {
        const sockets = new OpenSockets(network, parsed, { ...SOCKET_LIMITS, ...limits });
        return {
          imports: grantedSocketImports(sockets),
          prepare: ({ signal, denied }) => sockets.prepare(signal, denied),
          finish: () => sockets.finish(),
        };
      };
    },
  };
}
