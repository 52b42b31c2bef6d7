// `wasi:sockets` without a network: there is a `network` to ask, and it answers `access-denied` to everything.

import type { Binding, Capability, CapabilityTransaction, Denial } from "../capability.ts";
import { deniedResource } from "../denied-resource.ts";
import { deniedLookup, deniedSocket } from "./denied.ts";
import { answerError, guestInterface } from "../guest.ts";
import { inertSocketImports03, instanceNetworkInterface, networkInterface } from "./interfaces.ts";
import type { Network02 as Network } from "./network-0.2.ts";

const TCP = "wasi:sockets/tcp";
const UDP = "wasi:sockets/udp";
const LOOKUP = "wasi:sockets/ip-name-lookup";

/** Made once: a resource is known by its class. */
const shared = {
  "wasi:sockets/network@0.2.0": networkInterface,
  "wasi:sockets/instance-network@0.2.0": instanceNetworkInterface,
  "wasi:sockets/tcp@0.2.0": guestInterface({ TcpSocket: deniedResource(TCP, "tcp-socket") }),
  "wasi:sockets/udp@0.2.0": guestInterface({
    UdpSocket: deniedResource(UDP, "udp-socket"),
    IncomingDatagramStream: deniedResource(UDP, "incoming-datagram-stream"),
    OutgoingDatagramStream: deniedResource(UDP, "outgoing-datagram-stream"),
  }),
};
const resolveAddressStream = deniedResource(LOOKUP, "resolve-address-stream");

function bind(): Binding {
  let denied: CapabilityTransaction["denied"];
  const tell = (denial: Denial): void => denied?.(denial);
  const deny = (denial: Denial): never => {
    tell(denial);
    throw answerError("access-denied");
  };
  return {
    imports: {
      ...shared,
      "wasi:sockets/tcp-create-socket@0.2.0": guestInterface({
        createTcpSocket: (_family: string): never => deny(deniedSocket("tcp")),
      }),
      "wasi:sockets/udp-create-socket@0.2.0": guestInterface({
        createUdpSocket: (_family: string): never => deny(deniedSocket("udp")),
      }),
      "wasi:sockets/ip-name-lookup@0.2.0": guestInterface({
        resolveAddresses: (_network: Network, name: string): never => deny(deniedLookup(name)),
        ResolveAddressStream: resolveAddressStream,
      }),
      ...inertSocketImports03(tell),
    },
    prepare: (transaction) => {
      ({ denied } = transaction);
    },
  };
}

/** Sockets that cannot be made: what a component gets without a grant. */
export const inertSockets: Capability = {
  name: "sockets",
  packages: ["wasi:sockets"],
  configure: () => bind,
};
