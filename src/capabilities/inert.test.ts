import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { anyMayWait } from "../engine/may-wait.ts";
import { camelCase } from "../wit/types.ts";
import { inertImports, linkInert } from "./inert.ts";
import { WASI_0_2 } from "./wasi-0.2.ts";
import { WASI_0_3 } from "./wasi-0.3.ts";

const TRANSACTION = { seed: 1, timestampMs: 1_790_000_000_000 };

const className = (resource: string): string => {
  const name = camelCase(resource);
  return name.charAt(0).toUpperCase() + name.slice(1);
};

type Callable = (...args: never[]) => unknown;

/** Looks a WIT name up as the engine does. */
function memberOf(members: Readonly<Record<string, unknown>>, name: string): unknown {
  const match = /^\[(resource|constructor|method|static)\]([a-z-]+)(?:\.([a-z-]+))?$/.exec(name);
  if (match === null) return members[camelCase(name)];
  const [, kind, resource = "", member = ""] = match;
  const resourceClass = members[className(resource)] as (Callable & { prototype: object }) | undefined;
  if (kind === "resource" || kind === "constructor") return resourceClass;
  const holder: object = kind === "static" ? (resourceClass ?? {}) : (resourceClass?.prototype ?? {});
  return Object.getOwnPropertyDescriptor(holder, camelCase(member))?.value;
}

const RELEASES = { "0.2.0": WASI_0_2, "0.3.0": WASI_0_3 };

for (const [version, table] of Object.entries(RELEASES)) {
  test(`every function and resource of WASI ${version} is there, with as many parameters as it has in WIT`, () => {
    const imports = inertImports(TRANSACTION);
    for (const [name, members] of Object.entries(table)) {
      const provided = imports[`${name}@${version}`];
      assert.ok(typeof provided === "object" && provided !== null, `${name}@${version} is not provided`);
      for (const [member, shape] of Object.entries(members)) {
        const found = memberOf({ ...provided }, member);
        assert.equal(typeof found, "function", `${name}#${member} is not there`);
        if (shape !== "resource") assert.equal((found as Callable).length, shape, `${name}#${member} takes ${shape} parameters`);
      }
    }
  });
}

test("nothing is provided under a name of WASI that WASI does not have", () => {
  const known = new Set(
    Object.entries(RELEASES).flatMap(([version, table]) => Object.keys(table).map((name) => `${name}@${version}`)),
  );
  const others = Object.keys(inertImports(TRANSACTION)).filter((name) => !known.has(name));
  assert.deepEqual(others, [
    "wasi:config/store@0.2.0-rc.1",
    "wasi:config/store@0.2.0-draft",
    "wasi:config/runtime@0.2.0-draft",
    "wasi:logging/logging@0.1.0-draft",
    "wasi:logging/logging",
  ]);
});

test("without a grant nothing waits: a component that is not async itself stays on the fast path", () => {
  assert.equal(anyMayWait(inertImports(TRANSACTION)), false);
});

test("names that every JS object has lead a guest nowhere, on interfaces, classes and objects", () => {
  const inherited = ["constructor", "toString", "valueOf", "hasOwnProperty", "__proto__", "call", "apply", "bind"];
  const places = Object.values(inertImports(TRANSACTION)).flatMap((provided): [string, object][] => {
    const classes = Object.entries(Object(provided)).filter(([name]) => /^[A-Z]/.test(name));
    const holders = classes.flatMap(([name, made]): [string, object][] => [
      [name, Object(made)],
      [`${name}.prototype`, Object(Reflect.get(Object(made), "prototype"))],
    ]);
    return [["an interface", Object(provided)], ...holders];
  });
  assert.ok(places.length > 60);
  for (const [place, holder] of places) {
    // Sockets have a method of that name in WIT.
    const names = /^(?:Tcp|Udp)Socket\.prototype$/.test(place) ? inherited.filter((name) => name !== "bind") : inherited;
    for (const name of names) assert.equal(Reflect.get(holder, name), undefined, `${name} of ${place}`);
  }
});

test("a guest that declares a constructor which WIT does not have cannot make a resource out of its own values", () => {
  const constructible = ["Fields", "OutgoingRequest", "OutgoingResponse", "RequestOptions"];
  for (const provided of Object.values(inertImports(TRANSACTION))) {
    for (const [name, made] of Object.entries(Object(provided))) {
      if (!/^[A-Z]/.test(name) || constructible.includes(name)) continue;
      assert.throws(() => Reflect.construct(made as new () => object, [{ room: 1 }]), { code: "capability/misuse" }, name);
    }
  }
});

/** Interfaces that components export, never import from a host. */
const EXPORTED = ["wasi:cli/run", "wasi:http/incoming-handler"];

for (const [version, table] of Object.entries({ "0.2.12": WASI_0_2, "0.3.0": WASI_0_3 })) {
  const folder = new URL(`../../node_modules/@bytecodealliance/jco/lib/wit/builtin/${version}/`, import.meta.url);
  const skip = existsSync(folder) ? false : "jco has no WIT of that version";
  test(`the table of WASI names what the WIT of ${version} does, no more and no less`, { skip }, () => {
    const found = new Map<string, string[]>();
    for (const name of ["cli", "clocks", "filesystem", "http", "io", "random", "sockets"]) {
      const file = new URL(`wasi-${name}/package.wit`, folder);
      if (!existsSync(file)) continue;
      const text = readFileSync(file, "utf8")
        .replaceAll(/\/\/.*$/gm, "")
        .replaceAll(/@(?:since|unstable)\([^)]*\)/g, "");
      for (const [, interfaceName = "", body = ""] of text.matchAll(/^interface ([a-z-]+) \{\n(.*?)^\}/gms)) {
        found.set(`wasi:${name}/${interfaceName}`, namesOf(body));
      }
    }
    for (const name of EXPORTED) found.delete(name);
    const names = Object.entries(table).map(([name, members]) => [name, Object.keys(members).toSorted()] as const);
    assert.deepEqual(Object.fromEntries(names), Object.fromEntries(found));
  });
}

/** The functions and resources of an interface's text, by the names that components import them by. */
function namesOf(body: string): string[] {
  const names: string[] = [];
  const rest = body.replaceAll(
    /resource ([a-z-]+)\s*(?:;|\{(.*?)\n\s*\})/gs,
    (_, resource: string, members: string | undefined) => {
      names.push(`[resource]${resource}`);
      for (const [, member, isStatic] of (members ?? "").matchAll(/%?([a-z-]+): (static )?(?:async )?func/g)) {
        names.push(`[${isStatic === undefined ? "method" : "static"}]${resource}.${member}`);
      }
      if (/constructor\(/.test(members ?? "")) names.push(`[constructor]${resource}`);
      return "";
    },
  );
  for (const [, name] of rest.matchAll(/%?([a-z0-9-]+): (?:async )?func/g)) names.push(name ?? "");
  return names.toSorted();
}

interface Stdio {
  "wasi:cli/stdout@0.2.0": { getStdout(): { checkWrite(): bigint; write(bytes: Uint8Array): void } };
  "wasi:cli/stderr@0.2.0": { getStderr(): { blockingWriteAndFlush(bytes: Uint8Array): void } };
  "wasi:cli/stdin@0.2.0": { getStdin(): { read(length: bigint): Uint8Array } };
  "wasi:cli/environment@0.2.0": { getEnvironment(): unknown; getArguments(): unknown; initialCwd(): unknown };
  "wasi:cli/exit@0.2.0": { exit: (status: { tag: "ok" | "err" }) => never; exitWithCode: (code: number) => never };
  "wasi:cli/terminal-stdout@0.2.0": { getTerminalStdout(): unknown };
  "wasi:logging/logging@0.1.0-draft": { log: (level: string, context: string, message: string) => void };
  "wasi:config/store@0.2.0-rc.1": { get(key: string): unknown; getAll(): unknown };
  "wasi:filesystem/preopens@0.2.0": { getDirectories(): unknown };
  "wasi:filesystem/types@0.2.0": { filesystemErrorCode(error: object): unknown };
  "wasi:sockets/instance-network@0.2.0": { instanceNetwork(): object };
  "wasi:sockets/tcp-create-socket@0.2.0": { createTcpSocket(family: string): unknown };
  "wasi:sockets/udp-create-socket@0.2.0": { createUdpSocket(family: string): unknown };
  "wasi:sockets/ip-name-lookup@0.2.0": { resolveAddresses(network: object, name: string): unknown };
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

test("what a guest prints and logs arrives in order, by stream, and control characters of logs are escaped", () => {
  const received: [string, string][] = [];
  const output = (stream: string, written: Uint8Array) => void received.push([stream, new TextDecoder().decode(written)]);
  const imports = inertImports({ ...TRANSACTION, output }) as unknown as Stdio;
  const stdout = imports["wasi:cli/stdout@0.2.0"].getStdout();
  assert.ok(stdout.checkWrite() > 0n);
  stdout.write(bytes("one\n"));
  imports["wasi:cli/stderr@0.2.0"].getStderr().blockingWriteAndFlush(bytes("two"));
  imports["wasi:logging/logging@0.1.0-draft"].log("warn", "db", "slow\nerror faked \u001b[31m");
  imports["wasi:logging/logging@0.1.0-draft"].log("info", "", "plain");
  assert.deepEqual(received, [
    ["stdout", "one\n"],
    ["stderr", "two"],
    ["log", "warn [db] slow\\nerror faked \\u001b[31m\n"],
    ["log", "info plain\n"],
  ]);
});

test("one output limit holds for all streams and logs of a transaction together", () => {
  let count = 0;
  const output = (stream: string, written: Uint8Array) => void (count += stream === "stdout" ? written.length : 1000);
  const imports = inertImports({ ...TRANSACTION, output, outputLimitBytes: 10 }) as unknown as Stdio;
  const stdout = imports["wasi:cli/stdout@0.2.0"].getStdout();
  for (let i = 0; i < 100; i++) {
    stdout.checkWrite();
    stdout.write(bytes("1234567"));
  }
  imports["wasi:logging/logging@0.1.0-draft"].log("info", "", "more");
  assert.equal(count, 10 + 1000, "ten bytes and one remark");
});

test("a stream that a guest kept from before prints into the transaction that runs now", () => {
  const { imports, prepare } = linkInert();
  const stdout = (imports as unknown as Stdio)["wasi:cli/stdout@0.2.0"].getStdout();
  const received: string[] = [];
  for (const name of ["first", "second"]) {
    prepare({ ...TRANSACTION, output: (_, written) => void received.push(`${name} ${new TextDecoder().decode(written)}`) });
    stdout.checkWrite();
    stdout.write(bytes("hi"));
  }
  assert.deepEqual(received, ["first hi", "second hi"]);
});

test("without a grant there is nothing to read: no arguments, environment, folder, input, terminal or setting", () => {
  const imports = inertImports(TRANSACTION) as unknown as Stdio;
  const environment = imports["wasi:cli/environment@0.2.0"];
  assert.deepEqual([environment.getEnvironment(), environment.getArguments(), environment.initialCwd()], [[], [], undefined]);
  assert.deepEqual(imports["wasi:filesystem/preopens@0.2.0"].getDirectories(), []);
  assert.equal(imports["wasi:cli/terminal-stdout@0.2.0"].getTerminalStdout(), undefined);
  assert.throws(() => imports["wasi:cli/stdin@0.2.0"].getStdin().read(1n), { payload: { tag: "closed" } });
  assert.equal(imports["wasi:config/store@0.2.0-rc.1"].get("key"), undefined);
  assert.deepEqual(imports["wasi:config/store@0.2.0-rc.1"].getAll(), []);
});

test("sockets and names are denied with the interface's own error", () => {
  const imports = inertImports(TRANSACTION) as unknown as Stdio;
  const network = imports["wasi:sockets/instance-network@0.2.0"].instanceNetwork();
  const denied = { payload: "access-denied" };
  assert.throws(() => imports["wasi:sockets/tcp-create-socket@0.2.0"].createTcpSocket("ipv4"), denied);
  assert.throws(() => imports["wasi:sockets/udp-create-socket@0.2.0"].createUdpSocket("ipv6"), denied);
  assert.throws(() => imports["wasi:sockets/ip-name-lookup@0.2.0"].resolveAddresses(network, "localhost"), denied);
});

test("exit ends the transaction with the status that the guest gave", () => {
  const { exit, exitWithCode } = (inertImports(TRANSACTION) as unknown as Stdio)["wasi:cli/exit@0.2.0"];
  assert.throws(() => exit({ tag: "ok" }), { code: "capability/exit", data: { status: 0 } });
  assert.throws(() => exit({ tag: "err" }), { code: "capability/exit", data: { status: 1 } });
  assert.throws(() => exitWithCode(42), { code: "capability/exit", data: { status: 42 } });
});

test("a log message without end stops the guest", () => {
  const { log } = (inertImports(TRANSACTION) as unknown as Stdio)["wasi:logging/logging@0.1.0-draft"];
  assert.throws(() => log("info", "", "x".repeat(100_000)), { code: "capability/limit" });
});
