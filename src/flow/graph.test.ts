import assert from "node:assert/strict";
import { test } from "node:test";
import { graphOf } from "./graph.ts";
import { checkBody, flowBody } from "./sample.ts";

test("a graph has the two sides, the nodes, constants and drops, and typed edges", () => {
  const body = `nodes:
  twice: { uses: "text::repeat", with: { "n": 2 }, timeout: 1s, retry: { attempts: 3, backoff: 1s } }
${flowBody("<>.id -> users::get", 'get.address.city ?? "?" -> twice.s -> <>.text', "get -> drop", "get! -> <>.problem")}`;
  const { flow } = checkBody(body);
  assert(flow !== undefined);
  const { nodes, edges } = graphOf(flow);
  assert.deepEqual(
    nodes.map(({ id, kind }) => `${kind} ${id}`),
    ["input <>:in", "constant const:0", "operation get", "operation twice", "drop drop:0", "output <>:out"],
  );
  assert.deepEqual(
    edges.map(
      ({ from, fromPort, to, toPort, type, isError, fallback }) =>
        `${from} ${fromPort} -> ${to} ${toPort}: ${type} ${isError} ${fallback}`,
    ),
    [
      "<>:in id -> get id: u32 false undefined",
      'get address.city -> twice s: string false "?"',
      "const:0  -> twice n: u8 false undefined",
      "twice  -> <>:out text: string false undefined",
      "get  -> <>:out problem: record { code: string, message: string, node: string } true undefined",
      "get  -> drop:0 : record { name: string, age: u8, address: record { city: string, zip: option<…> } } false undefined",
    ],
  );
  const twice = nodes.find(({ id }) => id === "twice");
  assert(twice?.kind === "operation");
  assert.deepEqual(twice.notes, ["timeout 1000ms", "retry 3"]);
});
