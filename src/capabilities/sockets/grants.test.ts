// Ways around a grant of sockets, tried against real sockets: some that may be reached, and some that must never hear anything.

import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { after, test } from "node:test";
import { StarlaneError } from "../../base/errors.ts";
import { ComponentError } from "../../engine/engine.ts";
import type { IpSocketAddress } from "./endpoint.ts";
import { grantedSocketImports } from "./interfaces.ts";
import type { IpAddress, IpFamily } from "./ip-address.ts";
import { parseIpAddress } from "./ip-address.ts";
import { LookupFailure, type Network } from "./network.ts";
import { nodeNetwork } from "./node-network.ts";
import { OpenSockets, SOCKET_LIMITS } from "./open-sockets.ts";
import { parseSocketsGrant, type SocketsGrant } from "./socket-grant.ts";
import type { TcpSocket } from "./tcp-0.3.ts";
import type { UdpSocket } from "./udp-0.3.ts";

let heard = 0;
const forbidden = createServer((socket) => {
  heard++;
  socket.destroy();
});
const allowed = createServer((socket) => void socket.on("error", () => undefined).end("hello"));
const forbiddenUdp = createSocket("udp4").on("message", () => heard++);
for (const server of [forbidden, allowed]) {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
}
forbiddenUdp.bindSync({ address: "127.0.0.1" });
after(() => {
  forbidden.close();
  allowed.close();
  forbiddenUdp.close();
});

function portOf(server: { address(): unknown }): number {
  const address = server.address();
  return typeof address === "object" && address !== null && "port" in address ? Number(address.port) : 0;
}

const [A, B, U] = [portOf(allowed), portOf(forbidden), portOf(forbiddenUdp)];

/** Names that resolve to what their owner likes. */
const NAMES: Readonly<Record<string, readonly string[]>> = {
  "rebound.example": ["127.0.0.1"],
  "good.internal": ["127.0.0.1", "10.0.0.1"],
  "mapped.example": ["::ffff:127.0.0.1"],
  "metadata.example": ["169.254.169.254"],
};
let lookedUp: string[] = [];
const network: Network = {
  ...nodeNetwork,
  resolve: (name) => {
    lookedUp.push(name);
    const found = NAMES[name];
    if (found === undefined) return Promise.reject(new LookupFailure("name-unresolvable"));
    return Promise.resolve(found.flatMap((text) => parseIpAddress(text) ?? []));
  },
};

const GRANT: SocketsGrant = {
  connect: [
    `tcp://127.0.0.1:${A}`,
    `rebound.example:${B}`,
    `mapped.example:${B}`,
    "metadata.example:80",
    `good.internal:${A} at 127.0.0.0/8`,
    `*.wild.example:${B}`,
    "192.0.2.0/24:9",
  ],
  listen: [0, "udp://0"],
  resolve: ["*.names.example"],
};

interface Interfaces {
  "wasi:sockets/types@0.3.0": {
    TcpSocket: { create(family: IpFamily): TcpSocket };
    UdpSocket: { create(family: IpFamily): UdpSocket };
  };
  "wasi:sockets/ip-name-lookup@0.3.0": { resolveAddresses(name: string): Promise<readonly IpAddress[]> };
}

function open(grant: SocketsGrant = GRANT, limits = {}) {
  const sockets = new OpenSockets(network, parseSocketsGrant(grant), { ...SOCKET_LIMITS, ...limits });
  sockets.prepare(undefined);
  after(() => sockets.finish());
  const imports = grantedSocketImports(sockets) as unknown as Interfaces;
  const { TcpSocket: tcp, UdpSocket: udp } = imports["wasi:sockets/types@0.3.0"];
  return {
    sockets,
    tcp: (family: IpFamily = "ipv4") => tcp.create(family),
    udp: (family: IpFamily = "ipv4") => udp.create(family),
    resolve: imports["wasi:sockets/ip-name-lookup@0.3.0"].resolveAddresses,
  };
}

function at(text: string, port: number): IpSocketAddress {
  const address = parseIpAddress(text);
  assert.ok(address !== undefined, text);
  if (address.tag === "ipv4") return { tag: "ipv4", val: { port, address: address.val } };
  return { tag: "ipv6", val: { port, address: address.val, flowInfo: 0, scopeId: 0 } };
}

const failed = (tag: string) => (error: unknown) => {
  assert.ok(error instanceof ComponentError, String(error));
  assert.equal((error.payload as { tag: string }).tag, tag);
  return true;
};

async function readAll(socket: TcpSocket): Promise<string> {
  const [stream, outcome] = socket.receive();
  let text = "";
  for await (const chunk of stream) text += new TextDecoder().decode(chunk);
  assert.equal((await outcome).tag, "ok");
  return text;
}

test("what is granted is reached: by address, and by name once it was looked up", async () => {
  const { tcp, resolve } = open();
  const byAddress = tcp();
  await byAddress.connect(at("127.0.0.1", A));
  assert.equal(await readAll(byAddress), "hello");
  const named = open({ connect: [`good.internal:${A} at 127.0.0.0/8`] });
  await assert.rejects(named.tcp().connect(at("127.0.0.1", A)), failed("access-denied"));
  assert.deepEqual(await named.resolve("GOOD.internal"), [parseIpAddress("127.0.0.1")]);
  await named.tcp().connect(at("127.0.0.1", A));
  assert.deepEqual(await resolve("::1"), [parseIpAddress("::1")]);
});

type Way = readonly [way: string, attempt: (o: ReturnType<typeof open>) => unknown, tag: string];

const one = Uint8Array.of(1);
const WAYS: readonly Way[] = [
  ["another port", (o) => o.tcp().connect(at("127.0.0.1", B)), "access-denied"],
  ["another address of this machine", (o) => o.tcp().connect(at("127.0.0.2", A)), "access-denied"],
  ["IPv4 in the clothes of IPv6", (o) => o.tcp("ipv6").connect(at("::ffff:127.0.0.1", A)), "invalid-argument"],
  ["the address without a place", (o) => o.tcp().connect(at("0.0.0.0", A)), "invalid-argument"],
  ["the IPv6 address without a place", (o) => o.tcp("ipv6").connect(at("::", A)), "invalid-argument"],
  ["IPv6 for IPv4", (o) => o.tcp("ipv6").connect(at("::1", A)), "access-denied"],
  ["an address of the other family", (o) => o.tcp("ipv4").connect(at("::1", A)), "invalid-argument"],
  ["everybody", (o) => o.tcp().connect(at("255.255.255.255", A)), "invalid-argument"],
  ["a group", (o) => o.tcp().connect(at("224.0.0.1", A)), "invalid-argument"],
  ["port 0", (o) => o.tcp().connect(at("127.0.0.1", 0)), "invalid-argument"],
  [
    "a zone",
    (o) =>
      o.tcp("ipv6").connect({ tag: "ipv6", val: { port: A, address: [0xfe80, 0, 0, 0, 0, 0, 0, 1], flowInfo: 0, scopeId: 1 } }),
    "invalid-argument",
  ],
  ["the other protocol", (o) => o.udp().connect(at("127.0.0.1", A)), "access-denied"],
  ["a datagram to another port", (o) => o.udp().send(one, at("127.0.0.1", U)), "access-denied"],
  ["a datagram to everybody", (o) => o.udp().send(one, at("255.255.255.255", U)), "invalid-argument"],
  ["a datagram beside the connected peer", (o) => sendBeside(o), "invalid-argument"],
  ["an address beside a range", (o) => o.tcp().connect(at("192.0.3.1", 9)), "access-denied"],
  ["another port of a range", (o) => o.udp().send(one, at("192.0.2.1", 10)), "access-denied"],
  ["listening on a port of one's own choice", (o) => o.tcp().bind(at("127.0.0.1", 28_431)), "access-denied"],
  ["a datagram port of one's own choice", (o) => o.udp().bind(at("127.0.0.1", 28_431)), "access-denied"],
  ["a name that leads to this machine", (o) => o.resolve("rebound.example"), "name-unresolvable"],
  ["a name that leads here in the clothes of IPv6", (o) => o.resolve("mapped.example"), "name-unresolvable"],
  ["a name that leads to the metadata of a cloud", (o) => o.resolve("metadata.example"), "name-unresolvable"],
  ["connecting where such a name leads", (o) => resolveThenConnect(o, "rebound.example", B), "access-denied"],
  ["a name for another port", (o) => resolveThenConnect(o, "good.internal", B), "access-denied"],
];

async function sendBeside(o: ReturnType<typeof open>): Promise<void> {
  const udp = o.udp();
  udp.connect(at("192.0.2.1", 9));
  await udp.send(one, at("127.0.0.1", U));
}

async function resolveThenConnect(o: ReturnType<typeof open>, name: string, port: number): Promise<void> {
  await o.resolve(name).catch(() => undefined);
  await o.tcp().connect(at("127.0.0.1", port));
}

for (const [way, attempt, tag] of WAYS) {
  test(`no way out: ${way}`, async () => {
    await assert.rejects(async () => attempt(open()), failed(tag));
    assert.equal(heard, 0);
  });
}

const NOT_LOOKED_UP: readonly (readonly [name: string, tag: string])[] = [
  ["evil.example", "access-denied"],
  ["secret-data.attacker.example", "access-denied"],
  ["names.example", "access-denied"],
  ["evilnames.example", "access-denied"],
  ["localhost", "access-denied"],
  ["a.names.example.evil.example", "access-denied"],
  ["a.names.example.", "invalid-argument"],
  ["2130706433", "invalid-argument"],
  ["0x7f.1", "invalid-argument"],
  ["0177.0.0.1", "invalid-argument"],
  ["127.1", "invalid-argument"],
  ["fe80::1%eth0", "invalid-argument"],
  ["[::1]", "invalid-argument"],
  ["a b", "invalid-argument"],
  ["a.names.example/", "invalid-argument"],
  ["", "invalid-argument"],
  ["x".repeat(100_000), "invalid-argument"],
];

test("no way out: a name that is not granted is never asked for", async () => {
  lookedUp = [];
  const { resolve } = open();
  for (const [name, tag] of NOT_LOOKED_UP) await assert.rejects(resolve(name), failed(tag), name);
  assert.deepEqual(lookedUp, []);
  await assert.rejects(resolve("a.names.example"), failed("name-unresolvable"));
  await assert.rejects(resolve("BÜCHER.names.example"), failed("name-unresolvable"));
  assert.deepEqual(lookedUp, ["a.names.example", "xn--bcher-kva.names.example"]);
});

test("no way out: what a name led to in one transaction opens nothing in the next", async () => {
  const o = open({ connect: [`good.internal:${A} at 127.0.0.0/8`] });
  await o.resolve("good.internal");
  o.sockets.prepare(undefined);
  await assert.rejects(o.tcp().connect(at("127.0.0.1", A)), failed("access-denied"));
});

test("no way out: without listening, a datagram of a stranger is not heard", async () => {
  const stranger = createSocket("udp4");
  stranger.bindSync({ address: "127.0.0.1" });
  const friend = createSocket("udp4");
  friend.bindSync({ address: "127.0.0.1" });
  const { udp } = open({ connect: [`udp://127.0.0.1:${portOf(friend)}`] });
  const socket = udp();
  socket.bind(at("127.0.0.1", 0));
  const { port } = socket.getLocalAddress().val;
  const sent = (from: typeof stranger, text: string) => new Promise((resolve) => from.send(text, port, "127.0.0.1", resolve));
  await sent(stranger, "stranger");
  await sent(friend, "friend");
  const [data] = await socket.receive();
  assert.equal(new TextDecoder().decode(data), "friend");
  stranger.close();
  friend.close();
});

test("who may listen for datagrams may answer those who wrote, and nobody else", async () => {
  const writer = createSocket("udp4");
  writer.bindSync({ address: "127.0.0.1" });
  const { udp } = open({ listen: ["udp://127.0.0.1:0"] });
  const socket = udp();
  socket.bind(at("127.0.0.1", 0));
  await assert.rejects(socket.send(one, at("127.0.0.1", portOf(writer))), failed("access-denied"));
  writer.send("ask", socket.getLocalAddress().val.port, "127.0.0.1");
  const [data, remote] = await socket.receive();
  assert.equal(new TextDecoder().decode(data), "ask");
  const answer = once(writer, "message");
  await socket.send(new TextEncoder().encode("answer"), remote);
  assert.equal(String((await answer)[0]), "answer");
  await assert.rejects(socket.send(one, at("127.0.0.1", U)), failed("access-denied"));
  writer.close();
});

test("without any grant of a protocol no socket of it is made, and none outside of a transaction", () => {
  const o = open({ connect: [`tcp://127.0.0.1:${A}`] });
  assert.throws(() => o.udp(), failed("access-denied"));
  o.tcp();
  o.sockets.finish();
  assert.throws(() => o.tcp(), failed("access-denied"));
});

test("connecting alone does not let a guest listen", () => {
  const socket = open({ connect: [`127.0.0.1:${A}`] }).tcp();
  socket.bind(at("127.0.0.1", 0));
  assert.throws(() => socket.listen(), failed("access-denied"));
});

test("sockets are bounded, and given back when they are dropped", () => {
  const o = open(GRANT, { sockets: 3 });
  const [first] = [o.tcp(), o.tcp(), o.udp()];
  assert.throws(() => o.tcp(), failed("out-of-memory"));
  assert.throws(() => o.udp(), failed("out-of-memory"));
  first?.[Symbol.dispose]();
  o.tcp();
});

test("the end of the transaction closes every socket, whatever is under way", async () => {
  const waiting = createServer({ allowHalfOpen: true });
  waiting.listen(0, "127.0.0.1");
  await once(waiting, "listening");
  const o = open({ connect: [`127.0.0.1:${portOf(waiting)}`], listen: [0] });
  const accepted = once(waiting, "connection");
  const client = o.tcp();
  await client.connect(at("127.0.0.1", portOf(waiting)));
  const [peer] = (await accepted) as [Socket];
  const [stream, outcome] = client.receive();
  const next = stream[Symbol.asyncIterator]().next();
  const server = o.tcp();
  server.bind(at("127.0.0.1", 0));
  const { port } = server.getLocalAddress().val;
  const connection = server.listen()[Symbol.asyncIterator]().next();
  const closed = once(peer.on("error", () => undefined).resume(), "close");
  o.sockets.finish();
  assert.equal((await next).done, true);
  assert.equal((await outcome).tag, "err");
  assert.equal((await connection).done, true);
  peer.end();
  await closed;
  const again = createServer().listen(port, "127.0.0.1");
  await once(again, "listening");
  again.close();
  waiting.close();
});

test("an aborted signal ends the attempt to connect", async () => {
  const o = open({ connect: ["192.0.2.1:9"] });
  const controller = new AbortController();
  o.sockets.prepare(controller.signal);
  const connecting = o.tcp().connect(at("192.0.2.1", 9));
  controller.abort(new Error("time is over"));
  await assert.rejects(connecting, ComponentError);
  assert.throws(() => o.tcp(), failed("access-denied"));
});

const BAD: readonly (readonly [grant: SocketsGrant, says: RegExp])[] = [
  [{ connect: ["example.com"] }, /no host and port/],
  [{ connect: ["*:80"] }, /no host and port/],
  [{ connect: ["*.com:80"] }, /no host and port/],
  [{ connect: ["::1:80"] }, /no host and port/],
  [{ connect: ["127.1:80"] }, /no host and port/],
  [{ connect: ["10.0.0.1/8:80"] }, /no host and port/],
  [{ connect: ["sctp://10.0.0.1:80"] }, /no host and port/],
  [{ connect: ["example.com:0"] }, /port "0"/],
  [{ connect: ["example.com:65536"] }, /port "65536"/],
  [{ connect: ["10.0.0.1:80 at 10.0.0.0/8"] }, /stand for themselves/],
  [{ connect: ["example.com:80 in 10.0.0.0/8"] }, /goes on/],
  [{ connect: ["example.com:80 at 10.0.0.0/33"] }, /range of addresses/],
  [{ listen: ["example.com:80"] }, /names a host/],
  [{ listen: [70_000] }, /port "70000"/],
  [{ listen: [-1] }, /no port/],
  [{ listen: [1.5] }, /no port/],
  [{ resolve: ["*"] }, /no name/],
  [{ resolve: ["127.0.0.1"] }, /no name/],
];

test("a grant that cannot be matched exactly is refused, saying why", () => {
  for (const [grant, says] of BAD) {
    assert.throws(
      () => parseSocketsGrant(grant),
      (error: unknown) => {
        assert.ok(error instanceof StarlaneError && error.code === "grant/bad-value");
        assert.match(error.message, says);
        return true;
      },
      JSON.stringify(grant),
    );
  }
});
