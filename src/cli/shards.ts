// Several processes that serve the same ports, one beside the other. One that ends is replaced, and it is said how it ended; the others
// go on.

import { fork, type ChildProcess } from "node:child_process";
import type { CommandLine } from "./command-line.ts";

/** A shard that ends sooner than this after its start is not replaced at once: it would end again. */
const STABLE_MS = 1000;
const RETRY_MS = 500;
/** Shards that never became ready before all is given up. */
const MOST_FAILURES = 5;

export async function superviseShards(line: CommandLine, count: number): Promise<number> {
  const shards = new Set<ChildProcess>();
  let failures = 0;
  let isStopping = false;
  const ended = Promise.withResolvers<number>();
  const stop = (): void => {
    isStopping = true;
    for (const shard of shards) shard.kill("SIGTERM");
    if (shards.size === 0) ended.resolve(0);
  };
  const start = (index: number): void => {
    const startedAt = performance.now();
    let isReady = false;
    const shard = fork(process.argv[1] ?? "", process.argv.slice(2), { env: { ...process.env, STARLANE_SHARD: String(index) } });
    shards.add(shard);
    shard.on("message", () => {
      isReady = true;
      failures = 0;
    });
    shard.on("exit", (status, signal) => {
      shards.delete(shard);
      if (isStopping) {
        if (shards.size === 0) ended.resolve(0);
        return;
      }
      if (!isReady && ++failures >= MOST_FAILURES) {
        stop();
        return ended.resolve(status ?? 1);
      }
      process.stderr.write(`shard ${index} ended with ${signal ?? `status ${status}`}: it is replaced\n`);
      setTimeout(() => start(index), performance.now() - startedAt < STABLE_MS ? RETRY_MS : 0);
    });
  };
  for (let index = 0; index < count; index++) start(index);
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
  process.stderr.write(`serving ${line.positionals.join(", ")} with ${count} processes\n`);
  return await ended.promise;
}
