import assert from "node:assert/strict";
import { test } from "node:test";
import { StarlaneError } from "../base/errors.ts";
import type { FuncType, NamedExtern } from "../wit/types.ts";
import type { WasmComponent } from "./app.ts";
import { findOperation, operationsOf, shortName } from "./operations.ts";

const text = { kind: "string" } as const;
const func: FuncType = {
  kind: "func",
  async: false,
  params: [{ name: "s", type: text }],
  result: { kind: "result", ok: text, error: text },
};

function component(exports: readonly NamedExtern[]): WasmComponent {
  const type = { imports: [], exports };
  return {
    kind: "wasm",
    name: "c",
    file: "c.wasm",
    sizeBytes: 0,
    type,
    operations: operationsOf(type, { limits: {} }, () => () => undefined),
  };
}

const both = component([
  { name: "run", type: func },
  {
    name: "acme:a/one@1.0.0",
    type: {
      kind: "instance",
      exports: [
        { name: "go", type: func },
        { name: "[method]r.go", type: func },
      ],
    },
  },
  {
    name: "acme:a/two@1.0.0",
    type: {
      kind: "instance",
      exports: [
        { name: "go", type: func },
        { name: "only", type: func },
      ],
    },
  },
]);

test("functions of the world and of interfaces are operations, methods are not", () => {
  assert.deepEqual([...both.operations.keys()], ["run", "acme:a/one@1.0.0#go", "acme:a/two@1.0.0#go", "acme:a/two@1.0.0#only"]);
});

test("a result is split into what an operation gives and what it fails with", () => {
  assert.deepEqual(both.operations.get("run")?.signature, {
    params: [{ name: "s", type: text, optional: false }],
    result: text,
    error: text,
    async: false,
  });
});

test("an operation is found by every name that means only it", () => {
  for (const name of ["acme:a/two@1.0.0#only", "acme:a/two#only", "two#only", "only"]) {
    assert.equal(findOperation(both, name).name, "acme:a/two@1.0.0#only");
  }
  assert.throws(
    () => findOperation(both, "go"),
    (e) => e instanceof StarlaneError && e.code === "star/unknown-operation" && /could be 2/.test(e.message),
  );
  assert.throws(
    () => findOperation(both, "rnu"),
    (e) => e instanceof StarlaneError && /did you mean run\?/.test(e.cure ?? ""),
  );
});

test("the shortest name that means only one operation is shown", () => {
  const all = [...both.operations.values()];
  assert.deepEqual(
    all.map((operation) => shortName(operation, all)),
    ["run", "one#go", "two#go", "only"],
  );
});
