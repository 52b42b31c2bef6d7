// Instances of components with grants whose transactions can be recorded: what stands between them and the host is told of each transaction.

import type { CapabilityTransaction, ConfiguredCapability } from "../../capabilities/capability.ts";
import { logLine } from "../../capabilities/logging/output.ts";
import type { InstanceImports } from "../../engine/engine.ts";
import type { GuestTransaction } from "../calls.ts";
import { InstanceRecorder } from "./recording.ts";

const encoder = new TextEncoder();

/** `component`: its name in records; `link` makes what one instance is given; `calls` is the part of it that other components answer. */
export function recordedInstances(
  component: string,
  link: () => InstanceImports<CapabilityTransaction>,
  calls: ConfiguredCapability | undefined,
): () => InstanceImports<CapabilityTransaction> {
  const passed = new Set(calls === undefined ? [] : Object.keys(calls().imports));
  return () => {
    const given = link();
    const recorder = new InstanceRecorder(component, passed);
    return {
      ...given,
      intercept: recorder.intercept,
      // What was written down cannot be taken back.
      restart: undefined,
      prepare(transaction) {
        const call = transaction as GuestTransaction;
        const { path = "", count, host, output, log } = call;
        const recording = recorder.begin(host.recording, path, count);
        call.recorder = recording;
        if (recording === undefined) return given.prepare?.(transaction);
        given.prepare?.({
          ...call,
          output(stream, bytes) {
            recording.print(stream, bytes);
            output?.(stream, bytes);
          },
          ...(log === undefined
            ? {}
            : {
                log(record) {
                  recording.print("log", encoder.encode(logLine(record)));
                  log(record);
                },
              }),
        } satisfies GuestTransaction as CapabilityTransaction);
      },
      finish(outcome) {
        recorder.end();
        return given.finish?.(outcome);
      },
    };
  };
}
