import assert from "node:assert/strict";
import { test } from "node:test";
import { otlpSettings } from "./otlp-settings.ts";

const AT = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector:4318" };
const bad = (message: RegExp) => ({ code: "telemetry/bad-setting", message });

test("without an endpoint nothing is exported, whatever else is set", () => {
  assert.equal(otlpSettings({}), undefined);
  assert.equal(otlpSettings({ OTEL_EXPORTER_OTLP_ENDPOINT: "" }), undefined);
  assert.equal(otlpSettings({ OTEL_TRACES_EXPORTER: "console", OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" }), undefined);
});

test("one endpoint serves all signals under their paths; one of a signal is taken as it is", () => {
  const all = otlpSettings({ OTEL_EXPORTER_OTLP_ENDPOINT: "https://user:pass@collector:4318/base/?key=1" });
  assert.equal(all?.traces?.url, "https://user:pass@collector:4318/base/v1/traces?key=1");
  assert.equal(all?.metrics?.endpoint, "https://collector:4318/base/v1/metrics");
  assert.equal(all?.logs?.protocol, "http/protobuf");
  const one = otlpSettings({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "http://traces:4318/in" });
  assert.equal(one?.traces?.url, "http://traces:4318/in");
  assert.deepEqual([one?.metrics, one?.logs], [undefined, undefined]);
});

test("signals are left out one by one, or all together", () => {
  const some = otlpSettings({ ...AT, OTEL_TRACES_EXPORTER: "none", OTEL_METRICS_EXPORTER: "otlp" });
  assert.deepEqual([some?.traces === undefined, some?.metrics === undefined], [true, false]);
  assert.equal(otlpSettings({ ...AT, OTEL_SDK_DISABLED: "TRUE" }), undefined);
  const none = { OTEL_TRACES_EXPORTER: "none", OTEL_METRICS_EXPORTER: "none", OTEL_LOGS_EXPORTER: "none" };
  assert.equal(otlpSettings({ ...AT, ...none }), undefined);
});

test("the protocol of a signal stands over the common one; grpc is answered with what to do", () => {
  const json = otlpSettings({
    ...AT,
    OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
    OTEL_EXPORTER_OTLP_LOGS_PROTOCOL: "http/protobuf",
  });
  assert.deepEqual([json?.traces?.protocol, json?.logs?.protocol], ["http/json", "http/protobuf"]);
  assert.throws(
    () => otlpSettings({ ...AT, OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" }),
    (error: { code: string; cure: string }) => {
      assert.equal(error.code, "telemetry/bad-setting");
      assert.match(error.cure, /http\/protobuf or http\/json.*4318/);
      return true;
    },
  );
});

test("samplers and batches are those of the standard", () => {
  const usual = otlpSettings(AT)?.traces;
  assert.deepEqual([usual?.sampler, usual?.ratio, usual?.batches.maxQueueSize], ["parentbased_always_on", 1, 2048]);
  const env = { ...AT, OTEL_TRACES_SAMPLER: "traceidratio", OTEL_TRACES_SAMPLER_ARG: "0.25", OTEL_BSP_MAX_QUEUE_SIZE: "100" };
  const other = otlpSettings(env)?.traces;
  assert.deepEqual([other?.sampler, other?.ratio, other?.batches.maxExportBatchSize], ["traceidratio", 0.25, 100]);
});

test("what cannot be used is said with the variable it stands in", () => {
  for (const [env, message] of [
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: "collector:4318" }, /OTEL_EXPORTER_OTLP_ENDPOINT/],
    [{ OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: "ftp://x" }, /OTEL_EXPORTER_OTLP_LOGS_ENDPOINT/],
    [{ ...AT, OTEL_TRACES_SAMPLER: "often" }, /OTEL_TRACES_SAMPLER/],
    [{ ...AT, OTEL_TRACES_SAMPLER: "traceidratio", OTEL_TRACES_SAMPLER_ARG: "2" }, /OTEL_TRACES_SAMPLER_ARG/],
    [{ ...AT, OTEL_METRIC_EXPORT_INTERVAL: "soon" }, /OTEL_METRIC_EXPORT_INTERVAL/],
    [{ ...AT, OTEL_METRICS_EXPORTER: "prometheus" }, /OTEL_METRICS_EXPORTER/],
  ] as const) {
    assert.throws(() => otlpSettings(env), bad(message));
  }
});
