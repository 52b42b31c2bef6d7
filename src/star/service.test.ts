import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { virtualClock } from "../base/clock.ts";
import { gate } from "../triggers/http/fixtures/client.ts";
import { Service, type ServedVersion, type ServiceOptions } from "./service.ts";
import { loadTarget } from "./star.ts";

const folder = mkdtempSync(join(tmpdir(), "starlane-service-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const manifest = (text: string, trigger: string): string => `starlane: v1
operations:
  say:
    input: { name: { type: string, default: you } }
    flow: |
      <>.name -> say -> <>.said
    nodes:
      say: { uses: "core::expr", with: { expr: "'${text} ' + name" } }
triggers: [ ${trigger} ]
`;

const HTTP = '{ http: { port: 0 }, routes: [ "GET /say -> say", "POST /say -> say" ] }';
const EVERY_SECOND = '{ schedule: "* * * * * * -> say" }';

/** A version, and a promise of its end. */
async function version(
  text: string,
  trigger = HTTP,
): Promise<ServedVersion & { readonly closed: Promise<void>; isClosed: boolean }> {
  const path = join(folder, "starlane.yaml");
  writeFileSync(path, manifest(text, trigger));
  const loaded = await loadTarget(path, { use: "run" });
  const { promise, open } = gate();
  const made = {
    targets: [loaded.target],
    closed: promise,
    isClosed: false,
    close: async () => {
      made.isClosed = true;
      await loaded.close();
      open();
    },
  };
  return made;
}

function service(options: Partial<ServiceOptions> = {}): Service {
  return new Service({ port: 0, retireMs: 60_000, ...options });
}

const say = async (on: Service): Promise<string> => {
  const response = await fetch(`http://127.0.0.1:${on.addresses[0]?.port}/say`);
  const { said }: { said: string } = JSON.parse(await response.text());
  return said;
};

test("what a version opened is closed when its last request has been answered, and not before", async () => {
  const on = service();
  const [one, two] = [await version("one"), await version("two")];
  await on.replace(one);
  assert.equal(await say(on), "one you");
  const socket = connect(on.addresses[0]?.port ?? 0, "127.0.0.1").setEncoding("utf8");
  let got = "";
  socket.on("data", (chunk: string) => (got += chunk));
  socket.write(
    'POST /say HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: 14\r\n\r\n{"name"',
  );
  await say(on);
  await on.replace(two);
  assert.equal(await say(on), "two you");
  assert.equal(one.isClosed, false);
  const closed = new Promise((resolve) => socket.once("close", resolve));
  socket.write(':"Ada"}');
  await Promise.all([one.closed, closed]);
  assert.match(got, /"one Ada"/);
  assert.equal(await on.drain(1000), true);
  assert.equal(two.isClosed, true);
});

test("transactions that others began of a version are waited for too", async () => {
  const on = service();
  const [one, two] = [await version("one"), await version("two")];
  await on.replace(one);
  const ended = on.current?.telemetry.observer?.({ id: "1", app: "a", operation: "say", trigger: "api", origin: undefined });
  await on.replace(two);
  assert.deepEqual(on.current?.targets, two.targets);
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(one.isClosed, false);
  ended?.(undefined);
  await one.closed;
  await on.drain(1000);
});

test("a version that cannot be served changes nothing", async () => {
  const on = service();
  const one = await version("one");
  await on.replace(one);
  const taken = connect(on.addresses[0]?.port ?? 0, "127.0.0.1");
  const wrong = await version("wrong", '{ http: { port: 0, host: "192.0.2.1" }, routes: [ "GET /say -> say" ] }');
  await assert.rejects(on.replace(wrong), { code: "http/listen" });
  assert.equal(await say(on), "one you");
  assert.deepEqual(on.current?.targets, one.targets);
  taken.destroy();
  await on.drain(0);
});

test("a schedule goes on through versions: each of its times comes once", async () => {
  const clock = virtualClock(Date.parse("2026-01-01T00:00:00.500Z"));
  const runs: string[] = [];
  const observer = ({ trigger }: { readonly trigger: string }): (() => void) => {
    runs.push(`${trigger} ${Math.floor(clock.now() / 1000) % 60}`);
    return () => undefined;
  };
  const on = service({ telemetry: { observer }, schedules: { clock } });
  // Before the clock runs: it goes on as fast as it can.
  const versions: ServedVersion[] = [];
  for (let i = 0; i < 6; i++) versions.push(await version(`v${i}`, EVERY_SECOND));
  for (const [i, one] of versions.entries()) {
    await on.replace(one);
    await clock.sleep(i % 2 === 0 ? 500 : 1200);
  }
  assert.deepEqual(
    runs,
    [1, 2, 3, 4, 5].map((second) => `schedule ${second}`),
  );
  assert.equal(await on.drain(1000), true);
});

test("a version that was replaced is let go, with all that it holds", async () => {
  setFlagsFromString("--expose-gc");
  const collect: unknown = runInNewContext("gc");
  assert.ok(typeof collect === "function");
  const on = service();
  const targets: WeakRef<object>[] = [];
  for (const trigger of [HTTP, EVERY_SECOND, EVERY_SECOND, HTTP]) {
    const one = await version("one", `${trigger}, ${EVERY_SECOND.replace("* *", "0 *")}`);
    for (const target of one.targets) targets.push(new WeakRef(target));
    await on.replace(one);
  }
  for (let i = 0; i < 20 && targets.slice(0, 2).some((target) => target.deref() !== undefined); i++) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    Reflect.apply(collect, undefined, []);
  }
  assert.deepEqual(
    targets.slice(0, 2).map((target) => target.deref() === undefined),
    [true, true],
  );
  await on.drain(1000);
});
