// A network that reaches nothing, for tests: connections are refused, names are unknown, no port can be had.

import { LookupFailure, type Network, SocketFailure } from "../../capabilities/sockets/network.ts";

function refuse(): never {
  throw new SocketFailure("access-denied");
}

export const refusingNetwork: Network = {
  bindTcp: refuse,
  listenTcp: refuse,
  bindUdp: refuse,
  connectTcp: () => Promise.reject(new SocketFailure("connection-refused")),
  resolve: () => Promise.reject(new LookupFailure("name-unresolvable")),
};
