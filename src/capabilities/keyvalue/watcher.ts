// `wasi:keyvalue/watcher`, which a component exports: tells it of a change. Whoever watches a store calls this.

import { StarlaneError } from "../../base/errors.ts";
import type { Instance } from "../../engine/engine.ts";
import type { Change } from "./keyvalue.ts";
import type { KeyValueBinding, KeyValueDraft } from "./wasi.ts";

/** The drafts of `watcher` among a component's exports; `functions` are the names that `call` takes. */
export function watcherDraft(functions: Iterable<string>): KeyValueDraft | undefined {
  const names = [...functions];
  return (["draft2", "draft"] as const).find((draft) => names.includes(exportName(draft, "set")));
}

/** Calls `on-set` or `on-delete`; the guest gets the bucket that changed. `binding` is the one that the instance was linked with. */
export async function callWatcher(
  instance: Instance,
  binding: KeyValueBinding,
  draft: KeyValueDraft,
  bucketName: string,
  change: Change,
): Promise<void> {
  const bucket = binding.bucket(bucketName, draft);
  if (bucket === undefined) throw new StarlaneError("starlane/internal", `the bucket ${bucketName} is watched, but not granted`);
  const args = change.kind === "set" ? [bucket, change.key, change.value] : [bucket, change.key];
  await instance.call(exportName(draft, change.kind), args);
}

function exportName(draft: KeyValueDraft, kind: Change["kind"]): string {
  return `wasi:keyvalue/watcher@0.2.0-${draft}#on-${kind}`;
}
