import assert from "node:assert/strict";
import { test } from "node:test";
import { mergeMetrics } from "./shard-metrics.ts";

test("samples of several processes stand together under one description, each with its process", () => {
  const one = `# HELP a_total What is counted.
# TYPE a_total counter
a_total 3
# TYPE b gauge
b{route="/x} \\"y\\"",le="+Inf"} 0.5
b{} 2
`;
  const two = `# HELP a_total What is counted.
# TYPE a_total counter
a_total 4
# TYPE c counter
c 1
`;
  assert.equal(
    mergeMetrics(
      new Map([
        [0, one],
        [1, two],
      ]),
    ),
    `# HELP a_total What is counted.
# TYPE a_total counter
a_total{shard="0"} 3
a_total{shard="1"} 4
# TYPE b gauge
b{shard="0",route="/x} \\"y\\"",le="+Inf"} 0.5
b{shard="0"} 2
# TYPE c counter
c{shard="1"} 1
`,
  );
});
