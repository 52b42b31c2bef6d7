// `wasi:sockets` as the engine takes it, 0.2 and 0.3, over the sockets of a transaction.

import type { Imports } from "../../engine/engine.ts";
import { markTimeless } from "../../engine/timeless.ts";
import { answerError, guestInterface, madeByHost, misuse } from "../guest.ts";
import { originOf, type IoError } from "../io/error.ts";
import { waitingIo } from "../io/waiting.ts";
import type { Denial } from "../capability.ts";
import { deniedLookup, deniedSocket } from "./denied.ts";
import { answering as answering02 } from "./errors-0.2.ts";
import { answering, lookupErrorOf } from "./errors-0.3.ts";
import type { IpAddress, IpFamily } from "./ip-address.ts";
import { ResolveAddressStream } from "./lookup-0.2.ts";
import { Network02 } from "./network-0.2.ts";
import { SocketFailure } from "./network.ts";
import type { OpenSockets } from "./open-sockets.ts";
import { Tcp } from "./tcp.ts";
import { TcpSocket as TcpSocket02 } from "./tcp-0.2.ts";
import { TcpSocket } from "./tcp-0.3.ts";
import { Udp } from "./udp.ts";
import { IncomingDatagramStream, OutgoingDatagramStream, UdpSocket as UdpSocket02 } from "./udp-0.2.ts";
import { UdpSocket } from "./udp-0.3.ts";

export const networkInterface = guestInterface({
  Network: madeByHost(Network02),
  networkErrorCode: (error: IoError): string | undefined => originOf(error).network,
});

export const instanceNetworkInterface = guestInterface({ instanceNetwork: (): Network02 => markTimeless(new Network02()) });

/** Made once: a resource is known by its class. */
const tcp02 = guestInterface({ TcpSocket: madeByHost(TcpSocket02) });
const udp02 = guestInterface({
  UdpSocket: madeByHost(UdpSocket02),
  IncomingDatagramStream: madeByHost(IncomingDatagramStream),
  OutgoingDatagramStream: madeByHost(OutgoingDatagramStream),
});
const resolveAddressStream = madeByHost(ResolveAddressStream);

type Made = abstract new (...args: never[]) => object;

/** The class of a resource that a guest makes with a static function of its own. */
function withCreate(resource: Made, create: (family: IpFamily) => object): Made {
  const face = function (): never {
    throw misuse("this resource has no constructor");
  };
  Object.setPrototypeOf(face, null);
  Object.defineProperty(face, "prototype", { value: madeByHost(resource).prototype, writable: false });
  Object.defineProperty(face, "create", { value: create });
  return face as unknown as Made;
}

function checkFamily(family: IpFamily): IpFamily {
  if (family !== "ipv4" && family !== "ipv6") throw new SocketFailure("not-supported");
  return family;
}

export function grantedSocketImports(sockets: OpenSockets): Imports {
  const newTcp = (family: IpFamily): Tcp => {
    sockets.checkUse("tcp");
    return new Tcp(sockets, checkFamily(family));
  };
  const newUdp = (family: IpFamily): Udp => {
    sockets.checkUse("udp");
    return new Udp(sockets, checkFamily(family));
  };
  return {
    ...waitingIo,
    "wasi:sockets/network@0.2.0": networkInterface,
    "wasi:sockets/instance-network@0.2.0": instanceNetworkInterface,
    "wasi:sockets/tcp@0.2.0": tcp02,
    "wasi:sockets/udp@0.2.0": udp02,
    "wasi:sockets/tcp-create-socket@0.2.0": guestInterface({
      createTcpSocket: (family: IpFamily): TcpSocket02 => answering02(() => new TcpSocket02(newTcp(family), sockets.signal)),
    }),
    "wasi:sockets/udp-create-socket@0.2.0": guestInterface({
      createUdpSocket: (family: IpFamily): UdpSocket02 => answering02(() => new UdpSocket02(newUdp(family), sockets.signal)),
    }),
    "wasi:sockets/ip-name-lookup@0.2.0": guestInterface({
      resolveAddresses: (_network: Network02, name: string): ResolveAddressStream =>
        answering02(() => new ResolveAddressStream(sockets.lookup(name), sockets.signal)),
      ResolveAddressStream: resolveAddressStream,
    }),
    "wasi:sockets/types@0.3.0": guestInterface({
      TcpSocket: withCreate(TcpSocket, (family) => answering(() => new TcpSocket(newTcp(family)))),
      UdpSocket: withCreate(UdpSocket, (family) => answering(() => new UdpSocket(newUdp(family)))),
    }),
    "wasi:sockets/ip-name-lookup@0.3.0": guestInterface({
      resolveAddresses: async (name: string): Promise<readonly IpAddress[]> => {
        try {
          return await sockets.lookup(name);
        } catch (error) {
          throw answerError(lookupErrorOf(error));
        }
      },
    }),
  };
}

/** No socket can be made, and no name is looked up; `tell` is told. */
export function inertSocketImports03(tell: (denial: Denial) => void): Imports {
  const deny = (denial: Denial): never => {
    tell(denial);
    throw answerError({ tag: "access-denied" });
  };
  return {
    "wasi:sockets/types@0.3.0": guestInterface({
      TcpSocket: withCreate(TcpSocket, (_family) => deny(deniedSocket("tcp"))),
      UdpSocket: withCreate(UdpSocket, (_family) => deny(deniedSocket("udp"))),
    }),
    "wasi:sockets/ip-name-lookup@0.3.0": guestInterface({
      resolveAddresses: (name: string): never => deny(deniedLookup(name)),
    }),
  };
}
