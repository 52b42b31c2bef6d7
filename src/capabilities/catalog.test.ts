import assert from "node:assert/strict";
import { test } from "node:test";
import type { Field, NamedExtern } from "../wit/types.ts";
import { missingImports, missingImportsError, providerOf } from "./catalog.ts";

function importing(name: string, ...functions: [name: string, parameterCount: number][]): NamedExtern {
  const exports = functions.map(([member, count]): NamedExtern => {
    const params = Array.from({ length: count }, (_, i): Field => ({ name: `p${i}`, type: { kind: "u32" } }));
    return { name: member, type: { kind: "func", async: false, params } };
  });
  return { name, type: { kind: "instance", exports } };
}

const onlyMessage = (item: NamedExtern): string | undefined => {
  const missing = missingImports([item]);
  assert.equal(missing.length, 1);
  return missing[0]?.message;
};

test("every release of WASI 0.2 and 0.3 is served, by name and by what it asks for", () => {
  for (const version of ["0.2.0", "0.2.6", "0.2.12", "0.2.99"]) {
    assert.deepEqual(missingImports([importing(`wasi:io/poll@${version}`, ["poll", 1], ["[method]pollable.block", 1])]), []);
    assert.deepEqual(providerOf(`wasi:clocks/wall-clock@${version}`), { capability: "clock", grant: "clock: real", inert: true });
  }
  assert.deepEqual(missingImports([importing("wasi:clocks/monotonic-clock@0.3.0", ["now", 0], ["wait-for", 1])]), []);
  assert.deepEqual(missingImports([importing("wasi:config/store@0.2.0-rc.1", ["get", 1])]), []);
  assert.deepEqual(missingImports([importing("wasi:logging/logging@0.1.0-draft", ["log", 3])]), []);
});

test("an interface may use a resource of another one that is granted", () => {
  const stream = { kind: "resource", name: "output-stream" } as const;
  const type: NamedExtern["type"] = {
    kind: "instance",
    exports: [{ name: "output-stream", type: { kind: "type", type: stream } }],
  };
  const streams: NamedExtern = { name: "wasi:io/streams@0.2.12", type };
  const stdout: NamedExtern = { name: "wasi:cli/stdout@0.2.12", type };
  assert.deepEqual(missingImports([streams, stdout], new Set([streams.name])), []);
  assert.equal(missingImports([stdout]).length, 1);
});

test("a function that an interface does not have, or has with other parameters, is named", () => {
  const missing = missingImports([
    importing("wasi:random/random@0.2.0", ["get-random-u64", 0], ["get-random-u128", 0], ["get-random-bytes", 2]),
    importing(
      "wasi:io/streams@0.2.0",
      ["[constructor]output-stream", 1],
      ["[method]input-stream.to-string", 1],
      ["constructor", 0],
    ),
  ]);
  assert.deepEqual(
    missing.map((item) => item.import),
    [
      "wasi:random/random@0.2.0#get-random-u128",
      "wasi:random/random@0.2.0#get-random-bytes",
      "wasi:io/streams@0.2.0#[constructor]output-stream",
      "wasi:io/streams@0.2.0#[method]input-stream.to-string",
      "wasi:io/streams@0.2.0#constructor",
    ],
  );
  assert.equal(missing[1]?.message, "takes 1 parameters, not 2");
});

test("a capability without an inert form is named with the grant that asks for it", () => {
  assert.deepEqual(missingImports([importing("wasi:keyvalue/store@0.2.0-draft")]), [
    {
      import: "wasi:keyvalue/store@0.2.0-draft",
      capability: "keyvalue",
      grant: "keyvalue: { default: RESOURCE }",
      message: "provided by the capability keyvalue where that is granted: `keyvalue: { default: RESOURCE }`",
    },
  ]);
  assert.deepEqual(
    ["wasi:blobstore/container", "wasi:messaging/consumer@0.2.0-draft", "starlane:sql/query", "wasi:sql/query"].map(
      (name) => providerOf(name)?.capability,
    ),
    ["blobs", "messaging", "sql", "sql"],
  );
});

test("an interface that is not WASI's would be another component's", () => {
  assert.deepEqual(providerOf("acme:geo/lookup@1.0.0"), {
    capability: "calls",
    grant: 'calls: { "acme:geo/lookup": COMPONENT }',
    inert: false,
  });
  assert.match(
    onlyMessage(importing("acme:geo/lookup")) ?? "",
    /provided by another component .*calls: \{ "acme:geo\/lookup": COMPONENT \}/,
  );
});

test("what cannot be provided says why", () => {
  assert.match(onlyMessage(importing("wasi:nn/graph@0.2.0-rc-2024-06-25")) ?? "", /no capability for wasi:nn/);
  assert.match(onlyMessage(importing("wasi:cli/stdout@0.3.0-rc-2025-09-16")) ?? "", /draft of WASI 0\.3/);
  assert.match(onlyMessage(importing("wasi:cli/stdout@0.4.0")) ?? "", /version 0\.4\.0 is not served/);
  assert.match(onlyMessage(importing("wasi:io/streams@0.2.0-rc-2023-11-10")) ?? "", /draft of WASI 0\.2/);
  assert.match(onlyMessage(importing("wasi:io/streams@0.1.0")) ?? "", /version 0\.1\.0 is not served/);
  assert.match(onlyMessage(importing("wasi:io/rivers@0.2.0")) ?? "", /no interface of that name/);
  assert.match(onlyMessage({ name: "log", type: { kind: "func", async: false, params: [] } }) ?? "", /interfaces only/);
  assert.match(
    onlyMessage({ name: "wasi:io/poll@0.2.0", type: { kind: "func", async: false, params: [] } }) ?? "",
    /is an interface, but/,
  );
});

test("names that every JS object has provide nothing", () => {
  for (const name of ["constructor", "__proto__", "toString", "a:constructor/b"]) {
    assert.notEqual(providerOf(name)?.inert, true);
    assert.equal(missingImports([importing(name)]).length, 1);
  }
});

test("what something else provides is not missing", () => {
  assert.deepEqual(missingImports([importing("acme:geo/lookup", ["find", 9])], new Set(["acme:geo/lookup"])), []);
});

test("one error lists everything that nothing provides", () => {
  const error = missingImportsError("shop", missingImports([importing("acme:geo/lookup"), importing("wasi:nn/graph")]));
  assert.equal(error?.code, "engine/missing-import");
  assert.match(
    error?.message ?? "",
    /^shop imports 2 things that nothing provides:\n {2}acme:geo\/lookup: .*\n {2}wasi:nn\/graph: /,
  );
  assert.equal(missingImportsError("shop", []), undefined);
});

test("interfaces that one grant would provide are told together", () => {
  const missing = missingImports(
    ["starlane:sql/types@0.1.0", "wasi:nn/graph", "starlane:sql/database@0.1.0"].map((name) => importing(name)),
  );
  const [, ...lines] = missingImportsError("shop", missing)?.message.split("\n") ?? [];
  assert.deepEqual(lines, [
    "  starlane:sql/types@0.1.0, starlane:sql/database@0.1.0: provided by the capability sql where that is granted: `sql: { DATABASE: RESOURCE }`",
    "  wasi:nn/graph: Starlane has no capability for wasi:nn",
  ]);
});
