// `wasi:sockets` without a network: there is a `network` to ask, and it answers `access-denied` to everything.

import type { Capability } from "../capability.ts";
import { deniedResource } from "../denied-resource.ts";
import { answerError, guestInterface } from "../guest.ts";
import { inertSocketImports03, instanceNetworkInterface, networkInterface } from "./interfaces.ts";
import type { Network02 as Network } from "./network-0.2.ts";

const TCP = "wasi:sockets/tcp";
const UDP = "wasi:sockets/udp";
const LOOKUP = "wasi:sockets/ip-name-lookup";

function denied(): never {
  throw answerError("access-denied");
}

const imports = {
  "wasi:sockets/network@0.2.0": networkInterface,
  "wasi:sockets/instance-network@0.2.0": instanceNetworkInterface,
  "wasi:sockets/tcp@0.2.0": guestInterface({ TcpSocket: deniedResource(TCP, "tcp-socket") }),
  "wasi:sockets/tcp-create-socket@0.2.0": guestInterface({ createTcpSocket: (_family: string): never => denied() }),
  "wasi:sockets/udp@0.2.0": guestInterface({
    UdpSocket: deniedResource(UDP, "udp-socket"),
    IncomingDatagramStream: deniedResource(UDP, "incoming-datagram-stream"),
    OutgoingDatagramStream: deniedResource(UDP, "outgoing-datagram-stream"),
  }),
  "wasi:sockets/udp-create-socket@0.2.0": guestInterface({ createUdpSocket: (_family: string): never => denied() }),
  "wasi:sockets/ip-name-lookup@0.2.0": guestInterface({
    resolveAddresses: (_network: Network, _name: string): never => denied(),
    ResolveAddressStream: deniedResource(LOOKUP, "resolve-address-stream"),
  }),
  ...inertSocketImports03,
};

/** Sockets that cannot be made: what a component gets without a grant. */
export const inertSockets: Capability = {
  name: "sockets",
  packages: ["wasi:sockets"],
  configure: () => () => ({ imports }),
};
