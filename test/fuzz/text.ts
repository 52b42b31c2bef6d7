// Texts that people and strangers write: manifests, flows, types, JSON, patterns. Never a crash, a hang, or an error that is not ours.

import { loadExpressions } from "../../src/flow/core/expression.ts";
import { Random } from "./random.ts";
import { Finding, type Sample, type Target } from "./target.ts";
import { makeManifests, runManifest } from "./text-manifests.ts";
import { runTextKind, TEXT_KINDS, type TextKind } from "./text-types.ts";

export const text: Target = {
  async prepare() {
    await loadExpressions();
    const makeManifest = makeManifests();
    return async (seed, report) => {
      report.stage("generate");
      const random = new Random(seed);
      let sample: Sample | undefined;
      const keep = (one: Sample): void => {
        sample = one;
        report.sample(one);
      };
      const kind = random.pick<TextKind | "manifest">(["manifest", "manifest", "manifest", ...TEXT_KINDS]);
      report.stage("check");
      try {
        if (kind !== "manifest") return runTextKind(kind, random, keep, report);
        const manifest = makeManifest(random);
        keep({ extension: "yaml", content: manifest });
        await runManifest(random, manifest, report);
      } catch (error) {
        throw new Finding(`${kind}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`, sample, error);
      }
    };
  },
};
