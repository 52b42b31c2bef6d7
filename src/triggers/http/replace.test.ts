import assert from "node:assert/strict";
import { createServer } from "node:net";
import { test } from "node:test";
import { curl, gate, operation, RawConnection, signature } from "./fixtures/client.ts";
import type { ListenerOptions, Route } from "./http.ts";
import { startHttpServer } from "./server.ts";

const says = (text: string): Route => operation("GET /", signature({}, "string"), () => text);

function at(port: number, ...routes: readonly Route[]): ListenerOptions {
  return { port, hosts: [{ hostnames: ["*"], routes }] };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" ? (address?.port ?? 0) : 0;
}

const get = async (port: number): Promise<string> => {
  const { status, body } = await curl(`http://127.0.0.1:${port}/`);
  return status === 200 ? JSON.parse(body) : String(status);
};

test("a request that is being answered keeps what it has, the next one on its connection gets what is new", async () => {
  const [started, finish] = [gate(), gate()];
  const slow = operation("GET /slow", signature({}, "string"), async () => {
    started.open();
    await finish.promise;
    return "old";
  });
  const server = await startHttpServer({ listeners: [at(0, says("old"), slow)] });
  await using _ = server;
  const port = server.addresses[0]?.port ?? 0;
  const connection = new RawConnection(port);
  connection.socket.write("GET /slow HTTP/1.1\r\nhost: x\r\n\r\n");
  await started.promise;
  const replaced = await server.replace([at(0, says("new"))]);
  assert.equal(server.addresses[0]?.port, port);
  assert.equal(await get(port), "new");
  const retired = replaced.retire(60_000);
  finish.open();
  await connection.until('"old"');
  assert.match(connection.text, /^HTTP\/1\.1 200/);
  assert.equal(await retired, true);
  connection.socket.write("GET / HTTP/1.1\r\nhost: x\r\n\r\n");
  await connection.until('"new"');
  connection.socket.destroy();
});

test("what was replaced and does not end in time is cut: with a 503 before its answer, with its connection in the middle", async () => {
  const started = gate();
  const stuck = operation("GET /stuck", signature({}, "string"), () => {
    started.open();
    return new Promise(() => undefined);
  });
  const endless = operation("GET /endless", signature({}, "stream<string>"), async function* () {
    yield ["first"];
    await new Promise(() => undefined);
  });
  const server = await startHttpServer({ listeners: [at(0, stuck, endless)] });
  await using _ = server;
  const port = server.addresses[0]?.port ?? 0;
  const waiting = curl(`http://127.0.0.1:${port}/stuck`);
  const stream = new RawConnection(port);
  stream.socket.write("GET /endless HTTP/1.1\r\nhost: x\r\n\r\n");
  await Promise.all([stream.until("first"), started.promise]);
  const replaced = await server.replace([at(0, says("new"))]);
  assert.equal(await replaced.retire(0), false);
  assert.equal((await waiting).status, 503);
  assert.doesNotMatch(await stream.closed, /\r\n0\r\n\r\n$/);
  assert.equal(await get(port), "new");
});

test("ports that are no longer wanted close, further ones open, and one that cannot be had changes nothing", async () => {
  const [first, second] = [await freePort(), await freePort()];
  const server = await startHttpServer({ listeners: [at(first, says("1"))] });
  await using _ = server;
  await server.replace([at(first, says("2")), at(second, says("2"))]);
  assert.deepEqual([await get(first), await get(second)], ["2", "2"]);
  await server.replace([at(second, says("3"))]);
  assert.equal(await get(second), "3");
  await assert.rejects(curl(`http://127.0.0.1:${first}/`), /Failed to connect|refused/);
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(first, "127.0.0.1", resolve));
  await assert.rejects(server.replace([at(first, says("4"))]), { code: "http/listen" });
  assert.equal(await get(second), "3");
  taken.close();
});

test("a listener that must listen anew keeps its port, and listens on where the new one cannot", async () => {
  const port = await freePort();
  const server = await startHttpServer({ listeners: [at(port, says("1"))] });
  await using _ = server;
  await server.replace([{ ...at(port, says("2")), limits: { headBytes: 4096 } }]);
  assert.equal(await get(port), "2");
  await assert.rejects(server.replace([{ ...at(port, says("3")), address: "192.0.2.1" }]), { code: "http/listen" });
  assert.equal(await get(port), "2");
});

test("limits that change hold from the next request on", async () => {
  const server = await startHttpServer({ listeners: [at(0, says("1"))] });
  await using _ = server;
  const port = server.addresses[0]?.port ?? 0;
  await server.replace([{ ...at(0, says("2")), limits: { targetLength: 10 } }]);
  assert.equal((await curl(`http://127.0.0.1:${port}/?${"x".repeat(20)}`)).status, 414);
  assert.equal(await get(port), "2");
});
