// The process that makes components of TypeScript: it keeps the library and what was prepared. A program that does not end, or a library that
// crashes, ends only this process.

import type { QjsAnswer, QjsJob } from "./protocol.ts";
import { SourceMistake } from "./protocol.ts";
import { buildQuickly, prepareFor, prepareNext } from "./quick-build.ts";
import { buildWhole } from "./whole-build.ts";

process.on("message", (job: QjsJob) => void answer(job));
process.on("disconnect", () => process.exit());

async function answer(job: QjsJob): Promise<void> {
  if (job.kind === "prepare") {
    // Where it cannot be prepared the next build tells why.
    await prepareFor(job).catch(() => undefined);
    process.send?.({ kind: "prepared" } satisfies QjsAnswer);
    return;
  }
  const { reply, whole } = await make(job);
  process.send?.(reply);
  if (job.kind === "quick" && whole !== undefined) await prepareNext(job, whole);
}

async function make(job: QjsJob): Promise<{ readonly reply: QjsAnswer; readonly whole?: Uint8Array }> {
  try {
    const quick = job.kind === "quick" ? await buildQuickly(job) : undefined;
    if (quick !== undefined) return { reply: { kind: "made", component: quick, quick: true } };
    const component = await buildWhole(job);
    return { reply: { kind: "made", component, quick: false }, whole: component };
  } catch (error) {
    if (error instanceof SourceMistake) return { reply: { kind: "failed", message: error.message, ...error.details } };
    return { reply: { kind: "failed", message: error instanceof Error ? error.message : String(error) } };
  }
}
