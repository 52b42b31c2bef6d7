// `wasi:sockets@0.2` against real sockets, called as a guest calls it.

import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { after, test } from "node:test";
import { ComponentError } from "../../engine/engine.ts";
import { originOf, type IoError } from "../io/error.ts";
import type { InputStream, OutputStream } from "../io/streams.ts";
import type { IpSocketAddress } from "./endpoint.ts";
import { grantedSocketImports } from "./interfaces.ts";
import type { IpAddress, IpFamily } from "./ip-address.ts";
import type { ResolveAddressStream } from "./lookup-0.2.ts";
import type { Network02 } from "./network-0.2.ts";
import { nodeNetwork } from "./node-network.ts";
import { OpenSockets, SOCKET_LIMITS } from "./open-sockets.ts";
import { parseSocketsGrant } from "./socket-grant.ts";
import type { TcpSocket } from "./tcp-0.2.ts";
import type { UdpSocket } from "./udp-0.2.ts";

interface Interfaces {
  "wasi:sockets/instance-network@0.2.0": { instanceNetwork(): Network02 };
  "wasi:sockets/tcp-create-socket@0.2.0": { createTcpSocket(family: IpFamily): TcpSocket };
  "wasi:sockets/udp-create-socket@0.2.0": { createUdpSocket(family: IpFamily): UdpSocket };
  "wasi:sockets/ip-name-lookup@0.2.0": { resolveAddresses(network: Network02, name: string): ResolveAddressStream };
}

function open() {
  const grant = parseSocketsGrant({ connect: ["127.0.0.1:*", "localhost:*"], listen: ["127.0.0.1:*"] });
  const sockets = new OpenSockets(nodeNetwork, grant, SOCKET_LIMITS);
  sockets.prepare(undefined);
  after(() => sockets.finish());
  const imports = grantedSocketImports(sockets) as unknown as Interfaces;
  const network = imports["wasi:sockets/instance-network@0.2.0"].instanceNetwork();
  return {
    sockets,
    network,
    tcp: () => imports["wasi:sockets/tcp-create-socket@0.2.0"].createTcpSocket("ipv4"),
    udp: () => imports["wasi:sockets/udp-create-socket@0.2.0"].createUdpSocket("ipv4"),
    lookup: (name: string) => imports["wasi:sockets/ip-name-lookup@0.2.0"].resolveAddresses(network, name),
  };
}

const at = (port: number): IpSocketAddress => ({ tag: "ipv4", val: { port, address: [127, 0, 0, 1] } });
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const failed = (code: string) => (error: unknown) => {
  assert.ok(error instanceof ComponentError, String(error));
  assert.equal(error.payload, code);
  return true;
};

async function connected(o: ReturnType<typeof open>, port: number): Promise<[TcpSocket, InputStream, OutputStream]> {
  const socket = o.tcp();
  socket.startConnect(o.network, at(port));
  assert.throws(() => socket.finishConnect(), failed("would-block"));
  await socket.subscribe().block();
  return [socket, ...socket.finishConnect()];
}

async function readAll(input: InputStream): Promise<string> {
  let text = "";
  for (;;) {
    try {
      text += new TextDecoder().decode(await input.blockingRead(1000n));
    } catch (error) {
      assert.ok(error instanceof ComponentError);
      assert.deepEqual(error.payload, { tag: "closed" });
      return text;
    }
  }
}

async function echoServer(): Promise<number> {
  const server = createServer({ allowHalfOpen: true }, (socket) => void socket.on("error", () => undefined).pipe(socket));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  after(() => server.close());
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

test("a client connects, writes, says that it is done, and reads to the end", async () => {
  const o = open();
  const [socket, input, output] = await connected(o, await echoServer());
  assert.equal(socket.remoteAddress().tag, "ipv4");
  assert.notEqual(socket.localAddress().val.port, 0);
  await output.blockingWriteAndFlush(bytes("hello "));
  await output.blockingWriteAndFlush(bytes("world"));
  socket.shutdown("send");
  assert.equal(await readAll(input), "hello world");
  assert.throws(() => output.checkWrite(), ComponentError);
  socket[Symbol.dispose]();
});

test("a large transfer goes through both ways, holding up the writer while nobody reads", async () => {
  const o = open();
  const [, input, output] = await connected(o, await echoServer());
  const total = 4 << 20;
  const writing = (async () => {
    for (let written = 0; written < total; written += 4096) await output.blockingWriteAndFlush(new Uint8Array(4096).fill(7));
    output[Symbol.dispose]();
  })();
  let read = 0;
  for (;;) {
    const chunk = await Promise.resolve(input.blockingRead(1n << 20n)).catch((error: unknown) => {
      assert.ok(error instanceof ComponentError);
      return undefined;
    });
    if (chunk === undefined) break;
    assert.ok(chunk.every((byte) => byte === 7));
    read += chunk.length;
  }
  await writing;
  assert.equal(read, total);
});

test("a server binds, listens, accepts and answers; the options of its socket are inherited", async () => {
  const o = open();
  const server = o.tcp();
  assert.throws(() => server.finishBind(), failed("not-in-progress"));
  assert.throws(() => server.localAddress(), failed("invalid-state"));
  server.startBind(o.network, at(0));
  assert.throws(() => server.startListen(), failed("concurrency-conflict"));
  server.finishBind();
  server.setKeepAliveEnabled(true);
  server.setHopLimit(7);
  server.startListen();
  server.finishListen();
  assert.equal(server.isListening(), true);
  assert.throws(() => server.accept(), failed("would-block"));
  const client: Socket = connect(server.localAddress().val.port, "127.0.0.1");
  await server.subscribe().block();
  const [accepted, input, output] = server.accept();
  assert.deepEqual([accepted.keepAliveEnabled(), accepted.hopLimit(), accepted.addressFamily()], [true, 7, "ipv4"]);
  client.end("ping");
  assert.equal(await readAll(input), "ping");
  const answer = once(client, "data");
  await output.blockingWriteAndFlush(bytes("pong"));
  assert.equal(String((await answer)[0]), "pong");
  const ended = once(client, "end");
  output[Symbol.dispose]();
  await ended;
});

test("a connection that is refused or broken says so", async () => {
  const o = open();
  const gone = createServer().listen(0, "127.0.0.1");
  await once(gone, "listening");
  const address = gone.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  gone.close();
  await once(gone, "close");
  const socket = o.tcp();
  socket.startConnect(o.network, at(port));
  await socket.subscribe().block();
  assert.throws(() => socket.finishConnect(), failed("connection-refused"));
  assert.throws(() => socket.startConnect(o.network, at(port)), failed("invalid-state"));
  const breaking = createServer((peer) => peer.once("data", () => peer.resetAndDestroy())).listen(0, "127.0.0.1");
  after(() => breaking.close());
  await once(breaking, "listening");
  const where = breaking.address();
  const [, input, output] = await connected(o, typeof where === "object" && where !== null ? where.port : 0);
  await output.blockingWriteAndFlush(bytes("x"));
  await assert.rejects(
    async () => input.blockingRead(1n),
    (error: { payload: { tag: string; val: IoError } }) => {
      assert.equal(error.payload.tag, "last-operation-failed");
      assert.equal(originOf(error.payload.val).network, "connection-reset");
      return true;
    },
  );
});

test("reading can be given up while the peer still writes", async () => {
  const o = open();
  const [socket, input] = await connected(o, await echoServer());
  const reading = input.subscribe();
  assert.equal(reading.ready(), false);
  socket.shutdown("receive");
  assert.equal(reading.ready(), true);
  assert.throws(() => input.read(1n), { payload: { tag: "closed" } });
});

test("datagrams go out and come in, to and from one peer or anybody", async () => {
  const o = open();
  const peer = createSocket("udp4");
  peer.bindSync({ address: "127.0.0.1" });
  after(() => peer.close());
  const socket = o.udp();
  assert.throws(() => socket.stream(undefined), failed("invalid-state"));
  socket.startBind(o.network, at(0));
  socket.finishBind();
  const [, outgoing] = socket.stream(undefined);
  assert.throws(() => outgoing.send([{ data: bytes("x") }]), { code: "capability/misuse" });
  assert.ok(outgoing.checkSend() > 0n);
  const arrived = once(peer, "message");
  assert.equal(outgoing.send([{ data: bytes("one"), remoteAddress: at(peer.address().port) }]), 1n);
  assert.equal(String((await arrived)[0]), "one");
  assert.throws(() => outgoing.send([{ data: bytes("no address") }]), failed("invalid-argument"));
  const [fromPeer, toPeer] = socket.stream(at(peer.address().port));
  assert.throws(() => outgoing.checkSend(), failed("invalid-state"));
  assert.deepEqual(socket.remoteAddress(), at(peer.address().port));
  toPeer.checkSend();
  assert.equal(toPeer.send([{ data: bytes("two") }]), 1n);
  assert.deepEqual(fromPeer.receive(10n), []);
  peer.send("back", socket.localAddress().val.port, "127.0.0.1");
  await fromPeer.subscribe().block();
  assert.deepEqual(fromPeer.receive(10n), [{ data: Buffer.from("back"), remoteAddress: at(peer.address().port) }]);
});

test("a name is looked up in two steps, an address in none", async () => {
  const o = open();
  const found = o.lookup("localhost");
  assert.throws(() => found.resolveNextAddress(), failed("would-block"));
  await found.subscribe().block();
  const addresses: IpAddress[] = [];
  for (let next = found.resolveNextAddress(); next !== undefined; next = found.resolveNextAddress()) addresses.push(next);
  assert.ok(addresses.some(({ tag, val }) => tag === "ipv4" && val.join() === "127,0,0,1"));
  const denied = o.lookup("elsewhere.example");
  await denied.subscribe().block();
  assert.throws(() => denied.resolveNextAddress(), failed("access-denied"));
});

test("the end of the transaction stops whoever waits for a socket, a stream or a name", async () => {
  const o = open();
  const controller = new AbortController();
  o.sockets.prepare(controller.signal);
  const [socket, input] = await connected(o, await echoServer());
  const listening = o.tcp();
  listening.startBind(o.network, at(0));
  listening.finishBind();
  listening.startListen();
  listening.finishListen();
  const waits = [input.blockingRead(1n), listening.subscribe().block()];
  controller.abort(new Error("time is over"));
  for (const wait of waits) await assert.rejects(async () => wait);
  assert.throws(() => socket.remoteAddress(), failed("invalid-state"));
});
